"""The page of a document with one passage highlighted: where a quote, a point or a sentence comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import QColor, QDesktopServices, QGuiApplication, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QTextEdit, QVBoxLayout, QWidget

from edgellm.ui.elided import ElidedLabel
from edgellm.ui.language import tr
from edgellm.ui.services import Services

if TYPE_CHECKING:
    from edgellm.documents.document import Document

_SIZE = (760, 620)
_AROUND = 60_000  # characters shown before and behind the passage


@dataclass(frozen=True, slots=True)
class Place:
    """A passage: `text[start:end]`, on `page` (0: there are none) below `headings`. No `path`: it was typed."""

    text: str
    start: int
    end: int
    path: Path | None = None
    page: int = 0
    headings: tuple[str, ...] = ()


def where(place: Place) -> str:
    """The place in words, such as `report.pdf, page 3, "Results"`."""
    parts = [place.path.name] if place.path is not None else []
    if place.page:
        parts.append(tr("page {n}").format(n=place.page))
    if place.headings:
        parts.append(f"“{place.headings[-1]}”")
    return ", ".join(parts)


class PassageWindow(QDialog):
    """Shows the text around the passage, which is highlighted and in sight. It does not hold up the main window."""

    def __init__(self, parent: QWidget, services: Services, place: Place) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(where(place) or tr("The passage in its text"))
        self.resize(*_SIZE)
        self._place = place
        first = max(place.start - _AROUND, 0)
        self.view = QPlainTextEdit(place.text[first : place.end + _AROUND], readOnly=True)
        self.view.setAccessibleName(tr("Text of the document"))
        self._mark(services, place.start - first, place.end - first)
        title = ElidedLabel()
        title.set_text(where(place))
        title.setProperty("role", "strong")
        copy = QPushButton(tr("Copy passage"))
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(place.text[place.start : place.end]))
        row = QHBoxLayout()
        if first or place.end + _AROUND < len(place.text):
            cut = QLabel(tr("Only the surroundings of the passage are shown."))
            cut.setProperty("role", "faint")
            row.addWidget(cut)
        row.addStretch(1)
        row.addWidget(copy)
        if place.path is not None:
            opened = QPushButton(tr("Open the file"))
            opened.setToolTip(tr("In the program that this computer uses for such files"))
            opened.clicked.connect(self._open)
            row.addWidget(opened)
        column = QVBoxLayout(self)
        column.addWidget(title)
        column.addWidget(self.view, 1)
        column.addLayout(row)

    @property
    def passage(self) -> str:
        """The highlighted text."""
        return self._cursor.selectedText()

    def _mark(self, services: Services, start: int, end: int) -> None:
        cursor = self._cursor = self.view.textCursor()
        units = self._units
        cursor.setPosition(units(start))
        cursor.setPosition(units(end), QTextCursor.MoveMode.KeepAnchor)
        look = QTextCharFormat()
        look.setBackground(QColor(services.theme.colors.selection))
        selection = QTextEdit.ExtraSelection()
        selection.cursor, selection.format = cursor, look
        self.view.setExtraSelections([selection])
        at = self.view.textCursor()
        at.setPosition(units(start))
        self.view.setTextCursor(at)
        QTimer.singleShot(0, self, self.view.centerCursor)

    def _units(self, characters: int) -> int:
        """Qt counts in UTF-16."""
        return len(self.view.toPlainText()[:characters].encode("utf-16-le")) // 2 if characters else 0

    def _open(self) -> None:
        if self._place.path is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._place.path)))


def show_in(parent: QWidget, services: Services, place: Place) -> PassageWindow:
    """Open the window of a passage."""
    window = PassageWindow(parent.window(), services, place)
    window.show()
    return window


def show_from_file(parent: QWidget, services: Services, place: Place, at: int | None = None) -> None:
    """Read `place.path` in the background and open the passage in it; the text of `place` is what is looked for.

    `at` is where it stood in the whole text when it was found, where `place` holds no more than the passage. A file
    that has changed since may have it elsewhere, or no more: then it is shown alone.
    """
    passage, path = place.text[place.start : place.end], place.path
    if path is None:
        show_in(parent, services, place)
        return

    def job() -> Document:
        from edgellm.documents.load import load

        return load(path)

    def done(document: Document) -> None:
        from edgellm.documents.chunk import whole_text

        text, start = whole_text(document), place.start if at is None else at
        if text[start : start + len(passage)] != passage:
            start = text.find(passage)
        found = Place(text, start, start + len(passage), path, place.page, place.headings)
        show_in(parent, services, found if start >= 0 else place)

    services.reading.run(job, done, services.notices.complain)
