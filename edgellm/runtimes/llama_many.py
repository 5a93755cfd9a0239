"""Several answers at once: each step computes the next token of every one of them in one batch (continuous batching).

A model that writes one text reads all of its weights for each token; for sixteen it reads them just as often. What
all prompts begin with is computed once and shared. When an answer ends, the next waiting one takes its place. The
sequences share one KV cache of the context's size: when it is full the youngest answer gives way, and is computed again
from its tokens later (as in vLLM, Kwon et al. 2023).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from edgellm.errors import EngineError, ModelDamaged
from edgellm.runtimes.base import Chunk, Dropped, Event
from edgellm.runtimes.cancel import CancelWatch
from edgellm.runtimes.llama_answer import Answer
from edgellm.runtimes.llama_context import LlamaContext

_WRITTEN = 32  # rows that are computed the way single tokens are
_RESERVE = 64  # tokens for which there must be room before an answer is begun


@dataclass(slots=True, eq=False)
class _Slot:
    """An answer that is being computed: `ready` of its tokens are in the KV cache, in `sequence`."""

    index: int
    answer: Answer
    sequence: int
    ready: int
    row: int = -1

    @property
    def due(self) -> int:
        """Tokens that must be computed before the next one can be drawn."""
        return self.size - self.ready

    @property
    def size(self) -> int:
        """Tokens so far."""
        return len(self.answer.prompt) + len(self.answer.written)

    def tokens(self, room: int) -> Sequence[int]:
        """Those of them that come next: of the prompt, or of what was written before it gave way."""
        prompt, written = self.answer.prompt, self.answer.written
        if self.ready < len(prompt):
            return prompt[self.ready : self.ready + room]
        at = self.ready - len(prompt)
        return written[at : at + min(room, _WRITTEN)]


class Many:
    """One run over all `answers`. `device` is written into their facts."""

    def __init__(self, native: LlamaContext, answers: Sequence[Answer], watch: CancelWatch, device: str) -> None:
        self._native = native
        self._watch = watch
        self._device = device
        self._answers = answers
        self._waiting: deque[int] = deque(range(len(answers)))
        self._slots: list[_Slot] = []
        self._free = list(range(native.sequences, 0, -1))
        self._common = 0
        self.steps = 0
        self.gave_way = 0

    def run(self, dropped: Dropped) -> Iterator[tuple[int, Event]]:
        """The events of each answer with its index. An answer of which `dropped` says so is cancelled."""
        if not self._begin():
            yield from self._cancel(lambda _index: True)
        while self._waiting or self._slots:
            stop = self._watch.check()
            yield from self._cancel((lambda _index: True) if stop else dropped)
            self._admit()
            if self._slots and self._step():
                yield from self._draw()

    def close(self) -> None:
        """Take out of the KV cache what an abandoned run has left there."""
        for slot in self._slots:
            self._native.forget(slot.sequence)

    def _begin(self) -> bool:
        """Compute what all prompts begin with; False when it was cancelled."""
        prompts = [answer.prompt for answer in self._answers]
        shortest = min(map(len, prompts))
        same = sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*prompts, strict=False)))
        common = prompts[0][: min(same, shortest - 1)]
        kept = self._native.keep_prefix([*common, -1])
        self._common = len(common)
        for index, answer in enumerate(self._answers):
            answer.cached = len(common) if index else kept
        return self._native.compute(common[kept:], self._watch)

    def _cancel(self, which: Dropped) -> Iterator[tuple[int, Event]]:
        slots = {slot.index: slot for slot in self._slots}
        for index in [index for index in (*slots, *self._waiting) if which(index)]:
            if index in slots:
                self._release(slots[index])
            else:
                self._waiting.remove(index)
            answer = self._answers[index]
            yield from self._events(index, answer.end("cancelled"))

    def _admit(self) -> None:
        """Begin as many answers as there are sequences, and room in the KV cache."""
        while self._waiting and self._free:
            answer = self._answers[self._waiting[0]]
            size = len(answer.prompt) + len(answer.written) - self._common + min(answer.left, _RESERVE)
            taken = sum(slot.size - self._common + min(slot.answer.left, _RESERVE) for slot in self._slots)
            if self._slots and self._common + taken + size > self._native.length:
                return
            slot = _Slot(self._waiting.popleft(), answer, self._free.pop(), self._common)
            self._native.share(self._common, slot.sequence)
            self._slots.append(slot)

    def _step(self) -> bool:
        """Compute the next piece of one prompt, or else the next token of each answer. False when it was cancelled.

        Prompts are not mixed with each other: with 64 rows or more llama.cpp computes attention in another way, so that
        an answer would depend on what else is asked.
        """
        while sum(slot.size for slot in self._slots) - self._common * (len(self._slots) - 1) > self._native.length:
            self._give_way()
        batch = self._native.batch
        batch.clear()
        prompts = [slot for slot in self._slots if slot.due > 1]
        for slot in self._slots:
            slot.row = -1
        for slot in prompts[:1] or self._slots:
            tokens = slot.tokens(batch.room)
            at = batch.add(tokens, slot.ready, slot.sequence)
            slot.ready += len(tokens)
            slot.row = -1 if slot.due else at + len(tokens) - 1
        self.steps += 1
        return self._native.came_through(batch.compute(self._native.context))

    def _give_way(self) -> None:
        """Take the youngest answer out of the KV cache; it comes back first."""
        if len(self._slots) < 2:
            raise EngineError("The answer does not fit into the context.", "Load the model again.")
        slot = self._slots[-1]
        self._release(slot)
        self._waiting.appendleft(slot.index)
        self.gave_way += 1

    def _release(self, slot: _Slot) -> None:
        self._native.forget(slot.sequence)
        self._slots.remove(slot)
        self._free.append(slot.sequence)

    def _draw(self) -> Iterator[tuple[int, Event]]:
        """Draw the next token of each answer before anything is handed out: the caller may take its time."""
        texts = []
        for slot in [slot for slot in self._slots if slot.row >= 0]:
            answer = slot.answer
            if not answer.written and not self._native.finite(slot.row):
                raise ModelDamaged("The model computes no numbers: its file is damaged.", "Download it again.")
            texts.append((slot, answer.take(answer.sampler.draw(self._native.context, slot.row))))
        for slot, _text in texts:
            if slot.answer.reason:
                self._release(slot)
        for slot, text in texts:
            yield from self._events(slot.index, text)

    def _events(self, index: int, text: str) -> Iterator[tuple[int, Event]]:
        if text:
            yield index, Chunk(text)
        if self._answers[index].reason:
            yield index, self._answers[index].finish(self._device)
