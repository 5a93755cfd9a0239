"""Tests of the measurement of memory, arithmetic and disk: figures that make sense, a child that never stays."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest

from edgellm.errors import EngineError
from edgellm.hardware import measure, measure_child


def children() -> list[psutil.Process]:
    """Processes of this one that measure."""
    return [child for child in psutil.Process().children() if "measure_child" in " ".join(child.cmdline())]


def test_the_figures_make_sense_and_the_steps_are_told(tmp_path: Path) -> None:
    steps: list[tuple[str, float]] = []
    found = measure.measure(2, tmp_path, lambda step, done: steps.append((step, done)), lambda: False, 0.6)
    assert found is not None
    assert found.threads == 2
    assert 1e8 < found.usual_bandwidth <= found.bandwidth < 5e12
    assert 1e8 < found.compute < 1e14
    assert 0 <= found.disk < 1e12
    assert [step for step, _ in steps] == ["reading memory", "multiplying matrices", "reading the disk of the models"]
    assert [done for _, done in steps] == sorted(done for _, done in steps)
    assert children() == []
    assert list(tmp_path.iterdir()) == []


def test_it_can_be_cancelled_at_once_and_leaves_no_process(tmp_path: Path) -> None:
    started: list[float] = []

    def cancelled() -> bool:
        return bool(started) and time.monotonic() - started[0] > 0.3

    begun = measure.measure(2, tmp_path, lambda _step, _done: started.append(time.monotonic()), cancelled, 30.0)
    late = time.monotonic() - started[0] - 0.3
    print(f"stopped {late:.2f} s after it was asked to")
    assert begun is None
    assert late < 3.0
    assert children() == []


def test_a_child_that_fails_is_an_error_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="could not be measured"):
        measure.measure(-1, tmp_path, lambda _step, _done: None, lambda: False, 0.1)


def test_a_child_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "_PATIENCE", 0.01)
    monkeypatch.setattr(measure, "_START_SECONDS", 0.5)
    with pytest.raises(EngineError, match="too long"):
        measure.measure(1, tmp_path, lambda _step, _done: None, lambda: False, 60.0)
    assert children() == []


@pytest.mark.parametrize("where", ["missing/deeper", "."])
def test_the_disk_is_that_of_the_folder_or_the_one_it_will_be_in(tmp_path: Path, where: str) -> None:
    speed = measure_child.disk(tmp_path / where, 0.3)
    assert 0 <= speed < 1e12
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_has_no_speed() -> None:
    assert measure_child.disk(Path("/proc/1"), 0.2) == 0.0


def test_the_luckiest_rounds_do_not_count() -> None:
    assert measure_child.undisturbed([float(number) for number in range(100, 0, -1)]) == 95.0
    assert measure_child.undisturbed([3.0]) == 3.0


def test_other_programs_are_looked_at() -> None:
    assert 0 <= measure.busy_share(0.1) <= 1
