"""A line of text that is shortened with an ellipsis where there is no room; its tooltip has the whole."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QWidget

from edgellm.ui.tips import tip


class ElidedLabel(QLabel):
    """Like `QLabel`, but never wider than there is room for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setMinimumWidth(20)

    @property
    def whole(self) -> str:
        """The text, also what there is no room for."""
        return self._whole

    def set_text(self, text: str) -> None:
        """Show a text."""
        self._whole = " ".join(text.split())
        self.setToolTip(tip(self._whole))
        self.setAccessibleName(self._whole)
        self._elide()
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """The room the whole text would like."""
        return QSize(self.fontMetrics().horizontalAdvance(self._whole) + 4, super().sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten again."""
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, self.width()))
