"""Links in answers: shown, copied, and opened only by the person; nothing is ever fetched by the window itself."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication, QTextDocument
from PySide6.QtWidgets import QMessageBox, QWidget

from edgellm.ui.language import tr
from edgellm.ui.tips import tip

_OPENABLE = ("http", "https", "mailto")


class SafeDocument(QTextDocument):
    """A document that loads no resource: no image, no style sheet, neither from the network nor from disk."""

    def loadResource(self, type: int, name: QUrl | str) -> Any:
        """Refuse."""
        return None


def ask(parent: QWidget, url: QUrl) -> None:
    """Show where a link leads and let the person copy it or open it in their browser."""
    box = QMessageBox(parent)
    box.setWindowTitle(tr("Link"))
    box.setText(tr("This answer contains a link. EdgeLLM itself does not open it."))
    box.setInformativeText(tip(url.toString()[:500]))
    copy = box.addButton(tr("Copy address"), QMessageBox.ButtonRole.ActionRole)
    opening = None
    if url.scheme() in _OPENABLE:
        opening = box.addButton(tr("Open in browser"), QMessageBox.ButtonRole.ActionRole)
    box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
    box.exec()
    if box.clickedButton() is copy:
        QGuiApplication.clipboard().setText(url.toString())
    elif opening is not None and box.clickedButton() is opening:
        QDesktopServices.openUrl(url)
