"""The Models page: a list of what is installed and what there is, details beside it, what is going on below it.

Files and folders can be dropped on it. What the buttons do is left to `ModelsWork`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from edgellm.ui import models_view
from edgellm.ui.file_drops import FileDrops
from edgellm.ui.icons import icon
from edgellm.ui.language import tr
from edgellm.ui.models_activity import Activity
from edgellm.ui.models_details import ModelDetails
from edgellm.ui.models_files import BUNDLE
from edgellm.ui.models_list import ModelList
from edgellm.ui.models_strip import ActivityStrip
from edgellm.ui.models_view import Row
from edgellm.ui.services import Services

_TYPED_MS = 120
_LIST, _DETAILS = 620, 480


class ModelsPage(FileDrops, QWidget):
    """Shows what `services.models` knows; it goes on working while the page is hidden."""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services, self._work = services, services.models
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAcceptDrops(True)
        self.search = QLineEdit(placeholderText=tr("Search, or paste owner/name or a link"), clearButtonEnabled=True)
        self.search.setAccessibleName(tr("Search models"))
        self.hub = QPushButton()
        self.add = QPushButton(tr("Add a model"))
        self.list = ModelList(services.theme)
        self.details = ModelDetails(services.theme)
        self.strip = ActivityStrip(services.theme)
        self._none = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._none.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._none_button = QPushButton()
        self._middle = QStackedWidget()
        self._typed = QTimer(self, singleShot=True, interval=_TYPED_MS)
        self._arrange()
        self._connect()
        self._paint_icons()
        self._show_rows()
        self._show_activities()

    def showEvent(self, event: QShowEvent) -> None:
        """Look again: files may have come and gone, and free memory changes."""
        super().showEvent(event)
        QTimer.singleShot(0, self, self._work.look)
        self.search.setFocus()

    def open_find(self) -> None:
        """Search here."""
        self.search.setFocus()
        self.search.selectAll()

    def choose(self, name: str) -> None:
        """Show the details of a model."""
        self.search.clear()
        self._show_rows()
        for part in ("installed", "available", "hub"):
            if self.list.choose(f"{part}:{name}"):
                return

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(20, 14, 20, 10)
        head.setSpacing(10)
        head.addWidget(self.search, 1)
        head.addWidget(self.hub)
        head.addWidget(self.add)
        menu = QMenu(self.add)
        menu.addAction(tr("A file (.gguf or .edgellm)…"), self._ask_file)
        menu.addAction(tr("A folder…"), self._ask_folder)
        self.add.setMenu(menu)
        self.add.setAccessibleName(tr("Add a model"))
        self._none.setProperty("role", "muted")
        empty = QWidget()
        column = QVBoxLayout(empty)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(12)
        column.addStretch(2)
        column.addWidget(self._none)
        column.addWidget(self._none_button, 0, Qt.AlignmentFlag.AlignCenter)
        column.addStretch(3)
        self._middle.addWidget(self.list)
        self._middle.addWidget(empty)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setObjectName("parts")
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self._middle)
        splitter.addWidget(self.details)
        splitter.setSizes([_LIST, _DETAILS])
        splitter.setStretchFactor(0, 3)
        splitter.setStretchFactor(1, 2)
        self._middle.setMinimumWidth(280)
        self.details.setMinimumWidth(300)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(splitter, 1)
        column.addWidget(self.strip)
        order = (self.search, self.hub, self.add, self.list, self.details.main)
        for first, second in pairwise(order):
            self.setTabOrder(first, second)

    def _connect(self) -> None:
        work = self._work
        self.search.textChanged.connect(lambda _: self._typed.start())
        self.search.returnPressed.connect(self._enter)
        self._typed.timeout.connect(self._show_rows)
        self.hub.clicked.connect(self._search_hub)
        self._none_button.clicked.connect(self._search_hub)
        self.list.chosen.connect(self._show_details)
        self.list.acted.connect(self._act_first)
        self.details.wanted.connect(self._act)
        self.strip.wanted.connect(self._act_on_strip)
        work.changed.connect(self._show_rows)
        work.activities_changed.connect(self._show_activities)
        self._services.theme.changed.connect(self._paint_icons)

    def _show_rows(self) -> None:
        text = self.search.text()
        self.list.show_entries(self._work.entries(text))
        self.list.choose_first()
        locked = self._work.locked
        self.hub.setText(tr("Unlock and search the hub") if locked else tr("Search the hub"))
        self.hub.setAccessibleName(self.hub.text())
        self.hub.setToolTip(
            tr("The offline lock is on. This button lifts it and searches on the hub for what is typed.")
            if locked
            else tr("Search on the hub for what is typed.")
        )
        self.hub.setEnabled(bool(text.strip()))
        self._none.setText(self._work.nothing(text))
        self._none_button.setText(self.hub.text())
        self._none_button.setAccessibleName(self.hub.text())
        self._middle.setCurrentIndex(0 if any(isinstance(one, Row) for one in self.list.entries.entries) else 1)

    def _show_details(self, row: Row | None) -> None:
        self.details.show_row(row, self._work.standing(row))

    def _show_activities(self) -> None:
        was_there = self.strip.isVisible()
        self.strip.show_activities(self._work.activities)
        if self.strip.isVisible() and not was_there:
            QTimer.singleShot(0, self, self.list.show_current)  # it takes its room from the list
        self._show_details(self.list.current)

    def _enter(self) -> None:
        """Enter in the search box: look a reference up, or go to the list."""
        self._typed.stop()
        self._show_rows()
        if models_view.reference(self.search.text()) and self.list.current is not None:
            self._act_first(self.list.current)
        else:
            self.list.setFocus()

    def _search_hub(self) -> None:
        self._work.search_hub(self.search.text())

    def _act_first(self, row: object) -> None:
        if isinstance(row, Row) and row.actions and self.details.main.isEnabled():
            self._act(row.actions[0], row)

    def _act(self, action: str, row: Row) -> None:
        here: dict[str, Callable[[Row], None]] = {
            "move": self._ask_move,
            "show": self._show_folder,
            "bundle": self._ask_bundle,
        }
        if action in here:
            here[action](row)
        else:
            self._work.act(action, row)

    def _act_on_strip(self, action: str, activity: Activity) -> None:
        self._work.act_on(action, activity)

    def _ask_move(self, row: Row) -> None:
        folder = QFileDialog.getExistingDirectory(self, tr("Keep {name} in").format(name=row.title))
        if folder:
            self._work.move(row, Path(folder))

    def _ask_bundle(self, row: Row) -> None:
        name = f"{row.name.replace('/', '-')}{BUNDLE}"
        chosen, _ = QFileDialog.getSaveFileName(self, tr("Save as a bundle"), name, tr("Bundles (*.edgellm)"))
        if chosen:
            target = Path(chosen)
            self._work.bundle(row, target if target.suffix == BUNDLE else target.with_name(target.name + BUNDLE))

    def _show_folder(self, row: Row) -> None:
        folder = self._work.folder_of(row)
        if folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def _ask_file(self) -> None:
        kinds = tr("Models and bundles (*.gguf *.edgellm)")
        chosen, _ = QFileDialog.getOpenFileName(self, tr("Add a model"), "", kinds)
        if chosen:
            self._work.take_in((Path(chosen),))

    def _ask_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, tr("Add the model in this folder"))
        if chosen:
            self._work.take_in((Path(chosen),))

    def take_dropped(self, paths: list[Path]) -> None:
        """Take in what was dropped."""
        self._work.take_in(tuple(paths))

    def _paint_icons(self) -> None:
        colors = self._services.theme.colors
        self.hub.setIcon(icon("search", colors.muted, size=16, disabled=colors.border))
        self.add.setIcon(icon("plus", colors.muted, size=16))
