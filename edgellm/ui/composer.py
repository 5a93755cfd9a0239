"""Where a message is written: a box that grows, the context meter, and one button that sends or stops."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QProgressBar, QPushButton, QVBoxLayout

from edgellm.ui.buttons import AccentButton, IconButton
from edgellm.ui.engine_worker import Counted
from edgellm.ui.keyboard import Keyboard
from edgellm.ui.language import tr
from edgellm.ui.theme import Theme

_DRAFT_MS = 400
_MOST_LINES = 9
_TIGHT = 0.85


class Input(QPlainTextEdit):
    """Plain text; Enter sends, Shift+Enter starts a line. Grows with its text."""

    entered = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("input")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setAccessibleName(tr("Message"))
        self.setPlaceholderText(tr("Write a message"))
        self.setToolTip(tr("Enter sends, Shift+Enter starts a new line."))
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.document().setDocumentMargin(2)
        self.document().documentLayout().documentSizeChanged.connect(lambda _: self._grow())
        self._grow()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter alone, or with Ctrl, sends."""
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.entered.emit()
        elif event.key() == Qt.Key.Key_Escape:
            event.ignore()
        else:
            super().keyPressEvent(event)

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Paste as plain text."""
        if source.hasText():
            self.insertPlainText(source.text())

    def _grow(self) -> None:
        lines = min(max(int(self.document().size().height()), 1), _MOST_LINES)
        self.setFixedHeight(lines * self.fontMetrics().lineSpacing() + 10)


class Composer(QFrame):
    """Sends `sent` with the text, `stopped`, and `draft` once typing pauses."""

    sent = Signal(str)
    stopped = Signal()
    draft = Signal(str)
    typed = Signal(str)
    edit_ended = Signal()

    def __init__(self, theme: Theme, keyboard: Keyboard) -> None:
        super().__init__()
        self.setObjectName("composer")
        self._keyboard = keyboard
        self._busy = False
        self._timer = QTimer(self, singleShot=True, interval=_DRAFT_MS)
        self._timer.timeout.connect(self.flush)
        self.input = Input()
        self.input.textChanged.connect(self._on_typed)
        self.input.entered.connect(self._press)
        self.button = AccentButton(theme, "", "send")
        self.button.setObjectName("send")
        self.button.clicked.connect(self._press)
        self._editing = QFrame()
        self._editing.setObjectName("editing")
        self._make_editing(theme)
        self.system = QPushButton(tr("System prompt"))
        self.system.setCheckable(True)
        self.system.setProperty("kind", "quiet")
        self.system.setAccessibleName(tr("System prompt"))
        self.system.setToolTip(tr("Instructions that the model gets before this conversation"))
        self._meter = QProgressBar(textVisible=False)
        self._meter.setObjectName("meter")
        self._meter.setAccessibleName(tr("Context used"))
        self._meter.setFixedSize(90, 5)
        self._tokens = QLabel()
        self._tokens.setProperty("role", "faint")
        self.warning = QLabel(wordWrap=True)
        self.warning.setProperty("role", "warning")
        self.warning.hide()
        row = QHBoxLayout()
        row.addWidget(self.system)
        row.addStretch(1)
        row.addWidget(self._tokens)
        row.addWidget(self._meter)
        row.addSpacing(8)
        row.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 10, 10, 8)
        layout.setSpacing(6)
        layout.addWidget(self._editing)
        layout.addWidget(self.input)
        layout.addWidget(self.warning)
        layout.addLayout(row)
        self.input.installEventFilter(self)
        self.show_context(0, 0)
        keyboard.changed.connect(self._show_button)
        self.set_busy(False)

    def _make_editing(self, theme: Theme) -> None:
        cancel = IconButton(theme, "close", tr("Stop editing"), size=14)
        cancel.clicked.connect(self.edit_ended)
        row = QHBoxLayout(self._editing)
        row.setContentsMargins(10, 2, 4, 2)
        row.addWidget(QLabel(tr("Editing an earlier message; sending keeps both versions.")), 1)
        row.addWidget(cancel)
        self._editing.hide()

    def show_editing(self, on: bool) -> None:
        """Say that what is written replaces an earlier message."""
        self._editing.setVisible(on)

    def put(self, text: str) -> None:
        """Replace what is written, without keeping it as a draft."""
        self.input.blockSignals(True)
        self.input.setPlainText(text)
        self.input.blockSignals(False)
        self.input.moveCursor(self.input.textCursor().MoveOperation.End)
        self._timer.stop()
        self._show_button()

    def flush(self) -> None:
        """Keep the draft now."""
        if self._timer.isActive() or self.sender() is self._timer:
            self._timer.stop()
            self.draft.emit(self.input.toPlainText())

    def set_busy(self, busy: bool) -> None:
        """While an answer is made, the button stops it."""
        self._busy = busy
        self._show_button()

    def show_context(self, used: int, context: int) -> None:
        """Show how much of the context this conversation takes, in tokens; nothing while it is unknown."""
        known = context > 0
        self._meter.setVisible(known)
        self._tokens.setVisible(known)
        if not known:
            return
        self._meter.setRange(0, context)
        self._meter.setValue(min(used, context))
        self._meter.setProperty("tight", used > context * _TIGHT)
        self._meter.style().polish(self._meter)
        words = tr("{used} of {context} tokens").format(used=f"{used:,}", context=f"{context:,}")
        self._tokens.setText(words)
        self._meter.setToolTip(words)
        self._tokens.setToolTip(tr("How much of the model's context this conversation fills"))

    def show_left_out(self, counted: Counted) -> None:
        """Say, before it is sent, what does not fit the context."""
        words = ""
        if counted.too_long:
            words = tr("This is longer than the model's context: shorten it, or set a larger context.")
        elif counted.left_out:
            words = tr("The {n} oldest messages no longer fit the context and will be left out.").format(
                n=counted.left_out
            )
        self.warning.setText(words)
        self.warning.setVisible(bool(words))

    def _press(self) -> None:
        if self._busy:
            if self.sender() is self.button:
                self.stopped.emit()
        elif self.input.toPlainText().strip():
            self._timer.stop()
            self.sent.emit(self.input.toPlainText().strip())

    def _on_typed(self) -> None:
        self._timer.start()
        self._show_button()
        self.typed.emit(self.input.toPlainText())

    def _show_button(self) -> None:
        name = self._keyboard.hint(tr("Stop"), "stop") if self._busy else tr("Send (Enter)")
        self.button.draw("stop" if self._busy else "send")
        self.button.setToolTip(name)
        self.button.setAccessibleName(name)
        self.button.setEnabled(self._busy or bool(self.input.toPlainText().strip()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The frame lights up with the focus of the text inside it."""
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.setProperty("focused", event.type() == QEvent.Type.FocusIn)
            self.style().polish(self)
        return super().eventFilter(watched, event)
