"""Measures what decides how fast a model runs: reading memory, multiplying, reading the disk of the models folder.

The work itself is done by `measure_child.py` in a process of its own with a time limit: it keeps every core busy, and
could hang on a broken disk. The speed of the engine is left to `engine/selftest.py`.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil

from edgellm.errors import EngineError

SECONDS = 11.0
_PATIENCE = 3  # times as long as it should take
_START_SECONDS = 10.0
_POLL = 0.05
_LOOK_SECONDS = 1.0
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Measurement:
    """Bytes and float32 operations a second, with `threads` threads; 0 where it could not be measured.

    `bandwidth` and `compute` are what is reached when nothing gets in the way, `usual_bandwidth` is the median round.
    """

    threads: int
    bandwidth: float
    usual_bandwidth: float
    compute: float
    disk: float


def busy_share(seconds: float = _LOOK_SECONDS) -> float:
    """The share of the processor that is in use, looked at for some time while this program itself does nothing."""
    return float(psutil.cpu_percent(interval=seconds)) / 100


def measure(
    threads: int, folder: Path, progress: Progress, cancelled: Callable[[], bool], seconds: float = SECONDS
) -> Measurement | None:
    """Measure in a child process for about `seconds`; None when `cancelled` said so.

    `progress` gets a step in words and the share that is done. Raises `EngineError` when the child fails or takes
    much longer.
    """
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "edgellm.hardware.measure_child", str(threads), str(folder), str(seconds)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(),
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    try:
        return _listen(child, progress, cancelled, _START_SECONDS + _PATIENCE * seconds)
    finally:
        child.kill()
        child.communicate()


def _environment() -> dict[str, str]:
    """Each thread of ours multiplies for itself: the library must not start more."""
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
    package = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH", ""))))
    return {**os.environ, **dict.fromkeys(names, "1"), "PYTHONPATH": path}


def _listen(
    child: subprocess.Popen[bytes], progress: Progress, cancelled: Callable[[], bool], limit: float
) -> Measurement | None:
    assert child.stdout is not None
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(child.stdout, lines), name="measure", daemon=True)
    reader.start()
    deadline = time.monotonic() + limit
    while not cancelled():
        if time.monotonic() > deadline:
            raise EngineError("Measuring this computer took too long.", "Try again when it is less busy.")
        try:
            line = lines.get(timeout=_POLL)
        except queue.Empty:
            continue
        if not line:
            raise EngineError("This computer could not be measured.", "The memory may be nearly full: try again later.")
        found: dict[str, Any] = json.loads(line)
        if "step" in found:
            progress(found["step"], found["done"])
        else:
            return Measurement(**found)
    return None


def _read(pipe: IO[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    with suppress(OSError, ValueError):  # closed at the end of a cancelled measurement
        for line in pipe:
            lines.put(line)
    lines.put(b"")
