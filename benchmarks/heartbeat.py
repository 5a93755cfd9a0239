"""How late a 50 ms timer of the window is while a model generates at full speed, and what the open monitor costs.

Run: python -m benchmarks.heartbeat [--seconds 20] [--model FILE.gguf]

The real window on the real engine, in this process. Without --model a tiny random-weight model answers, which writes
faster than any model that is of use; answers follow each other until the time is over. Then the monitor is opened and
left alone, and the processor time that this process takes is read.

The last line is `RESULT` and one JSON object: figures, targets, verdicts.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from PySide6.QtCore import QEventLoop, Qt, QTimer

from benchmarks import random_model
from benchmarks.display import screen
from edgellm.app import App
from edgellm.ui import main as ui
from edgellm.ui.engine_worker import Job
from edgellm.ui.window import Window

BEAT_MS = 50
TARGETS = {"late_p99_ms": 100.0, "monitor_percent_of_a_core": 1.0}
_LONGEST_ANSWER = 3_000
_SETTLE_S = 6.0


def say(text: str) -> None:
    """A line for the person who watches."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Pulse:
    """The timer, and how late each beat was in milliseconds."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        """Begin to count."""
        self._last = time.perf_counter()
        self._timer.start()

    def stop(self) -> None:
        """Count no more."""
        self._timer.stop()

    def _beat(self) -> None:
        now = time.perf_counter()
        self.late.append(max((now - self._last) * 1000 - BEAT_MS, 0.0))
        self._last = now


def wait(seconds: float, until: Callable[[], object] = lambda: False) -> None:
    """Run the event loop, without spinning, for some time or until something is so."""
    loop = QEventLoop()
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    check = QTimer()
    check.timeout.connect(lambda: loop.quit() if until() else None)
    check.start(100)
    loop.exec()


class Talk:
    """Sends one message after the other and adds up what came back."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._going = True
        self.tokens = 0
        self.speeds: list[float] = []
        window.services.conversation.ended.connect(self._on_ended)
        window.services.conversation.busy_changed.connect(self._on_busy)

    def go(self) -> None:
        """The next message, in a chat of its own so that the context never fills."""
        self._window.chat.new_chat()
        self._window.chat.send("Write as much as you can about the weather, the market and the station, please.")

    def stop(self) -> None:
        """No more messages."""
        self._going = False
        self._window.services.conversation.stop()

    def _on_ended(self, job: Job) -> None:
        if job.finish is not None:
            self.tokens += job.finish.new_tokens
            self.speeds.append(job.finish.tokens_per_second)

    def _on_busy(self, busy: bool) -> None:
        if not busy and self._going:
            QTimer.singleShot(100, self.go)


def measure(seconds: float, model: str) -> dict[str, float]:
    """Everything in one window."""
    qt = ui.application()
    app = App.create({"model": model, "max_tokens": _LONGEST_ANSWER, "theme": "light"})
    window = ui.build(qt, app)
    window.painted.connect(lambda: ui.start(window))
    window.show()
    wait(60, lambda: window.status is not None)
    wait(2)
    talk, pulse = Talk(window), Pulse()
    pulse.start()
    talk.go()
    wait(seconds)
    pulse.stop()
    talk.stop()
    wait(5, lambda: not window.services.conversation.busy)
    window.open_key("monitor")
    wait(_SETTLE_S)
    process, began = psutil.Process(), time.perf_counter()
    before = sum(process.cpu_times()[:2])
    wait(seconds)
    percent = (sum(process.cpu_times()[:2]) - before) / (time.perf_counter() - began) * 100
    window.close()
    ui.finish(window)
    late = sorted(pulse.late)
    return {
        "beats": len(late),
        "late_p50_ms": late[len(late) // 2],
        "late_p99_ms": late[min(int(len(late) * 0.99), len(late) - 1)],
        "late_most_ms": late[-1],
        "tokens": talk.tokens,
        "tokens_per_second": max(talk.speeds, default=0.0),
        "monitor_percent_of_a_core": percent,
    }


def main() -> int:
    """Measure, print, judge; the exit status is 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--model", default="")
    arguments = parser.parse_args()
    model = arguments.model or str(random_model.build("tiny"))
    with tempfile.TemporaryDirectory() as folder, screen() as kind:
        os.environ["EDGELLM_HOME"] = folder
        figures = measure(arguments.seconds, model)
    verdicts = {name: figures[name] <= target for name, target in TARGETS.items()}
    for name, value in figures.items():
        said = f" (at most {TARGETS[name]}) {'met' if verdicts[name] else 'MISSED'}" if name in TARGETS else ""
        say(f"{name}: {value:.2f}{said}")
    result = {
        "benchmark": "heartbeat",
        "screen": kind,
        "model": Path(model).name,
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "figures": {name: round(value, 2) for name, value in figures.items()},
        "targets": TARGETS,
        "verdicts": verdicts,
    }
    say("RESULT " + json.dumps(result))
    return 0 if all(verdicts.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
