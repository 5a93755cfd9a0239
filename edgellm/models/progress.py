"""How far a download is: bytes, speed and time left, added up over its files. Showing it is left to the faces.

The number of bytes shown never falls, whatever is fetched a second time; what lay on the disk before counts as
received, and never as speed.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

State = Literal["queued", "running", "paused", "checking", "done", "failed", "canceled"]
_WINDOW = 5.0
_STEP = 0.25
_ASLEEP = 20.0


@dataclass(frozen=True, slots=True)
class Progress:
    """One look at a download: sizes in bytes, `speed` in bytes per second, `seconds_left` None while it is unknown.

    `message` is a sentence for a person, mostly empty; `hint` says what to do about it. `files` are the bytes of each
    file that are here, by its path, while it is running.
    """

    name: str
    state: State
    received: int = 0
    total: int | None = None
    speed: float = 0.0
    seconds_left: float | None = None
    message: str = ""
    hint: str = ""
    files: tuple[tuple[str, int], ...] = ()

    @property
    def fraction(self) -> float | None:
        """From 0 to 1; None while the total is unknown."""
        if self.total is None:
            return None
        return min(self.received / self.total, 1.0) if self.total else 1.0


class Meter:
    """Adds up what several threads receive. `clock` gives seconds that do not jump when the date is set."""

    def __init__(self, total: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._total = total
        self._positions: dict[str, int] = {}
        self._shown = 0
        self._arrived = 0
        self._samples: deque[tuple[float, int]] = deque([(clock(), 0)])

    def start(self, file: str, position: int) -> None:
        """`position` bytes of `file` are on the disk already."""
        with self._lock:
            self._positions[file] = position

    def at(self, file: str, position: int) -> None:
        """`file` has been received up to `position`; going back means that a part is fetched again."""
        with self._lock:
            self._arrived += max(0, position - self._positions.get(file, 0))
            self._positions[file] = position
            self._sample()

    def read(self) -> tuple[int, int | None, float, float | None]:
        """Bytes received, bytes in all, bytes per second over the last seconds, and seconds left."""
        with self._lock:
            self._sample()
            here = sum(self._positions.values())
            self._shown = max(self._shown, here if self._total is None else min(here, self._total))
            (then, before), (now, arrived) = self._samples[0], self._samples[-1]
            speed = (arrived - before) / (now - then) if now > then else 0.0
            left = None
            if self._total is not None and speed > 0:
                left = (self._total - min(here, self._total)) / speed
            return self._shown, self._total, speed, left

    def files(self) -> tuple[tuple[str, int], ...]:
        """The files, and where each is."""
        with self._lock:
            return tuple(self._positions.items())

    def _sample(self) -> None:
        """Note where we are, a few times a second; after the machine slept, measure from now on."""
        now = self._clock()
        if not 0 <= now - self._samples[-1][0] <= _ASLEEP:
            self._samples.clear()
        elif len(self._samples) > 1 and now - self._samples[-2][0] < _STEP:
            self._samples.pop()
        self._samples.append((now, self._arrived))
        while len(self._samples) > 2 and now - self._samples[1][0] >= _WINDOW:
            self._samples.popleft()
