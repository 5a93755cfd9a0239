"""Long work on model files, such as checking and moving: each in a thread, with progress and a way to stop it.

What the work does is left to the functions that are handed over; what comes of it, to their callers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from edgellm.errors import EdgeError
from edgellm.ui import facts
from edgellm.ui.background import Runner
from edgellm.ui.language import tr
from edgellm.ui.models_activity import Activity

T = TypeVar("T")
_LOOK_MS = 100


@dataclass
class Handle:
    """The worker's side of a job: it reports bytes done and in all, and asks whether it should stop."""

    kind: str
    name: str
    title: str
    done: int = 0
    total: int | None = None
    share: float | None = None
    _stopped: threading.Event = field(default_factory=threading.Event)

    def report(self, done: int, total: int | None = None) -> None:
        """Say how far it is, in bytes. Called from the worker's thread, as often as it likes."""
        self.done, self.total = done, total

    def step(self, _: str, share: float) -> None:
        """Say how far it is, as a share of 1, where no bytes are counted."""
        self.share = share

    def cancelled(self) -> bool:
        """Whether it should stop."""
        return self._stopped.is_set()

    def cancel(self) -> None:
        """Ask it to stop."""
        self._stopped.set()

    @property
    def activity(self) -> Activity:
        """The line of the strip."""
        words = doing()[self.kind]
        if self.cancelled():
            words = tr("Stopping")
        elif self.total:
            amount = tr("{done} of {total}").format(done=facts.size(self.done), total=facts.size(self.total))
            words = f"{words} · {amount}"
        fraction = min(self.done / self.total, 1.0) if self.total else self.share
        return Activity(self.kind, self.name, self.title, words, fraction, ("cancel",))


def doing() -> dict[str, str]:
    """What each kind of job is doing."""
    return {
        "check": tr("Checking"),
        "repair": tr("Repairing"),
        "move": tr("Moving"),
        "import": tr("Taking in"),
        "add": tr("Checking the bundle"),
        "bundle": tr("Writing the bundle"),
        "measure": tr("Measuring memory, processor and the starter model"),
    }


class ModelJobs(QObject):
    """Runs jobs; `changed` is sent when one began, ended or went on, ten times a second at most."""

    changed = Signal()

    def __init__(self, runner: Runner) -> None:
        super().__init__()
        self._runner = runner
        self._handles: dict[str, Handle] = {}
        self._shown: tuple[Activity, ...] = ()
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self._look)

    @property
    def activities(self) -> tuple[Activity, ...]:
        """What is running."""
        return tuple(handle.activity for handle in self._handles.values())

    def busy(self, name: str) -> bool:
        """Whether a job has this model."""
        return any(handle.name == name for handle in self._handles.values())

    def start(
        self,
        handle: Handle,
        work: Callable[[Handle], T],
        done: Callable[[T], None],
        failed: Callable[[EdgeError], None],
    ) -> bool:
        """Run `work` in a thread; `done` or `failed` follow here. Nothing happens while the same job is running."""
        key = handle.activity.key
        if key in self._handles:
            return False
        self._handles[key] = handle

        def ended(value: Any) -> None:
            self._end(key)
            done(value)

        def broke(error: EdgeError) -> None:
            self._end(key)
            if not handle.cancelled():
                failed(error)

        self._timer.start()
        self.changed.emit()
        self._runner.run(lambda: work(handle), ended, broke)
        return True

    def cancel(self, key: str) -> None:
        """Ask a job to stop."""
        if key in self._handles:
            self._handles[key].cancel()
            self.changed.emit()

    def close(self) -> None:
        """Stop everything."""
        self._timer.stop()
        for handle in self._handles.values():
            handle.cancel()

    def _end(self, key: str) -> None:
        self._handles.pop(key, None)
        if not self._handles:
            self._timer.stop()
        self.changed.emit()

    def _look(self) -> None:
        now = self.activities
        if now != self._shown:
            self._shown = now
            self.changed.emit()
