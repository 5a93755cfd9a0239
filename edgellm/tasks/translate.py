"""Translate a text between languages.

A general model gets the text in pieces that fit its context. The starter was trained on single sentences to and from
English, so it gets one sentence at a time, and the twelve directions without English go through English; line breaks
stay where they are. Words it was never taught are listed to the person. A model that was made for translation gets one
sentence at a time too, and its languages beside it; two of them can go through English, see `pivot.py`. Placeholders,
code, addresses, numbers and the terms of a glossary are in the translation exactly as often as in the text: see
`protect.py` and `faithful.py`. Emoji are kept from a model that reads sentence by sentence: see `translation_signs.py`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from edgellm.errors import Stopped
from edgellm.runtimes.base import Chunk, Event, Finish, Generator
from edgellm.tasks import alignment, faithful, protect, special, translation_limit, translation_signs
from edgellm.tasks.alignment import Pair
from edgellm.tasks.glossary import Glossary
from edgellm.tasks.languages import UNSPACED, english_name
from edgellm.tasks.options import DEFAULT, Options
from edgellm.tasks.pivot import Relay
from edgellm.tasks.protect import Stretch
from edgellm.tasks.result import collect, combined
from edgellm.tasks.scripts import has_letters
from edgellm.tasks.starter import is_starter, shipped
from edgellm.tasks.translation_plan import LANGUAGES, Plan, likely_source, messages, prepare, unknown_words
from edgellm.tasks.translation_units import spans
from edgellm.tasks.typography import as_taught

__all__ = ["LANGUAGES", "Plan", "Translation", "Translator", "likely_source", "messages", "prepare", "run", "translate"]
__all__ += ["unknown_words"]
_NO_TERMS = Glossary()
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Translation:
    """A finished translation with the plan it followed, and which sentences belong together."""

    text: str
    plan: Plan
    finish: Finish
    pairs: tuple[Pair, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What the person should know beside the translation."""
        return self.plan.notes


def run(
    generator: Generator, text: str, plan: Plan, options: Options = DEFAULT, glossary: Glossary = _NO_TERMS
) -> Iterator[Event]:
    """Stream the translation; white space and line breaks between the pieces stay."""
    return Translator(generator, plan, options, glossary).stream(text)


def translate(
    generator: Generator, text: str, target: str, source: str = "", options: Options = DEFAULT
) -> Translation:
    """The whole translation at once."""
    plan = prepare(generator.info, text, target, source)
    worker = Translator(generator, plan, options)
    result, finish = collect(worker.stream(text))
    return Translation(result, plan, finish, worker.pairs(text, result))


