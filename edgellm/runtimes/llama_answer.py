"""One answer on its way: the tokens of its prompt and of itself, its sampler, its text, and in the end its facts."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from edgellm.runtimes.base import Finish, FinishReason
from edgellm.runtimes.llama_sampling import Sampler
from edgellm.runtimes.llama_vocabulary import Vocabulary
from edgellm.runtimes.peak import peak_memory
from edgellm.runtimes.stops import TextStream


@dataclass(slots=True)
class Answer:
    """`reason` is empty until it is over. `written` are its new tokens, `cached` counts those not computed for it."""

    prompt: list[int]
    limit: int
    sampler: Sampler
    vocabulary: Vocabulary
    stream: TextStream
    started: float
    cached: int = 0
    first: float = 0.0
    written: list[int] = field(default_factory=list)
    reason: FinishReason | None = None

    @property
    def left(self) -> int:
        """Tokens that it may still write."""
        return self.limit - len(self.written)

    def take(self, token: int) -> str:
        """Take the next token (-1: there is none); the text that can be shown now."""
        self.first = self.first or time.perf_counter()
        if token < 0 or self.vocabulary.ends(token):
            return self.end("stop")
        self.written.append(token)
        text = self.stream.feed(self.vocabulary.piece(token))
        if self.stream.stopped:
            self.reason = "stop"
        elif not self.left:
            text += self.end("length")
        return text

    def end(self, reason: FinishReason) -> str:
        """It is over; the text that was held back."""
        self.reason = reason
        return self.stream.finish()

    def finish(self, device: str) -> Finish:
        """The facts."""
        now, new = time.perf_counter(), len(self.written)
        decode = now - self.first if self.first else 0.0
        reason = self.reason or "cancelled"
        return Finish(
            reason=reason,
            prompt_tokens=len(self.prompt),
            cached_tokens=self.cached,
            new_tokens=new,
            seconds=now - self.started,
            tokens_per_second=(new - 1) / decode if new > 1 and decode > 0 else 0.0,
            device=device,
            peak_memory=peak_memory(),
            truncated=reason == "length",
            prefill_seconds=(self.first or now) - self.started,
        )
