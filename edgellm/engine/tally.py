"""Counts what came of an answer, for a `Finish` when the engine sends none."""

from __future__ import annotations

import time

from edgellm.runtimes.base import Finish


class Tally:
    """Begins to count when it is made."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._first = 0.0
        self._pieces = 0

    def add(self) -> None:
        """A piece came."""
        self._first = self._first or time.monotonic()
        self._pieces += 1

    def finish(self, peak_memory: int) -> Finish:
        """The facts as far as they are known here; pieces stand for tokens."""
        now = time.monotonic()
        decode = now - self._first if self._first else 0.0
        return Finish(
            reason="cancelled",
            prompt_tokens=0,
            cached_tokens=0,
            new_tokens=self._pieces,
            seconds=now - self._started,
            tokens_per_second=self._pieces / decode if decode > 0 else 0.0,
            device="",
            peak_memory=peak_memory,
            truncated=False,
            prefill_seconds=self._first - self._started if self._first else 0.0,
        )
