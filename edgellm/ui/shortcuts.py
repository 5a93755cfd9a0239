"""The keyboard: one table of shortcuts, and the sheet that F1 shows."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QVBoxLayout, QWidget

from edgellm.ui.language import tr


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A key and what it does. `action` names a method of the window's table; empty where a widget handles the key."""

    keys: str
    description: str
    action: str = ""


def shortcuts() -> tuple[Shortcut, ...]:
    """All of them, in the order of the sheet."""
    return (
        Shortcut("Ctrl+N", tr("New chat"), "new"),
        Shortcut("Ctrl+K", tr("Search everywhere"), "search"),
        Shortcut("Ctrl+F", tr("Find in this chat"), "find"),
        Shortcut("Ctrl+1 … Ctrl+9", tr("Open a page")),
        Shortcut("Ctrl+,", tr("Settings"), "settings"),
        Shortcut("Esc", tr("Stop the answer"), "stop"),
        Shortcut("Enter, Ctrl+Enter", tr("Send the message")),
        Shortcut("Shift+Enter", tr("New line in the message")),
        Shortcut("F2", tr("Rename the chosen chat")),
        Shortcut("Del", tr("Delete the chosen chat")),
        Shortcut("F1", tr("This sheet"), "help"),
        Shortcut("Ctrl+Q", tr("Quit"), "quit"),
    )


class Sheet(QDialog):
    """The sheet of shortcuts."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Keyboard shortcuts"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(9)
        for row, shortcut in enumerate(shortcuts()):
            keys = QLabel(_native(shortcut.keys))
            keys.setProperty("role", "key")
            grid.addWidget(keys, row, 0, Qt.AlignmentFlag.AlignLeading)
            grid.addWidget(QLabel(shortcut.description), row, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 16)
        layout.setSpacing(18)
        layout.addLayout(grid)
        layout.addWidget(buttons)


def _native(keys: str) -> str:
    """Key names as this platform writes them."""
    parts = [part.strip() for part in keys.replace("…", ",").split(",")] if keys != "Ctrl+," else [keys]
    joint = " … " if "…" in keys else ", "
    return joint.join(QKeySequence(part).toString(QKeySequence.SequenceFormat.NativeText) or part for part in parts)
