"""The right side of the Documents page: the question, the answer with its links, and the earlier questions."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from edgellm.ui.documents_view import Entry, Quote, as_html, as_markdown, plain
from edgellm.ui.language import tr
from edgellm.ui.result_pane import ResultPane
from edgellm.ui.services import Services
from edgellm.ui.tips import tip

MOST = 60
_REDRAW_MS = 250
_ROWS = 4
_LOW = 450


class _Earlier(QListWidget):
    """The earlier questions; Delete takes the chosen one away."""

    removed = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("earlier")
        self.setAccessibleName(tr("Earlier questions"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAcceptDrops(False)
        self.setUniformItemSizes(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete takes a question away."""
        if event.key() == Qt.Key.Key_Delete and self.currentRow() >= 0:
            self.removed.emit(self.currentRow())
        else:
            super().keyPressEvent(event)


class Answers(QWidget):
    """Holds the entries, the newest last. Sends `asked` when Enter is pressed, `place` with a `Quote` that is wanted,
    `changed` when there is something to keep."""

    asked = Signal()
    place = Signal(object)
    changed = Signal()

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self._entries: list[Entry] = []
        self._shown = -1
        self.question = QLineEdit(placeholderText=tr("Ask a question about your documents"), clearButtonEnabled=True)
        self.question.setAccessibleName(tr("Question"))
        self.question.setAcceptDrops(False)
        self.question.setMaxLength(4000)
        self.question.returnPressed.connect(self.asked)
        self.question.textChanged.connect(lambda _: self.changed.emit())
        empty = tr("Ask, and every quotation in the answer is checked to be in your documents.")
        self.pane = ResultPane(services, tr("Answer"), empty)
        self.pane.stem = tr("answer")
        self.pane.saves = {
            ".md": (tr("Markdown"), lambda: as_markdown(self._at_hand)),
            ".txt": (tr("Text"), lambda: plain(self._at_hand)),
        }
        self.pane.sources = lambda: [Path(quote.path) for quote in self._at_hand.quotes]
        self.pane.place.connect(self._on_place)
        self.earlier = _Earlier()
        self.earlier.currentRowChanged.connect(self._on_row)
        self.earlier.removed.connect(self._remove)
        self._label = QLabel(tr("Earlier questions"))
        self._label.setProperty("role", "faint")
        self._timer = QTimer(self, singleShot=True, interval=_REDRAW_MS)
        self._timer.timeout.connect(self._draw)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.question)
        column.addWidget(self.pane, 1)
        column.addWidget(self._label)
        column.addWidget(self.earlier)
        self._list()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All of them, the oldest first."""
        return tuple(self._entries)

    @property
    def shown(self) -> Entry | None:
        """The entry on the screen."""
        return self._entries[self._shown] if 0 <= self._shown < len(self._entries) else None

    def restore(self, entries: Iterable[Entry]) -> None:
        """Show what was kept."""
        self._entries = [*entries][-MOST:]
        self._shown = len(self._entries) - 1
        self._list()
        self._draw()

    def begin(self, entry: Entry) -> None:
        """A new question, in place of the same one where that was not finished."""
        last = self._entries[-1] if self._entries else None
        if last is not None and last.state != "done" and last.question == entry.question:
            self._entries.pop()
        self._entries = [*self._entries, entry][-MOST:]
        self._shown = len(self._entries) - 1
        self._list()
        self._draw()

    def put(self, entry: Entry, *, soon: bool = False) -> None:
        """The newest entry is this now; while an answer grows it is drawn `soon`, a few times a second."""
        self._entries[-1] = entry
        if self._shown != len(self._entries) - 1:
            return
        if soon and not self._timer.isActive():
            self._timer.start()
        elif not soon:
            self._timer.stop()
            self._draw()

    @property
    def _at_hand(self) -> Entry:
        return self.shown or Entry("")

    def _list(self) -> None:
        self.earlier.blockSignals(True)
        self.earlier.clear()
        for entry in reversed(self._entries):
            item = QListWidgetItem(f"\u2068{entry.question}\u2069")  # in its own direction
            item.setToolTip(tip(entry.question))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, entry.question)
            self.earlier.addItem(item)
        self.earlier.setCurrentRow(len(self._entries) - 1 - self._shown if self._entries else -1)
        self.earlier.blockSignals(False)
        several = len(self._entries) > 1
        self._label.setVisible(several)
        self.earlier.setVisible(several)
        self._fit()

    def _fit(self) -> None:
        """A few questions are in sight, fewer in a low window; the others by scrolling."""
        high = self.earlier.sizeHintForRow(0) if self._entries else 0
        most = _ROWS if self.height() > _LOW else _ROWS // 2
        self.earlier.setFixedHeight(high * min(len(self._entries), most) + 4)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave room for the answer."""
        super().resizeEvent(event)
        self._fit()

    def _draw(self) -> None:
        entry = self.shown
        self.pane.show_html(as_html(entry) if entry else "", plain(entry) if entry else "")
        self.pane.title.setText(tr("Passages") if entry is not None and entry.search else tr("Answer"))

    def _on_row(self, row: int) -> None:
        if row >= 0:
            self._shown = len(self._entries) - 1 - row
            self._draw()

    def _remove(self, row: int) -> None:
        at = len(self._entries) - 1 - row
        entry = self._entries[at]
        if entry.state == "asking":
            return
        before = list(self._entries)
        del self._entries[at]
        self._shown = min(at, len(self._entries) - 1)
        self._refresh()

        def undo() -> None:
            self._entries = [*before, *(one for one in self._entries if one not in before)][-MOST:]
            self._shown = len(self._entries) - 1
            self._refresh()

        self._services.notices.say(tr("The question was removed."), tr("Undo"), undo)

    def _refresh(self) -> None:
        self._list()
        self._draw()
        self.changed.emit()

    def _on_place(self, number: int) -> None:
        entry = self.shown
        if entry is not None and number < len(entry.places):
            quote: Quote = entry.places[number]
            self.place.emit(quote)
