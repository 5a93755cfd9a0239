"""One message of the transcript: its text in blocks, how it ended, and what can be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QTextCursor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from edgellm.chats.store import StoredMessage
from edgellm.ui import facts
from edgellm.ui.buttons import IconButton
from edgellm.ui.code_block import CodeBlock
from edgellm.ui.icons import pixmap
from edgellm.ui.language import in_line, told, tr
from edgellm.ui.markdown import Block, Blocks, Code, Prose, blocks, plain
from edgellm.ui.text_view import TextView
from edgellm.ui.theme import Theme

_COPIED_MS = 1_500
_MEASURED = 200
_ENDINGS = {"cancelled": "Stopped here.", "interrupted": "Interrupted here."}


class MessageView(QFrame):
    """Shows one `StoredMessage`; an answer that streams grows through `stream`."""

    regenerate = Signal(object)
    edit = Signal(object)
    switch = Signal(int)

    def __init__(self, theme: Theme, message: StoredMessage, versions: tuple[int, ...]) -> None:
        super().__init__()
        self._theme = theme
        self.message = message
        self.versions = versions
        self._blocks: list[Block] = []
        self._views: list[TextView | CodeBlock] = []
        self._streaming: Blocks | None = None
        self._text = message.text
        mine = message.role == "user"
        self.setObjectName("answer")
        self.setAccessibleName(tr("Your message") if mine else tr("Answer"))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._box = QVBoxLayout()
        self._box.setSpacing(8)
        self._waiting = QLabel(tr("Thinking…"))
        self._waiting.setProperty("role", "muted")
        self._waiting.hide()
        self._ending = self._make_ending()
        bubble = QFrame()
        bubble.setObjectName("mine" if mine else "answer")
        bubble.setLayout(self._box)
        self._box.setContentsMargins(*((16, 10, 16, 10) if mine else (0, 0, 0, 0)))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.setSpacing(4)
        layout.addWidget(bubble)
        layout.addWidget(self._waiting)
        layout.addWidget(self._ending)
        self.tools = self._make_actions(mine)
        layout.addWidget(self.tools)
        self.show_message(message, versions)

    def show_message(self, message: StoredMessage, versions: tuple[int, ...]) -> None:
        """Show what is stored; blocks that are the same stay as they are."""
        self.message, self.versions = message, versions
        if message.role == "user":
            self._show_blocks([Prose(plain(message.text))])
        elif message.state != "streaming":
            self._finish(message.text)
        self._text = message.text
        self._show_ending(message.state, message.facts)
        self._waiting.setVisible(message.state == "streaming" and not self._text)
        self.tools.setVisible(message.state != "streaming")
        self._show_versions()

    def _finish(self, text: str) -> None:
        """Show a text that will not grow; parsed from its beginning only when nothing of it is there yet."""
        streaming, self._streaming = self._streaming, None
        if streaming is not None and text.startswith(self._text):
            self._show_blocks(streaming.update(text))
        elif text != self._text or not self._blocks:
            self._show_blocks(blocks(text))

    def stream(self, text: str) -> None:
        """Show the text so far of an answer that is being made."""
        if self._streaming is None:
            self._streaming = Blocks()
        self._text = text
        self._waiting.setVisible(not text)
        self._show_blocks(self._streaming.update(text))

    @property
    def text(self) -> str:
        """What is shown, as it was written."""
        return self._text

    def restyle(self) -> None:
        """Paint again in the colors of the theme."""
        self._warning.setPixmap(pixmap("warning", self._theme.colors.warning, 16))
        for block, view in zip(self._blocks, self._views, strict=True):
            if isinstance(view, CodeBlock):
                view.restyle()
            elif isinstance(block, Prose):
                view.show_html(block.html, self._theme.colors)

    def mark(self, words: str) -> list[tuple[TextView, QTextCursor]]:
        """Highlight `words` and return the places."""
        views = [view.view if isinstance(view, CodeBlock) else view for view in self._views]
        return [(view, cursor) for view in views for cursor in view.mark(words, self._theme.colors)]

    def natural_width(self) -> int:
        """The width at which no line of a short message wraps."""
        metrics = self.fontMetrics()
        lines = self._text.splitlines()[:_MEASURED]
        return max((metrics.horizontalAdvance(line[:_MEASURED]) for line in lines), default=0) + 40

    def _show_blocks(self, new: list[Block]) -> None:
        for index, block in enumerate(new):
            if index < len(self._blocks) and (block is self._blocks[index] or block == self._blocks[index]):
                continue
            self._show_block(index, block)
        for view in self._views[len(new) :]:
            self._box.removeWidget(view)
            view.deleteLater()
        del self._views[len(new) :]
        self._blocks = list(new)

    def _show_block(self, index: int, block: Block) -> None:
        view = self._views[index] if index < len(self._views) else None
        if isinstance(block, Code) and isinstance(view, CodeBlock):
            view.show_code(block)
            return
        if isinstance(block, Prose) and isinstance(view, TextView):
            view.show_html(block.html, self._theme.colors)
            return
        if view is not None:
            self._box.removeWidget(view)
            view.deleteLater()
            del self._views[index]
        made = CodeBlock(self._theme, block, self) if isinstance(block, Code) else TextView(tr("Message text"), self)
        self._box.insertWidget(index, made)
        self._views.insert(index, made)
        if isinstance(block, Prose) and isinstance(made, TextView):
            made.show_html(block.html, self._theme.colors)

    def _make_ending(self) -> QWidget:
        holder = QFrame()
        holder.setObjectName("ending")
        self._warning = QLabel()
        self._warning.setPixmap(pixmap("warning", self._theme.colors.warning, 16))
        self._ending_text = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        row = QHBoxLayout(holder)
        row.setContentsMargins(10, 6, 10, 6)
        row.addWidget(self._warning, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._ending_text, 1)
        return holder

    def _show_ending(self, state: str, made: Mapping[str, Any]) -> None:
        words = tr(_ENDINGS.get(state, ""))
        if made.get("error"):
            words = in_line(words, told(str(made["error"])), told(str(made.get("hint", ""))))
        elif made.get("truncated"):
            words = tr("Cut here: the limit on length was reached.")
        elif made.get("left_out"):
            words = tr("The {n} oldest messages did not fit the context and were left out.").format(n=made["left_out"])
        self._ending.setVisible(bool(words))
        self._ending_text.setText(words)
        self._facts.setText(facts.line(made, self._text))
        self._facts.setToolTip(facts.details(made))

    def _make_actions(self, mine: bool) -> QWidget:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        self._older = IconButton(self._theme, "left", tr("Previous version"), size=14)
        self._newer = IconButton(self._theme, "right", tr("Next version"), size=14)
        self._place = QLabel()
        self._place.setProperty("role", "muted")
        self._older.clicked.connect(lambda: self._step(-1))
        self._newer.clicked.connect(lambda: self._step(1))
        self.copy = IconButton(self._theme, "copy", tr("Copy message"), size=16)
        self.copy.clicked.connect(self._copy)
        if mine:
            self.again = IconButton(self._theme, "edit", tr("Edit message"), size=16)
            self.again.clicked.connect(lambda: self.edit.emit(self.message))
        else:
            self.again = IconButton(self._theme, "retry", tr("Regenerate answer"), size=16)
            self.again.clicked.connect(lambda: self.regenerate.emit(self.message))
        self._facts = QLabel(textFormat=Qt.TextFormat.PlainText)
        self._facts.setProperty("role", "faint")
        buttons = (self._older, self._place, self._newer, self.copy, self.again)
        if mine:
            row.addStretch(1)
        for button in buttons:
            row.addWidget(button)
        if not mine:
            row.addSpacing(6)
            row.addWidget(self._facts, 1)
        return holder

    def _show_versions(self) -> None:
        several = len(self.versions) > 1
        at = self.versions.index(self.message.id) if self.message.id in self.versions else 0
        self._place.setText(f"{at + 1} / {len(self.versions)}")
        for widget in (self._older, self._place, self._newer):
            widget.setVisible(several)
        self._older.setEnabled(at > 0)
        self._newer.setEnabled(at + 1 < len(self.versions))

    def _step(self, by: int) -> None:
        at = self.versions.index(self.message.id) + by
        if 0 <= at < len(self.versions):
            self.switch.emit(self.versions[at])

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._text)
        self.copy.draw("check")
        QTimer.singleShot(_COPIED_MS, self.copy, lambda: self.copy.draw("copy"))
