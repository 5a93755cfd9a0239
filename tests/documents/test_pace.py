"""How the battery slows reading down, and when it stops it; with the reason said."""

from __future__ import annotations

import pytest

from edgellm.documents.pace import Pace
from edgellm.hardware.power import Power

PLUGGED, FULL, LOW, UNKNOWN = Power(False, 50.0), Power(True, 80.0), Power(True, 12.0), Power()


class Clock:
    """A clock that a test turns."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("wish", "power", "rests", "why"),
    [
        ("slow", PLUGGED, False, ""),
        ("slow", UNKNOWN, False, ""),
        ("slow", FULL, True, ""),
        ("slow", LOW, True, "at 12 %"),
        ("slow", Power(True, None), True, ""),
        ("pause", FULL, True, "On battery"),
        ("pause", PLUGGED, False, ""),
        ("full", LOW, False, ""),
    ],
)
def test_the_wish_and_the_battery_decide(wish: str, power: Power, rests: bool, why: str) -> None:
    clock = Clock()
    pace = Pace(lambda: wish, lambda: power, clock)
    clock.now = 2.0
    assert pace.rest() == (6.0 if rests else 0.0)
    assert pace.held() == "" if not why else why in pace.held()
    assert bool(pace.note()) == (rests and not why)


def test_who_waits_for_it_is_slowed_down_but_never_held() -> None:
    pace = Pace(lambda: "pause", lambda: LOW, patient=False)
    assert (pace.held(), pace.slow) == ("", True)
    assert "with rests" in pace.note()


def test_a_rest_is_by_the_work_since_the_last_one_and_bounded() -> None:
    clock = Clock()
    pace = Pace(lambda: "slow", lambda: FULL, clock)
    clock.now = 1.0
    assert pace.rest() == 3.0
    clock.now = 4.5  # rested until 4.0, worked for 0.5
    assert pace.rest() == 1.5
    clock.now = 900.0
    assert pace.rest() == 10.0


def test_plugging_in_is_noticed_within_seconds() -> None:
    clock, states = Clock(), [LOW, PLUGGED]
    pace = Pace(lambda: "slow", lambda: states.pop(0), clock)
    assert pace.held() and pace.held()
    clock.now = 6.0
    assert pace.held() == ""
