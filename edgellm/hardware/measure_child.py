"""The process that measures: `python -m edgellm.hardware.measure_child THREADS FOLDER SECONDS`.

Started by `measure.py`. It prints one JSON object a line: what it is doing, and at the end the figures.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from edgellm.hardware import cgroup, memory

_MEMORY, _PRODUCTS, _DISK = 0.45, 0.27, 0.28  # shares of the time
_BUFFER = 256 << 20  # of all threads together at the least; far more than a processor's cache
_LARGEST_BUFFER = 2 << 30
_SIDE = 1024  # of the square matrices
_DISK_BYTES = 128 << 20
_PIECE = 8 << 20


def bandwidth(threads: int, seconds: float) -> list[float]:
    """Bytes a second of reading memory with every thread at once, a figure for each round."""
    import numpy as np

    room = memory.read(cgroup.limits()).free // 4
    size = max(min(max(_BUFFER, threads * (32 << 20)), _LARGEST_BUFFER, room) // threads, 1 << 20)
    buffers = [np.ones(size // 4, np.float32) for _ in range(threads)]
    with _Crew([partial(np.dot, part, part) for part in buffers]) as crew:
        return [size * threads / taken for taken in crew.rounds(seconds)]


def products(threads: int, seconds: float) -> float:
    """Float32 operations a second of matrix products with every thread at once.

    By the time that the threads had a core, so that other programs hardly matter.
    """
    import numpy as np

    parts = [np.ones((_SIDE, _SIDE), np.float32) for _ in range(threads)]
    results = [np.empty((_SIDE, _SIDE), np.float32) for _ in range(threads)]
    pairs = zip(parts, results, strict=True)
    with _Crew([partial(np.matmul, one, one, out=to) for one, to in pairs]) as crew:
        count = sum(1 for _ in crew.rounds(seconds))
        return sum(2.0 * _SIDE**3 * count / max(used, 1e-3) for used in crew.used())


class _Crew:
    """A thread for each job, that does it whenever a round begins. NumPy lets go of the interpreter meanwhile."""

    def __init__(self, jobs: list[Callable[[], Any]]) -> None:
        self._begin = threading.Barrier(len(jobs) + 1)
        self._end = threading.Barrier(len(jobs) + 1)
        self._over = False
        self._times = [(0.0, 0.0)] * len(jobs)
        self._used = [0.0] * len(jobs)
        numbered = enumerate(jobs)
        self._threads = [threading.Thread(target=self._work, args=(*pair,), daemon=True) for pair in numbered]

    def __enter__(self) -> _Crew:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._begin.wait()
        for thread in self._threads:
            thread.join()

    def rounds(self, seconds: float) -> Iterator[float]:
        """Do all jobs at once, again and again for some time; yields the seconds of each round, two at the least."""
        self._round()  # the first touches everything
        self._used = [0.0] * len(self._threads)
        end, count = time.monotonic() + seconds, 0
        while count < 2 or time.monotonic() < end:
            count += 1
            yield self._round()

    def used(self) -> list[float]:
        """Seconds that each thread had a core, in all rounds."""
        return list(self._used)

    def _round(self) -> float:
        """Seconds from the start of the first job to the end of the last."""
        self._begin.wait()
        self._end.wait()
        return max(end for _, end in self._times) - min(start for start, _ in self._times)

    def _work(self, number: int, job: Callable[[], Any]) -> None:
        while True:
            self._begin.wait()
            if self._over:
                return
            started, had = time.perf_counter(), time.thread_time()
            job()
            self._times[number] = (started, time.perf_counter())
            self._used[number] += time.thread_time() - had
            self._end.wait()


def disk(folder: Path, seconds: float) -> float:
    """Bytes a second of reading a file of this folder, without the system's cache; 0 where that cannot be done.

    The file is a temporary one that has no name, so that nothing is left of it whatever happens.
    """
    if not hasattr(os, "posix_fadvise"):
        return 0.0
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    end = time.monotonic() + seconds
    try:
        if psutil.disk_usage(str(folder)).free < 8 * _DISK_BYTES:
            return 0.0
        with tempfile.TemporaryFile(dir=folder) as file:
            written, piece = 0, os.urandom(_PIECE)
            while written < _DISK_BYTES and time.monotonic() < end - seconds / 2:
                written += file.write(piece)
            file.flush()
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            file.seek(0)
            started, taken = time.perf_counter(), 0
            while (got := len(file.read(_PIECE))) and time.monotonic() < end:
                taken += got
            return taken / max(time.perf_counter() - started, 1e-9)
    except OSError:
        return 0.0


def undisturbed(rounds: list[float]) -> float:
    """What is reached when nothing gets in the way: the best figure, but for the twentieth that luck has a hand in."""
    return sorted(rounds)[(len(rounds) - 1) * 19 // 20]


def main() -> None:
    """Measure and print, as the child process."""
    threads, folder, seconds = int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    _say(step="reading memory", done=0.0)
    rounds = bandwidth(threads, seconds * _MEMORY)
    _say(step="multiplying matrices", done=_MEMORY)
    multiplied = products(threads, seconds * _PRODUCTS)
    _say(step="reading the disk of the models", done=_MEMORY + _PRODUCTS)
    found = disk(folder, seconds * _DISK)
    _say(
        threads=threads,
        bandwidth=undisturbed(rounds),
        usual_bandwidth=median(rounds),
        compute=multiplied,
        disk=found,
    )


def _say(**values: Any) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
