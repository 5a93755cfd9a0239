"""The sheet of shortcuts: shows every key and lets a person change it. A change is saved at once."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QKeySequenceEdit,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from edgellm.errors import EdgeError
from edgellm.ui.language import tr
from edgellm.ui.pages import pages
from edgellm.ui.services import Services
from edgellm.ui.shortcuts import holder, native, normal, refusal, written

_EDITOR = 150


class Sheet(QDialog):
    """Shows the keys in force; a key that cannot be used is refused with the reason, and the old one stays."""

    def __init__(self, parent: QWidget, services: Services) -> None:
        super().__init__(parent)
        self._services = services
        self.editors: dict[str, QKeySequenceEdit] = {}
        self.setWindowTitle(tr("Keyboard shortcuts"))
        titles = [tr("Page: {title}").format(title=page.title) for page in pages()]
        self._names = {**_actions(), **{f"page-{number}": title for number, title in enumerate(titles, 1)}}
        left, right = QGridLayout(), QGridLayout()
        for grid in (left, right):
            grid.setHorizontalSpacing(18)
            grid.setVerticalSpacing(8)
            grid.setColumnStretch(1, 1)
        for action, words in self._names.items():
            self._row(right if action.startswith("page-") else left, self._editor(action, words), words)
        for keys, words in _fixed():
            label = QLabel(", ".join(native(key) for key in keys))
            label.setProperty("role", "key")
            self._row(left, label, words)
        for grid in (left, right):
            grid.setRowStretch(grid.rowCount(), 1)
        self.message = QLabel(tr("Click on a key and press another one to change it."), wordWrap=True)
        self.message.setProperty("role", "faint")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.reset = buttons.addButton(tr("Reset all"), QDialogButtonBox.ButtonRole.ResetRole)
        self.reset.clicked.connect(lambda: self._save(""))
        buttons.rejected.connect(self.reject)
        columns = QHBoxLayout()
        columns.setSpacing(36)
        columns.addLayout(left, 1)
        columns.addLayout(right, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 16)
        layout.setSpacing(16)
        layout.addLayout(columns)
        layout.addWidget(self.message)
        layout.addWidget(buttons)
        buttons.button(QDialogButtonBox.StandardButton.Close).setFocus()

    def _row(self, grid: QGridLayout, key: QWidget, words: str) -> None:
        row = grid.rowCount()
        grid.addWidget(key, row, 0, Qt.AlignmentFlag.AlignLeading)
        grid.addWidget(QLabel(words), row, 1)

    def _editor(self, action: str, words: str) -> QKeySequenceEdit:
        made = QKeySequenceEdit(QKeySequence(self._services.keyboard.keys[action]))
        made.setMaximumSequenceLength(1)
        made.setClearButtonEnabled(True)
        made.setFixedWidth(_EDITOR)
        made.setAccessibleName(words)
        made.editingFinished.connect(lambda: self._change(action))
        self.editors[action] = made
        return made

    def _change(self, action: str) -> None:
        keys = dict(self._services.keyboard.keys)
        key = normal(self.editors[action].keySequence().toString(QKeySequence.SequenceFormat.PortableText))
        if key == normal(keys[action]):
            return
        if why := refusal(action, key, keys):
            owner = holder(key, keys, action)
            self._say(f"{why} ({self._names[owner]})" if owner else why, "warning")
            self._show()
            return
        self._save(written({**keys, action: key}))

    def _save(self, setting: str) -> None:
        try:
            self._services.app.save_settings(shortcuts=setting)
        except EdgeError as error:
            self._say(str(error), "warning")
        else:
            self._services.keyboard.use(setting)
            self._say(tr("Saved."), "faint")
        self._show()

    def _say(self, words: str, role: str) -> None:
        self.message.setText(words)
        self.message.setProperty("role", role)
        self.message.style().polish(self.message)

    def _show(self) -> None:
        for action, editor in self.editors.items():
            editor.blockSignals(True)
            editor.setKeySequence(QKeySequence(self._services.keyboard.keys[action]))
            editor.blockSignals(False)


def _actions() -> dict[str, str]:
    return {
        "new": tr("New chat"),
        "search": tr("Search everywhere"),
        "find": tr("Find in this chat"),
        "settings": tr("Settings"),
        "stop": tr("Stop the answer"),
        "help": tr("This sheet"),
        "quit": tr("Quit"),
    }


def _fixed() -> tuple[tuple[tuple[str, ...], str], ...]:
    return (
        (("Enter", "Ctrl+Enter"), tr("Send the message")),
        (("Shift+Enter",), tr("New line in the message")),
        (("F2",), tr("Rename the chosen chat")),
        (("Del",), tr("Delete the chosen chat")),
    )
