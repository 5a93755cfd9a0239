"""The list of files on the Translate page: what each becomes, how far it is, and where translations go."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from edgellm.ui.buttons import AccentButton, IconButton
from edgellm.ui.elided import ElidedLabel
from edgellm.ui.file_drops import FileDrops
from edgellm.ui.language import told, tr
from edgellm.ui.services import Services
from edgellm.ui.tips import tip
from edgellm.ui.translate_rows import FileRow


class FileCard(QFrame):
    """One file: its name and state, and below what it becomes."""

    removed = Signal()

    def __init__(self, services: Services, path: Path) -> None:
        super().__init__()
        self.setObjectName("chip")
        self.setToolTip(tip(str(path)))
        name = ElidedLabel()
        name.setProperty("role", "strong")
        name.set_text(path.name)
        self.words = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.words.setProperty("role", "faint")
        self.becomes = ElidedLabel()
        self.becomes.setProperty("role", "faint")
        self.progress = QProgressBar(textVisible=False)
        self.progress.setObjectName("progress")
        self.progress.setAccessibleName(tr("Progress of {name}").format(name=path.name))
        self.progress.setFixedHeight(6)
        self.take_out = IconButton(services.theme, "close", tr("Take {name} out").format(name=path.name), size=14)
        self.take_out.clicked.connect(self.removed)
        upper = QHBoxLayout()
        upper.addWidget(name, 1)
        upper.addWidget(self.words)
        upper.addWidget(self.take_out)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 4, 4, 6)
        column.setSpacing(2)
        column.addLayout(upper)
        column.addWidget(self.becomes)
        column.addWidget(self.progress)

    def show_row(self, row: FileRow) -> None:
        """What is known now."""
        self.words.setText(row.words)
        self.words.setToolTip(tip(told(row.line)))
        role = "warning" if row.state == "failed" or row.warnings else "faint"
        if self.words.property("role") != role:
            self.words.setProperty("role", role)
            self.words.style().polish(self.words)
        becomes = f"→ {row.out.name}" if row.out is not None else ""
        if row.numbered and row.state != "done":
            becomes += " · " + tr("a number more, because that name is taken")
        self.becomes.set_text(becomes)
        self.becomes.setToolTip(tip(str(row.out)) if row.out is not None else "")
        self.progress.setVisible(row.state in ("working", "stopped"))
        self.progress.setRange(0, row.total)
        self.progress.setValue(row.done)
        self.take_out.setEnabled(row.state != "working")


class FilesPane(FileDrops, QFrame):
    """Sends `given` with files that the person wants translated, `removed` with one that was taken out, `emptied`, and
    `folder_chosen` with where translations go (None: beside each file)."""

    given = Signal(list)
    removed = Signal(object)
    emptied = Signal()
    folder_chosen = Signal(object)

    def __init__(self, services: Services) -> None:
        super().__init__()
        self.setObjectName("pane")
        self.setAcceptDrops(True)
        self._services = services
        self._cards: dict[Path, FileCard] = {}
        self._folder: Path | None = None
        self._last: Path | None = None
        self.add = QPushButton(tr("Add files…"))
        self.elsewhere = QPushButton(tr("Choose a folder…"))
        for button in (self.add, self.elsewhere):
            button.setProperty("kind", "small")
        self.beside = IconButton(services.theme, "close", tr("Save beside each file instead"), size=14)
        self.show_folder = IconButton(services.theme, "folder", tr("Open the folder of the translations"))
        self.clear = IconButton(services.theme, "trash", tr("Clear the list"))
        self.where = ElidedLabel()
        self.where.setProperty("role", "faint")
        self._arrange()
        self.add.clicked.connect(self._ask_files)
        self.clear.clicked.connect(self.emptied)
        self.elsewhere.clicked.connect(self._ask_folder)
        self.beside.clicked.connect(lambda: self.folder_chosen.emit(None))
        self.show_folder.clicked.connect(self._open_folder)
        self.show_rows([], None)

    def _arrange(self) -> None:
        title = QLabel(tr("Files to translate"))
        title.setProperty("role", "strong")
        head = QHBoxLayout()
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(self.add)
        head.addWidget(self.show_folder)
        head.addWidget(self.clear)
        inner = QWidget()
        self._list = QVBoxLayout(inner)
        self._list.setContentsMargins(0, 0, 4, 0)
        self._list.setSpacing(6)
        self._list.addStretch(1)
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setWidget(inner)
        area.setObjectName("settings")  # the ground of a surface
        area.setAccessibleName(tr("Files"))
        inner.setObjectName("column")
        self._stack = QStackedWidget()
        self._stack.addWidget(self._make_empty())
        self._stack.addWidget(area)
        foot = QHBoxLayout()
        foot.addWidget(self.where, 1)
        foot.addWidget(self.beside)
        foot.addWidget(self.elsewhere)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 8, 8, 8)
        column.addLayout(head)
        column.addWidget(self._stack, 1)
        column.addLayout(foot)

    def _make_empty(self) -> QWidget:
        sentence = QLabel(
            tr("Drop Word, PowerPoint, HTML, Markdown, EPUB, PDF, subtitle or PO files here; they keep their format."),
            wordWrap=True,
            alignment=Qt.AlignmentFlag.AlignCenter,
        )
        sentence.setProperty("role", "muted")
        self.first = AccentButton(self._services.theme, tr("Add files…"), "plus")
        self.first.clicked.connect(self._ask_files)
        made = QWidget()
        column = QVBoxLayout(made)
        column.setContentsMargins(20, 0, 20, 0)
        column.setSpacing(12)
        column.addStretch(2)
        column.addWidget(sentence)
        column.addWidget(self.first, 0, Qt.AlignmentFlag.AlignCenter)
        column.addStretch(3)
        return made

    def show_rows(self, rows: Sequence[FileRow], folder: Path | None) -> None:
        """Show these files, and where their translations go."""
        self._folder = folder
        here = {row.path for row in rows}
        for path in [path for path in self._cards if path not in here]:
            card = self._cards.pop(path)
            self._list.removeWidget(card)
            card.hide()
            card.deleteLater()
        for row in rows:
            self.show_row(row)
        done = [row.out for row in rows if row.state == "done" and row.out is not None]
        self._last = done[-1] if done else None
        there = bool(rows)
        self._stack.setCurrentIndex(1 if there else 0)
        for control in (self.add, self.clear, self.elsewhere, self.where):
            control.setVisible(there)
        self.beside.setVisible(there and folder is not None)
        self.show_folder.setVisible(there and (folder is not None or self._last is not None))
        self.where.set_text(tr("Into {folder}").format(folder=folder) if folder else tr("Saved beside each file"))

    def show_row(self, row: FileRow) -> None:
        """What is known of one file now."""
        card = self._cards.get(row.path)
        if card is None:
            card = self._cards[row.path] = FileCard(self._services, row.path)
            card.removed.connect(partial(self.removed.emit, row.path))
            self._list.insertWidget(self._list.count() - 1, card)
        card.show_row(row)

    def card(self, path: Path) -> FileCard:
        """The card of a file that is in the list."""
        return self._cards[path]

    def set_working(self, working: bool) -> None:
        """While files are translated, where they go stays."""
        for control in (self.clear, self.elsewhere, self.beside):
            control.setEnabled(not working)

    def _ask_files(self) -> None:
        chosen, _ = QFileDialog.getOpenFileNames(self, tr("Add files"))
        if chosen:
            self.given.emit([Path(name) for name in chosen])

    def _ask_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, tr("Where the translations go"))
        if chosen:
            self.folder_chosen.emit(Path(chosen))

    def _open_folder(self) -> None:
        folder = self._last.parent if self._last is not None else self._folder
        if folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def take_dropped(self, paths: list[Path]) -> None:
        """Take in what was dropped."""
        self.given.emit(paths)
