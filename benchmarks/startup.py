"""How long the window takes to be there, what it weighs, and how fast `edgellm --version` answers.

Run: python -m benchmarks.startup [--runs 7]

Each run starts `python -m edgellm` as a process of its own, with the built-in starter, on this desktop or on a virtual
screen. The window itself reports how old its process was when it was first painted and when the model was ready
(EDGELLM_REPORT). Resident memory is read one second after that. A first run, not counted, fills the disk cache.

The last line is `RESULT` and one JSON object: figures, targets, verdicts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

from benchmarks.display import screen

TARGETS = {"window_seconds": 1.2, "memory_mb": 180.0, "version_seconds": 0.15, "ready_after_window_seconds": 1.0}
_PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Start:
    """One start: seconds to the painted window, seconds from there to the ready model, MB of the window's process."""

    window: float
    ready_after: float
    memory: float
    model: str


def say(text: str) -> None:
    """A line for the person who watches."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def start(home: Path) -> Start:
    """Start the program once and end it."""
    report = home / "start.json"
    report.unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "edgellm"], env={**os.environ, "EDGELLM_HOME": str(home), "EDGELLM_REPORT": str(report)}
    )
    try:
        facts = _wait(process, report)
        time.sleep(1.0)
        memory = psutil.Process(process.pid).memory_info().rss / 1e6
    finally:
        process.terminate()
        process.wait(timeout=20)
    window = float(facts["window_seconds"])
    return Start(window, float(facts["ready_seconds"]) - window, memory, str(facts["model"]))


def _wait(process: subprocess.Popen[bytes], report: Path) -> dict[str, float | str]:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the window ended with status {process.returncode}")
        if report.exists():
            facts: dict[str, float | str] = json.loads(report.read_text(encoding="utf-8"))
            if "ready_seconds" in facts:
                return facts
        time.sleep(0.02)
    raise RuntimeError("the model was not ready in time")


def version() -> float:
    """Seconds of one `edgellm --version`."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "edgellm", "--version"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> int:
    """Measure, print, judge; the exit status is 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder, screen() as kind:
        home = Path(folder)
        start(home)
        starts = []
        for number in range(runs):
            starts.append(start(home))
            last = starts[-1]
            say(f"run {number + 1}: window {last.window:.2f} s, ready {last.ready_after:+.2f} s, {last.memory:.0f} MB")
    version()
    figures = {
        "window_seconds": median(one.window for one in starts),
        "memory_mb": median(one.memory for one in starts),
        "version_seconds": median(version() for _ in range(max(runs, 5))),
        "ready_after_window_seconds": median(one.ready_after for one in starts),
    }
    verdicts = {name: figures[name] <= target for name, target in TARGETS.items()}
    for name, value in figures.items():
        say(f"{name}: {value:.3f} (at most {TARGETS[name]}) {'met' if verdicts[name] else 'MISSED'}")
    result = {
        "benchmark": "startup",
        "screen": kind,
        "model": starts[-1].model,
        "runs": runs,
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "figures": {name: round(value, 3) for name, value in figures.items()},
        "targets": TARGETS,
        "verdicts": verdicts,
    }
    say("RESULT " + json.dumps(result))
    return 0 if all(verdicts.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
