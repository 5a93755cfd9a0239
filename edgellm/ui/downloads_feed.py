"""The window's side of downloads: orders go to them in a thread, their news come back ten times a second at most.

It lives as long as the window, whatever page is open. Fetching is left to `models/downloads`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from edgellm.errors import EdgeError
from edgellm.ui import models_activity
from edgellm.ui.background import Runner
from edgellm.ui.models_activity import Activity

if TYPE_CHECKING:
    from edgellm.models.catalog import ModelCard
    from edgellm.models.downloads import Downloads
    from edgellm.models.progress import Progress

_PAINT_MS = 100


class DownloadsFeed(QObject):
    """`changed` is sent when something is to be painted; `finished` with a model's name; `failed` with an `EdgeError`.

    `locked` tells whether the offline lock keeps the network away, `any_left` whether a download may be unfinished: if
    none is, nothing that downloads is imported at the start.
    """

    changed = Signal()
    finished = Signal(str)
    failed = Signal(object)
    _news = Signal()

    def __init__(
        self,
        factory: Callable[[], Downloads],
        runner: Runner,
        locked: Callable[[], bool],
        any_left: Callable[[], bool],
    ) -> None:
        super().__init__()
        self._factory, self._runner, self._locked, self._any_left = factory, runner, locked, any_left
        self._lock = threading.Lock()
        self._fresh: dict[str, Progress] = {}
        self._shown: dict[str, Progress] = {}
        self._titles: dict[str, str] = {}
        self._downloads: Downloads | None = None
        self._closed = False
        self._timer = QTimer(self, singleShot=True, interval=_PAINT_MS)
        self._timer.timeout.connect(self._take)
        self._news.connect(self._arm, Qt.ConnectionType.QueuedConnection)

    @property
    def activities(self) -> tuple[Activity, ...]:
        """One line for each download that is not finished."""
        locked = self._locked()
        return tuple(
            models_activity.download(progress, self._titles.get(name, name), locked=locked)
            for name, progress in self._shown.items()
        )

    def activity(self, name: str) -> Activity | None:
        """The download of a model, if there is one."""
        return next((one for one in self.activities if one.name == name), None)

    def busy(self, name: str) -> bool:
        """Whether a model is being downloaded now: not when it is paused, failed, or waits for the lock."""
        shown = self._shown.get(name)
        return shown is not None and shown.state in ("queued", "running", "checking") and not self._locked()

    def start(self) -> None:
        """Show what was not finished last time and, unless the lock is on, go on with it. After the window is there."""

        def begin() -> None:
            if self._downloads is None and not self._any_left():
                return
            downloads = self._service()
            for record in downloads.unfinished():
                self._titles[record.name] = record.card.title
            for progress in downloads.progress():
                self._hear(progress)
            downloads.resume_all()  # with the lock on, only what this machine itself serves

        self._runner.run(begin, None, self.failed.emit)

    def fetch(self, card: ModelCard) -> None:
        """Begin a download."""
        self._titles[card.name] = card.title
        self._order(lambda downloads: downloads.start(card))

    def pause(self, name: str) -> None:
        """Stop for now; what arrived is kept."""
        self._order(lambda downloads: downloads.pause(name))

    def resume(self, name: str) -> None:
        """Go on."""
        self._order(lambda downloads: downloads.resume(name))

    def cancel(self, name: str) -> None:
        """Stop for good; what arrived is deleted."""

        def gone(_: None) -> None:
            with self._lock:
                self._fresh.pop(name, None)
            self._shown.pop(name, None)
            self.changed.emit()

        self._order(lambda downloads: downloads.cancel(name), gone)

    def look(self) -> None:
        """Look again for downloads of other processes, such as the command line's. Quick when there is none."""

        def seen() -> tuple[Progress, ...] | None:
            return self._service().progress() if self._downloads is not None or self._any_left() else None

        def show(found: tuple[Progress, ...] | None) -> None:
            names = {progress.name for progress in found or ()}
            self._shown = {name: progress for name, progress in self._shown.items() if name in names}
            for progress in found or ():
                self._shown.setdefault(progress.name, progress)
            self.changed.emit()

        self._runner.run(seen, show, self.failed.emit)

    def unlocked(self) -> None:
        """The lock was lifted: go on with what waited for it."""
        self.start()

    def close(self) -> None:
        """Stop everything; it goes on at the next start."""
        self._closed = True
        self._timer.stop()
        if self._downloads is not None:
            self._downloads.close()

    def _order(self, act: Callable[[Downloads], object], done: Callable[[None], None] | None = None) -> None:
        def job() -> None:
            act(self._service())

        self._runner.run(job, done, self.failed.emit)

    def _service(self) -> Downloads:
        if self._downloads is None:
            self._downloads = self._factory()
            self._downloads.listen(self._hear)
        return self._downloads

    def _hear(self, progress: Progress) -> None:
        """Called from the threads that download."""
        with self._lock:
            self._fresh[progress.name] = progress
        self._news.emit()

    def _arm(self) -> None:
        if not self._closed and not self._timer.isActive():
            self._timer.start()

    def _take(self) -> None:
        with self._lock:
            fresh, self._fresh = self._fresh, {}
        for name, progress in fresh.items():
            before = self._shown.get(name)
            if progress.state in ("done", "canceled"):
                self._shown.pop(name, None)
                if progress.state == "done":
                    self.finished.emit(name)
                continue
            self._shown[name] = progress
            again = before is not None and before.state == "failed"
            if progress.state == "failed" and not again and not self._locked():
                self.failed.emit(EdgeError(progress.message, progress.hint))
        if fresh:
            self.changed.emit()
