"""Which sentences of a translation belong to which of the source, for a view of both side by side.

Where a model was asked sentence by sentence that is known. Else it is found by length, after W. A. Gale and K. W.
Church, "A Program for Aligning Sentences in Bilingual Corpora", Computational Linguistics 19(1), 1993; the ratio of the
lengths is taken from the two texts, and where both have as many lines, each line is aligned by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from edgellm.tasks import sentences
from edgellm.tasks.scripts import cells

_VARIANCE = 6.8  # of the length of a translation, per character of the source
# Sentences of the source and of the translation that belong together, and how often that is so
_BEADS = {(1, 1): 0.89, (1, 0): 0.005, (0, 1): 0.005, (2, 1): 0.0445, (1, 2): 0.0445, (2, 2): 0.011}
_NEVER = 1e9
_BAND = 30  # how far from the diagonal, beside the difference of the two counts
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Pair:
    """What belongs together, as character offsets; an empty span is where the other side has nothing."""

    source: Span
    target: Span


def align(source: str, target: str, origin: str = "en", into: str = "en") -> tuple[Pair, ...]:
    """The pairs of a text and its translation, in order. `origin` and `into` are language codes."""
    left, right = _lines(source), _lines(target)
    if len(left) != len(right):
        left, right = [(0, len(source))], [(0, len(target))]
    pairs: list[Pair] = []
    for (start, end), (low, high) in zip(left, right, strict=True):
        ours = [(one.start + start, one.end + start) for one in sentences.split(source[start:end], origin)]
        theirs = [(one.start + low, one.end + low) for one in sentences.split(target[low:high], into)]
        pairs += _beads(source, target, ours, theirs)
    return tuple(pairs)


def _lines(text: str) -> list[Span]:
    found, at = [], 0
    for body, ending in sentences.lines(text):
        if body.strip():
            found.append((at, at + len(body)))
        at += len(body) + len(ending)
    return found


def _beads(source: str, target: str, ours: Sequence[Span], theirs: Sequence[Span]) -> Iterator[Pair]:
    path = _path([cells(source[a:b]) for a, b in ours], [cells(target[a:b]) for a, b in theirs])
    i = j = 0
    for taken, given in path:
        yield Pair(_joined(ours, i, taken), _joined(theirs, j, given))
        i, j = i + taken, j + given


def _joined(spans: Sequence[Span], at: int, count: int) -> Span:
    if count:
        return spans[at][0], spans[at + count - 1][1]
    place = spans[at - 1][1] if at else spans[0][0] if spans else 0
    return place, place


def _path(ours: Sequence[int], theirs: Sequence[int]) -> list[tuple[int, int]]:
    """The cheapest way through both lists of lengths, near the diagonal."""
    ratio = (sum(theirs) / sum(ours)) if sum(ours) and sum(theirs) else 1.0
    left, right = [0, *accumulate(ours)], [0, *accumulate(theirs)]
    rows, columns = len(ours), len(theirs)
    cost = {(0, 0): 0.0}
    came: dict[tuple[int, int], tuple[int, int]] = {}
    band = _BAND + abs(rows - columns)
    for i in range(rows + 1):
        middle = i * columns // max(rows, 1)
        for j in range(max(0, middle - band), min(columns, middle + band) + 1):
            for bead, share in _BEADS.items():
                a, b = i - bead[0], j - bead[1]
                if (a, b) not in cost:
                    continue
                whole = cost[a, b] + _price(left[i] - left[a], right[j] - right[b], ratio) - math.log(share)
                if whole < cost.get((i, j), _NEVER):
                    cost[i, j], came[i, j] = whole, bead
    path: list[tuple[int, int]] = []
    i, j = rows, columns
    while (i, j) in came:
        bead = came[i, j]
        path.append(bead)
        i, j = i - bead[0], j - bead[1]
    return path[::-1]


def _price(ours: int, theirs: int, ratio: float) -> float:
    """How unlikely two lengths are for a sentence and its translation, as a negative logarithm."""
    mean = (ours + theirs / ratio) / 2
    if not mean:
        return 0.0
    delta = (theirs - ours * ratio) / math.sqrt(mean * _VARIANCE)
    return -math.log(max(math.erfc(abs(delta) / math.sqrt(2)), 1e-300))
