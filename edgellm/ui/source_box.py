"""Where a task's source is given: type or paste a text, or drop files, which are read in the background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, Signal
from PySide6.QtGui import QDragEnterEvent
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from edgellm.errors import EdgeError
from edgellm.ui.buttons import IconButton
from edgellm.ui.file_drops import FileDrops
from edgellm.ui.file_shelf import FileChip, FileShelf
from edgellm.ui.icons import icon
from edgellm.ui.language import told, tr
from edgellm.ui.services import Services
from edgellm.ui.source_files import Looking

if TYPE_CHECKING:
    from edgellm.documents.document import Document

_CHIPS = 100  # files that are listed by name
_SHOWN = 200_000  # characters of a document that the box itself shows


@dataclass(frozen=True, slots=True)
class Source:
    """What was given: `text` is what was typed, or the whole text of the only document; `paths` are the files.

    `documents` are those that were read, in the order of `paths`; a page that asks for no reading gets none.
    """

    text: str = ""
    paths: tuple[Path, ...] = ()
    documents: tuple[Document, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing was given."""
        return not self.paths and not self.text.strip()


@dataclass(frozen=True, slots=True)
class Takes:
    """What a page's source may be: several files, and whether they are read to documents here."""

    many: bool = False
    reads: bool = True


class TextInput(QPlainTextEdit):
    """Plain text; files that are dropped on it are left to the box around it."""

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Text only."""
        return not source.hasUrls() and super().canInsertFromMimeData(source)

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Paste as plain text."""
        if source.hasText():
            self.insertPlainText(source.text())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files go to the box."""
        if event.mimeData().hasUrls():
            event.ignore()
        else:
            super().dragEnterEvent(event)


class SourceBox(FileDrops, QFrame):
    """`changed` is sent when text or files change, `read` when the last file was read, well or not."""

    changed = Signal()
    read = Signal()

    def __init__(self, services: Services, title: str, hint: str, takes: Takes = Takes()) -> None:
        super().__init__()
        self.setObjectName("pane")
        self.setAcceptDrops(True)
        self._services, self._takes, self._title, self._hint = services, takes, title, hint
        self._paths: list[Path] = []
        self._documents: dict[Path, Document | None] = {}  # None: it cannot be read
        self._chips: dict[Path, FileChip] = {}
        self.text = TextInput()
        self.text.setFrameShape(QFrame.Shape.NoFrame)
        self.text.setAccessibleName(title)
        self.text.setPlaceholderText(hint)
        self.text.setTabChangesFocus(True)
        self.text.textChanged.connect(self._on_typed)
        self.open = QPushButton(tr("Open files…") if takes.many else tr("Open a file…"))
        self.open.setProperty("kind", "small")
        self.open.clicked.connect(self._ask)
        self.clear_button = IconButton(services.theme, "trash", tr("Clear"))
        self.clear_button.clicked.connect(self.clear)
        self._files = QVBoxLayout()
        self._files.setContentsMargins(0, 0, 0, 0)
        self._files.setSpacing(4)
        self._more = QLabel()
        self._more.setProperty("role", "faint")
        self._list = FileShelf(self._files, self._more, tr("Files"))
        self.looking = Looking(services)
        self._arrange(title)
        services.theme.changed.connect(self._paint_icon)
        self._paint_icon()

    def _arrange(self, title: str) -> None:
        label = QLabel(title)
        label.setProperty("role", "strong")
        head = self._head = QHBoxLayout()
        head.addWidget(label)
        head.addStretch(1)
        head.addWidget(self.open)
        head.addWidget(self.clear_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 8, 8, 8)
        column.addLayout(head)
        column.addWidget(self.looking)
        column.addWidget(self._list)
        column.addWidget(self.text, 1)
        column.addStretch()

    def add_button(self, button: QWidget) -> None:
        """Put a page's own way to give something beside the one for files."""
        self._head.insertWidget(self._head.count() - 1, button)
        QWidget.setTabOrder(self.open, button)
        QWidget.setTabOrder(button, self.clear_button)

    @property
    def source(self) -> Source:
        """What is given now; files that are still being read, or cannot be, have no document."""
        documents = tuple(found for path in self._paths if (found := self._documents.get(path)) is not None)
        if not self._paths:
            return Source(self.text.toPlainText())
        return Source(_text_of(documents[0]) if len(self._paths) == len(documents) == 1 else "", self.paths, documents)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that were given."""
        return tuple(self._paths)

    @property
    def reading(self) -> bool:
        """Whether files are being read."""
        return self._takes.reads and any(path not in self._documents for path in self._paths)

    def put(self, text: str) -> None:
        """Show this text, in place of whatever is there."""
        self.looking.stop()
        focused = QApplication.focusWidget()
        there = focused is not None and (focused is self._list or self._list.isAncestorOf(focused))
        self._drop_files()
        self.text.setVisible(True)  # several files had taken its room
        if there:
            self.text.setFocus()
        self.text.setReadOnly(False)
        self.text.setPlaceholderText(self._hint)
        self.text.setPlainText(text)

    def take(self, paths: Sequence[Path]) -> None:
        """Take these files as the source, beside those that are there where several are possible."""
        known = self._paths if self._takes.many else []
        wanted = dict.fromkeys((*known, *paths) if self._takes.many else tuple(paths)[:1])
        for path in [path for path in self._paths if path not in wanted]:
            self._remove(path)
        there = set(self._paths)
        for path in wanted:
            if path not in there:
                self._add(path)
        self._show_text()
        self.changed.emit()

    def clear(self) -> None:
        """Nothing is given any more."""
        self.put("")
        self.changed.emit()

    def say(self, path: Path, words: str, tooltip: str = "", bad: bool = False) -> None:
        """Say something beside a file, for a page that reads its files itself."""
        if path in self._chips:
            self._chips[path].say(words, told(tooltip), bad)

    def _add(self, path: Path) -> None:
        self._paths.append(path)
        if len(self._chips) < _CHIPS:
            chip = FileChip(self._services, path)
            chip.removed.connect(partial(self._take_out, path))
            self._chips[path] = chip
            self._files.addWidget(chip)
            QWidget.setTabOrder(self._last_stop(), chip.take_out)
        if not self._takes.reads:
            self.say(path, "")
            return

        def job() -> Document:
            from edgellm.documents.load import load

            return load(path)

        self._services.reading.run(job, partial(self._on_read, path), partial(self._on_unread, path))

    def _on_read(self, path: Path, document: Document) -> None:
        if path not in self._paths:
            return
        self._documents[path] = document
        size = sum(len(block.text) for page in document.pages for block in page.blocks)
        pages = document.pages[-1].number if document.pages else 0
        words = tr("{n} characters").format(n=f"{size:,}")
        if pages > 1:
            words = tr("{n} pages").format(n=f"{pages:,}") + " · " + words
        notes = "\n".join(document.notes)
        self.say(path, f"{words} · {tr('see notes')}" if notes else words, notes)
        self._after_reading()

    def _on_unread(self, path: Path, error: EdgeError) -> None:
        if path not in self._paths:
            return
        self._documents[path] = None
        self.say(path, tr("cannot be read"), f"{error.message}\n{error.hint}", bad=True)
        self._services.notices.complain(error)
        self._after_reading()

    def _after_reading(self) -> None:
        self._show_text()
        self.changed.emit()
        if not self.reading:
            self.read.emit()

    def _take_out(self, path: Path) -> None:
        self._remove(path)
        self._show_text()
        self.changed.emit()

    def _last_stop(self) -> QWidget:
        """What the Tab key comes to before a file that is put below the others."""
        chips = list(self._chips.values())
        return chips[-2].take_out if len(chips) > 1 else self._list

    def _remove(self, path: Path) -> None:
        self._paths.remove(path)
        self._documents.pop(path, None)
        chip = self._chips.pop(path, None)
        if chip is not None:
            self._files.removeWidget(chip)
            chip.hide()
            chip.deleteLater()

    def _drop_files(self) -> None:
        for path in reversed(self._paths[:]):
            self._remove(path)
        self._show_files()

    def _show_text(self) -> None:
        """The text of the only file, to read; several files leave the box empty."""
        self._show_files()
        self.text.setReadOnly(bool(self._paths))
        self.text.setPlaceholderText("" if self._paths else self._hint)
        wanted = len(self._paths) < 2 and not (self._paths and not self._takes.reads)
        if not wanted and self.text.hasFocus():
            self._list.setFocus()  # Qt would give it to the next button
        self.text.setVisible(wanted)
        shown = self.source.text[:_SHOWN] if self._paths else ""
        self.text.blockSignals(True)
        if self._paths or self.text.isReadOnly():
            self.text.setPlainText(shown)
        elif not self._paths and self.text.property("file"):
            self.text.setPlainText("")
        self.text.setProperty("file", bool(self._paths))
        self.text.blockSignals(False)

    def _show_files(self) -> None:
        """As many files as can be looked through, and how many more there are."""
        hidden = len(self._paths) - len(self._chips)
        self._more.setText(tr("and {n} more").format(n=f"{hidden:,}") if hidden else "")
        self._more.setVisible(bool(hidden))
        self._list.setVisible(bool(self._paths))
        self._list.updateGeometry()

    def _on_typed(self) -> None:
        if not self._paths:
            self.changed.emit()

    def _ask(self) -> None:
        if self._takes.many:
            chosen, _ = QFileDialog.getOpenFileNames(self, self._title)
        else:
            one, _ = QFileDialog.getOpenFileName(self, self._title)
            chosen = [one] if one else []
        if chosen:
            self.take([Path(name) for name in chosen])

    def take_dropped(self, paths: list[Path]) -> None:
        """Take in what was dropped, and the documents of folders where several files are possible."""
        if not (self._takes.many and any(path.is_dir() for path in paths)):
            found = [path for path in paths if path.is_file()]
            if found:
                self.take(found)
            return
        self.looking.look(paths, self.take)

    def _paint_icon(self) -> None:
        self.open.setIcon(icon("folder", self._services.theme.colors.muted, size=16))


def _text_of(document: Document) -> str:
    from edgellm.documents.chunk import whole_text

    return whole_text(document)
