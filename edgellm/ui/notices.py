"""The bar that says what just happened, with an undo where there is one. It asks no questions and goes by itself."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from edgellm.errors import EdgeError
from edgellm.ui.buttons import IconButton
from edgellm.ui.language import told, told_error, tr
from edgellm.ui.theme import Theme

_SHOWN_MS = 9_000
_MARGIN = 10
_WIDEST = 680


class Notices(QFrame):
    """Floats at the upper edge of a widget. One notice at a time; the newest wins."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._host: QWidget | None = None
        self._action: Callable[[], None] | None = None
        self.setObjectName("notice")
        self.setAccessibleName(tr("Notice"))
        self._text = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._button = QPushButton(tr("Undo"))
        self._button.clicked.connect(self._act)
        close = IconButton(theme, "close", tr("Close this notice"), size=14)
        close.clicked.connect(self.hide)
        layout = self._layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 8, 8, 8)
        layout.addWidget(self._text, 1)
        layout.addWidget(self._button)
        layout.addWidget(close)
        self._timer = QTimer(self, singleShot=True, interval=_SHOWN_MS)
        self._timer.timeout.connect(self.hide)
        self.hide()

    def float_over(self, host: QWidget) -> None:
        """Belong to this widget."""
        self._host = host
        self.setParent(host)
        host.installEventFilter(self)
        self.hide()

    @property
    def text(self) -> str:
        """What is said now."""
        return self._text.text() if self.isVisible() else ""

    def say(self, text: str, action: str = "", then: Callable[[], None] | None = None, *, stays: bool = False) -> None:
        """Show a sentence, with a button when there is something to do about it; one that `stays` must be closed."""
        self._show(told(text), "plain")
        self._offer(action, then)
        if stays:
            self._timer.stop()
        else:
            self._timer.start()

    def complain(self, error: EdgeError, action: str = "", then: Callable[[], None] | None = None) -> None:
        """Show an error, with a button when there is something to do about it; it stays until it is closed."""
        self._show(told_error(error), "error")
        self._offer(action, then)
        self._timer.stop()

    def settle(self) -> None:
        """What was complained of is tried again: an error is no longer shown."""
        if self.property("kind") == "error":
            self.hide()

    def _show(self, text: str, kind: str) -> None:
        self._text.setText(text)
        self.setProperty("kind", kind)
        self.style().polish(self)
        self.setVisible(self._host is not None)
        self.raise_()
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def _offer(self, action: str, then: Callable[[], None] | None) -> None:
        self._action = then
        self._button.setText(action)
        self._button.setAccessibleName(action)
        self._button.setVisible(bool(action))
        self._place()

    def _act(self) -> None:
        self.hide()
        if self._action is not None:
            self._action()

    def _place(self) -> None:
        if self._host is None:
            return
        width = min(_WIDEST, self._host.width() - 2 * _MARGIN)
        metrics = self._text.fontMetrics()
        taken = 90 + (self._button.sizeHint().width() if self._button.isVisibleTo(self) else 0)
        lines = self._text.text().splitlines()
        width = min(width, max(metrics.horizontalAdvance(line) for line in lines) + taken)
        self.setFixedWidth(max(width, 200))
        self._layout.activate()
        height = self._layout.totalHeightForWidth(self.width())
        self.resize(self.width(), height)
        self.move((self._host.width() - self.width()) // 2, _MARGIN)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the middle when the window changes size."""
        if watched is self._host and event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False
