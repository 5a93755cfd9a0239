"""Find in the open chat: marks every place, steps through them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit

from edgellm.ui.buttons import IconButton
from edgellm.ui.language import tr
from edgellm.ui.text_view import TextView
from edgellm.ui.theme import Theme
from edgellm.ui.transcript import Transcript


class FindBar(QFrame):
    """Hidden until `open` is called; Escape closes it."""

    def __init__(self, theme: Theme, transcript: Transcript) -> None:
        super().__init__()
        self._transcript = transcript
        self._places: list[tuple[TextView, QTextCursor]] = []
        self._at = -1
        self.setObjectName("find")
        self.words = QLineEdit(placeholderText=tr("Find in this chat"))
        self.words.setAccessibleName(tr("Find in this chat"))
        self.words.textChanged.connect(self._search)
        self.words.returnPressed.connect(lambda: self._step(1))
        self.count = QLabel()
        self.count.setProperty("role", "muted")
        previous = IconButton(theme, "up", tr("Previous match"), size=16)
        following = IconButton(theme, "down", tr("Next match"), size=16)
        close = IconButton(theme, "close", tr("Close find"), size=16)
        previous.clicked.connect(lambda: self._step(-1))
        following.clicked.connect(lambda: self._step(1))
        close.clicked.connect(self.dismiss)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 6, 10, 6)
        row.addWidget(self.words, 1)
        for widget in (self.count, previous, following, close):
            row.addWidget(widget)
        self.hide()

    def open(self) -> None:
        """Show the bar and take the keyboard."""
        self.show()
        self.words.setFocus()
        self.words.selectAll()
        self._search(self.words.text())

    def dismiss(self) -> None:
        """Hide the bar and its marks."""
        self.hide()
        self._places = []
        self._transcript.find_words("")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape closes; Shift+Enter goes back."""
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        elif event.key() == Qt.Key.Key_Return and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._step(-1)
        else:
            super().keyPressEvent(event)

    def _search(self, words: str) -> None:
        self._places = self._transcript.find_words(words)
        self._at = -1
        if self._places:
            self._step(1)
        else:
            self.count.setText(tr("not found") if words else "")

    def _step(self, by: int) -> None:
        if not self._places:
            return
        self._at = (self._at + by) % len(self._places)
        self.count.setText(f"{self._at + 1} / {len(self._places)}")
        self._transcript.reveal(*self._places[self._at])
