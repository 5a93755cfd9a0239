"""The left rail: one button per page."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QSizePolicy, QToolButton, QVBoxLayout

from edgellm.ui.icons import icon
from edgellm.ui.keyboard import Keyboard
from edgellm.ui.language import tr
from edgellm.ui.pages import Page
from edgellm.ui.theme import Theme

WIDTH = 88
_BUTTON_SPACE = 50


class Rail(QFrame):
    """Sends `chosen` with the number of the page."""

    chosen = Signal(int)

    def __init__(self, theme: Theme, pages: tuple[Page, ...], keyboard: Keyboard) -> None:
        super().__init__()
        self._theme, self._pages = theme, pages
        self.setObjectName("rail")
        self.setAccessibleName(tr("Pages"))
        self.setMinimumWidth(WIDTH)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self._group = QButtonGroup(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 10, 6, 10)
        column.setSpacing(4)
        for number, page in enumerate(pages):
            if page.lower and not pages[number - 1].lower:
                column.addStretch(1)
            button = QToolButton()
            button.setText(page.title)
            button.setObjectName("page-button")
            button.setCheckable(True)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.setIconSize(QSize(22, 22))
            keyboard.describe(button, page.title, f"page-{number + 1}")
            button.setAccessibleName(page.title)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            self._group.addButton(button, number)
            column.addWidget(button)
        self._group.idClicked.connect(self.chosen)
        theme.changed.connect(self._paint_icons)
        self._paint_icons()

    def show_page(self, number: int) -> None:
        """Mark the page that is open."""
        self._group.button(number).setChecked(True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a low window the buttons show their icons only; names stay in tooltips and for screen readers."""
        super().resizeEvent(event)
        style = Qt.ToolButtonStyle
        roomy = event.size().height() >= len(self._pages) * (self.fontMetrics().height() + _BUTTON_SPACE)
        for button in self._group.buttons():
            if isinstance(button, QToolButton):
                button.setToolButtonStyle(style.ToolButtonTextUnderIcon if roomy else style.ToolButtonIconOnly)

    def _paint_icons(self) -> None:
        colors = self._theme.colors
        for number, page in enumerate(self._pages):
            self._group.button(number).setIcon(icon(page.key, colors.muted, colors.accent, 22))
