"""The sums of a download's progress bar, on a clock that the test turns."""

from __future__ import annotations

import pytest

from edgellm.models.progress import Meter, Progress


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_bytes_speed_and_time_left_over_two_files() -> None:
    clock = Clock()
    meter = Meter(10_000, clock)
    for step in range(1, 5):
        clock.now += 0.5
        meter.at("a", step * 500)
        meter.at("b", step * 250)
    received, total, speed, left = meter.read()
    assert (received, total) == (3000, 10_000)
    assert speed == pytest.approx(1500)
    assert left == pytest.approx(7000 / 1500)


def test_what_lay_on_the_disk_is_received_but_is_no_speed() -> None:
    clock = Clock()
    meter = Meter(10_000, clock)
    meter.start("a", 6000)
    clock.now += 1
    meter.at("a", 6000)
    assert meter.read() == (6000, 10_000, 0.0, None)
    clock.now += 1
    meter.at("a", 6200)
    received, _, speed, _ = meter.read()
    assert received == 6200
    assert speed == pytest.approx(100)


def test_the_number_never_falls_when_a_part_is_fetched_again() -> None:
    clock = Clock()
    meter = Meter(10_000, clock)
    shown = []
    for position in (1000, 4000, 9000, 2000, 3000, 8000, 9500, 0, 10_000):
        clock.now += 0.3
        meter.at("a", position)
        shown.append(meter.read()[0])
    assert shown == sorted(shown)
    assert shown[3] == 9000
    assert shown[-1] == 10_000


def test_the_speed_is_that_of_the_last_seconds_and_falls_to_nothing_when_nothing_comes() -> None:
    clock = Clock()
    meter = Meter(None, clock)
    for step in range(1, 101):
        clock.now += 0.1
        meter.at("a", step * 1000)
    assert meter.read()[2] == pytest.approx(10_000, rel=0.05)
    for _ in range(40):
        clock.now += 0.5
        speed = meter.read()[2]
    assert speed == 0


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
def test_after_a_sleep_the_speed_starts_anew(jump: float) -> None:
    clock = Clock()
    meter = Meter(1_000_000, clock)
    for step in range(1, 21):
        clock.now += 0.1
        meter.at("a", step * 1000)
    clock.now += jump
    meter.at("a", 20_000)
    clock.now += 1
    meter.at("a", 30_000)
    received, _, speed, left = meter.read()
    assert received == 30_000
    assert speed == pytest.approx(10_000)
    assert left == pytest.approx(97)


def test_more_than_the_total_is_never_shown() -> None:
    meter = Meter(100, Clock())
    meter.at("a", 150)
    assert meter.read()[:2] == (100, 100)


def test_fraction() -> None:
    assert Progress("m", "running", 25, 100).fraction == 0.25
    assert Progress("m", "running", 25, None).fraction is None
    assert Progress("m", "done", 0, 0).fraction == 1.0
