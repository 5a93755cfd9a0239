"""Which column of a table holds the texts: chosen from its header, with the first rows to see."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
)

from edgellm.ui.classify_table import Form
from edgellm.ui.language import tr
from edgellm.ui.tips import tip

_NAME = 60
_WIDEST = 260
_SHORT = 10  # letters of a combo box that never asks for less room


class ColumnChoice(QFrame):
    """`changed` is sent when another column is chosen, `renamed` when the first row is to be taken otherwise."""

    changed = Signal()
    renamed = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("pane")
        title = QLabel(tr("Column"))
        title.setProperty("role", "strong")
        self.combo = QComboBox()
        self.combo.setAccessibleName(tr("Column with the texts"))
        self.combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.combo.setMinimumContentsLength(_SHORT)
        self.combo.currentIndexChanged.connect(self._on_column)
        title.setBuddy(self.combo)
        self.named = QCheckBox(tr("First row names columns"))
        self.named.clicked.connect(self.renamed)
        self.rows = QTableWidget()
        self.rows.setObjectName("rows")
        self.rows.setAccessibleName(tr("First rows of the table"))
        self.rows.setFrameShape(QFrame.Shape.NoFrame)
        self.rows.setShowGrid(False)
        self.rows.setTabKeyNavigation(False)
        self.rows.setWordWrap(False)
        self.rows.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.rows.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.rows.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.rows.verticalHeader().hide()
        self.rows.horizontalHeader().setHighlightSections(False)
        self.rows.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter)
        choice = QHBoxLayout()
        choice.addWidget(title)
        choice.addWidget(self.combo, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 10)
        column.addLayout(choice)
        column.addWidget(self.named)
        column.addWidget(self.rows, 1)

    @property
    def column(self) -> int:
        """The index of the chosen column."""
        return max(self.combo.currentIndex(), 0)

    def show_form(self, form: Form, column: int) -> None:
        """Show a table, with this column chosen."""
        names = [" ".join(name.split())[:_NAME] or f"{number}" for number, name in enumerate(form.header, 1)]
        self.combo.blockSignals(True)
        self.combo.clear()
        self.combo.addItems(names)
        self.combo.setCurrentIndex(column)
        self.combo.blockSignals(False)
        self.named.setChecked(form.named)
        self.rows.clear()
        self.rows.setColumnCount(len(names))
        self.rows.setRowCount(len(form.rows))
        self.rows.setHorizontalHeaderLabels(names)
        for at, cells in enumerate(form.rows):
            for number, cell in enumerate(cells[: len(names)]):
                item = QTableWidgetItem(" ".join(cell.split()))
                item.setToolTip(tip(cell))
                self.rows.setItem(at, number, item)
        self.rows.resizeColumnsToContents()
        for number in range(len(names)):
            self.rows.setColumnWidth(number, min(self.rows.columnWidth(number), _WIDEST))
        self.rows.horizontalHeader().setStretchLastSection(True)
        self._mark()

    def _on_column(self) -> None:
        self._mark()
        self.changed.emit()

    def _mark(self) -> None:
        """The chosen column stands out, and is in sight."""
        for number in range(self.rows.columnCount()):
            for row in range(self.rows.rowCount()):
                item = self.rows.item(row, number)
                if item is not None:
                    font = QFont(self.rows.font())
                    font.setBold(number == self.column)
                    item.setFont(font)
        first = self.rows.item(0, self.column)
        if first is not None:
            self.rows.scrollToItem(first)
