"""The keyboard of the window: binds actions to the keys in force, and keeps tooltips that name a key true."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from edgellm.ui.shortcuts import native, parse


class Keyboard(QObject):
    """The shortcuts in force, from the setting. `changed` is sent after they were replaced."""

    changed = Signal()

    def __init__(self, setting: str) -> None:
        super().__init__()
        self.keys: Mapping[str, str] = parse(setting)
        self._bound: dict[str, QShortcut] = {}

    def bind(self, parent: QWidget, actions: Mapping[str, Callable[[], object]]) -> None:
        """Let the keys do this wherever the focus is inside `parent`."""
        for action, act in actions.items():
            self._bound[action] = QShortcut(QKeySequence(self.keys[action]), parent, act)

    def use(self, setting: str) -> None:
        """Use other keys from now on."""
        self.keys = parse(setting)
        for action, shortcut in self._bound.items():
            shortcut.setKey(QKeySequence(self.keys[action]))
        self.changed.emit()

    def hint(self, words: str, action: str) -> str:
        """`words` with the key of an action behind them, if it has one."""
        return f"{words} ({native(self.keys[action])})" if self.keys[action] else words

    def describe(self, widget: QWidget, words: str, action: str) -> None:
        """Keep a tooltip that names the key of an action."""

        def show() -> None:
            widget.setToolTip(self.hint(words, action))

        self.changed.connect(show)
        show()
