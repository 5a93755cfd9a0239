"""What an engine process asks of the operating system, from both sides: environment, priorities, memory, evidence."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edgellm.runtimes.llama_spin import BRIEF

_SECRET = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|_PROXY$|COOKIE", re.IGNORECASE)
_PR_SET_PDEATHSIG = 1
_OOM_ADJUST = "600"


def command(logs: Path, crash: Path) -> list[str]:
    """The command line that starts an engine."""
    return [sys.executable, "-P", "-m", "edgellm.engine.host", str(logs), str(crash), str(os.getpid())]


def environment(outer: Mapping[str, str]) -> dict[str, str]:
    """The environment of an engine: this one without secrets, with short spinning for OpenMP.

    Threads that spin for long while they wait make decoding many times slower on a busy machine; a short spin costs a
    quiet one several percent, which llama.cpp gets back (`llama_spin`). What the person has set stays.
    """
    inner = {key: value for key, value in outer.items() if not _SECRET.search(key)}
    inner.setdefault("GOMP_SPINCOUNT", BRIEF)
    inner.setdefault("KMP_BLOCKTIME", "1")
    inner.setdefault("GGML_NO_BACKTRACE", "1")  # a dying ggml would wait for a debugger first
    inner["PYTHONUNBUFFERED"] = "1"
    package = Path(__file__).resolve().parents[2]
    if package.name not in ("site-packages", "dist-packages"):
        inner["PYTHONPATH"] = os.pathsep.join(filter(None, (str(package), inner.get("PYTHONPATH", ""))))
    return inner


def crash_name(pid: int) -> str:
    """Name of the file into which a dying engine writes where it was."""
    return f"engine-{pid}.txt"


def sweep(crash: Path, keep: int = 20) -> None:
    """Remove the empty reports of engines that are gone, and all but the newest reports."""
    import psutil

    with suppress(OSError):
        reports = sorted(crash.glob("engine-*.txt"), key=lambda file: file.stat().st_mtime, reverse=True)
        for number, report in enumerate(reports):
            pid = report.stem.rpartition("-")[2]
            empty = report.stat().st_size == 0 and pid.isdecimal() and not psutil.pid_exists(int(pid))
            if empty or number >= keep:
                report.unlink(missing_ok=True)


def settle(parent: int) -> None:
    """Called once in the engine: ignore Ctrl-C, die with the parent, be the first to go when memory ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(_OOM_ADJUST)
    if sys.platform != "win32":
        import resource

        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def stopped(pid: int) -> bool:
    """Whether a process was stopped by a signal."""
    import psutil

    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return False


@dataclass(frozen=True, slots=True)
class Memory:
    """How memory stood: bytes of the engine, bytes free and in all, and how often the kernel has killed for it."""

    engine: int = 0
    free: int = 0
    total: int = 0
    kills: int = 0

    @property
    def short(self) -> bool:
        """Whether memory was nearly used up, and the engine held much of it."""
        return 0 < self.free < self.total // 16 and self.engine > self.total // 8


def memory_of(pid: int) -> Memory:
    """How memory stands for an engine, within a container's limits; zeros where it cannot be read."""
    import psutil

    from edgellm.hardware import cgroup, memory

    try:
        room, engine = memory.read(cgroup.limits()), psutil.Process(pid).memory_info().rss
    except (psutil.Error, OSError):
        return Memory(kills=kernel_kills())
    return Memory(int(engine), room.free, room.total, kernel_kills())


def kernel_kills() -> int:
    """How many processes Linux has ended for want of memory, in this machine and this control group."""
    count = 0
    for file in (Path("/proc/vmstat"), *_group_events()):
        with suppress(OSError, ValueError):
            lines = dict(line.split()[:2] for line in file.read_text().splitlines())
            count += int(lines.get("oom_kill", 0))
    return count


def _group_events() -> list[Path]:
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            if line.startswith("0::/"):
                return [Path("/sys/fs/cgroup") / line[4:] / "memory.events"]
    return []
