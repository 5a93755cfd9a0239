"""How likely a model would answer each of a few texts, computed and not drawn.

The probability of an answer is the product of the probabilities of its tokens and of the end after them (as in the
evaluation of language models on multiple choice, Brown et al. 2020, section 2.4). Set in relation to each other they
are the probabilities with which the model, held to these answers, would give each: no division by their length, since
that would favor long labels whose later tokens follow from the first. The prompt is computed once; the answers share
it, and are computed together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from edgellm.errors import ContextOverflow, ModelDamaged, UsageError
from edgellm.runtimes.cancel import CancelWatch
from edgellm.runtimes.llama_context import LlamaContext


class AnswerScores:
    """Scores answers on one context. `ends` are the tokens of which any ends an answer, `size` the vocabulary's."""

    def __init__(self, api: Any, native: LlamaContext, size: int, ends: Sequence[int]) -> None:
        self._api = api
        self._native = native
        self._size = size
        self._ends = list(ends)

    def probabilities(self, prompts: Sequence[Sequence[int]], watch: CancelWatch) -> tuple[float, ...]:
        """For prompts that end with the answers: the probability of each among them; empty when it was cancelled.

        Raises `ContextOverflow`, and `UsageError` for an answer that is too long to be computed in one go.
        """
        native = self._native
        columns = takewhile(lambda column: len(set(column)) == 1, zip(*prompts, strict=False))
        common = [column[0] for column in columns]
        if not common:
            raise UsageError("There is nothing to answer.", "Write a message first.")
        tails = [list(prompt[len(common) :]) for prompt in prompts]
        longest = max(map(len, tails))
        if len(common) + longest > native.length:
            raise ContextOverflow(len(common) + longest, native.length)
        if longest > native.batch.room:
            raise UsageError("An answer is too long to be weighed.", "Use shorter labels.")
        kept = native.keep_prefix(common)
        if not native.compute(common[kept:], watch):
            return ()
        if not native.finite():
            native.clear()
            raise ModelDamaged("The model computes no numbers: its file is damaged.", "Download it again.")
        first = self._logarithms(-1)
        logs = [float(first[tail[0]]) if tail else self._end(first) for tail in tails]
        for group in self._groups(tails, min(native.batch.room, native.length - len(common))):
            if watch.check() or not self._add(group, tails, logs, len(common)):
                return ()
        best = max(logs)
        weights = [math.exp(value - best) for value in logs]
        return tuple(weight / sum(weights) for weight in weights)

    def _groups(self, tails: Sequence[Sequence[int]], room: int) -> list[list[int]]:
        """Which answers are computed together: as many as there are sequences, and tokens of `room`."""
        groups: list[list[int]] = []
        used = 0
        for index, tail in enumerate(tails):
            if not tail:
                continue
            if not groups or used + len(tail) > room or len(groups[-1]) == self._native.sequences:
                groups.append([])
                used = 0
            groups[-1].append(index)
            used += len(tail)
        return groups

    def _add(self, group: Sequence[int], tails: Sequence[Sequence[int]], logs: list[float], common: int) -> bool:
        """Add what follows the first token of each answer of the group; False when it was cancelled."""
        native, places = self._native, list[int]()
        native.batch.clear()
        try:
            for sequence, index in enumerate(group, 1):
                native.share(common, sequence)
                places.append(native.batch.add(tails[index], common, sequence, every=True))
            if not native.came_through(native.batch.compute(native.context)):
                return False
            for place, index in zip(places, group, strict=True):
                tail = tails[index]
                for step in range(1, len(tail)):
                    logs[index] += float(self._logarithms(place + step - 1)[tail[step]])
                logs[index] += self._end(self._logarithms(place + len(tail) - 1))
        finally:
            for sequence in range(1, len(group) + 1):
                native.forget(sequence)
        return True

    def _end(self, logarithms: Any) -> float:
        import numpy as np

        return float(np.logaddexp.reduce(logarithms[self._ends])) if self._ends else 0.0

    def _logarithms(self, row: int) -> Any:
        """The logarithm of the probability of each token after a row of the last batch (-1: its last)."""
        import numpy as np

        logits = np.ctypeslib.as_array(
            self._api.llama_get_logits_ith(self._native.context, row), shape=(self._size,)
        ).astype(np.float64)
        logits -= logits.max()
        return logits - np.log(np.exp(logits).sum())
