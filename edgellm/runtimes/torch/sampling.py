"""Draws the next token from logits: penalties, top k, top p, min p, temperature, in the order of llama.cpp."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

import numpy as np

from edgellm.runtimes.base import Sampling

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_LOOK_BACK = 256


class Sampler:
    """The draws of one generation. Penalties look at the answer only: copying from the prompt is often right."""

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._random = np.random.default_rng(sampling.seed if sampling.seed is None else sampling.seed & (2**64 - 1))
        self._last: deque[int] = deque(maxlen=_LOOK_BACK)

    def draw(self, logits: Floats) -> int:
        """The next token; `logits` is one row, which is changed."""
        self._penalize(logits)
        token = int(np.argmax(logits)) if self._sampling.temperature <= 0 else self._pick(logits)
        self._last.append(token)
        return token

    def _penalize(self, logits: Floats) -> None:
        asked = self._sampling
        if not self._last or (asked.repeat_penalty, asked.frequency_penalty, asked.presence_penalty) == (1.0, 0.0, 0.0):
            return
        counts = Counter(self._last)
        seen, times = np.array(list(counts)), np.array(list(counts.values()), np.float32)
        found = logits[seen]
        found = np.where(found > 0, found / asked.repeat_penalty, found * asked.repeat_penalty)
        logits[seen] = found - times * asked.frequency_penalty - asked.presence_penalty

    def _pick(self, logits: Floats) -> int:
        asked = self._sampling
        keep = asked.top_k if 0 < asked.top_k < logits.size else logits.size
        tokens = np.argpartition(-logits, keep - 1)[:keep]
        tokens = tokens[np.lexsort((tokens, -logits[tokens]))]  # likeliest first; equal ones in a fixed order
        values = logits[tokens].astype(np.float64)
        if asked.top_p < 1:
            sums = np.cumsum(_shares(values))
            keep = int(np.searchsorted(sums, asked.top_p)) + 1
            tokens, values = tokens[:keep], values[:keep]
        if asked.min_p > 0:
            near = values >= values[0] + np.log(asked.min_p)
            tokens, values = tokens[near], values[near]
        sums = np.cumsum(_shares(values / asked.temperature))
        drawn = int(np.searchsorted(sums, self._random.random() * sums[-1], side="right"))
        return int(tokens[min(drawn, len(tokens) - 1)])


def _shares(values: NDArray[np.float64]) -> NDArray[np.float64]:
    powers: NDArray[np.float64] = np.exp(values - values.max())
    powers /= powers.sum()
    return powers
