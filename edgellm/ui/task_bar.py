"""The foot of a task page: one button that runs or stops, how far it is, and one line about what came of it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar

from edgellm.ui.buttons import AccentButton
from edgellm.ui.elided import ElidedLabel
from edgellm.ui.keyboard import Keyboard
from edgellm.ui.language import told, tr
from edgellm.ui.theme import Theme


class TaskBar(QFrame):
    """Sends `run` and `stop`. `verb` names what the page does, such as "Summarize"."""

    run = Signal()
    stop = Signal()

    def __init__(self, theme: Theme, keyboard: Keyboard, verb: str) -> None:
        super().__init__()
        self.setObjectName("taskbar")
        self._keyboard, self._verb = keyboard, verb
        self._busy = False
        self.button = AccentButton(theme, verb, "play")
        self.button.clicked.connect(self._press)
        self.progress = QProgressBar(textVisible=False)
        self.progress.setObjectName("progress")
        self.progress.setAccessibleName(tr("Progress"))
        self.progress.setFixedSize(160, 6)
        self.progress.hide()
        self.words = ElidedLabel()
        self.words.setProperty("role", "muted")
        row = QHBoxLayout(self)
        row.setContentsMargins(20, 8, 14, 10)
        row.setSpacing(12)
        row.addWidget(self.words, 1)
        row.addWidget(self.progress)
        row.addWidget(self.button)
        keyboard.changed.connect(self._show)
        self._show()

    def call(self, verb: str) -> None:
        """Name what the button does from now on, such as "Go on"."""
        self._verb = verb
        self._show()

    def set_busy(self, busy: bool) -> None:
        """While the page works, the button stops it."""
        self._busy = busy
        self.progress.setVisible(busy)
        self.progress.setRange(0, 0)
        self.button.setEnabled(True)
        self._show()

    def set_ready(self, ready: bool) -> None:
        """Whether there is something to run on."""
        self.button.setEnabled(self._busy or ready)

    def show_progress(self, done: int, total: int) -> None:
        """How much of the work is done; a total of 0 means nobody knows."""
        self.progress.setRange(0, total)
        self.progress.setValue(min(done, total))

    def say(self, words: str) -> None:
        """One line."""
        self.words.set_text(told(words))

    def _press(self) -> None:
        if self._busy:
            self.button.setEnabled(False)
            self.say(tr("Stopping"))
            self.stop.emit()
        else:
            self.run.emit()

    def _show(self) -> None:
        text = tr("Stop") if self._busy else self._verb
        self.button.setText(text)
        self.button.draw("stop" if self._busy else "play")
        self.button.setToolTip(self._keyboard.hint(text, "stop") if self._busy else f"{text} (Ctrl+Enter)")
        self.button.setAccessibleName(text)
