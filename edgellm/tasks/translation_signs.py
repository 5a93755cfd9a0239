"""Emoji, and code behind a noun, are taken out of a sentence before it is translated, and put back at their place.

Models that read sentence by sentence were never taught them: such a model forgets the sign, or writes on about it. A
sentence is complete without an emoji anywhere, and without code that only names the noun before it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import sub
from types import MappingProxyType

from edgellm.tasks.faithful import Unit
from edgellm.tasks.protect import Stretch

_PICTURE = (
    "(?:[\U0001f000-\U0001faff\u2600-\u27bf\u231a\u231b\u23e9-\u23fa\u2b1b\u2b1c\u2b50\u2b55\u3297\u3299]"
    "|[\u2190-\u21ff\u25aa-\u25fe\u2934\u2935\u00a9\u00ae\u2122]\ufe0f)"  # without the variant these are text
)
_MORE = "[\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"  # variants, skin colors, flags of regions
_ONE = f"{_PICTURE}{_MORE}(?:\u200d{_PICTURE}{_MORE})*"
_EMOJI = re.compile(f"{_ONE}(?:[ ]?{_ONE})*")
_HEARTS = frozenset("\u2764\u2665\u2661\u2763\U0001f499\U0001f49a\U0001f49b\U0001f49c\U0001f5a4\U0001f9e1")  # "I ❤ it"
_CODE = re.compile(r"(?P<ticks>`+).+?(?P=ticks)\Z", re.DOTALL)
_MARKS, _QUOTES = ".!?…。！？", "\"'”»」)"
_BLANKS = " \u00a0\u202f"
_NEAR = 200  # characters in which a noun and its article are looked for
_NOUN_BEFORE = re.compile(r"([^\W\d_]+['’]|[^\W\d_]+\s+)[^\W\d_]+\s+\Z")
_DETERMINERS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "en": frozenset("the a an this that my your his her our their its every each".split()),
        "fr": frozenset(
            "le la les l' un une ce cet cette mon ma mes ton ta tes son sa ses notre nos votre leur du d' des".split()
        ),
        "de": frozenset(
            "der die das den dem des ein eine einen einem einer dieser diese dieses diesen diesem mein meine meinen"
            " dein deine sein seine ihr ihre unser unsere".split()
        ),
        "es": frozenset("el la los las un una este esta ese esa mi mis tu tus su sus nuestro nuestra del al".split()),
    }
)


@dataclass(frozen=True, slots=True)
class _Sign:
    """What was taken out from `start` to `end`, with the spaces that went with it."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Bare:
    """A sentence without its signs. `unit` has a border where a sign stood inside of it."""

    unit: Unit
    _head: str
    _tail: str
    _last: bool  # whether the tail stood behind the end mark too
    _breaks: tuple[str | None, ...]  # of each border of the unit: the sign there, or None for a border of the sentence

    def whole(self, pieces: Sequence[str]) -> tuple[str, ...]:
        """The pieces of the translation with the signs, as many as the sentence has."""
        found = [self._head + pieces[0]]
        for sign, piece in zip(self._breaks, pieces[1:], strict=True):
            if sign is None:
                found.append(piece)
            else:
                found[-1] = _joined(found[-1], sign, piece)
        last = next((at for at in reversed(range(len(found))) if found[at].strip()), 0)
        found[last] = found[last] + self._tail if self._last else _ended(found[last], self._tail)
        return tuple(found)


def bare(unit: Unit, language: str) -> Bare | None:
    """The sentence without its signs; None where there are none, or nothing would be left. `language` is a code."""
    signs = _signs(unit, language)
    if not signs:
        return None
    first, last = unit.text[: signs[0].start].strip(), unit.text[signs[-1].end :]
    head = signs[0] if not first else None
    tail = signs[-1] if not _end(last) and signs[-1] is not head else None
    inner = [one for one in signs if one is not head and one is not tail]
    text, moved = _without(unit.text, signs)
    if not any(letter.isalpha() for letter in text):
        return None
    starts = [sign.start for sign in signs]
    stretches = tuple(
        Stretch(moved(one.start), moved(one.end), one.text, one.kind)
        for one in unit.stretches
        if not any(one.end <= sign.end for sign in _before(signs, starts, one.start))
    )
    events: list[tuple[int, str | None]] = [(moved(border), None) for border in unit.borders]
    events += [(moved(one.start), one.text) for one in inner]
    events.sort(key=lambda event: event[0])
    bordered = Unit(text, stretches, tuple(at for at, _ in events))
    breaks = tuple(sign for _, sign in events)
    return Bare(bordered, head.text if head else "", tail.text if tail else "", not last.strip(), breaks)


