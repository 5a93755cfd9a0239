"""The result of the Classify page: rows with their labels, confidence as bars, counts; to copy and save."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QKeySequence, QPainter, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QStackedWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from edgellm.ui.buttons import IconButton
from edgellm.ui.classify_rows import CONFIDENCE, LABEL, NOTE, SHARE, TEXT, Line, Lines, as_text, counted, percent
from edgellm.ui.language import told, tr
from edgellm.ui.services import Services
from edgellm.ui.theme import Theme

_Index = QModelIndex | QPersistentModelIndex
_PAD, _NUMBER, _HIGH = 8, 52, 6
_ROW_PAD = 14
_WIDTHS = {LABEL: 100, CONFIDENCE: 140, NOTE: 170}
_NARROW, _BAR = 440, 50
_WIDEST, _CELL_PAD, _LOOKED = 260, 26, 2_000


class Bar(QStyledItemDelegate):
    """Paints a share as a bar with its number behind."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """The ground as everywhere, then the bar."""
        share = index.data(SHARE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, QColor(self._theme.colors.selection))
        if isinstance(share, float):
            self._draw(painter, option, min(max(share, 0.0), 1.0))
        painter.restore()

    def _draw(self, painter: QPainter, option: QStyleOptionViewItem, share: float) -> None:
        colors, rect = self._theme.colors, option.rect
        room = max(rect.width() - _NUMBER - 2 * _PAD, 0)
        top = rect.y() + (rect.height() - _HIGH) // 2
        painter.setPen(QColor(colors.border) if colors.name.startswith("high") else Qt.PenStyle.NoPen)
        for width, color in ((room, colors.hover), (round(room * share), colors.accent)):
            bar = QStyle.visualRect(option.direction, rect, QRect(rect.x() + _PAD, top, width, _HIGH))
            painter.setBrush(QColor(color))
            painter.drawRoundedRect(bar, _HIGH / 2, _HIGH / 2)
        painter.setPen(QColor(colors.text))
        number = QRect(rect.x() + _PAD + room, rect.y(), _NUMBER, rect.height())
        place = QStyle.visualRect(option.direction, rect, number)
        end = QStyle.visualAlignment(option.direction, Qt.AlignmentFlag.AlignRight)
        painter.drawText(place, end | Qt.AlignmentFlag.AlignVCenter, percent(share))


class RowsView(QTableView):
    """The rows. Ctrl+C copies the selected ones; a click on a column's name sorts by it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.rows = Lines(theme)
        self._bar = Bar(theme)
        self.setObjectName("rows")
        self.setAccessibleName(tr("Labels of the texts"))
        self.setModel(self.rows)
        self.setItemDelegateForColumn(CONFIDENCE, self._bar)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + _ROW_PAD)
        head = self.horizontalHeader()
        head.setHighlightSections(False)
        head.setMinimumSectionSize(60)
        head.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        head.setSectionResizeMode(TEXT, QHeaderView.ResizeMode.Stretch)
        head.setSortIndicatorClearable(True)
        head.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        for column, width in _WIDTHS.items():
            self.setColumnWidth(column, width)

    @property
    def chosen(self) -> Sequence[Line]:
        """The selected rows, or all where none is."""
        marked = sorted({index.row() for index in self.selectionModel().selectedRows()})
        return [self.rows.lines[row] for row in marked] or self.rows.lines

    def show_columns(self, scores: bool) -> None:
        """The labels of one text have no further columns."""
        self.setColumnHidden(LABEL, scores)
        self.setColumnHidden(NOTE, scores or not any(map(_noted, self.rows.lines)))
        head, modes = self.horizontalHeader(), QHeaderView.ResizeMode
        head.setSectionResizeMode(TEXT, modes.Interactive if scores else modes.Stretch)
        head.setSectionResizeMode(CONFIDENCE, modes.Stretch if scores else modes.Interactive)
        self.setColumnWidth(LABEL, _WIDTHS[LABEL])
        if scores:
            self._fit(TEXT, {line.text for line in self.rows.lines})
        else:
            self._fit_bar()
            self._fit(LABEL, _labels(self.rows.lines))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, the texts need it more than the bars."""
        super().resizeEvent(event)
        if not self.isColumnHidden(LABEL):
            self._fit_bar()

    def _fit_bar(self) -> None:
        wide = self.viewport().width() >= _NARROW
        self.setColumnWidth(CONFIDENCE, _WIDTHS[CONFIDENCE] if wide else _WIDTHS[CONFIDENCE] - _BAR)

    def _fit(self, column: int, texts: Iterable[str]) -> None:
        """Make room for these texts, within reason."""
        widest = max((self.fontMetrics().horizontalAdvance(text) for text in texts), default=0) + _CELL_PAD
        least = 0 if column == TEXT else self.columnWidth(column)
        self.setColumnWidth(column, max(least, min(widest, _WIDEST)))

    def add(self, lines: Sequence[Line]) -> None:
        """Put rows at the end; the end stays in sight where it was."""
        bar = self.verticalScrollBar()
        end = bar.value() >= bar.maximum() - 4
        self.rows.add(lines)
        if any(map(_noted, lines)):
            self.setColumnHidden(NOTE, False)
        self._fit(LABEL, _labels(lines))
        if end and self.horizontalHeader().sortIndicatorSection() < 0:
            self.scrollToBottom()


def _noted(line: Line) -> bool:
    """Whether something is to be seen beside the label; what failed says why in its place."""
    return bool(line.note) and not line.failed


def _labels(lines: Sequence[Line]) -> set[str]:
    return {line.shown for line in lines[:_LOOKED] if not line.failed}


class LabelsPane(QFrame):
    """`save` is sent when the person wants a file, `example` when they want to see how it works."""

    save = Signal()
    example = Signal()

    def __init__(self, services: Services) -> None:
        super().__init__()
        self.setObjectName("pane")
        self._services = services
        self._note = ""
        self.table = RowsView(services.theme)
        self.head = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.head.setProperty("role", "page-title")
        self.words = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.words.setProperty("role", "muted")
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.copy_button = IconButton(services.theme, "copy", tr("Copy the selected rows, or all"))
        self.save_button = IconButton(services.theme, "export", tr("Save as CSV"))
        self.copy_button.clicked.connect(self.copy)
        self.save_button.clicked.connect(self.save)
        QShortcut(QKeySequence.StandardKey.Copy, self.table, self.copy, context=Qt.ShortcutContext.WidgetShortcut)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._blank())
        self._stack.addWidget(self.table)
        title = QLabel(tr("Result"))
        title.setProperty("role", "strong")
        head = QHBoxLayout()
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(self.copy_button)
        head.addWidget(self.save_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 8, 8, 8)
        column.addLayout(head)
        column.addWidget(self.head)
        column.addWidget(self.words)
        column.addWidget(self._stack, 1)
        self.show_nothing()

    def _blank(self) -> QWidget:
        blank = QWidget()
        sentence = QLabel(
            tr("Each text gets one of your labels, with how sure that is."),
            wordWrap=True,
            alignment=Qt.AlignmentFlag.AlignCenter,
        )
        sentence.setProperty("role", "muted")
        self.try_button = QPushButton(tr("Try an example"))
        self.try_button.clicked.connect(self.example)
        column = QVBoxLayout(blank)
        column.addStretch(1)
        column.addWidget(sentence)
        column.addSpacing(10)
        column.addWidget(self.try_button, 0, Qt.AlignmentFlag.AlignCenter)
        column.addStretch(1)
        return blank

    @property
    def empty(self) -> bool:
        """Whether nothing is shown."""
        return self._stack.currentIndex() == 0

    @property
    def lines(self) -> Sequence[Line]:
        """What is shown, in the order in which it came."""
        return self.table.rows.in_order

    def show_nothing(self) -> None:
        """No result."""
        self.table.rows.show_lines((), tr("Text"))
        self._show("", "", there=False)

    def show_scores(self, label: str, scores: Sequence[tuple[str, float | None]], note: str) -> None:
        """One text: what it is, and every label with its share."""
        lines = [Line(name, confidence=share) for name, share in scores]
        self.table.rows.show_lines(lines, tr("Label"))
        self.table.show_columns(scores=True)
        self._show(label, told(note), there=bool(label))
        self.table.setVisible(bool(lines))

    def show_lines(self, lines: Sequence[Line], first: str) -> None:
        """Many texts; `first` names the column in which they stand."""
        self.table.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.table.rows.show_lines(lines, first)
        self.table.show_columns(scores=False)
        self._show("", counted(self.table.rows.counts), there=True)

    def add(self, lines: Sequence[Line]) -> None:
        """More of them."""
        if lines:
            self.table.add(lines)
            self._show("", counted(self.table.rows.counts), there=True)

    def copy(self) -> None:
        """The selected rows, or all, for a spreadsheet."""
        lines = tuple(self.table.chosen)

        def done(text: str) -> None:
            QGuiApplication.clipboard().setText(text)
            self._services.notices.say(tr("Copied."))

        self._services.background.run(lambda: as_text(lines), done)

    def _show(self, head: str, words: str, *, there: bool) -> None:
        self.head.setText(head)
        self.head.setVisible(bool(head))
        self.words.setText(words)
        self.words.setVisible(bool(words))
        self._stack.setCurrentIndex(1 if there else 0)
        self.copy_button.setEnabled(there)
        self.save_button.setEnabled(there)
