"""Cut a translation where the formatting of its source changes, when the model was not able to say where that is.

Each short formatted stretch is translated alone and looked for in the translation of the whole. A border that is not
found that way is put between words, in proportion to the length of what stands around it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from edgellm.tasks.protect import Stretch

_WORD_OR_SIGN = re.compile(r"[^\W_]")
_END_MARK = re.compile(r"\s?[.!?…。！？]+")
_TAIL = re.compile(r"[\W_]*\Z")
Alone = Callable[[int, int], str]  # the translation of the source from start to end, by itself


@dataclass(frozen=True, slots=True)
class Source:
    """What was translated: `edges` are the borders with 0 and the end; `spaceless` is about the target's writing."""

    text: str
    edges: Sequence[int]
    stretches: Sequence[Stretch]
    spaceless: bool


@dataclass(frozen=True, slots=True)
class Cut:
    """The pieces of a translation; `exact` when every border was found."""

    pieces: tuple[str, ...]
    exact: bool


def cut(source: Source, whole: str, alone: Alone) -> Cut:
    """Cut `whole` into as many pieces as the source has."""
    found: list[tuple[int, int] | None] = []
    at = 0
    for low, high in pairwise(source.edges):
        place = _placed(source, whole, (low, high), at, alone)
        found.append(place)
        at = place[1] if place is not None else at
    known: list[int | None] = [0]
    for left, right in pairwise(found):
        known.append(right[0] if right is not None else left[1] if left is not None else None)
    known.append(len(whole))
    cuts = [0]
    for number in range(1, len(known) - 1):
        here = known[number]
        near = _between(source, whole, known, number, cuts[-1]) if here is None else here
        cuts.append(max(cuts[-1], _beside_space(source.text, source.edges[number], whole, near)))
    pieces = [whole[low:high] for low, high in pairwise([*cuts, len(whole)])]
    if not source.spaceless:
        for number, border in enumerate(source.edges[1:-1]):
            if _parted(source.text, border) and pieces[number][-1:].isalnum():
                pieces[number] += " "  # what is no text stands there, such as code
    return Cut(tuple(pieces), None not in known)


def cored(text: str) -> tuple[str, str, str]:
    """The text without the white space and marks at its edges, and these. An end mark goes with the words."""
    found = [match.start() for match in _WORD_OR_SIGN.finditer(text)]
    if not found:
        return text, "", ""
    start, end = found[0], found[-1] + 1
    while start and text[start - 1] in "¿¡":
        start -= 1
    if (mark := _END_MARK.match(text, end)) is not None:
        end = mark.end()
    return text[:start], text[start:end], text[end:]


def _beside_space(text: str, border: int, whole: str, place: int) -> int:
    """A border with a space before it in the source has it before it in the translation too, where there is one."""
    before, after = text[border - 1 : border].isspace(), text[border : border + 1].isspace()
    if before and not after and whole[place : place + 1].isspace():
        return place + 1
    if after and not before and whole[max(place - 1, 0) : place].isspace():
        return place - 1
    return place


def _parted(text: str, border: int) -> bool:
    """Whether a word's space ends at the border, and no other word or space begins there."""
    after = text[border : border + 1]
    return text[border - 1 : border].isspace() and bool(_END_MARK.match(after) or after in ",;:)")


def _placed(source: Source, whole: str, span: tuple[int, int], at: int, alone: Alone) -> tuple[int, int] | None:
    """Where a piece of the source stands in the translation, if just once from `at` on."""
    text = source.text[slice(*span)]
    if not text:
        return at, at
    before, core, after = cored(text)
    if not core:
        tail = _TAIL.search(whole, at)
        return (tail.start(), len(whole)) if tail is not None and span[1] == len(source.text) else None
    said = alone(*span).strip()
    if not said:
        return None
    pattern = re.escape(said) if source.spaceless else rf"(?<![^\W_]){re.escape(said)}(?![^\W_])"
    places = [match.span() for match in re.finditer(pattern, whole[at:], re.IGNORECASE)]
    if len(places) != 1:
        return None
    start, end = places[0][0] + at, places[0][1] + at
    if before and whole[at:start].endswith(before):
        start -= len(before)
    if after and whole[end:].startswith(after):
        end += len(after)
    return start, end


def _between(source: Source, whole: str, known: Sequence[int | None], number: int, least: int) -> int:
    """A likely place for a border: in proportion between the known ones beside it, between words where there are."""
    after = next(at for at in range(number + 1, len(known)) if known[at] is not None)
    low, high = source.edges[number - 1], source.edges[after]
    right = known[after] or 0
    share = (source.edges[number] - low) / max(1, high - low)
    wanted = least + share * (max(right, least) - least)
    border = source.edges[number]
    begins = source.text[border - 1 : border].isspace()
    places = [place for place in range(least, max(right, least) + 1) if _fits(source, whole, place, begins)]
    return min(places, key=lambda place: abs(place - wanted)) if places else least


def _fits(source: Source, whole: str, place: int, begins: bool) -> bool:
    """Whether a border can be at a place: where a word begins or ends, and not inside of what must stay."""
    left, right = whole[place - 1 : place], whole[place : place + 1]
    for one in source.stretches:
        at = whole.find(one.text) if one.text else -1
        while at >= 0:
            if at < place < at + len(one.text):
                return False
            at = whole.find(one.text, at + 1)
    if source.spaceless and not (left.isascii() and right.isascii()):
        return True
    if begins:
        return not left or left.isspace()
    return not right or (not (left.isalnum() and right.isalnum()) and not left.isspace())
