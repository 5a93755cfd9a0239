"""Greedy and beam search over a decoder that is asked one token at a time.

Beam search follows the definition of transformers (4.57): twice as many candidates as beams are kept in each step (one
more for each further end token), those that end compete with the finished ones by log probability over length to the
power of the length penalty, and the search stops when no running text can still win. It is written for one text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from edgellm.runtimes.base import never
from edgellm.runtimes.onnx.rules import Rules

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Ints = NDArray[np.int64]

_NEVER = np.float32(-1e9)


class Decoder(Protocol):
    """The model behind a search. It keeps the KV cache of every running text."""

    def step(self, tokens: Ints, origin: Ints | None) -> Floats:
        """Logits (texts, vocabulary) after one more token for each text.

        `origin` says which of the former texts each of them continues; None: the same ones.
        """
        ...


def greedy(decoder: Decoder, rules: Rules) -> Iterator[int]:
    """The likeliest token, again and again; the end token is not part of it."""
    tokens = [rules.start]
    while len(tokens) < rules.max_length:
        logits = decoder.step(np.array([tokens[-1]], np.int64), None)
        token = int(np.argmax(rules.apply(logits, [tokens])[0]))
        if token in rules.end:
            return
        tokens.append(token)
        yield token


@dataclass(slots=True)
class _Finished:
    """The finished texts, best first, and their scores; as many as there are beams."""

    texts: list[list[int]]
    scores: Floats
    real: NDArray[np.bool_]

    def merge(self, texts: list[list[int]], scores: Floats, ended: NDArray[np.bool_]) -> None:
        every = np.concatenate((self.scores, scores))
        order = np.argsort(-every, kind="stable")[: len(self.texts)]
        pool = self.texts + texts
        self.texts = [pool[index] for index in order]
        self.scores = every[order]
        self.real = np.concatenate((self.real, ended))[order]


def beam(decoder: Decoder, rules: Rules, cancelled: Callable[[], bool] = never) -> list[int]:
    """The tokens of the best of `rules.beams` texts, without start and end; of what there is, when canceled."""
    count = rules.beams
    running: list[list[int]] = [[rules.start] for _ in range(count)]
    scores = np.full(count, _NEVER, np.float32)
    scores[0] = 0
    finished = _Finished([[rules.start]] * count, np.full(count, _NEVER, np.float32), np.zeros(count, np.bool_))
    width = max(2, 1 + len(rules.end)) * count
    origin: Ints | None = None
    improvable = True
    while not cancelled():
        length = len(running[0])
        logits = decoder.step(np.array([text[-1] for text in running], np.int64), origin)
        every = rules.apply(_log_softmax(logits), running) + scores[:, None]
        best = _top(every.ravel(), width)
        parents, tokens = np.divmod(best, every.shape[1])
        values = every.ravel()[best]
        texts = [[*running[parent], int(token)] for parent, token in zip(parents, tokens, strict=True)]
        ends = np.isin(tokens, rules.end) | (length + 1 >= rules.max_length)

        open_values = values + np.where(ends, _NEVER, np.float32(0))
        chosen = _top(open_values, count)
        top = np.arange(width) < count
        ended = ends & top
        final = values / np.float32(length**rules.length_penalty)
        if rules.early_stopping is True and finished.real.all():
            final = final + _NEVER
        if not improvable:
            final = final + _NEVER
        finished.merge(texts, final + np.where(ended, np.float32(0), _NEVER), ended)

        running = [texts[index] for index in chosen]
        scores = open_values[chosen]
        origin = parents[chosen]
        improvable = improvable and _can_improve(scores[0], finished, rules, length)
        if not improvable or ends.all() or (rules.early_stopping is True and finished.real.all()):
            break
    best_text = finished.texts[0] if finished.real.any() else running[0]
    return [token for token in best_text[1:] if token not in rules.end]


def _can_improve(score: np.float32, finished: _Finished, rules: Rules, length: int) -> bool:
    """Whether the best running text could still beat the worst finished one; `length` counts its new tokens."""
    reached = length
    if rules.early_stopping is None and rules.length_penalty > 0:
        reached = rules.max_length - 1
    possible = score / np.float32(reached**rules.length_penalty)
    worst = np.where(finished.real, finished.scores.min(), _NEVER)
    return bool((possible > worst).any())


def _log_softmax(logits: Floats) -> Floats:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    result: Floats = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


def _top(values: Floats, count: int) -> Ints:
    """Indices of the largest values, the largest first."""
    count = min(count, values.size)
    found = np.argpartition(-values, count - 1)[:count]
    return found[np.lexsort((found, -values[found]))].astype(np.int64)
