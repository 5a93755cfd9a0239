"""What the pages of the tasks share: run and stop, events of the work, and their state that survives a restart.

What is on a page, what it asks of the engine and how it shows what comes are left to the page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLayout, QSplitter, QVBoxLayout, QWidget

from edgellm.errors import EdgeError, NoModel, Stopped
from edgellm.ui.kept_work import KeptWork
from edgellm.ui.language import tr
from edgellm.ui.model_hint import ModelHint
from edgellm.ui.services import Services
from edgellm.ui.source_files import Looking
from edgellm.ui.task_bar import TaskBar
from edgellm.ui.task_runner import TaskRunner
from edgellm.ui.task_work import Body, TaskWork

_SOON_MS = 150  # what an earlier run had done is shown again by then
_RUN = ("Ctrl+Return", "Ctrl+Enter")


class TaskPage(QWidget):
    """A page that runs one piece of work at a time. `key` names the file that keeps it, `verb` what its button does,
    `task` what it asks of a model, by the name that cards have for it.

    A page calls `arrange` once, and `touch` when something on it changed that is to be kept.
    """

    def __init__(self, services: Services, key: str, verb: str, task: str = "") -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.services = services
        self.bar = TaskBar(services.theme, services.keyboard, verb)
        self.hint = ModelHint(services, task) if task else None
        self.runner = TaskRunner(services.worker, self)
        self.kept = KeptWork(services.app.paths.work / f"{key}.json", self.state, services.background, self)
        self._restored = False
        self.first: QWidget | None = None  # what is ready for the keyboard when the page is opened
        self._begun = False  # whether anything has come of the work that runs, or ran last
        self.bar.run.connect(self.run)
        self.bar.stop.connect(self.runner.stop)
        self.runner.busy_changed.connect(self.bar.set_busy)
        self.runner.told.connect(self._on_told)
        self.runner.ended.connect(self._on_ended)
        for keys in _RUN:
            QShortcut(QKeySequence(keys), self, self.run, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        QTimer.singleShot(0, self, lambda: self.kept.load(self._restore))

    # What a page says about itself

    def state(self) -> dict[str, Any]:
        """What is to be kept of the page: values that JSON has; nothing when the page is empty."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Show what was kept. `state` comes from a file: every value may be missing or of another kind."""

    def body(self) -> Body | None:
        """The work that the page asks for now; None when there is nothing to do, which the page itself says."""
        raise NotImplementedError

    def on_event(self, event: Any) -> None:
        """Something came of the work."""

    def on_done(self, result: Any) -> None:
        """The work ended well; `result` is what the body returned, None where it was stopped before it began."""

    def on_failed(self, error: EdgeError) -> None:
        """The work ended with an error; what came before it is on the page."""
        self.bar.say(error.message)
        if isinstance(error, NoModel):
            self.services.notices.complain(error, *self.without_model())
            return
        self.services.notices.complain(error)

    def without_model(self) -> tuple[str, Callable[[], None]]:
        """What the notice offers when no model is loaded: words, and what they do."""
        return tr("Open Models"), self.services.models.page_wanted.emit

    # What every page does

    def arrange(self, head: QLayout, *panes: QWidget, stretch: tuple[int, ...] = ()) -> QSplitter:
        """Lay the page out: choices at the top, panes beside each other, the bar at the foot."""
        top = QFrame()
        top.setObjectName("choices")
        head.setContentsMargins(20, 10, 20, 6)
        top.setLayout(head)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setObjectName("parts")
        splitter.setChildrenCollapsible(False)
        splitter.setContentsMargins(0, 0, 1, 0)  # from right to left Qt places the first pane one pixel too far
        splitter.setHandleWidth(12)
        for number, pane in enumerate(panes):
            splitter.addWidget(pane)
            pane.setMinimumWidth(240)
            splitter.setStretchFactor(number, stretch[number] if stretch else 1)
        splitter.setSizes([1000 * (stretch[n] if stretch else 1) for n in range(len(panes))])
        middle = QHBoxLayout()
        middle.setContentsMargins(20, 4, 20, 4)
        middle.addWidget(splitter)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(top)
        column.addLayout(middle, 1)
        if self.hint is not None:
            column.addWidget(self.hint)
            self.hint.look()
        column.addWidget(self.bar)
        return splitter

    def showEvent(self, event: QShowEvent) -> None:
        """Ready for the keyboard, and for the keys of the page."""
        super().showEvent(event)
        if self.first is not None:
            self.first.setFocus()

    def run(self) -> None:
        """Begin, unless the page is at work."""
        if self.runner.busy:
            return
        work = self.body()
        if work is not None:
            self._begun = False
            self.services.notices.settle()
            self.runner.start(work)
            self._keep_now()

    def escape(self) -> None:
        """Stop, as the Esc key does."""
        self.runner.stop()

    def touch(self) -> None:
        """What is on the page changed."""
        if self._restored:
            self.kept.touch()

    def flush(self) -> None:
        """Keep the page now, and stop: the window is closing."""
        self.kept.flush()
        self.runner.stop()
        for looking in self.findChildren(Looking):
            looking.stop()

    def _restore(self, state: dict[str, Any]) -> None:
        if state:
            self.restore(state)
        self._restored = True

    def _keep_now(self) -> None:
        """That work has begun is kept sooner than other changes: the window may be killed before the next save."""
        if self._restored:
            self.kept.save()

    def _on_told(self, event: Any) -> None:
        self.on_event(event)
        if not self._begun:
            self._begun = True
            QTimer.singleShot(_SOON_MS, self, self._keep_now)

    def _on_ended(self, work: TaskWork) -> None:
        if work.error is None:
            self.on_done(work.result)
        elif not isinstance(work.error, Stopped):
            self.on_failed(work.error)
        self.kept.touch()
