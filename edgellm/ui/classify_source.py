"""What the Classify page works on: a text, a table with the column that counts, or files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QSplitter

from edgellm.errors import EdgeError
from edgellm.ui import classify_table
from edgellm.ui.buttons import IconButton
from edgellm.ui.classify_columns import ColumnChoice
from edgellm.ui.classify_table import Form
from edgellm.ui.language import tr
from edgellm.ui.services import Services
from edgellm.ui.source_box import SourceBox, Takes

_GAP = 10
_REST = 10_000  # the table takes what the name of its file leaves
Kind = Literal["text", "table", "files"]


class Given(QSplitter):
    """`changed` is sent when the source, or what is known of it, is another one."""

    changed = Signal()

    def __init__(self, services: Services) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self._services = services
        self.form: Form | None = None
        self.named: bool | None = None
        self._told: frozenset[Path] = frozenset()  # tables among other files
        self._column: int | None = None
        self.box = SourceBox(
            services,
            tr("Source"),
            tr("Write or paste a text, or drop a CSV file, documents, or a folder here."),
            Takes(many=True, reads=False),
        )
        self.folder = IconButton(services.theme, "folder", tr("Open a folder…"))
        self.box.add_button(self.folder)
        self.columns = ColumnChoice()
        self.setChildrenCollapsible(False)
        self.setHandleWidth(_GAP)
        self.setObjectName("stacked")
        self.addWidget(self.box)
        self.addWidget(self.columns)
        for part in (self.box, self.columns):
            part.setMinimumWidth(1)  # this splitter's own least width counts
        self.columns.hide()
        self.box.changed.connect(self._on_source)
        self.columns.changed.connect(self._on_column)
        self.columns.renamed.connect(self._on_named)
        self.folder.clicked.connect(self._ask_folder)

    @property
    def kind(self) -> Kind:
        """What it is; one document counts as a text."""
        paths = self.box.paths
        if len(paths) == 1 and paths[0].suffix.lower() in classify_table.SUFFIXES:
            return "table"
        return "files" if len(paths) > 1 else "text"

    @property
    def empty(self) -> bool:
        """Whether nothing was given."""
        return self.box.source.empty

    @property
    def ready(self) -> bool:
        """Whether there is something to work on; a table must have been looked at."""
        return not self.empty and (self.kind != "table" or self.form is not None)

    @property
    def column(self) -> int:
        """The index of the column with the texts; 0 where there is no table."""
        if self.kind != "table":
            return 0
        return self.columns.column if self._column is None else self._column

    def state(self) -> dict[str, Any]:
        """What is to be kept."""
        paths = [str(path) for path in self.box.paths]
        text = "" if paths else self.box.source.text
        return {"text": text, "paths": paths, "column": self.column, "named": self.named}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Show what was kept; every value may be missing or of another kind."""
        paths, named = state.get("paths"), state.get("named")
        given = [Path(name) for name in paths if isinstance(name, str)] if isinstance(paths, list) else []
        if not given:
            self.put(str(state.get("text", "")))
            return
        self._told = frozenset(given)
        self.box.take(given)
        if self.kind == "table":
            self._column = whole(state.get("column"))
            if isinstance(named, bool):
                self._on_named(named)

    def put(self, text: str) -> None:
        """Give this text."""
        self.box.put(text)
        self._on_source()

    def take_folder(self, folder: Path) -> None:
        """Take all documents below a folder."""
        self.box.looking.look([folder], self._replace)

    def _replace(self, paths: Sequence[Path]) -> None:
        """Take these files alone; those before are replaced, not cleared."""
        self.box.blockSignals(True)
        self.box.put("")
        self.box.blockSignals(False)
        self.box.take(paths)

    def _ask_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, tr("Folder with documents"))
        if chosen:
            self.take_folder(Path(chosen))

    def _on_source(self) -> None:
        self.named = self._column = self.form = None
        self.columns.hide()
        if self.kind == "table":
            self._look()
        self._tell_of_tables()
        self.changed.emit()

    def _tell_of_tables(self) -> None:
        """Tables among other files are read as texts: say so, and offer the first one alone."""
        tables = [path for path in self.box.paths if path.suffix.lower() in classify_table.SUFFIXES]
        tables = tables if self.kind == "files" else []
        said = tr("A table is classified row by row when it is given alone.")
        for path in tables:
            self.box.say(path, tr("as one text"), said)
        new = [path for path in tables if path not in self._told]
        self._told = frozenset(tables)
        if new:
            words = tr("Only {name}").format(name=new[0].name)
            self._services.notices.say(said, words, partial(self._replace, new[:1]), stays=True)

    def _look(self) -> None:
        """Find the form of the table, in the background."""
        path, named = self.box.paths[0], self.named
        self.box.say(path, tr("Reading"))
        self._services.reading.run(
            lambda: classify_table.look(path, named)[1],
            partial(self._on_form, path, named),
            partial(self._on_no_form, path, named),
        )

    def _on_form(self, path: Path, named: bool | None, form: Form) -> None:
        if self.box.paths != (path,) or named != self.named:
            return
        wanted = self._column if self._column is not None and self._column < len(form.header) else form.column
        self.form, self._column = form, wanted
        self.columns.show_form(form, wanted)
        self.columns.show()
        self.setSizes([1, _REST])
        self.box.say(path, tr("{n} rows").format(n=f"{form.total:,}"))
        self.changed.emit()

    def _on_no_form(self, path: Path, named: bool | None, error: EdgeError) -> None:
        if self.box.paths != (path,) or named != self.named:
            return
        self.box.say(path, tr("cannot be read"), f"{error.message}\n{error.hint}", bad=True)
        self._services.notices.complain(error)

    def _on_column(self) -> None:
        self._column = self.columns.column
        self.changed.emit()

    def _on_named(self, named: bool) -> None:
        self.named, self.form = named, None
        self._look()
        self.changed.emit()


def whole(value: Any) -> int:
    """A number out of a file; 0 for anything else."""
    return value if isinstance(value, int) and value >= 0 else 0
