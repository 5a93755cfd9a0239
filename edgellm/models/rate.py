"""What a transfer asks of its caller while it runs: whether to go on, how fast, and whom to tell.

One `Control` and one `RateLimit` can serve several transfers at once, from several threads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from edgellm.errors import Stopped
from edgellm.runtimes.base import never


class RateLimit:
    """Most bytes per second, shared by every transfer that holds it. 0 is no limit."""

    _BURST = 0.25
    """Seconds of unused allowance that may be kept."""

    def __init__(self, bytes_per_second: float = 0.0) -> None:
        self._rate = bytes_per_second
        self._free_at = 0.0
        self._lock = threading.Lock()

    def change(self, bytes_per_second: float) -> None:
        """Another limit from now on."""
        with self._lock:
            self._rate = bytes_per_second
            self._free_at = 0.0

    def take(self, size: int) -> float:
        """Take `size` bytes now; returns the seconds to wait before more are taken."""
        with self._lock:
            if self._rate <= 0:
                return 0.0
            now = time.monotonic()
            self._free_at = max(self._free_at, now - self._BURST) + size / self._rate
            return max(0.0, self._free_at - now)


def _silent(received: int, total: int | None) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Control:
    """`progress(received, total)` counts this file's bytes, those of an earlier part included; total None is unknown.

    `cancelled()` is asked several times a second, and must answer at once. `checking(done, total)` counts the bytes of
    an earlier part that are read again before the first new one.
    """

    progress: Callable[[int, int | None], None] = _silent
    cancelled: Callable[[], bool] = never
    rate: RateLimit = field(default_factory=RateLimit)
    checking: Callable[[int, int | None], None] = _silent

    def check(self) -> None:
        """Raises `Stopped` when it is cancelled."""
        if self.cancelled():
            raise Stopped()
