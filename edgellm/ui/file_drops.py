"""Files of this computer that are dropped on a widget: it is marked while they are over it, then it is given them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    _Widget = QWidget
else:
    _Widget = object


class FileDrops(_Widget):
    """Stands before the kind of widget among the bases of a class; call `setAcceptDrops` there."""

    def take_dropped(self, paths: list[Path]) -> None:
        """Files and folders were dropped, one at least."""
        raise NotImplementedError

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files of this computer are welcome."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self._mark_dropping(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Nothing is held over the widget any more."""
        self._mark_dropping(False)

    def dropEvent(self, event: QDropEvent) -> None:
        """Take in what was dropped."""
        self._mark_dropping(False)
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.take_dropped(paths)

    def _mark_dropping(self, on: bool) -> None:
        self.setProperty("dropping", on)
        self.style().polish(self)
