"""How fast documents are read: as fast as can be when plugged in, with rests on battery, not at all when it is low.

The wish is a setting of the person's, and every decision comes with its reason as a sentence.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from edgellm.hardware import power

LOW = 20.0  # percent: below this a person wants the rest for other things
_REST = 3.0  # times as long as the file took: the processor is at work a quarter of the time
_LONGEST = 10.0
_VALID = 5.0  # seconds that one look at the battery counts for


class Pace:
    """For one thread. `wish()` is `slow`, `pause` or `full`: what to do on battery.

    Where `patient` is False nothing is held back, only slowed down: a person waits for it.
    """

    def __init__(
        self,
        wish: Callable[[], str],
        battery: Callable[[], power.Power] = power.read,
        clock: Callable[[], float] = time.monotonic,
        patient: bool = True,
    ) -> None:
        self._wish = wish
        self._battery = battery
        self._clock = clock
        self._patient = patient
        self._power = power.Power()
        self._looked = float("-inf")
        self._since = clock()

    @property
    def slow(self) -> bool:
        """Whether it runs on battery and the person did not ask for full speed."""
        return self._wish() != "full" and bool(self._now().on_battery)

    def rest(self) -> float:
        """The seconds to rest after a file, by the time since the last rest ended."""
        now = self._clock()
        seconds = min((now - self._since) * _REST, _LONGEST) if self.slow else 0.0
        self._since = now + seconds
        return seconds

    def held(self) -> str:
        """Why nothing is to be read now, as a sentence; empty when it can go on."""
        if not self._patient or not self.slow:
            return ""
        if self._wish() == "pause":
            return "On battery: reading documents goes on when it is plugged in."
        percent = self._now().percent
        if percent is not None and percent < LOW:
            return f"The battery is at {percent:.0f} %: reading documents goes on when it is plugged in."
        return ""

    def note(self) -> str:
        """A sentence about the speed; empty when it is full."""
        return "On battery: documents are read with rests in between." if self.slow and not self.held() else ""

    def _now(self) -> power.Power:
        now = self._clock()
        if now - self._looked >= _VALID:
            self._power, self._looked = self._battery(), now
        return self._power
