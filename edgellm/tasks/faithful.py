"""Bring a model to keep what must stay in a translation, and the borders between stretches of different formatting.

Several ways are tried, the one with the best translation first, and each result is checked:

1. the text itself, with the glossary's words in place of the terms: most models copy what they need not translate;
2. marks such as <x1/> in place of what stays and at the borders, for models that follow instructions; for others a
   first name in place of what stays, which every translator knows to be a name;
3. borders are found again in the translation of the whole, see `projection.py`;
4. around what stays: always right in form, so this one ends the search.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from edgellm.tasks import projection
from edgellm.tasks.languages import UNSPACED
from edgellm.tasks.lexicon import Lexicon
from edgellm.tasks.projection import cored
from edgellm.tasks.protect import Stretch, clipped, holds, replaced
from edgellm.tasks.scripts import UNSPACED_RUN, has_letters

How = Literal["whole", "marked", "named", "projected", "estimated", "around"]
Ask = Callable[[str, bool], str]  # a text, and whether it has marks; gives the translation
_ENDS = tuple('.!?…。！？:：;；"”»」')
_ADDED = tuple(".。!！?？")
_NAMES = (("Anna", "安娜"), ("Paul", "保罗"), ("Emma", "艾玛"))
_LETTERS = "xzqkw"
_AROUND_ONE = 2  # parts that one mark leaves
_LONGEST_ALONE = 60  # characters of a formatted stretch that is translated alone, to find it again
_OPENING = frozenset("\"'([{<«“‘„¿¡#@&$€£+-–—*_")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_PART = re.compile(r"['’-]")
_SENTENCE_END = re.compile(r"[.!?。！？]+(?![.\d])")
_LEAST, _LONG = 3, 4  # words that any translation may have; letters of a word that is not a function word
_ITSELF = "I am only the small built-in model"
_UNCAPITALIZED = frozenset({"de"})  # where a capital inside a sentence can be right: nouns have one


@dataclass(frozen=True, slots=True)
class Unit:
    """What is asked at once. `borders` are offsets inside the text, in order; a border may come twice."""

    text: str
    stretches: tuple[Stretch, ...] = ()
    borders: tuple[int, ...] = ()

    @property
    def pieces(self) -> tuple[str, ...]:
        """The text, cut at the borders."""
        edges = (0, *self.borders, len(self.text))
        return tuple(self.text[low:high] for low, high in pairwise(edges))

    def part(self, start: int, end: int) -> Unit:
        """A stretch of it, without borders."""
        return Unit(self.text[start:end], clipped(self.stretches, start, end))


@dataclass(frozen=True, slots=True)
class Kept:
    """A translation with as many pieces as the unit has, and how it was had."""

    pieces: tuple[str, ...]
    how: How


class Faithful:
    """Translates units through `ask`. `marks` says that the model understands them; the
    languages are codes."""

    def __init__(self, ask: Ask, marks: bool, source: str, target: str) -> None:
        self._ask = ask
        self._marks = marks
        self._source = source
        self._target = target

    def translate(self, unit: Unit) -> Kept:
        """The translation; it holds every stretch of the unit, and has all its pieces. Raises what `ask` raises."""
        if unit.borders:
            return self._bordered(unit)
        asked = replaced(unit.text, unit.stretches)
        if not has_letters(_outside(unit)):
            return Kept((asked,), "whole")
        answer = self._ask(asked, False)
        if holds(unit.stretches, answer):
            return Kept((answer,), "whole")
        if self._marks and (marked := self._marked(unit)) is not None:
            return Kept(marked, "marked")
        if not self._marks and (named := self._named(unit)):
            return Kept((named,), "named")
        return Kept((self._around(unit),), "around")

    def _bordered(self, unit: Unit) -> Kept:
        if self._marks and (marked := self._marked(unit)) is not None:
            return Kept(marked, "marked")
        whole = self.translate(Unit(unit.text, unit.stretches))
        edges = (0, *unit.borders, len(unit.text))
        source = projection.Source(unit.text, edges, unit.stretches, self._target in UNSPACED)
        cut = projection.cut(source, whole.pieces[0], lambda start, end: self._part_alone(unit, start, end))
        if any(
            has_letters(given) and not has_letters(made) for given, made in zip(unit.pieces, cut.pieces, strict=True)
        ):
            return Kept(tuple(self._around(unit.part(start, end)) for start, end in pairwise(edges)), "around")
        around = whole.how == "around" or any(hidden(unit.text, border) for border in unit.borders)
        return Kept(cut.pieces, "around" if around else "projected" if cut.exact else "estimated")

    def _marked(self, unit: Unit) -> tuple[str, ...] | None:
        """With marks for stretches and borders; None when one of them was lost, doubled or a border out of order."""
        letter = next((one for one in _LETTERS if f"<{one}" not in unit.text), "")
        if not letter or any(one.start < border < one.end for one in unit.stretches for border in unit.borders):
            return None
        events: list[tuple[int, int, Stretch | None]] = [(border, border, None) for border in unit.borders]
        events += [(one.start, one.end, one) for one in unit.stretches]
        events.sort(key=lambda event: event[:2])
        parts, at, meaning = [], 0, []
        for start, end, stretch in events:
            meaning.append(stretch)
            parts += [unit.text[at:start], f"<{letter}{len(meaning)}/>"]
            at = end
        answer = self._ask("".join([*parts, unit.text[at:]]), True)
        marks = re.split(rf"<{letter}(\d+)\s*/>", answer)
        numbers = [int(number) for number in marks[1::2]]
        borders = [number for number in numbers if number <= len(meaning) and meaning[number - 1] is None]
        if sorted(numbers) != list(range(1, len(meaning) + 1)) or borders != sorted(borders):
            return None
        pieces = [marks[0]]
        for number, text in zip(numbers, marks[2::2], strict=True):
            stretch = meaning[number - 1]
            if stretch is None:
                pieces.append(text)
            else:
                pieces[-1] += stretch.text + text
        return tuple(pieces) if holds(unit.stretches, "".join(pieces)) else None

    def _named(self, unit: Unit) -> str:
        """With a name in place of each stretch but numbers; empty when one did not come out once."""
        free = [names for names in _NAMES if not any(name in unit.text for name in names)]
        chosen = [one for one in unit.stretches if one.kind != "number" and one.text]
        if not chosen or len(chosen) > len(free):
            return ""
        names = dict(zip(chosen, free, strict=False))
        form = 1 if self._source == "zh" else 0
        standing = [replace(one, text=names[one][form]) if one in names else one for one in unit.stretches]
        answer = self._ask(replaced(unit.text, standing), False)
        for stretch, forms in names.items():
            parts = re.split("|".join(rf"(?<![A-Za-z]){name}(?![A-Za-z])" for name in forms), answer)
            if len(parts) != _AROUND_ONE:
                return ""
            answer = stretch.text.join(parts)
        return answer if holds(unit.stretches, answer) else ""

    def _part_alone(self, unit: Unit, start: int, end: int) -> str:
        """The translation of a short stretch by itself; empty for one that cannot be found again that way."""
        before, core, _ = cored(unit.text[start:end])
        if not core or len(core) > _LONGEST_ALONE:
            return ""
        start += len(before)
        return self._around(unit.part(start, start + len(core)))

    def _around(self, unit: Unit) -> str:
        """What stays as it is, and what is between translated by itself; white space and marks at its edges stay."""
        parts, at = [], 0
        for one in (*unit.stretches, None):
            gap = unit.text[at : one.start if one else len(unit.text)]
            before, core, after = cored(gap)
            parts += [before, self._alone(core) if has_letters(core) else core, after, one.text if one else ""]
            at = one.end if one else at
        return "".join(parts)

    def _alone(self, core: str) -> str:
        """A piece of a sentence, without the end mark and the capital that only a whole sentence has."""
        answer = as_piece(core, self._ask(core, False))
        if garbled(core, answer):
            return core
        if core[:1].islower() and answer[:1].isupper() and answer[1:2].islower() and self._target not in _UNCAPITALIZED:
            answer = answer[0].lower() + answer[1:]
        return answer or core


def hidden(text: str, border: int) -> bool:
    """Whether something that is no text stands at a border, such as code or a picture: a space before it says so
    where no word follows."""
    before, after = text[border - 1 : border], text[border : border + 1]
    return before.isspace() and bool(after) and not after.isalnum() and after not in _OPENING


def refused(answer: str) -> bool:
    """Whether the starter said that it cannot, instead of translating."""
    return answer.lstrip().startswith(_ITSELF)


def may_refuse(begun: str) -> bool:
    """Whether an answer that begins like this may become such a refusal, or is one."""
    return _ITSELF.startswith(begun.lstrip()[: len(_ITSELF)])


def garbled(source: str, answer: str) -> bool:
    """Whether a small model wrote on, said a word again and again, or spoke of itself, instead of translating a piece
    of a sentence. Known by their number of words, so in languages with spaces only."""
    if refused(answer):
        return True
    if UNSPACED_RUN.search(source + answer):
        return False
    given, made = _WORD.findall(source.casefold()), _WORD.findall(answer.casefold())
    most = max(Counter(given).values(), default=1)
    again = max((times for word, times in Counter(made).items() if len(word) >= _LONG), default=1)
    return len(made) > max(_LEAST, 2 * len(given)) or again > most


def invented(source: str, answer: str, target: str, lexicon: Lexicon) -> bool:
    """Whether the starter made up words in a translation, or wrote on behind it: there are words that it was never
    taught in the language `target` and that are not from the source, or more sentences than that has."""
    if len(_SENTENCE_END.findall(answer)) > max(1, len(_SENTENCE_END.findall(source))):
        return True
    given = {part for word in _WORD.findall(source.casefold()) for part in (word, *_PART.split(word))}
    parts = {part for word in lexicon.unknown(answer, target) for part in _PART.split(word)}
    made = [part for part in parts if part.casefold() not in given and lexicon.unknown(part, target)]
    return "\ufffd" in answer or any(len(part) > 1 or not part.isascii() for part in made)


def as_piece(source: str, answer: str) -> str:
    """The answer without an end mark that the source does not have, and on one line where the source is."""
    answer = answer.strip()
    if "\n" not in source:
        answer = " ".join(answer.splitlines()) if len(answer.splitlines()) > 1 else answer
    if not source.rstrip().endswith(_ENDS) and answer.endswith(_ADDED) and not answer.endswith(".."):
        answer = answer[:-1].rstrip()
    return answer


def _outside(unit: Unit) -> str:
    """What is left without the stretches."""
    return replaced(unit.text, [Stretch(one.start, one.end, " ", one.kind) for one in unit.stretches])


def edges(pieces: Sequence[str]) -> Iterator[int]:
    """The borders between pieces, as offsets into the joined text."""
    at = 0
    for piece in pieces[:-1]:
        at += len(piece)
        yield at
