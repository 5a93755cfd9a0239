"""How long to wait for an engine: limits, and clocks that a suspended or overloaded machine does not use up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

LONGEST_STEP = 0.25


@dataclass(frozen=True, slots=True)
class Limits:
    """Patience in seconds.

    `start`: from the start to the first message. `silence`: without an answer to pings. `stopped`: the same, for a
    process that the system says is stopped. `cancel`: how long a cancelled answer may take to end by itself. `settle`:
    how long the engine may go on with it. `end`: how long it may take to leave. `smoke`: for the first token of a new
    placement.
    """

    start: float = 30.0
    silence: float = 10.0
    stopped: float = 2.0
    cancel: float = 0.07
    settle: float = 5.0
    end: float = 1.0
    smoke: float = 60.0


class Patience:
    """Counts the seconds that really passed here: a gap in our own loop counts as a quarter of a second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()
        self.seconds = 0.0

    def step(self) -> None:
        """Add the time since the last step."""
        now = self._clock()
        self.seconds += min(max(now - self._last, 0.0), LONGEST_STEP)
        self._last = now


class Silence:
    """How long nothing was heard while somebody waited."""

    PING_EVERY = 1.0

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._patience = Patience(clock)
        self._heard = -1
        self._pinged = 0.0

    def step(self, heard: int) -> bool:
        """Count on; `heard` is the number of messages so far. Whether it is time for a ping."""
        self._patience.step()
        if heard != self._heard:
            self._heard, self._patience.seconds, self._pinged = heard, 0.0, 0.0
        if self._patience.seconds - self._pinged < self.PING_EVERY:
            return False
        self._pinged = self._patience.seconds
        return True

    @property
    def suspicious(self) -> bool:
        """Long enough to look whether the process was stopped."""
        return self._patience.seconds > self._limits.stopped

    @property
    def over(self) -> bool:
        """Too long for any process that is alive."""
        return self._patience.seconds > self._limits.silence