class Translator:
    """Translates texts by one plan, and knows afterwards how that went. For one thread.

    `kept` counts the stretches that had to stay and did; `broken` are the sentences that could be kept right only by
    translating around these, `shifted` those whose formatting may sit on other words, `left` those that the starter
    cannot translate, which stay as they are, `invented` those in whose translation it made something up; `done` are the
    facts of what was asked. `lexicon` has the words that the starter was taught, where that translates.
    """

    def __init__(
        self, generator: Generator, plan: Plan, options: Options = DEFAULT, glossary: Glossary = _NO_TERMS
    ) -> None:
        self.plan = plan
        self.kept = 0
        self.broken: list[str] = []
        self.shifted: list[str] = []
        self.left: list[str] = []
        self.invented: list[str] = []
        self.done: list[Finish] = []
        self._generator = generator
        self._options = options
        self._glossary = glossary
        self._units: list[Pair] = []
        marks = not plan.by_sentence
        self._faithful = faithful.Faithful(self._ask, marks, plan.source, plan.target)
        self.lexicon = shipped() if is_starter(generator.info) and plan.directions else None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the person should know beside the translation and the notes of the plan."""
        found = []
        if self.left:
            found.append(f"The built-in model cannot translate these, so they stay as they are: {_shown(self.left)}")
        if self.invented:
            found.append(f"The built-in model made something up in the translation of: {_shown(self.invented)}")
        if self.broken:
            said = "These were translated in parts, around what must stay, and may read badly"
            found.append(f"{said}: {_shown(self.broken)}")
        return tuple(found)

    def stretches(self, text: str) -> tuple[Stretch, ...]:
        """What must stay in a translation of `text`."""
        return protect.find(text, self._glossary.stretches(text, self.plan.source, self.plan.target))

    def stream(self, text: str) -> Iterator[Event]:
        """Stream the translation of a text; a sentence in which something must stay comes when it is checked."""
        begun, made = len(self.done), 0
        self._units = []
        if not self.plan.directions:
            self._units.append(Pair((0, len(text)), (0, len(text))))
            yield Chunk(text)
        else:
            stretches = self.stretches(text)
            for start, end, before in self._pieces(text, stretches):
                if before:
                    yield Chunk(before)
                made += len(before)
                unit = faithful.Unit(text[start:end], protect.clipped(stretches, start, end))
                begins, said = made, ""
                for event in self._streamed(unit):
                    if isinstance(event, Chunk):
                        made += len(event.text)
                        said += event.text
                        yield event
                self._check(unit.text, said)
                if end > start:
                    self._units.append(Pair((start, end), (begins, made)))
                if self.done[begun:] and self.done[-1].reason == "cancelled":
                    break
        yield combined(self.done[begun:])

    def pairs(self, source: str, target: str) -> tuple[Pair, ...]:
        """Which sentences of the text that was streamed last, and of its translation, belong together."""
        if self.plan.by_sentence and self.plan.directions:
            return tuple(pair for pair in self._units if has_letters(source[slice(*pair.source)]))
        found = []
        for unit in self._units:
            (start, end), (low, high) = unit.source, unit.target
            for pair in alignment.align(source[start:end], target[low:high], self.plan.source, self.plan.target):
                ours, theirs = pair.source, pair.target
                found.append(Pair((ours[0] + start, ours[1] + start), (theirs[0] + low, theirs[1] + low)))
        return tuple(found)

    def paragraph(self, pieces: Sequence[str]) -> tuple[str, ...]:
        """The translation of one paragraph, in as many pieces. Raises `Stopped`."""
        text, borders = "".join(pieces), list(faithful.edges(pieces))
        if not self.plan.directions or not has_letters(text):
            return tuple(pieces)
        out = [""] * len(pieces)
        stretches = self.stretches(text)
        for start, end, before in self._pieces(text, stretches):
            gap = start - len(before)
            if text[gap:start] == before:
                for at, letter in enumerate(before, gap):
                    out[bisect_right(borders, at)] += letter
            else:
                out[bisect_right(borders, max(start - 1, 0))] += before
            inner = tuple(border - start for border in borders if start < border < end)
            unit = faithful.Unit(text[start:end], protect.clipped(stretches, start, end), inner)
            first = bisect_right(borders, start)
            found = self._faithfully(unit)
            self._check(unit.text, "".join(found))
            for number, piece in enumerate(found, first):
                out[number] += piece
        return tuple(out)

    def _check(self, text: str, answer: str) -> None:
        if self.lexicon is not None and faithful.invented(text, answer, self.plan.target, self.lexicon):
            self.invented.append(" ".join(text.split()))

    def _streamed(self, unit: faithful.Unit) -> Iterator[Event]:
        if not has_letters(unit.text):
            yield Chunk(unit.text)
        elif unit.stretches or (self.plan.by_sentence and translation_signs.has_emoji(unit.text)):
            try:
                yield Chunk("".join(self._faithfully(unit)))
            except Stopped:
                return
        else:
            yield from self._plainly(unit.text)

    def _plainly(self, text: str) -> Iterator[Event]:
        """Stream a piece in which nothing must stay; as long as it may become a refusal it is held back."""
        held, waits = "", is_starter(self._generator.info)
        for event in self._through(self._taught(text)):
            if isinstance(event, Finish):
                if held:
                    yield Chunk(self._or_left(text, held))
                self.done.append(event)
                yield event
            elif isinstance(event, Chunk):
                held += event.text
                waits = waits and faithful.may_refuse(held)
                if not waits:
                    yield Chunk(held)
                    held = ""

    def _or_left(self, text: str, answer: str) -> str:
        """The answer, or the text itself where the starter says that it cannot translate it."""
        if not (is_starter(self._generator.info) and faithful.refused(answer)):
            return answer
        self.left.append(" ".join(text.split()))
        return text

    def _faithfully(self, unit: faithful.Unit) -> tuple[str, ...]:
        if not has_letters(unit.text):
            return unit.pieces
        bare = translation_signs.bare(unit, self.plan.source) if self.plan.by_sentence else None
        kept = self._faithful.translate(bare.unit if bare is not None else unit)
        self.kept += len(unit.stretches)
        if kept.how == "around":
            self.broken.append(" ".join(unit.text.split()))
        elif kept.how == "estimated" and unit.borders:
            self.shifted.append(" ".join(unit.text.split()))
        return bare.whole(kept.pieces) if bare is not None else kept.pieces

    def _ask(self, text: str, marked: bool) -> str:
        """The translation of a piece; one that was cut is asked for again, alone and with more room."""
        taught = self._taught(text)
        answer, finish = collect(self._through(taught, marked, wide=False))
        if not translation_limit.is_last(self._options, finish):
            self.done.append(replace(finish, truncated=False))
            answer, finish = collect(self._through(taught, marked))
        self.done.append(finish)
        if finish.reason == "cancelled":
            raise Stopped()
        return faithful.as_piece(text, self._or_left(text, answer))

    def _taught(self, text: str) -> str:
        return as_taught(text, self.plan.source) if is_starter(self._generator.info) else text

    def _through(self, text: str, marked: bool = False, wide: bool = True) -> Iterator[Event]:
        """Stream one piece through the directions: all but the last are collected, and their facts added."""
        done: list[Finish] = []
        for direction in self.plan.directions[:-1]:
            text, finish = collect(self._asked(text, direction, marked, wide))
            text = text.strip()
            done.append(finish)
            refused = is_starter(self._generator.info) and faithful.refused(text)
            if refused:
                yield Chunk(text)
            if refused or finish.reason == "cancelled" or not text:
                yield combined(done)
                return
        for event in self._asked(text, self.plan.directions[-1], marked, wide):
            if isinstance(event, Chunk):
                yield event
            else:
                done.append(event)
        yield combined(done)

    def _asked(self, text: str, direction: tuple[str, str], marked: bool, wide: bool) -> Iterator[Event]:
        generator, options = self._generator, translation_limit.within(self._options, text, wide)
        if isinstance(generator, Relay):
            generator = generator.leg(*direction)
        if special.is_seq2seq(generator.info):
            request = special.translation(generator.info, text, *direction, options)
        else:
            names = [english_name(code) for code in direction]
            request = options.request(messages(text, names[0], names[1], marked))
        return generator.generate(request, options.cancelled)

    def _pieces(self, text: str, stretches: Sequence[Stretch]) -> Iterator[tuple[int, int, str]]:
        """What is asked, with what stands before it: white space, or nothing where the target has no spaces."""
        at = 0
        for start, end in spans(self._generator, text, self.plan, self._options, stretches):
            before = text[at:start]
            if at and not before.strip(" "):
                before = "" if self.plan.target in UNSPACED else before or " "
            yield start, end, before
            at = end
        if text[at:]:
            yield len(text), len(text), text[at:]


def _shown(sentences: Sequence[str]) -> str:
    different = list(dict.fromkeys(sentences))
    return "; ".join(different[:_SHOWN] + ["…"] * (len(different) > _SHOWN))
