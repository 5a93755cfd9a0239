"""What came of a task: text with links into its source, to read, copy and save. An empty one says what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QGuiApplication, QTextCursor, QTextOption
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QLabel, QStackedWidget, QTextBrowser, QVBoxLayout

from edgellm import files
from edgellm.errors import EdgeError, StorageError
from edgellm.ui import links
from edgellm.ui.buttons import IconButton
from edgellm.ui.language import tr
from edgellm.ui.saving import spare
from edgellm.ui.services import Services
from edgellm.ui.text_style import style

PLACE = "place"


class ResultView(QTextBrowser):
    """Shows HTML and scrolls. A link `place:N` sends `place`; any other is shown to the person, never followed."""

    place = Signal(int)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setDocument(links.SafeDocument(self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextBrowserInteraction | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        option = QTextOption()
        option.setTextDirection(Qt.LayoutDirection.LayoutDirectionAuto)
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.document().setDefaultTextOption(option)
        self.document().setDocumentMargin(4)
        self.document().setIndentWidth(22)
        self.anchorClicked.connect(self._on_link)

    def _on_link(self, url: QUrl) -> None:
        if url.scheme() == PLACE and url.path().isdecimal():
            self.place.emit(int(url.path()))
        else:
            links.ask(self.window(), url)


class ResultPane(QFrame):
    """`title` stands above the text; `empty` is the sentence that an empty pane says.

    `place` is sent with the number of a place in the source that the person wants to see. `saves` gives what the
    result can be saved as: a file's suffix to what the dialog calls it, and what makes the text of such a file.
    `sources` gives the files that a saved result never takes the place of.
    """

    place = Signal(int)

    def __init__(self, services: Services, title: str, empty: str) -> None:
        super().__init__()
        self.setObjectName("pane")
        self._services = services
        self._html = self._plain = ""
        self.saves: Mapping[str, tuple[str, Callable[[], str]]] = {".txt": (tr("Text"), lambda: self._plain)}
        self.sources: Callable[[], Iterable[Path]] = lambda: ()
        self.stem = "result"
        self.title = QLabel(title)
        self.title.setProperty("role", "strong")
        self.copy = IconButton(services.theme, "copy", tr("Copy the result"))
        self.save = IconButton(services.theme, "export", tr("Save the result"))
        self.view = ResultView(title)
        self._empty = QLabel(empty, wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setProperty("role", "muted")
        self._empty.setContentsMargins(28, 0, 28, 0)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self.view)
        head = QHBoxLayout()
        head.addWidget(self.title)
        head.addStretch(1)
        head.addWidget(self.copy)
        head.addWidget(self.save)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 8, 8, 8)
        column.addLayout(head)
        column.addWidget(self._stack, 1)
        self.copy.clicked.connect(self._copy)
        self.save.clicked.connect(self.ask_save)
        self.view.place.connect(self.place)
        services.theme.changed.connect(self._draw)
        self.show_html("", "")

    @property
    def plain(self) -> str:
        """The result as text."""
        return self._plain

    def show_html(self, html: str, plain: str) -> None:
        """Replace the result; the place that is being read stays, and the end stays in sight where it was."""
        self._html, self._plain = html, plain
        self._draw()

    def say_empty(self, words: str) -> None:
        """Another sentence for the empty pane."""
        self._empty.setText(words)

    def _draw(self) -> None:
        bar = self.view.verticalScrollBar()
        at, end = bar.value(), bar.value() >= bar.maximum() - 4
        document = self.view.document()
        document.setDefaultFont(self.view.font())
        document.setDefaultStyleSheet(style(self._services.theme.colors, self.view.font().pointSizeF()))
        document.setHtml(self._html)
        self.view.setTextCursor(QTextCursor(document))  # Qt would leave it at the end, and scroll there
        there = bool(self._plain.strip())
        self._stack.setCurrentIndex(1 if there else 0)
        bar.setValue(bar.maximum() if end and at > 0 else at)
        self.copy.setEnabled(there)
        self.save.setEnabled(there)

    def select_all(self) -> None:
        """Select the whole text."""
        cursor = self.view.textCursor()
        cursor.select(QTextCursor.SelectionType.Document)
        self.view.setTextCursor(cursor)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._plain)  # a QMimeData of ours would outlive Python, and crash
        self._services.notices.say(tr("Copied."))

    def ask_save(self) -> None:
        """Ask where, and save there; the ending of the name decides what is written."""
        kinds = {f"{words} (*{suffix})": suffix for suffix, (words, _) in self.saves.items()}
        first = next(iter(self.saves))
        chosen, kind = QFileDialog.getSaveFileName(self, tr("Save the result"), f"{self.stem}{first}", ";;".join(kinds))
        if chosen:
            target = Path(chosen)
            if target.suffix not in self.saves:
                target = target.with_name(target.name + kinds.get(kind, first))
            self.save_as(target)

    def save_as(self, target: Path) -> None:
        """Write the result into a file whose suffix is one of `saves`, in the background."""
        text, sources = self.saves[target.suffix][1](), tuple(self.sources())
        notices = self._services.notices

        def job() -> str:
            try:
                spare(target, sources)
                files.write(target, text)
            except OSError as error:
                raise StorageError(f"It could not be saved: {error.strerror}.", "Choose another folder.") from error
            return target.name

        def failed(error: EdgeError) -> None:
            notices.complain(error, tr("Save elsewhere"), self.ask_save)

        said = tr("Saved as {name}.")
        self._services.background.run(job, lambda name: notices.say(said.format(name=name)), failed)
