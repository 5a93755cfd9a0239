"""The left side of the Documents page: buttons, the list, and how far reading is, with pause and update."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from edgellm.ui.buttons import AccentButton, IconButton
from edgellm.ui.documents_keeper import Now
from edgellm.ui.documents_list import ROW, DocumentsList, Row
from edgellm.ui.documents_work import DocumentsWork, Listing
from edgellm.ui.icons import icon
from edgellm.ui.language import told, tr
from edgellm.ui.services import Services


class DocumentsPane(QFrame):
    """Shows what `work` lists. Sends `opened` with the path of a file that is to be shown, `rename_wanted` with the
    name of a collection.
    """

    opened = Signal(object)
    rename_wanted = Signal(str)

    def __init__(self, services: Services, work: DocumentsWork) -> None:
        super().__init__()
        self.setObjectName("pane")
        self._services, self._work = services, work
        self._now = Now()
        self._totals = ""
        self.add_files, self.add_folder = QPushButton(tr("Files…")), QPushButton(tr("Folder…"))
        for button, words in ((self.add_files, tr("Add files…")), (self.add_folder, tr("Add a folder…"))):
            button.setProperty("kind", "small")
            button.setToolTip(words)
            button.setAccessibleName(words)
        self.remove = IconButton(services.theme, "trash", tr("Take out of the list (Del)"))
        self.update_now = IconButton(services.theme, "retry", tr("Update: look for changes, try failed files again"))
        self.pause = IconButton(services.theme, "pause", tr("Pause reading"))
        self.list = DocumentsList(services.theme)
        self.words = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.words.setProperty("role", "faint")
        self.progress = QProgressBar(textVisible=False)
        self.progress.setObjectName("progress")
        self.progress.setAccessibleName(tr("Progress of reading"))
        self.progress.setFixedHeight(6)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._make_empty())
        self._stack.addWidget(self.list)
        self._arrange()
        self._connect()
        self._paint_icons()
        self._show_now(self._now)

    def _make_empty(self) -> QWidget:
        sentence = QLabel(
            tr("Add the files and folders that you want to ask about; they stay where they are."),
            wordWrap=True,
            alignment=Qt.AlignmentFlag.AlignCenter,
        )
        sentence.setProperty("role", "muted")
        self.first = AccentButton(self._services.theme, tr("Add a folder…"), "folder")
        made = QWidget()
        column = QVBoxLayout(made)
        column.setContentsMargins(20, 0, 20, 0)
        column.setSpacing(12)
        column.addStretch(2)
        column.addWidget(sentence)
        column.addWidget(self.first, 0, Qt.AlignmentFlag.AlignCenter)
        column.addStretch(3)
        return made

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self.add_files)
        head.addWidget(self.add_folder)
        head.addStretch(1)
        head.addWidget(self.update_now)
        head.addWidget(self.remove)
        foot = QHBoxLayout()
        foot.addWidget(self.words, 1)
        foot.addWidget(self.pause, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 8, 8)
        column.addLayout(head)
        column.addWidget(self._stack, 1)
        column.addWidget(self.progress)
        column.addLayout(foot)

    def _connect(self) -> None:
        work = self._work
        self.add_files.clicked.connect(self._ask_files)
        self.add_folder.clicked.connect(self._ask_folder)
        self.first.clicked.connect(self._ask_folder)
        self.remove.clicked.connect(self._remove_current)
        self.update_now.clicked.connect(work.update)
        self.pause.clicked.connect(lambda: work.pause(not self._now.paused))
        self.list.chosen.connect(self._on_chosen)
        self.list.removed.connect(self._remove)
        self.list.opened.connect(self._open)
        self.list.rename_wanted.connect(lambda row: self.rename_wanted.emit(row.title))
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._show_menu)
        work.listed.connect(self._show)
        work.told.connect(self._show_now)
        self._services.theme.changed.connect(self._paint_icons)

    def _show(self, listing: Listing) -> None:
        self._totals = listing.totals
        self.list.show_rows(listing.rows)
        there = bool(listing.shelf.groups)
        self._stack.setCurrentIndex(1 if there else 0)
        for control in (self.add_files, self.add_folder, self.update_now, self.remove):
            control.setVisible(there)
        self._on_chosen(self.list.current)
        self._show_now(self._now)

    def _show_now(self, now: Now) -> None:
        self._now = now
        done, total = (now.done, now.total) if now.total else (now.embedded, now.passages)
        self.progress.setVisible(now.busy)
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        there = not self._work.shelf.empty
        self.pause.setVisible(there)
        self.pause.draw("play" if now.paused else "pause")
        self.pause.rename(tr("Go on reading") if now.paused else tr("Pause reading"))
        self.words.setVisible(there)
        self.words.setText(self._sentence(now))

    def _sentence(self, now: Now) -> str:
        parts = []
        if now.paused:
            parts.append(tr("Paused: what changed is read when you go on."))
        elif now.total:
            parts.append(tr("Reading: {done} of {total} files").format(done=f"{now.done:,}", total=f"{now.total:,}"))
        elif now.passages:
            words = tr("Preparing the search by meaning: {done} of {total} passages")
            parts.append(words.format(done=f"{now.embedded:,}", total=f"{now.passages:,}"))
        else:
            parts.append(self._totals)
        return "\n".join(filter(None, (*parts, *map(told, (now.held, now.speed, now.trouble)))))

    def _on_chosen(self, row: Row | None) -> None:
        removable = row is not None and row.removal is not None
        self.remove.setEnabled(removable)
        inside = row is not None and row.removal is None
        words = tr("It belongs to its folder; take that out instead.") if inside else tr("Take out of the list (Del)")
        self.remove.setToolTip(words)

    def _remove_current(self) -> None:
        if self.list.current is not None:
            self._remove(self.list.current)

    def _remove(self, row: Row) -> None:
        if row.removal is not None:
            self._work.remove(row.removal, row.title)
        else:
            self._services.notices.say(tr("It belongs to its folder; take that out instead."))

    def menu(self, row: Row) -> QMenu:
        """What can be done with a row."""
        menu = QMenu(self)
        if row.kind == "collection":
            menu.addAction(tr("Rename (F2)"), lambda: self.rename_wanted.emit(row.title))
        if row.kind == "file":
            menu.addAction(tr("Show its text"), lambda: self._open(row))
        if row.removal is not None:
            menu.addAction(tr("Take out of the list (Del)"), lambda: self._remove(row))
        return menu

    def _show_menu(self, point: QPoint) -> None:
        row = self.list.indexAt(point).data(ROW)
        if isinstance(row, Row):
            self.menu(row).exec(self.list.viewport().mapToGlobal(point))

    def _open(self, row: Row | None) -> None:
        if row is not None and row.file is not None:
            self.opened.emit(row.file)

    def _ask_files(self) -> None:
        chosen, _ = QFileDialog.getOpenFileNames(self, tr("Add files"))
        self.take([Path(name) for name in chosen])

    def _ask_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, tr("Add a folder"))
        self.take([Path(chosen)] if chosen else [])

    def take(self, paths: Sequence[Path]) -> None:
        """Add these to the collection that is listed."""
        if paths:
            self._work.add(paths, self._work.name)

    def _paint_icons(self) -> None:
        color = self._services.theme.colors.muted
        self.add_files.setIcon(icon("plus", color, size=16))
        self.add_folder.setIcon(icon("plus", color, size=16))
