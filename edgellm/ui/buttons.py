"""Buttons with the program's own icons. Each has a name that a screen reader says, and follows the theme."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QPushButton, QToolButton, QWidget

from edgellm.ui.icons import icon
from edgellm.ui.theme import Theme
from edgellm.ui.tips import tip


class IconButton(QToolButton):
    """A flat button that shows only an icon; `name` is its tooltip and its accessible name."""

    def __init__(self, theme: Theme, drawing: str, name: str, parent: QWidget | None = None, size: int = 18) -> None:
        super().__init__(parent)
        self._theme, self._drawing, self._size = theme, drawing, size
        self.setAutoRaise(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setIconSize(QSize(size, size))
        self.rename(name)
        theme.changed.connect(self._paint_icon)
        self._paint_icon()

    def rename(self, name: str) -> None:
        """Change what the button is called."""
        self.setToolTip(tip(name))
        self.setAccessibleName(name)

    def draw(self, drawing: str) -> None:
        """Show another icon."""
        if drawing != self._drawing:
            self._drawing = drawing
            self._paint_icon()

    def _paint_icon(self) -> None:
        colors = self._theme.colors
        self.setIcon(icon(self._drawing, colors.muted, colors.accent, self._size))


class AccentButton(QPushButton):
    """The one button that a page is about."""

    def __init__(self, theme: Theme, text: str, drawing: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._theme, self._drawing = theme, drawing
        self.setProperty("kind", "accent")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(text)
        theme.changed.connect(self._paint_icon)
        self._paint_icon()

    def draw(self, drawing: str) -> None:
        """Show another icon."""
        if drawing != self._drawing:
            self._drawing = drawing
            self._paint_icon()

    def _paint_icon(self) -> None:
        if self._drawing:
            colors = self._theme.colors
            self.setIcon(icon(self._drawing, colors.on_accent, size=18, disabled=colors.muted))
