"""A page's work in the engine's thread: one at a time, its events about thirty times a second."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from edgellm.ui.engine_worker import EngineWorker
from edgellm.ui.pace import FRAME
from edgellm.ui.task_work import Body, TaskWork


class TaskRunner(QObject):
    """`told` carries one event of the work, `ended` the `TaskWork` itself, after its last event."""

    told = Signal(object)
    ended = Signal(object)
    busy_changed = Signal(bool)

    def __init__(self, worker: EngineWorker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = worker
        self._work: TaskWork | None = None
        self._timer = QTimer(self, interval=FRAME)
        self._timer.timeout.connect(self._look)
        worker.worked.connect(self._on_worked)

    @property
    def busy(self) -> bool:
        """Whether something is being done, or waits for its turn."""
        return self._work is not None

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop and has not yet."""
        return self._work is not None and self._work.cancelled()

    def start(self, body: Body) -> bool:
        """Let the engine's thread do this; False while the page has other work."""
        if self._work is not None:
            return False
        self._work = TaskWork(body)
        self.busy_changed.emit(True)
        self._timer.start()
        self._worker.work(self._work)
        return True

    def stop(self) -> None:
        """Ask for the end; what has come is kept."""
        if self._work is not None:
            self._work.cancel()

    def _look(self) -> None:
        if self._work is not None:
            for event in self._work.take():
                self.told.emit(event)

    def _on_worked(self, work: TaskWork) -> None:
        if work is not self._work:
            return
        self._look()
        self._work = None
        self._timer.stop()
        self.ended.emit(work)
        self.busy_changed.emit(False)
