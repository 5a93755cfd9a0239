"""Rows of the Classify page: what they say, the model that a table view reads, and the same as text.

A hundred thousand rows are held without a widget for each; new ones are put at the end.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from edgellm.tasks.csv_write import write_row
from edgellm.ui.language import told, tr
from edgellm.ui.theme import Theme
from edgellm.ui.tips import tip

_Index = QModelIndex | QPersistentModelIndex
SHARE = Qt.ItemDataRole.UserRole
TEXT, LABEL, CONFIDENCE, NOTE = range(4)
_LAST = "\U0010ffff"  # sorts behind every label


@dataclass(frozen=True, slots=True)
class Line:
    """A text (or file) and its label. `best` is the guess that stands behind an unsure one; a failed one has none."""

    text: str
    label: str = ""
    confidence: float | None = None
    best: str = ""
    note: str = ""
    failed: bool = False

    @property
    def unsure(self) -> bool:
        """Whether the best label was not good enough."""
        return bool(self.best) and not self.label

    @property
    def shown(self) -> str:
        """What stands in the column of labels."""
        if self.failed:
            return told(self.note)
        return tr("unsure ({label}?)").format(label=self.best) if self.unsure else self.label


def kind_of(line: Line) -> tuple[int, str]:
    """What a row is counted under: its label, unsure, or not classified."""
    if line.failed:
        return 2, tr("not classified")
    return (1, tr("unsure")) if line.unsure else (0, line.label)


def counted(counts: Counter[tuple[int, str]]) -> str:
    """How many rows have which label, the most frequent first."""
    ranked = sorted(counts.items(), key=lambda one: (one[0][0], -one[1], one[0][1]))
    return " · ".join(f"{name} {count:,}" for (_, name), count in ranked)


def percent(share: float | None) -> str:
    """A share for a person; empty where there is none."""
    return "" if share is None else f"{100 * share:.0f} %"


def as_text(lines: Iterable[Line], delimiter: str = "\t") -> str:
    """Rows for a spreadsheet: no cell is computed there, none breaks its row."""
    stream = io.StringIO()
    for line in lines:
        share = "" if line.confidence is None else f"{line.confidence:.4f}"
        cells = (line.text, line.label, share, line.best, line.note)
        write_row(stream, (" ".join(cell.split()) for cell in cells), delimiter)
    return stream.getvalue()


def as_csv(lines: Iterable[Line], first: str) -> str:
    """The same as a whole file; `first` names the first column."""
    return f"\ufeff{first},label,confidence,best_guess,label_note\n" + as_text(lines, ",")


class Lines(QAbstractTableModel):
    """The rows in the order they came, or sorted by a column. `titles` name the columns."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.lines: list[Line] = []
        self.titles = (tr("Text"), tr("Label"), tr("Confidence"), tr("Note"))
        self.counts: Counter[tuple[int, str]] = Counter()
        self._came: list[Line] = []
        self._theme = theme

    def show_lines(self, lines: Sequence[Line], first: str) -> None:
        """Replace all rows; `first` is what the first column is called."""
        self.beginResetModel()
        self.titles = (first, *self.titles[1:])
        self.lines, self._came = list(lines), list(lines)
        self.counts = Counter(map(kind_of, lines))
        self.endResetModel()

    def add(self, lines: Sequence[Line]) -> None:
        """Put rows at the end."""
        if lines:
            at = len(self.lines)
            self.beginInsertRows(QModelIndex(), at, at + len(lines) - 1)
            self.lines += lines
            self._came += lines
            self.counts.update(map(kind_of, lines))
            self.endInsertRows()

    @property
    def in_order(self) -> Sequence[Line]:
        """The rows as they came."""
        return self._came

    def rowCount(self, parent: _Index | None = None) -> int:
        """How many rows there are."""
        return 0 if parent is not None and parent.isValid() else len(self.lines)

    def columnCount(self, parent: _Index | None = None) -> int:
        """Text, label, confidence and note."""
        return 0 if parent is not None and parent.isValid() else len(self.titles)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """What is shown, said, and behind the mouse."""
        if not index.isValid():
            return None
        line, column = self.lines[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._cell(line, column)
        if role == SHARE:
            return line.confidence
        if role == Qt.ItemDataRole.ToolTipRole:
            shown = (line.text, told(line.note) or line.label, "", told(line.note))[column]
            return tip(shown) or None
        if role == Qt.ItemDataRole.ForegroundRole and column in (LABEL, NOTE) and (line.failed or line.unsure):
            return QColor(self._theme.colors.warning)
        return None

    def _cell(self, line: Line, column: int) -> str:
        if column == TEXT:
            return " ".join(line.text[:300].split())
        return (line.shown, percent(line.confidence), "" if line.failed else told(line.note))[column - 1]

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """The names of the columns."""
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return self.titles[section]
        if role == Qt.ItemDataRole.TextAlignmentRole and orientation == Qt.Orientation.Horizontal:
            return Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; -1 is the order in which they came."""
        self.beginResetModel()
        keys: dict[int, Callable[[Line], object]] = {
            TEXT: lambda line: line.text.casefold(),
            LABEL: lambda line: line.label or _LAST + line.best,
            CONFIDENCE: lambda line: -1.0 if line.confidence is None else line.confidence,
            NOTE: lambda line: line.note,
        }
        self.lines = list(self._came)
        if column in keys:
            self.lines.sort(key=keys[column], reverse=order == Qt.SortOrder.DescendingOrder)  # type: ignore[arg-type]
        self.endResetModel()
