"""The messages of the open chat, in one column that scrolls and follows an answer while it grows."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from edgellm.chats.store import StoredMessage
from edgellm.ui.conversation import Shown
from edgellm.ui.language import tr
from edgellm.ui.message_view import MessageView
from edgellm.ui.text_view import TextView
from edgellm.ui.theme import Theme

COLUMN = 760
FIRST_SHOWN = 8
USUALLY_SHOWN = 40
_STEP = 4
_STEP_MS = 30
_NEAR_END = 40


class Transcript(QScrollArea):
    """Shows a `Shown`. Of a long chat the last messages are built first; a button adds earlier ones."""

    regenerate = Signal(object)
    edit = Signal(object)
    switch = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._shown: Shown | None = None
        self._limit = FIRST_SHOWN
        self._follow = True
        self.views: list[MessageView] = []
        self._more = QTimer(self, interval=_STEP_MS)
        self._more.timeout.connect(self._grow)
        self.setObjectName("transcript")
        self.setAccessibleName(tr("Conversation"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._column = QWidget()
        self._column.setObjectName("column")
        self._column.setMaximumWidth(COLUMN)
        self._earlier = QPushButton(tr("Show earlier messages"))
        self._earlier.setProperty("kind", "quiet")
        self._earlier.clicked.connect(self._show_earlier)
        self._rows = QVBoxLayout(self._column)
        self._rows.setContentsMargins(20, 16, 20, 16)
        self._rows.setSpacing(14)
        self._rows.addWidget(self._earlier, 0, Qt.AlignmentFlag.AlignHCenter)
        self._rows.addStretch(1)
        self._left_out = 0
        self._cut = QLabel(tr("The messages above no longer fit the context; the model does not see them."))
        self._cut.setObjectName("cut")
        self._cut.setWordWrap(True)
        self._cut.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._cut.setParent(self._column)
        self._cut.hide()
        page = self._page = QWidget()
        page.setObjectName("page")
        around = QHBoxLayout(page)
        around.setContentsMargins(0, 0, 0, 0)
        around.addStretch(1)
        around.addWidget(self._column, 100)
        around.addStretch(1)
        self.setWidget(page)
        bar = self.verticalScrollBar()
        bar.rangeChanged.connect(self._on_range)
        bar.valueChanged.connect(self._on_scrolled)
        theme.changed.connect(self._restyle)
        self.viewport().installEventFilter(self)

    def show_chat(self, shown: Shown | None) -> None:
        """Show a branch; messages that are already shown keep their widgets."""
        same = shown is not None and self._shown is not None and shown.chat.id == self._shown.chat.id
        if not same:
            self._limit = FIRST_SHOWN
            self._follow = True
            self._left_out = 0
        self._shown = shown
        self._build()
        if shown is not None and self._limit < min(len(shown.path), USUALLY_SHOWN):
            self._more.start()

    def _build(self) -> None:
        """Show the last `_limit` messages."""
        shown = self._shown
        path = shown.path[-self._limit :] if shown is not None else ()
        versions = shown.versions[-self._limit :] if shown is not None else ()
        self._rows.removeWidget(self._cut)
        wanted = {message.id for message in path}
        known = {view.message.id: view for view in self.views if view.message.id in wanted}
        for view in self.views:
            if view.message.id not in wanted:
                self._remove(view)
        self.views = []
        for message, others in zip(path, versions, strict=True):
            if message.id in known:
                known[message.id].show_message(message, others)
                self.views.append(known[message.id])
            else:
                self._add(message, others)
        self._earlier.setVisible(shown is not None and len(shown.path) > max(len(path), USUALLY_SHOWN))
        self._place_cut()

    def show_left_out(self, messages: int) -> None:
        """Draw a line below so many of the oldest messages: what is above it is not sent any more."""
        self._left_out = messages
        self._rows.removeWidget(self._cut)
        self._place_cut()

    def _place_cut(self) -> None:
        sent = [message.id for message in self._shown.path if message.text] if self._shown is not None else []
        out = set(sent[: self._left_out])
        at = max((place for place, view in enumerate(self.views, 1) if view.message.id in out), default=0)
        if at:
            self._rows.insertWidget(1 + at, self._cut)
        self._cut.setVisible(at > 0)

    def _grow(self) -> None:
        """A few more messages above those that are shown, so that a long chat does not hold up the window."""
        self._limit = min(self._limit + _STEP, USUALLY_SHOWN)
        self._build()
        if self._shown is None or self._limit >= min(len(self._shown.path), USUALLY_SHOWN):
            self._more.stop()

    def stream(self, text: str) -> None:
        """Show the text so far of the last answer."""
        if self.views:
            self.views[-1].stream(text)

    def to_end(self) -> None:
        """Scroll to the newest line and follow it."""
        self._follow = True
        self.verticalScrollBar().setValue(self.verticalScrollBar().maximum())

    def find_words(self, words: str) -> list[tuple[TextView, QTextCursor]]:
        """Highlight `words` everywhere in this chat and return the places in reading order."""
        if words and self._shown is not None and len(self._shown.path) > len(self.views):
            self._limit = len(self._shown.path)
            self._more.stop()
            self._build()
        return [place for view in self.views for place in view.mark(words)]

    def reveal(self, view: TextView, cursor: QTextCursor) -> None:
        """Select a place and scroll to it."""
        self._follow = False
        view.setTextCursor(cursor)
        point = view.mapTo(self._page, view.cursorRect(cursor).center())
        self.ensureVisible(self.viewport().width() // 2, point.y(), 0, self.viewport().height() // 3)

    def _add(self, message: StoredMessage, versions: tuple[int, ...]) -> None:
        view = MessageView(self._theme, message, versions)
        view.regenerate.connect(self.regenerate)
        view.edit.connect(self.edit)
        view.switch.connect(self.switch)
        side = Qt.AlignmentFlag.AlignRight if message.role == "user" else Qt.AlignmentFlag(0)
        self._rows.insertWidget(1 + len(self.views), view, 0, side)
        self.views.append(view)
        self._fit(view)

    def _remove(self, view: MessageView) -> None:
        self._rows.removeWidget(view)
        view.hide()
        view.deleteLater()

    def _fit(self, view: MessageView) -> None:
        """A message of the person is as wide as its lines, at most most of the column."""
        if view.message.role == "user":
            available = min(self.viewport().width(), COLUMN) - 40
            view.setFixedWidth(max(min(view.natural_width(), int(available * 0.86)), 150))

    def _show_earlier(self) -> None:
        bar = self.verticalScrollBar()
        from_end = bar.maximum() - bar.value()
        self._limit, self._follow = max(self._limit, USUALLY_SHOWN) * 3, False
        self._more.stop()
        self._build()
        QTimer.singleShot(0, self, lambda: bar.setValue(bar.maximum() - from_end))

    def _restyle(self) -> None:
        for view in self.views:
            view.restyle()

    def _on_range(self, _low: int, high: int) -> None:
        if self._follow:
            self.verticalScrollBar().setValue(high)

    def _on_scrolled(self, value: int) -> None:
        self._follow = value >= self.verticalScrollBar().maximum() - _NEAR_END

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the width of the person's messages in step with the window."""
        if watched is self.viewport() and event.type() == QEvent.Type.Resize:
            for view in self.views:
                self._fit(view)
        return super().eventFilter(watched, event)
