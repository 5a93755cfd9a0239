"""Translate the texts of a file, paragraph by paragraph, so that the file can be written again with them.

What a paragraph became is kept in a memory at once: a run that was stopped or killed goes on with what is missing, and
none is asked twice. A chat model is asked about several paragraphs together, see `ahead.py`. Reading and writing files
is left to `documents/rewrite.py`.
"""

from __future__ import annotations

from collections import abc
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from functools import partial

from edgellm.documents.segment import Segment, Sheet
from edgellm.errors import ContextOverflow, Stopped, UsageError
from edgellm.runtimes.base import Finish, Generator, ManyGenerator
from edgellm.tasks import protect, translation_way
from edgellm.tasks.ahead import Ahead
from edgellm.tasks.detect import UNSURE, Detector
from edgellm.tasks.glossary import Glossary
from edgellm.tasks.languages import code_of
from edgellm.tasks.memory import Key, Memory
from edgellm.tasks.options import DEFAULT, Options
from edgellm.tasks.protect import Stretch
from edgellm.tasks.result import combined
from edgellm.tasks.scripts import has_letters
from edgellm.tasks.translate import Translator
from edgellm.tasks.translation_plan import Plan, likely_source, prepare

_SAMPLE = 4_000
_SHOWN = 60
_AT_ONCE, _LETTERS = 32, 20_000  # paragraphs that are asked together, and letters in them
_GROUP = 500  # paragraphs until a step is told of, at most, where nearly all are known


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted: `target` and `source` are codes or names of languages, no source means: find out."""

    target: str
    source: str = ""
    glossary: Glossary = field(default_factory=Glossary)
    options: Options = DEFAULT


@dataclass(frozen=True, slots=True)
class Step:
    """One paragraph of `total` is done, the `done`th to be. `where` says where it stands."""

    done: int
    total: int
    where: str


@dataclass(frozen=True, slots=True)
class Report:
    """How it went. `reused` paragraphs came from the memory; `kept` counts what had to stay and did; `warnings` are
    sentences that begin with a place. With `stopped`, the same order goes on where this one ended."""

    source: str
    target: str
    paragraphs: int
    translated: int
    reused: int
    kept: int
    warnings: tuple[str, ...]
    stopped: bool
    finish: Finish

    @property
    def line(self) -> str:
        """The counts in a sentence."""
        parts = [f"{self.translated} of {self.paragraphs} paragraphs translated"]
        if self.reused:
            parts.append(f"{self.reused} of {self.paragraphs} paragraphs from memory")
        if self.kept:
            parts.append(f"{self.kept} of {self.kept} placeholders, numbers and terms kept")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class _Place:
    """A paragraph by its number and by what a person calls it."""

    number: int
    name: str


def sample(sheet: Sheet) -> str:
    """Text from all over the file, enough to tell its language."""
    texts = [one.text for one in sheet.segments if has_letters(one.text)]
    each = max(40, _SAMPLE // max(1, len(texts)))
    step = max(1, len(texts) * each // _SAMPLE)
    return "\n".join(text[:each] for text in texts[::step])[:_SAMPLE]


def likely(sheet: Sheet) -> str:
    """The code of the language that the file is in, of all that are known."""
    return likely_source(sample(sheet))


Asked = tuple[tuple[str, ...], tuple[str, ...]]  # the pieces of a translation, and what to doubt about it


class FileTranslation:
    """Translates a sheet: iterate `run`, then take `translated` and `report`. For one thread."""

    def __init__(
        self, generator: Generator, sheet: Sheet, order: Order, memory: Memory, detector: Detector | None = None
    ) -> None:
        """Raises `UsageError` for a language that the model cannot do."""
        self._sheet = sheet
        self._memory = memory
        self.plan = _plan(generator, sheet, order, detector)
        together = isinstance(generator, ManyGenerator) and self.plan.directions and not self.plan.by_sentence
        self._ahead = Ahead(generator) if together else None
        self._generator = self._ahead or generator
        self._order = order
        self._translator = self._made()
        info = generator.info
        self._key = Key(
            (),
            self.plan.source,
            self.plan.target,
            f"{info.name} {info.quantization} {info.parameters}",
            order.glossary.fingerprint,
            translation_way.fingerprint(info, order.options),
        )
        self._lexicon = self._translator.lexicon
        self.translated: dict[int, tuple[str, ...]] = {}
        self._warnings: dict[str, int] = {}
        self._reused = self._asked = self._kept = 0
        self._stopped = False

    def run(self) -> Iterator[Step]:
        """Translate one paragraph after the other, or several at a time. Ends early, without an error, when it is
        cancelled."""
        total, done = len(self._sheet.segments), 0
        with closing(self._ready()) as numbers:
            for number in numbers:
                segment = self._sheet.segments[number]
                place = _Place(number, segment.where or f"paragraph {number + 1}")
                try:
                    if self.plan.directions and has_letters(segment.text):
                        self._paragraph(segment, place)
                except Stopped:
                    break
                done += 1
                yield Step(done, total, place.name)
        self._stopped = done < total

    def report(self) -> Report:
        """How it went, so far."""
        return Report(
            self.plan.source,
            self.plan.target,
            len(self._sheet.segments),
            self._asked,
            self._reused,
            self._kept,
            tuple(sorted(self._warnings, key=self._warnings.__getitem__)),
            self._stopped,
            combined(self._translator.done),
        )

    def _made(self) -> Translator:
        return Translator(self._generator, self.plan, self._order.options, self._order.glossary)

    def _ready(self) -> abc.Generator[int, None, None]:
        """The numbers of the paragraphs, each when it is its turn."""
        if self._ahead is None:
            yield from range(len(self._sheet.segments))
            return
        for group, asked in self._groups():
            segments = self._sheet.segments
            yield from (number for number in group if segments[number].pieces not in asked)
            scout = self._made()
            numbers = tuple(asked.values())
            jobs = [partial(scout.paragraph, segments[number].pieces) for number in numbers]
            yield from (numbers[index] for index in self._ahead.ready(jobs, self._order.options.cancelled))
            if self._order.options.cancelled():
                return
            yield from (number for number in group if number != asked.get(segments[number].pieces, number))

    def _groups(self) -> Iterator[tuple[list[int], dict[tuple[str, ...], int]]]:
        """Numbers of paragraphs that follow each other, and those of them that the model is asked about."""
        group: list[int] = []
        asked: dict[tuple[str, ...], int] = {}
        letters = 0
        for number, segment in enumerate(self._sheet.segments):
            group.append(number)
            if segment.pieces not in asked and has_letters(segment.text) and self._known(segment) is None:
                asked[segment.pieces] = number
                letters += len(segment.text)
            if len(group) >= _GROUP or len(asked) >= _AT_ONCE or letters >= _LETTERS:
                yield group, asked
                group, asked, letters = [], {}, 0
        yield group, asked

    def _known(self, segment: Segment) -> tuple[str, ...] | None:
        """What the memory has, if it holds all that must stay."""
        found = self._memory.get(replace(self._key, pieces=segment.pieces))
        holds = found is not None and protect.holds(self._translator.stretches(segment.text), "".join(found))
        return found if holds else None

    def _paragraph(self, segment: Segment, place: _Place) -> None:
        stretches = self._translator.stretches(segment.text)
        key = replace(self._key, pieces=segment.pieces)
        found = self._known(segment)
        if found is not None:
            self._reused += 1
            doubts = self._memory.doubts(key)
        else:
            begun = len(self._translator.done)
            asked = self._ask(segment, place, stretches)
            if asked is None:
                return
            found, doubts = asked
            if any(finish.truncated for finish in self._translator.done[begun:]):
                self._warn(place, "the translation was cut at the limit of tokens.")
            else:
                self._memory.put(key, found, doubts)
            self._asked += 1
        for doubt in doubts:
            self._warn(place, doubt)
        self._kept += len(stretches)
        self.translated[place.number] = found
        if self._lexicon is not None and (words := self._unknown(segment, stretches)):
            self._warn(place, f"the built-in model was not taught {', '.join(words)}.")

    def _ask(self, segment: Segment, place: _Place, stretches: Sequence[Stretch]) -> Asked | None:
        """The translation, and what to doubt about it; None, with a warning, where the paragraph stays as it is."""
        worker = self._translator
        broken, shifted, left, invented = map(len, (worker.broken, worker.shifted, worker.left, worker.invented))
        try:
            pieces = worker.paragraph(segment.pieces)
        except ContextOverflow as error:
            self._warn(place, f"left as it is. {error.message}")
            return None
        whole = "".join(pieces)
        if not has_letters(whole) and has_letters(protect.replaced(segment.text, _emptied(stretches))):
            self._warn(place, f"left as it is, because the model gave no translation of: {_short(segment.text)}")
            return None
        if lost := protect.missing(stretches, whole):
            self._warn(place, f"left as it is, because its translation lost {', '.join(lost)}.")
            return None
        doubts = [
            f"translated in parts, around what must stay, and may read badly: {_short(sentence)}"
            for sentence in worker.broken[broken:]
        ]
        doubts += [
            f"the formatting may sit on other words: {_short(sentence)}" for sentence in worker.shifted[shifted:]
        ]
        doubts += [
            f"left as it is, because the built-in model cannot translate: {_short(sentence)}"
            for sentence in dict.fromkeys(worker.left[left:])
        ]
        doubts += [
            f"the built-in model made something up in the translation of: {_short(sentence)}"
            for sentence in worker.invented[invented:]
        ]
        return pieces, tuple(doubts)

    def _unknown(self, segment: Segment, stretches: Sequence[Stretch]) -> tuple[str, ...]:
        assert self._lexicon is not None
        return self._lexicon.unknown(protect.replaced(segment.text, _emptied(stretches)), self.plan.source)

    def _warn(self, place: _Place, sentence: str) -> None:
        self._warnings.setdefault(f"{place.name}: {sentence}", place.number)


def _plan(generator: Generator, sheet: Sheet, order: Order, detector: Detector | None) -> Plan:
    """The plan for the whole file; where its text does not tell the language, the file's own word counts."""
    text = sample(sheet)
    plan = prepare(generator.info, text, order.target, order.source, detector=detector)
    if plan.detected is not None and plan.detected.confidence < UNSURE and sheet.language:
        with suppress(UsageError):  # a language that nobody knows: what was found counts
            plan = prepare(generator.info, text, order.target, code_of(sheet.language), detector=detector)
    return replace(plan, unknown=())


def _emptied(stretches: Sequence[Stretch]) -> list[Stretch]:
    return [replace(one, text=" ") for one in stretches]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
