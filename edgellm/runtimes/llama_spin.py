"""How llama.cpp's threads wait for each other: long on a quiet machine, briefly on a busy one.

They meet several hundred times a token. One that keeps spinning until the others are there saves several percent of the
time on a quiet machine; where other programs want the cores it keeps them from the thread that it waits for, and
decoding is half as fast, and stalls. GNU's OpenMP reads its spin count only once, but spins briefly whenever it manages
more threads than there are processors (libgomp, config/linux/wait.h). So on a busy machine a thread of ours holds a
team that has nothing to do. Which of the two it is, the kernel says: how long threads stood in its run queue.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

BRIEF = "1000"  # the spin count of an engine whose waiting is not steered
_LONG = "300000"  # about three milliseconds
_TASKS = Path("/proc/self/task")
_PERIOD = 0.1
_BUSY, _QUIET = 0.1, 0.03  # share of the time that threads waited for a core
_CALM = 5  # looks in a row that must find it quiet before the threads wait long again


def prepare(environment: MutableMapping[str, str]) -> None:
    """Let OpenMP spin long, to be called before it is loaded; not where that could not be taken back, or where the
    person has set something else."""
    if environment.get("GOMP_SPINCOUNT") == BRIEF and "OMP_WAIT_POLICY" not in environment and _delay() is not None:
        environment["GOMP_SPINCOUNT"] = _LONG
        environment["OMP_WAIT_POLICY"] = "active"  # without it the brief spin would be a tenth of `BRIEF`


def _delay() -> float | None:
    """Seconds that the threads of this process have stood in the run queue; None where the kernel does not tell."""
    total = 0
    try:
        for task in os.listdir(_TASKS):
            try:
                total += int((_TASKS / task / "schedstat").read_bytes().split()[1])
            except (FileNotFoundError, ProcessLookupError):  # a thread that has ended meanwhile
                continue
    except (OSError, IndexError, ValueError):
        return None
    return total / 1e9


class Spin:
    """Steers how the threads wait that compute in this process. `library` is one that was linked with OpenMP."""

    def __init__(self, library: Any, threads: int, delay: Callable[[], float | None] = _delay) -> None:
        self._parallel: Any = None
        if threads > 1 and sys.platform == "linux":
            self._parallel = getattr(library, "GOMP_parallel", None)
        self._threads = threads
        self._delay = delay
        self._last: tuple[float, float] | None = None
        self._calm = 0
        self._over: threading.Event | None = None

    @property
    def brief(self) -> bool:
        """Whether they wait briefly now, because the machine is busy."""
        return self._over is not None

    def begin(self) -> None:
        """A computation starts: what was before it does not count."""
        self._last = None

    def look(self, now: float) -> None:
        """To be called every few milliseconds of a computation, from one thread; `now` in seconds."""
        if self._parallel is None or (self._last is not None and now - self._last[0] < _PERIOD):
            return
        waited = self._delay()
        if waited is None:
            return
        last, self._last = self._last, (now, waited)
        if last is None:
            return
        share = (waited - last[1]) / (now - last[0]) / self._threads
        self._calm = self._calm + 1 if share < _QUIET else 0
        if share > _BUSY and not self.brief:
            self._hold()
        elif self.brief and self._calm >= _CALM:
            self.close()

    def close(self) -> None:
        """Let the threads wait long again."""
        if self._over is not None:
            self._over.set()
            self._over = None

    def _hold(self) -> None:
        """Open a team that makes OpenMP's threads more than there are processors, and keep it."""
        self._over = over = threading.Event()
        count = max(len(os.sched_getaffinity(0)) - self._threads, 0) + 2
        parallel, nothing = self._parallel, ctypes.CDLL(None).getpid

        def hold() -> None:
            parallel(nothing, None, count, 0)
            over.wait()  # the team ends with this thread

        threading.Thread(target=hold, name="brief-spin", daemon=True).start()
