"""When the window itself has a bug: the traceback goes to the log, and a dialog offers to copy a report.

Neither holds what a person wrote: names of functions and lines, and of the error's message what cannot quote a text.
"""

from __future__ import annotations

import logging
import platform
import sys
import traceback
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QTimer, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QMessageBox

from edgellm import __version__, log
from edgellm.ui.language import tr
from edgellm.ui.tips import tip

_log = logging.getLogger(__name__)


class Handler:
    """The hook for uncaught exceptions. It shows one dialog at a time."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._box: QMessageBox | None = None

    def __call__(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Log, and show the dialog when the event loop comes round."""
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        _log.error("uncaught exception", exc_info=(kind, error, trace))
        qt = QApplication.instance()
        if qt is not None and self._box is None:
            text = report(error, trace)
            QTimer.singleShot(0, qt, lambda: self._show(text))

    def _show(self, text: str) -> None:
        if self._box is not None:
            return
        box = self._box = QMessageBox(QMessageBox.Icon.Warning, "EdgeLLM", tr("Something went wrong inside EdgeLLM."))
        box.setInformativeText(tip(tr("Your chats are saved. The log is in {folder}.").format(folder=self._logs)))
        box.setDetailedText(text)
        copy = box.addButton(tr("Copy report"), QMessageBox.ButtonRole.ActionRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Close))
        box.exec()
        if box.clickedButton() is copy:
            QGuiApplication.clipboard().setText(text)
        self._box = None


def report(error: BaseException, trace: TracebackType | None) -> str:
    """What to send to the people who make EdgeLLM."""
    lines = [
        f"EdgeLLM {__version__}, Python {platform.python_version()}, Qt {qVersion()}, {platform.platform()}",
        *traceback.format_tb(trace),
        log.discreet(error),
    ]
    return "\n".join(lines)


def install(logs: Path) -> None:
    """Use the dialog from now on."""
    sys.excepthook = Handler(logs)
