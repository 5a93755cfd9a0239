"""The list of the Models page: rows under headings, painted, so that a hundred of them cost nothing."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from edgellm.ui.language import tr
from edgellm.ui.models_view import Row
from edgellm.ui.theme import Colors, Theme
from edgellm.ui.tips import tip

_Index = QModelIndex | QPersistentModelIndex
ROW = Qt.ItemDataRole.UserRole
_PAD, _GAP, _SIDE, _EDGE = 9, 8, 14, 6
_SMALL = 0.86
_CHIP_PAD = 7
_LEAST_TITLE = 110
_DOT = " · "


class Entries(QAbstractListModel):
    """The rows with a heading (a text) before each part."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: tuple[Row | str, ...] = ()

    def show_entries(self, entries: Sequence[Row | str]) -> None:
        """Replace everything; where only words change, the view keeps its place."""
        same = [_key(entry) for entry in entries] == [_key(entry) for entry in self.entries]
        if same:
            self.entries = tuple(entries)
            if entries:
                self.dataChanged.emit(self.index(0), self.index(len(entries) - 1))
            return
        self.beginResetModel()
        self.entries = tuple(entries)
        self.endResetModel()

    def rowCount(self, parent: _Index | None = None) -> int:
        """How many entries there are."""
        return 0 if parent is not None and parent.isValid() else len(self.entries)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """What is shown, what a screen reader says, and the reason of the badge."""
        if not index.isValid():
            return None
        entry = self.entries[index.row()]
        if role == ROW:
            return entry
        if isinstance(entry, str):
            spoken = role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole)
            return entry if spoken else None
        texts = {
            Qt.ItemDataRole.DisplayRole: entry.title,
            Qt.ItemDataRole.AccessibleTextRole: entry.spoken,
            Qt.ItemDataRole.AccessibleDescriptionRole: entry.fit.reason,
            Qt.ItemDataRole.ToolTipRole: tip(tooltip(entry)),
        }
        return texts.get(Qt.ItemDataRole(role))

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Headings are passed over by the keyboard."""
        if index.isValid() and isinstance(self.entries[index.row()], Row):
            return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return Qt.ItemFlag.NoItemFlags

    def row_of(self, key: str) -> int:
        """Where the row with this key stands; -1 when it does not."""
        return next((n for n, entry in enumerate(self.entries) if isinstance(entry, Row) and entry.key == key), -1)


def tooltip(row: Row) -> str:
    """Everything that the marks of a row mean."""
    parts = (
        row.title,
        " ".join(filter(None, (row.fit.reason, row.fit.budget))),
        ", ".join(filter(None, (row.speed, row.basis))),
        row.recommended,
        row.distilled,
    )
    return "\n".join(part for part in parts if part)


def _key(entry: Row | str) -> str:
    return entry.key if isinstance(entry, Row) else "heading"


class _Painter(QStyledItemDelegate):
    """Paints a row as two lines: title and marks, facts and speed."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Two lines, or one for a heading."""
        line = QFontMetrics(option.font).height()
        if isinstance(index.data(ROW), str):
            return QSize(100, line + 18)
        return QSize(100, line + QFontMetrics(_small(option.font)).height() + 3 + 2 * _PAD)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw one entry."""
        entry = index.data(ROW)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if isinstance(entry, str):
            _heading(painter, option, entry, self._theme.colors)
        elif isinstance(entry, Row):
            _Sketch(painter, option, self._theme.colors).draw(entry)
        painter.restore()


def _small(font: QFont) -> QFont:
    made = QFont(font)
    made.setPointSizeF(font.pointSizeF() * _SMALL)
    return made


def _heading(painter: QPainter, option: QStyleOptionViewItem, text: str, colors: Colors) -> None:
    font = _small(option.font)
    font.setWeight(QFont.Weight.DemiBold)
    painter.setFont(font)
    painter.setPen(QColor(colors.muted))
    rect = option.rect.adjusted(_SIDE, 8, -_SIDE, -2)
    painter.drawText(rect, _leading(option) | Qt.AlignmentFlag.AlignBottom, text)


def _leading(option: QStyleOptionViewItem) -> Qt.AlignmentFlag:
    return QStyle.visualAlignment(option.direction, Qt.AlignmentFlag.AlignLeft)


class _Sketch:
    """One row being painted. Rectangles are thought of from left to right and mirrored where reading goes the other
    way."""

    def __init__(self, painter: QPainter, option: QStyleOptionViewItem, colors: Colors) -> None:
        self._painter, self._option, self._colors = painter, option, colors
        self._small = _small(option.font)
        self._bold = QFont(option.font)
        self._bold.setWeight(QFont.Weight.DemiBold)

    def draw(self, row: Row) -> None:
        """Ground, then both lines."""
        option, colors = self._option, self._colors
        self._ground()
        inner = option.rect.adjusted(_SIDE, _PAD, -_SIDE, -_PAD)
        high = QFontMetrics(self._bold).height()
        upper = QRect(inner.x(), inner.y(), inner.width(), high)
        lower = QRect(inner.x(), inner.y() + high + 3, inner.width(), inner.height() - high - 3)
        kinds = {"fits": colors.good, "tight": colors.warning, "swap": colors.danger, "unsupported": colors.muted}
        if row.fit.word:
            upper.setRight(self._chip(upper, row.fit.word, kinds.get(row.fit.kind, colors.muted), at_end=True) - _GAP)
        self._title(upper, row)
        if row.speed:
            width = QFontMetrics(self._small).horizontalAdvance(row.speed)
            self._text(QRect(lower.right() - width, lower.y(), width + 1, lower.height()), row.speed, colors.muted)
            lower.setRight(lower.right() - width - 2 * _GAP)
        self._text(lower, row.line, colors.muted)

    def _ground(self) -> None:
        option, colors = self._option, self._colors
        rect = option.rect.adjusted(_EDGE, 1, -_EDGE, -1)
        state = QStyle.StateFlag
        if option.state & state.State_Selected:
            self._painter.setBrush(QColor(colors.tint))
        elif option.state & state.State_MouseOver:
            self._painter.setBrush(QColor(colors.hover))
        else:
            self._painter.setBrush(Qt.BrushStyle.NoBrush)
        focused = option.state & state.State_HasFocus
        marked = focused or (option.state & state.State_Selected and colors.name.startswith("high"))
        self._painter.setPen(QPen(QColor(colors.accent), 2 if focused else 1) if marked else Qt.PenStyle.NoPen)
        self._painter.drawRoundedRect(rect, 9, 9)

    def _title(self, space: QRect, row: Row) -> None:
        colors = self._colors
        marks = (
            (tr("In use"), colors.accent, row.in_use),
            (tr("Recommended"), colors.accent, bool(row.recommended)),
            (tr("Distilled"), colors.muted, bool(row.distilled)),
        )
        metrics = QFontMetrics(self._bold)
        wanted = [(text, color) for text, color, on in marks if on]
        widths = [self._chip_width(text) + _GAP for text, _ in wanted]
        wish = metrics.horizontalAdvance(row.title) + 2
        while wanted and min(wish, _LEAST_TITLE) + sum(widths) > space.width():
            wanted.pop()
            widths.pop()
        room = min(wish, space.width() - sum(widths))
        shown = metrics.elidedText(row.title, Qt.TextElideMode.ElideRight, room)
        self._painter.setFont(self._bold)
        self._painter.setPen(QColor(colors.text))
        rect = self._visual(QRect(space.x(), space.y(), room, space.height()))
        self._painter.drawText(rect, _leading(self._option) | Qt.AlignmentFlag.AlignVCenter, shown)
        left = space.x() + room + _GAP
        name = row.name if row.name != row.title else ""
        width = QFontMetrics(self._small).horizontalAdvance(name) + _GAP
        if room == wish and left + width + sum(widths) < space.right():
            self._text(QRect(left, space.y() + 1, width, space.height()), name, self._colors.muted)
            left += width
        for (text, color), width in zip(wanted, widths, strict=True):
            self._chip(QRect(left, space.y(), width - _GAP, space.height()), text, color)
            left += width

    def _chip_width(self, text: str) -> int:
        return QFontMetrics(self._small).horizontalAdvance(text) + 2 * _CHIP_PAD

    def _chip(self, space: QRect, text: str, color: str, *, at_end: bool = False) -> int:
        """A word in a rounded frame; returns where it begins."""
        width, high = self._chip_width(text), QFontMetrics(self._small).height() + 2
        x = space.right() - width if at_end else space.x()
        rect = self._visual(QRect(x, space.y() + (space.height() - high) // 2, width, high))
        self._painter.setPen(QPen(QColor(color), 1))
        self._painter.setBrush(Qt.BrushStyle.NoBrush)
        self._painter.drawRoundedRect(rect, high / 2, high / 2)
        self._painter.setFont(self._small)
        self._painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
        return x

    def _text(self, space: QRect, text: str, color: str) -> None:
        self._painter.setFont(self._small)
        self._painter.setPen(QColor(color))
        if self._option.direction == Qt.LayoutDirection.RightToLeft:
            text = _DOT.join(f"\u2068{part}\u2069" for part in text.split(_DOT))  # each fact in its own direction
        shown = QFontMetrics(self._small).elidedText(text, Qt.TextElideMode.ElideRight, space.width())
        self._painter.drawText(self._visual(space), _leading(self._option) | Qt.AlignmentFlag.AlignVCenter, shown)

    def _visual(self, rect: QRect) -> QRect:
        return QStyle.visualRect(self._option.direction, self._option.rect, rect)


class ModelList(QListView):
    """Sends `chosen` with the row that became current (None: none is), `acted` when Enter or a double click asks."""

    chosen = Signal(object)
    acted = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.entries = Entries()
        self._painter = _Painter(theme)
        self.setObjectName("models")
        self.setAccessibleName(tr("Models"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setModel(self.entries)
        self.setItemDelegate(self._painter)
        self.setMouseTracking(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(False)
        self.selectionModel().currentChanged.connect(lambda *_: self.chosen.emit(self.current))
        self.activated.connect(lambda index: self.acted.emit(index.data(ROW)))
        theme.changed.connect(self.viewport().update)

    @property
    def current(self) -> Row | None:
        """The row that is chosen."""
        entry = self.currentIndex().data(ROW)
        return entry if isinstance(entry, Row) else None

    def show_entries(self, entries: Sequence[Row | str]) -> None:
        """Replace what is listed; the chosen row stays chosen as long as it is there."""
        before = self.current
        scrolled = self.verticalScrollBar().value()
        self.entries.show_entries(entries)
        if before is not None and self._choose_again(before):
            self.verticalScrollBar().setValue(scrolled)
        self.chosen.emit(self.current)

    def _choose_again(self, row: Row) -> bool:
        """The same row; once it is installed or removed, it stands in another part."""
        return self.choose(row.key, scroll=False) or any(
            self.choose(f"{part}:{row.name}", scroll=False) for part in ("installed", "available")
        )

    def choose(self, key: str, *, scroll: bool = True) -> bool:
        """Make a row the chosen one; whether it is there."""
        place = self.entries.row_of(key)
        if place < 0:
            return False
        index = self.entries.index(place)
        if index != self.currentIndex():
            self.setCurrentIndex(index)
        if scroll:
            self.scrollTo(index)
        return True

    def show_current(self) -> None:
        """Scroll to the chosen row."""
        self.scrollTo(self.currentIndex())

    def choose_first(self) -> None:
        """Choose the first row, where none is chosen."""
        rows = (entry for entry in self.entries.entries if isinstance(entry, Row))
        first = next(rows, None)
        if self.current is None and first is not None:
            self.choose(first.key)
