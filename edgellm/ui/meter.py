"""How fast tokens arrive from the engine while an answer is made."""

from __future__ import annotations

import time
from collections.abc import Callable


class Meter:
    """Tokens per second as they arrive. Written by the worker thread, read by one other."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pieces = self._seen = 0
        self._final = 0.0
        self._asked = clock()

    def add(self) -> None:
        """One more token has arrived."""
        self._pieces += 1

    def finish(self, speed: float) -> None:
        """An answer has ended; the engine measured its speed better than this can."""
        self._final = speed

    def speed(self) -> float:
        """Tokens per second since the last call; 0 while nothing is generated."""
        now = self._clock()
        passed, arrived = now - self._asked, self._pieces - self._seen
        self._asked, self._seen = now, self._pieces
        final, self._final = self._final, 0.0
        if final:
            return final
        return arrived / passed if passed > 0 else 0.0
