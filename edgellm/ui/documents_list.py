"""The list of the Documents page: collections, what was added to them, and files, as painted rows of two lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontInfo, QFontMetrics, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from edgellm.ui.documents_shelf import File, Group, Removal, Shelf
from edgellm.ui.icons import pixmap
from edgellm.ui.language import in_line, told, tr
from edgellm.ui.theme import Theme
from edgellm.ui.tips import tip

Index = QModelIndex | QPersistentModelIndex
ROW = Qt.ItemDataRole.UserRole
_DOT = " · "
_SMALL, _PAD, _INDENT, _ICON, _GAP = 0.86, 6, 16, 16, 8


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list. `removal` is what Delete takes out; `file` what Enter shows."""

    kind: Literal["collection", "folder", "file"]
    title: str
    below: str
    level: int = 0
    bad: bool = False
    tooltip: str = ""
    removal: Removal | None = None
    file: Path | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What stays the same when words change."""
        return self.kind, self.title, self.tooltip


def rows(shelf: Shelf, name: str = "") -> tuple[Row, ...]:
    """The rows of one collection, or of all: those have a line of their own."""
    shown = [group for group in shelf.groups if not name or group.name == name]
    return tuple(row for group in shown for row in _group(group))


def _group(group: Group) -> Iterator[Row]:
    words = totals(group.files) or tr("Empty; drop files or folders here.")
    yield Row("collection", group.name, words, removal=Removal(group.name))
    for one in group.added:
        removal = Removal(group.name, one.path)
        if not one.folder:
            yield from (_file(file, 1, removal, one.there) for file in one.files)
            continue
        words = totals(one.files) or tr("Nothing read yet")
        if not one.there:
            words = tr("not there now; what was read of it is kept")
        yield Row("folder", one.path.name or str(one.path), words, 1, not one.there, str(one.path), removal)
        yield from (_file(file, 2, None, True) for file in one.files)


def _file(file: File, level: int, removal: Removal | None, there: bool) -> Row:
    words, tooltip = facts(file), str(file.path)
    if file.read is False:
        tooltip = f"{file.path}\n{in_line(told(f'{file.reason}.'), told(file.hint))}"
    elif not there:
        words = tr("not there now; what was read of it is kept")
    return Row("file", file.path.name, words, level, file.read is False or not there, tooltip, removal, file.path)


def facts(file: File) -> str:
    """What is known of a file."""
    if file.read is None:
        return tr("waiting to be read")
    if not file.read:
        return tr("cannot be read: {reason}").format(reason=told(file.reason))
    if not file.passages:
        return tr("no text in it")
    passages = tr("{n} passages").format(n=f"{file.passages:,}") if file.passages > 1 else tr("1 passage")
    if file.pages > 1:
        return tr("{n} pages").format(n=f"{file.pages:,}") + _DOT + passages
    return passages


def totals(files: Sequence[File]) -> str:
    """Files, passages and failures in a line; empty without files."""
    if not files:
        return ""
    read = [file for file in files if file.read]
    bad = sum(file.read is False for file in files)
    parts = [tr("{n} files").format(n=f"{len(files):,}") if len(files) > 1 else tr("1 file")]
    passages = sum(file.passages for file in read)
    if passages:
        parts.append(tr("{n} passages").format(n=f"{passages:,}") if passages > 1 else tr("1 passage"))
    if bad:
        parts.append(tr("{n} cannot be read").format(n=f"{bad:,}"))
    return _DOT.join(parts)


class _Entries(QAbstractListModel):
    """The rows."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[Row, ...] = ()

    def show_rows(self, rows: tuple[Row, ...]) -> None:
        """Replace them; where only words change, the view keeps its place."""
        if [row.key for row in rows] == [row.key for row in self.rows]:
            self.rows = rows
            if rows:
                self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        """How many there are."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """What is shown and what a screen reader says."""
        if not index.isValid():
            return None
        row = self.rows[index.row()]
        texts: dict[int, object] = {
            ROW: row,
            Qt.ItemDataRole.DisplayRole: row.title,
            Qt.ItemDataRole.AccessibleTextRole: f"{row.title}, {row.below}",
            Qt.ItemDataRole.ToolTipRole: tip(row.tooltip),
        }
        return texts.get(role)


class _Painter(QStyledItemDelegate):
    """A drawing, the name, and below it what is known."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Two lines, the same for every row."""
        high = QFontMetrics(option.font).height() + QFontMetrics(_small(option.font)).height()
        return QSize(100, high + 2 * _PAD)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one row."""
        row = index.data(ROW)
        if not isinstance(row, Row):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._ground(painter, option)
        colors = self._theme.colors
        area = option.rect.adjusted(8 + row.level * _INDENT, _PAD, -10, -_PAD)
        font = QFont(option.font)
        font.setWeight(QFont.Weight.DemiBold if row.kind != "file" else QFont.Weight.Normal)
        high = QFontMetrics(font).height()
        if row.kind != "collection":
            drawing = "folder" if row.kind == "folder" else "warning" if row.bad else "documents"
            color = colors.warning if row.bad else colors.muted
            spot = QRect(area.x(), area.y() + (high - _ICON) // 2, _ICON, _ICON)
            painter.drawPixmap(self._visual(option, spot), pixmap(drawing, color, _ICON))
            area.setLeft(area.left() + _ICON + _GAP)
        upper = QRect(area.x(), area.y(), area.width(), high)
        lower = QRect(area.x(), area.y() + high, area.width(), area.height() - high)
        self._line(painter, option, upper, (font, colors.text), row.title)
        self._line(
            painter, option, lower, (_small(option.font), colors.warning if row.bad else colors.muted), row.below
        )
        painter.restore()

    def _ground(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        colors, state = self._theme.colors, QStyle.StateFlag
        chosen, over = option.state & state.State_Selected, option.state & state.State_MouseOver
        painter.setBrush(QColor(colors.tint if chosen else colors.hover) if chosen or over else Qt.BrushStyle.NoBrush)
        marked = option.state & state.State_HasFocus or (chosen and colors.name.startswith("high"))
        painter.setPen(QPen(QColor(colors.accent), 1.5) if marked else Qt.PenStyle.NoPen)
        painter.drawRoundedRect(option.rect.adjusted(2, 1, -2, -1), 8, 8)

    def _line(
        self, painter: QPainter, option: QStyleOptionViewItem, area: QRect, look: tuple[QFont, str], text: str
    ) -> None:
        font, color = look
        painter.setFont(font)
        painter.setPen(QColor(color))
        if option.direction == Qt.LayoutDirection.RightToLeft:
            text = _DOT.join(f"\u2068{part}\u2069" for part in text.split(_DOT))  # each in its own direction
        shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        start = QStyle.visualAlignment(option.direction, Qt.AlignmentFlag.AlignLeft)
        painter.drawText(self._visual(option, area), int(start | Qt.AlignmentFlag.AlignVCenter), shown)

    def _visual(self, option: QStyleOptionViewItem, area: QRect) -> QRect:
        return QStyle.visualRect(option.direction, option.rect, area)


def _small(font: QFont) -> QFont:
    made = QFont(font)
    made.setPointSizeF(QFontInfo(font).pointSizeF() * _SMALL)
    return made


class DocumentsList(QListView):
    """Sends `chosen` when another row is, `removed` with a row (Delete), `opened` with a row (Enter, double click),
    `rename_wanted` with the row of a collection (F2).
    """

    chosen = Signal(object)
    removed = Signal(object)
    opened = Signal(object)
    rename_wanted = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._entries = _Entries()
        self._painter = _Painter(theme)
        self.setObjectName("chatlist")
        self.setAccessibleName(tr("Collections and files"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setModel(self._entries)
        self.setItemDelegate(self._painter)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setAcceptDrops(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.selectionModel().currentChanged.connect(lambda *_: self.chosen.emit(self.current))
        self.activated.connect(lambda index: self.opened.emit(index.data(ROW)))
        theme.changed.connect(self.viewport().update)

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows."""
        return self._entries.rows

    @property
    def current(self) -> Row | None:
        """The row that is chosen."""
        row = self.currentIndex().data(ROW)
        return row if isinstance(row, Row) else None

    def show_rows(self, rows: tuple[Row, ...]) -> None:
        """Replace the rows; the chosen one stays chosen, and the list where it was scrolled to."""
        before, scrolled = self.current, self.verticalScrollBar().value()
        self._entries.show_rows(rows)
        if before is not None and self.current is None:
            self.choose(before)
        self.verticalScrollBar().setValue(scrolled)
        self.chosen.emit(self.current)

    def choose(self, row: Row) -> None:
        """Make this the chosen row, where it is still there."""
        at = next((number for number, one in enumerate(self.rows) if one.key == row.key), -1)
        if at >= 0:
            self.setCurrentIndex(self._entries.index(at))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete takes the chosen row out, F2 gives a collection another name."""
        row = self.current
        if event.key() == Qt.Key.Key_Delete and row is not None:
            self.removed.emit(row)
        elif event.key() == Qt.Key.Key_F2 and row is not None and row.kind == "collection":
            self.rename_wanted.emit(row)
        else:
            super().keyPressEvent(event)
