"""The labels of the Classify page: a line of them, what is wrong with it, and sets to take, keep and delete."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QMenu, QPushButton, QVBoxLayout, QWidget

from edgellm.errors import EdgeError, UsageError
from edgellm.tasks.label_sets import SHIPPED, Label, LabelSet, LabelSets, strict
from edgellm.ui.buttons import IconButton
from edgellm.ui.language import told, tr
from edgellm.ui.services import Services

FIRST = SHIPPED["sentiment"]
_BETWEEN = re.compile(r"[,，、;；\n]")
_SHOWN = 60


def parsed(line: str, meanings: Mapping[str, str]) -> tuple[Label, ...]:
    """The labels of a line. Raises `UsageError` for those that cannot be used."""
    names = [" ".join(part.split()) for part in _BETWEEN.split(line.strip().strip(",，、;；"))]
    return strict([Label(name, meanings.get(name, "")) for name in names])


class LabelsBox(QWidget):
    """`changed` is sent when the labels are others; `labels` is None while they cannot be used."""

    changed = Signal()

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self._store = LabelSets(services.app.paths.labels)
        self._sets: Sequence[LabelSet] = tuple(SHIPPED.values())
        self.meanings: dict[str, str] = {}
        self.labels: tuple[Label, ...] | None = None
        self.line = QLineEdit()
        self.line.setAccessibleName(tr("Labels, with commas between them"))
        self.line.setPlaceholderText(tr("Labels, with commas between them"))
        self.line.textChanged.connect(self._check)
        self.menu = QMenu(self)
        self.menu.aboutToShow.connect(self._fill)
        self.sets = QPushButton(tr("Label sets"))
        self.sets.setProperty("kind", "small")
        self.sets.setStyleSheet("padding-right: 26px")
        self.sets.setMenu(self.menu)
        self.problem = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.problem.setProperty("role", "warning")
        self.problem.hide()
        self.naming = self._naming()
        title = QLabel(tr("Labels"))
        title.setProperty("role", "strong")
        title.setBuddy(self.line)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(title)
        row.addWidget(self.line, 1)
        row.addWidget(self.sets)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(row)
        column.addWidget(self.problem)
        column.addWidget(self.naming)
        self.take(FIRST)
        self._read()

    def _naming(self) -> QWidget:
        """The row in which a set gets its name."""
        self.name = QLineEdit()
        self.name.setAccessibleName(tr("Name of the set"))
        self.name.setPlaceholderText(tr("Name of the set"))
        self.name.setMaxLength(60)
        keep = QPushButton(tr("Save"))
        close = IconButton(self._services.theme, "close", tr("Do not save"), size=14)
        keep.clicked.connect(self.keep)
        self.name.returnPressed.connect(self.keep)
        naming = QWidget()
        row = QHBoxLayout(naming)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.name, 1)
        row.addWidget(keep)
        row.addWidget(close)
        close.clicked.connect(naming.hide)
        naming.hide()
        return naming

    @property
    def untouched(self) -> bool:
        """Whether the labels are those that every new page has."""
        return self.labels == FIRST.labels

    def put(self, line: str, meanings: Mapping[str, str]) -> None:
        """Show these labels; `meanings` tells the model what belongs under them."""
        self.meanings = dict(meanings)
        self.line.setText(line)
        self._check()

    def take(self, chosen: LabelSet) -> None:
        """Use a set."""
        meanings = {label.name: label.description for label in chosen.labels}
        self.put(", ".join(label.name for label in chosen.labels), meanings)

    def take_first(self) -> None:
        """The labels that every new page has."""
        self.take(FIRST)

    def ask_name(self) -> None:
        """Let the person name the set."""
        if self.labels is not None:
            self.naming.show()
            self.name.setFocus()

    def keep(self) -> None:
        """Save the labels under the name; a set of that name is replaced, with an undo."""
        name, labels = self.name.text().strip(), self.labels
        if labels is None:
            return
        own = {one.name: one for one in self._sets if one.own}
        before = own.get(name)

        def done(_: object) -> None:
            self.naming.hide()
            self.name.clear()
            said = tr("The set {name} is saved.").format(name=name)
            undo = (lambda: self._put_back(before)) if before else (lambda: self._forget(name))
            self._services.notices.say(said, tr("Undo"), undo)

        self._change(lambda: self._store.save(name, labels, replace=True), done)

    def delete(self, chosen: LabelSet) -> None:
        """Delete a set of the person's own, with an undo."""

        def done(_: object) -> None:
            said = tr("The set {name} is deleted.").format(name=chosen.name)
            self._services.notices.say(said, tr("Undo"), lambda: self._put_back(chosen))

        self._change(lambda: self._store.remove(chosen.name), done)

    def _put_back(self, chosen: LabelSet) -> None:
        self._change(lambda: self._store.save(chosen.name, chosen.labels, replace=True))

    def _forget(self, name: str) -> None:
        self._change(lambda: self._store.remove(name))

    def _change(self, job: Callable[[], object], done: Callable[[object], None] = lambda _: None) -> None:
        def after(value: object) -> None:
            done(value)
            self._read()

        self._services.background.run(job, after, self._services.notices.complain)

    def _read(self) -> None:
        self._services.background.run(self._store.all, self._on_read, self._on_unread)

    def _on_read(self, sets: Sequence[LabelSet]) -> None:
        self._sets = sets

    def _on_unread(self, error: EdgeError) -> None:
        self._services.notices.complain(error)

    def _check(self) -> None:
        line, problem = self.line.text(), ""
        self.labels = None
        if line.strip():
            try:
                self.labels = parsed(line, self.meanings)
            except UsageError as error:
                problem = told(error.message)
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.changed.emit()

    def _fill(self) -> None:
        menu = self.menu
        menu.clear()
        for each in self._sets:
            names = ", ".join(label.name for label in each.labels)
            shown = names if len(names) <= _SHOWN else names[:_SHOWN] + "…"
            action = menu.addAction(f"{each.name}: {shown}".replace("&", "&&"))
            action.triggered.connect(lambda _=False, each=each: self.take(each))
        menu.addSeparator()
        save = menu.addAction(tr("Save these labels as a set…"))
        save.setEnabled(self.labels is not None)
        save.triggered.connect(self.ask_name)
        own = [each for each in self._sets if each.own]
        if own:
            deleting = menu.addMenu(tr("Delete a set"))
            for each in own:
                action = deleting.addAction(each.name.replace("&", "&&"))
                action.triggered.connect(lambda _=False, each=each: self.delete(each))
