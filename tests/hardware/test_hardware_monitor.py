"""Tests of the samples and of the ring that keeps them."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import psutil
import pytest

from edgellm.hardware import monitor, power
from edgellm.hardware.monitor import History, Monitor, Sample

MB = 1 << 20
PARENT = """
import subprocess, sys
inner = "data = bytearray(60 << 20); print('ready', flush=True); input()"
child = subprocess.Popen([sys.executable, "-c", inner], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
print("ready", flush=True)
input()
child.communicate(b"\\n")
"""


def sample(at: float) -> Sample:
    return Sample(at, 10.0, 1, 2, 3)


def test_the_ring_keeps_two_minutes() -> None:
    history = History()
    for second in range(500):
        history.add(sample(float(second)))
    kept = history.samples()
    assert [kept[0].time, kept[-1].time, len(kept)] == [379.0, 499.0, 121]
    history.add(sample(2000.0))
    assert [one.time for one in history.samples()] == [2000.0]


def test_a_clock_that_goes_back_starts_the_ring_anew() -> None:
    history = History(10)
    history.add(sample(100.0))
    history.add(sample(50.0))
    assert [one.time for one in history.samples()] == [50.0]


def test_the_ring_is_safe_between_threads() -> None:
    history, failures = History(5), list[str]()
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            times = [one.time for one in history.samples()]
            if times != sorted(times):
                failures.append("out of order")

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for second in range(3000):
        history.add(sample(second / 100))
    stop.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert len(history) == 501


@pytest.fixture
def family() -> Iterator[int]:
    """A process with a child that holds 60 MB."""
    process = subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == b"ready"
    yield process.pid
    process.communicate(b"\n", timeout=30)


def test_engine_memory_counts_the_children(family: int) -> None:
    watching = Monitor(lambda: family)
    assert watching.sample().engine_memory > 60 * MB + psutil.Process(family).memory_info().rss // 2


def test_an_engine_that_is_gone_is_no_error() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    watching = Monitor(lambda: process.pid)
    assert watching.sample().engine_memory > 0
    process.communicate(b"\n", timeout=30)
    assert watching.sample().engine_memory == 0
    assert Monitor(lambda: None).sample().engine_memory == 0


def test_a_new_engine_is_noticed_at_once(family: int) -> None:
    pids = [family]
    watching = Monitor(lambda: pids[0])
    before = watching.sample().engine_memory
    pids[0] = psutil.Process().pid
    assert watching.sample().engine_memory != before


def test_the_figures_make_sense_and_follow_the_load() -> None:
    now = [10.0]
    watching = Monitor(lambda: psutil.Process().pid, lambda: 12.5, clock=lambda: now[0])
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        pass
    now[0] += 0.3
    busy = watching.sample()
    assert 0 < busy.cpu_percent <= 100
    assert 0 < busy.memory_used < busy.memory_total
    assert busy.engine_memory > 0
    assert busy.tokens_per_second == 12.5
    assert (busy.gpu_percent, busy.gpu_memory) == (None, None)
    time.sleep(0.05)  # some ticks of the kernel's clock: too few for a figure
    now[0] += 0.1
    assert watching.sample().cpu_percent == busy.cpu_percent


def test_sampling_is_cheap() -> None:
    """Less than 1 % of a core at one sample a second, by a wide margin that a busy machine does not eat up."""
    watching = Monitor(lambda: psutil.Process().pid)
    watching.sample()
    began = time.process_time()
    for _ in range(50):
        watching.sample()
    assert (time.process_time() - began) / 50 < 0.01


def test_slow_readings_are_not_repeated() -> None:
    numbers = iter(range(100))
    slow = monitor._Slow(5.0, lambda: next(numbers))
    assert [slow.get(at) for at in (0.0, 1.0, 4.9, 5.0, 9.0)] == [0, 0, 0, 1, 1]


def test_a_gpu_that_cannot_be_asked_is_silent() -> None:
    watching = Monitor(lambda: None, gpu=True)
    first, second = watching.sample(), watching.sample()
    watching.close()
    for one in (first, second):
        assert (one.gpu_percent is None) == (one.gpu_memory is None)


def test_temperature_takes_the_processor_and_ignores_broken_sensors(monkeypatch: pytest.MonkeyPatch) -> None:
    def sensors(**values: list[float]) -> None:
        readings = {name: [SimpleNamespace(current=value) for value in found] for name, found in values.items()}
        monkeypatch.setattr(psutil, "sensors_temperatures", lambda: readings, raising=False)

    sensors(nvme=[80.0], coretemp=[51.0, 62.5, 255.0])
    assert monitor.temperature() == 62.5
    sensors(acpitz=[0.0], k10temp=[-5.0])
    assert monitor.temperature() is None

    def broken() -> None:
        raise OSError

    monkeypatch.setattr(psutil, "sensors_temperatures", broken, raising=False)
    assert monitor.temperature() is None


@pytest.mark.parametrize(
    ("plugged", "percent", "expected"),
    [
        (True, 80.04, power.Power(False, 80.0)),
        (False, 9.0, power.Power(True, 9.0)),
        (None, 50.0, power.Power(None, 50.0)),
    ],
)
def test_battery(monkeypatch: pytest.MonkeyPatch, plugged: bool | None, percent: float, expected: power.Power) -> None:
    found = SimpleNamespace(power_plugged=plugged, percent=percent)
    monkeypatch.setattr(psutil, "sensors_battery", lambda: found, raising=False)
    assert power.read() == expected


def test_no_battery_or_a_broken_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "sensors_battery", lambda: None, raising=False)
    assert power.read() == power.Power()

    def broken() -> None:
        raise OSError

    monkeypatch.setattr(psutil, "sensors_battery", broken, raising=False)
    assert power.read() == power.Power()
