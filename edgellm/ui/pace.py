"""How much of the text that has arrived is painted in one frame, so that painting never holds up the window."""

from __future__ import annotations

FRAME = 33
BUDGET = 16.0
SMALLEST_PORTION, LARGEST_PORTION = 160, 4_000


class Pace:
    """`visible` characters are painted so far. Times are milliseconds; slow painting makes fewer, smaller frames."""

    def __init__(self) -> None:
        self.visible = 0
        self._portion = SMALLEST_PORTION

    def advance(self, length: int) -> int:
        """How many characters of `length` to show now."""
        self.visible = min(self.visible + self._portion, length)
        return self.visible

    def painted(self, spent: float) -> int:
        """Painting took `spent`; returns how long to wait for the next frame."""
        factor = 0.5 if spent > BUDGET else 1.5
        self._portion = int(min(max(self._portion * factor, SMALLEST_PORTION), LARGEST_PORTION))
        return max(FRAME, int(spent * 4))
