"""A block of code in an answer: its language, a copy button, and the source in colors."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from edgellm.ui.buttons import IconButton
from edgellm.ui.language import tr
from edgellm.ui.markdown import Code, highlighted
from edgellm.ui.text_view import TextView
from edgellm.ui.theme import Theme

_COPIED_MS = 1_500
_PLAIN_WHILE_OPEN = 3_000


class CodeBlock(QFrame):
    """Shows one `Code`."""

    def __init__(self, theme: Theme, code: Code, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.code = code
        self.setObjectName("code")
        self._language = QLabel(textFormat=Qt.TextFormat.PlainText)
        self._language.setProperty("role", "muted")
        self.copy = IconButton(theme, "copy", tr("Copy code"), size=16)
        self.copy.clicked.connect(self._copy)
        self.view = TextView(tr("Code"), wrap=False)
        head = QHBoxLayout()
        head.setContentsMargins(12, 4, 6, 0)
        head.addWidget(self._language)
        head.addStretch(1)
        head.addWidget(self.copy)
        body = QHBoxLayout()
        body.setContentsMargins(12, 0, 12, 10)
        body.addWidget(self.view)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(head)
        layout.addLayout(body)
        self.show_code(code)

    def show_code(self, code: Code) -> None:
        """Show another source. A long one stays plain until its end has arrived."""
        self.code = code
        self._language.setText(code.language or tr("text"))
        plain = code.open and len(code.source) > _PLAIN_WHILE_OPEN
        shown = Code(code.source, "" if plain else code.language)
        self.view.show_html(highlighted(shown, self._theme.colors.code_style), self._theme.colors)

    def restyle(self) -> None:
        """Paint again in the colors of the theme."""
        self.show_code(self.code)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.code.source)
        self.copy.draw("check")
        self.copy.rename(tr("Copied"))
        QTimer.singleShot(_COPIED_MS, self.copy, self._reset)

    def _reset(self) -> None:
        self.copy.draw("copy")
        self.copy.rename(tr("Copy code"))