def _before(signs: Sequence[_Sign], starts: Sequence[int], at: int) -> Sequence[_Sign]:
    """The last sign that begins at or before a place, if there is one."""
    last = bisect_right(starts, at)
    return signs[max(last - 1, 0) : last]


def has_emoji(text: str) -> bool:
    """Whether there is a sign that any sentence is complete without."""
    return _EMOJI.search(text) is not None


def _signs(unit: Unit, language: str) -> list[_Sign]:
    """What can be taken out, in order. None of it overlaps what must stay, but for code."""
    text, found, ending = unit.text, list[_Sign](), _end(unit.text)
    begins, ends = len(text) - len(text.lstrip()), [one.end for one in unit.stretches]
    for match in _EMOJI.finditer(text):
        start, end = match.span()
        verb = match.group()[0] in _HEARTS and begins < start and end < ending
        near = bisect_right(ends, start)  # the stretch that ends next
        if not verb and not any(one.start < end for one in unit.stretches[near : near + 1]):
            found.append(_spaced(text, start, end))
    if unit.stretches and (sign := _named(unit, unit.stretches[-1], language)) is not None:
        found.append(sign)
    found.sort(key=lambda one: one.start)
    return found


def _named(unit: Unit, last: Stretch, language: str) -> _Sign | None:
    """Code that ends the sentence and names the noun before it, as in "Open the file `a.txt`."."""
    if not _CODE.match(last.text) or last.end < _end(unit.text):
        return None
    before = _NOUN_BEFORE.search(unit.text[max(last.start - _NEAR, 0) : last.start])
    if before is None or before.group(1).strip().replace("’", "'").casefold() not in _DETERMINERS.get(language, ()):
        return None
    return _spaced(unit.text, last.start, last.end)


def _end(text: str) -> int:
    """Where the marks, quotation marks and blanks begin that end a sentence. Takes no longer where blanks are many."""
    return len(text.rstrip().rstrip(_QUOTES).rstrip(_MARKS).rstrip())


def _spaced(text: str, start: int, end: int) -> _Sign:
    """With the space before it; at the beginning with the one behind it."""
    while start and text[start - 1] in _BLANKS:
        start -= 1
    if start == 0:
        end += len(text[end:]) - len(text[end:].lstrip(_BLANKS))
    return _Sign(start, end, text[start:end])


def _without(text: str, signs: Sequence[_Sign]) -> tuple[str, _Moved]:
    parts, at = [], 0
    for one in signs:
        parts.append(text[at : one.start])
        at = max(at, one.end)
    return "".join([*parts, text[at:]]), _Moved(signs)


class _Moved:
    """Where a place of the sentence is in the one without signs."""

    def __init__(self, signs: Sequence[_Sign]) -> None:
        ends = [0, *accumulate((one.end for one in signs), max)]
        self._ends = ends[1:]
        self._starts = [max(one.start, before) for one, before in zip(signs, ends, strict=False)]
        self._gone = list(accumulate(map(sub, self._ends, self._starts), initial=0))

    def __call__(self, at: int) -> int:
        last = bisect_left(self._starts, at) - 1  # the sign that begins before it
        return at if last < 0 else at - self._gone[last] - (min(at, self._ends[last]) - self._starts[last])


def _joined(before: str, sign: str, after: str) -> str:
    """A sign between two pieces; of the spaces around it none is doubled."""
    if before.endswith(" ") and sign.startswith(" "):
        sign = sign[1:]
        if after[:1] and not after[:1].isspace():
            sign += " "
    return before + sign + after


def _ended(text: str, tail: str) -> str:
    """A sign before the end mark of a sentence, or behind all where it has none."""
    if not tail:
        return text
    at = _end(text)
    return text[:at] + tail + text[at:]
