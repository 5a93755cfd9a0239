"""What the computer and the engine are doing now: cheap samples, and a ring of the last two minutes.

One sample costs well under a millisecond, so once a second is far below 1 % of a core. Painting is left to the window.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil

from edgellm.hardware import cgroup, memory, power

_SENSORS = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "cpu-thermal", "soc_thermal", "acpitz")
_TEMPERATURE_SECONDS = 5.0
_SLOW_SECONDS = 15.0  # battery, container limits, the list of the engine's children
_SHORTEST = 0.2  # seconds over which the load is measured, at least
_HOTTEST = 150.0  # what a broken sensor says is above it


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment. `time` is monotonic seconds; percents are of the whole; memory is bytes; temperature is Celsius.

    `engine_memory` is the resident memory of the engine and its children, 0 without an engine. None: not readable.
    """

    time: float
    cpu_percent: float
    memory_used: int
    memory_total: int
    engine_memory: int
    gpu_percent: float | None = None
    gpu_memory: int | None = None
    temperature: float | None = None
    battery: float | None = None
    tokens_per_second: float | None = None


class History:
    """The samples of the last `seconds`. Safe to use from several threads."""

    def __init__(self, seconds: float = 120.0) -> None:
        self.seconds = seconds
        self._samples: deque[Sample] = deque()
        self._lock = threading.Lock()

    def add(self, sample: Sample) -> None:
        """Add the newest sample and drop those that are too old."""
        with self._lock:
            if self._samples and sample.time < self._samples[-1].time:
                self._samples.clear()  # another clock: nothing older can be compared
            self._samples.append(sample)
            while sample.time - self._samples[0].time > self.seconds:
                self._samples.popleft()

    def samples(self) -> tuple[Sample, ...]:
        """All of them, oldest first."""
        with self._lock:
            return tuple(self._samples)

    def __len__(self) -> int:
        with self._lock:
            return len(self._samples)


class Monitor:
    """Takes samples. Handles are opened once and kept; call `sample` from one thread at a time, and `close` at the end.

    `engine_pid` gives the engine's process id, `speed` its tokens per second, each None when there is none. `gpu`
    asks NVIDIA's driver, too: set it only after `probe` found a CUDA device that is usable.
    """

    def __init__(
        self,
        engine_pid: Callable[[], int | None],
        speed: Callable[[], float | None] = lambda: None,
        *,
        gpu: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine_pid = engine_pid
        self._speed = speed
        self._clock = clock
        self._limits = _Slow(_SLOW_SECONDS, cgroup.limits)
        self._battery = _Slow(_SLOW_SECONDS, power.read)
        self._temperature = _Slow(_TEMPERATURE_SECONDS, temperature)
        self._gpu = _Gpu() if gpu else None
        self._engine = _Family()
        self._busy, self._all = _cpu_seconds()
        self._measured = clock()
        self._percent = 0.0

    def sample(self) -> Sample:
        """The state now. What cannot be read is None; nothing is raised."""
        now = self._clock()
        limits = self._limits.get(now)
        room = memory.read(limits) if limits.memory is None else memory.read(cgroup.limits())
        gpu_percent, gpu_memory = self._gpu.read() if self._gpu is not None else (None, None)
        return Sample(
            time=now,
            cpu_percent=self._cpu_percent(now),
            memory_used=room.total - room.free,
            memory_total=room.total,
            engine_memory=self._engine.memory(self._engine_pid(), now),
            gpu_percent=gpu_percent,
            gpu_memory=gpu_memory,
            temperature=self._temperature.get(now),
            battery=self._battery.get(now).percent,
            tokens_per_second=self._speed(),
        )

    def close(self) -> None:
        """Let go of the graphics driver."""
        if self._gpu is not None:
            self._gpu.close()

    def _cpu_percent(self, now: float) -> float:
        """The share since the last measure; within a few ticks of the kernel's clock it would be a wild figure."""
        if abs(now - self._measured) >= _SHORTEST:
            busy, total = _cpu_seconds()
            if (passed := total - self._all) > 0:
                self._percent = round(min(max((busy - self._busy) / passed, 0.0), 1.0) * 100, 1)
            self._busy, self._all, self._measured = busy, total, now
        return self._percent


class _Slow:
    """A reading that changes slowly: asked again only after `seconds`."""

    def __init__(self, seconds: float, read: Callable[[], Any]) -> None:
        self._seconds = seconds
        self._read = read
        self._value: Any = None
        self._due = float("-inf")

    def get(self, now: float) -> Any:
        """The value, at most `seconds` old."""
        if now >= self._due:
            self._value = self._read()
            self._due = now + self._seconds
        return self._value


class _Family:
    """The resident memory of a process and its children."""

    def __init__(self) -> None:
        self._pid: int | None = None
        self._members: list[psutil.Process] = []
        self._due = float("-inf")

    def memory(self, pid: int | None, now: float) -> int:
        """Bytes, 0 when there is no such process."""
        if pid is None:
            self._pid, self._members = None, []
            return 0
        if pid != self._pid or now >= self._due or not self._members:
            self._pid, self._due = pid, now + _SLOW_SECONDS
            try:
                engine = psutil.Process(pid)
                self._members = [engine, *engine.children(recursive=True)]
            except (psutil.Error, OSError):
                self._members = []
        total, alive = 0, []
        for member in self._members:
            try:
                total += int(member.memory_info().rss)
            except (psutil.Error, OSError):
                continue
            alive.append(member)
        self._members = alive
        return total


class _Gpu:
    """Load and memory of all NVIDIA devices; after a failure it stays silent."""

    def __init__(self) -> None:
        self._nvml: Any = None
        self._error: type[Exception] = OSError
        self._handles: list[Any] = []
        self._dead = False

    def read(self) -> tuple[float | None, int | None]:
        """Percent of the busiest device, and bytes used on all."""
        if self._dead:
            return None, None
        try:
            if self._nvml is None:
                self._open()
            percents = [float(self._nvml.nvmlDeviceGetUtilizationRates(handle).gpu) for handle in self._handles]
            used = [int(self._nvml.nvmlDeviceGetMemoryInfo(handle).used) for handle in self._handles]
        except (ImportError, OSError, self._error):
            self._dead = True
            return None, None
        return max(percents, default=None), sum(used) if used else None

    def close(self) -> None:
        """Let go of the driver."""
        if self._nvml is not None and not self._dead:
            self._dead = True
            try:
                self._nvml.nvmlShutdown()
            except self._error:
                return

    def _open(self) -> None:
        import pynvml

        self._nvml, self._error = pynvml, pynvml.NVMLError
        pynvml.nvmlInit()
        self._handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]


def temperature() -> float | None:
    """Celsius of the processor's hottest sensor, where one can be read."""
    if not hasattr(psutil, "sensors_temperatures"):
        return None
    try:
        sensors = psutil.sensors_temperatures()
    except (OSError, ValueError, RuntimeError):  # odd files under /sys
        return None
    for name in _SENSORS:
        values = [float(entry.current) for entry in sensors.get(name, ()) if 0 < (entry.current or 0) < _HOTTEST]
        if values:
            return max(values)
    return None


def _cpu_seconds() -> tuple[float, float]:
    """Busy seconds and all seconds of all cores together, since the start of the computer."""
    times = psutil.cpu_times()
    guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # already in user and nice
    total = sum(times) - guests
    return total - times.idle - getattr(times, "iowait", 0.0), total
