"""Extractive question answering: the best start and end of an answer in a passage of any length, or no answer.

A passage longer than the model reads is read in windows that overlap by a quarter. The first token stands for "no
answer", as in SQuAD 2.0 (Rajpurkar et al., 2018): it wins where its score is above that of every span, in every window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgellm.errors import ContextOverflow
from edgellm.runtimes.base import Span
from edgellm.runtimes.onnx.tokens import Encoded, Vocabulary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Compute = Callable[[Sequence[Encoded]], dict[str, Array]]

_LONGEST = 40  # tokens of an answer
_BEST = 20
_OVERLAP = 4
_LEAST_ROOM = 16


@dataclass(frozen=True, slots=True)
class _Found:
    score: float
    start: int
    end: int


def read(vocabulary: Vocabulary, compute: Compute, texts: tuple[str, str], limit: int) -> Span:
    """The answer to `texts` (question, passage). Raises `ContextOverflow` for a question that fills the model."""
    best, nothing, total = _Found(-np.inf, 0, 0), np.inf, 0.0
    for window in _windows(vocabulary, *texts, limit):
        outputs = compute([window])
        starts = outputs["start_logits"][0, : len(window.ids)].astype(np.float64)
        ends = outputs["end_logits"][0, : len(window.ids)].astype(np.float64)
        nothing = min(nothing, float(starts[0] + ends[0]))
        found = _best(window, starts, ends)
        if found.score > best.score:
            best = found
            total = float(np.logaddexp.reduce(starts) + np.logaddexp.reduce(ends))
    if not np.isfinite(best.score):
        return Span(0, 0, 0.0, 1.0)
    score, none = float(np.exp(best.score - total)), float(np.exp(min(nothing - total, 0.0)))
    if nothing >= best.score:
        return Span(0, 0, score, none)
    return Span(best.start, best.end, score, none)


def _windows(vocabulary: Vocabulary, question: str, passage: str, limit: int) -> Iterator[Encoded]:
    """The pair in stretches of the passage that the model can read; spans stay positions in the whole passage."""
    whole = vocabulary.encode(question, passage)
    if len(whole.ids) <= limit:
        yield whole
        return
    inside = [index for index, part in enumerate(whole.parts) if part == 1]
    room = limit - (len(whole.ids) - len(inside))
    if room < _LEAST_ROOM:
        raise ContextOverflow(len(whole.ids), limit)
    first, after = inside[0], inside[-1] + 1
    at = first
    while True:
        end = min(at + room, after)
        chosen = [*range(first), *range(at, end), *range(after, len(whole.ids))]
        yield whole.chosen(chosen)
        if end == after:
            return
        at += room - room // _OVERLAP


def _best(window: Encoded, starts: Array, ends: Array) -> _Found:
    inside = np.array([part == 1 for part in window.parts])
    first = [int(index) for index in np.argsort(-np.where(inside, starts, -np.inf))[:_BEST] if inside[index]]
    last = [int(index) for index in np.argsort(-np.where(inside, ends, -np.inf))[:_BEST] if inside[index]]
    best = _Found(-np.inf, 0, 0)
    for start in first:
        for end in last:
            score = float(starts[start] + ends[end])
            if start <= end < start + _LONGEST and score > best.score:
                best = _Found(score, window.spans[start][0], window.spans[end][1])
    return best
