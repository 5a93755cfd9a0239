"""The half of the Translate page that is about files: the list, what each becomes, and what came of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from edgellm.ui import translate_file_work, translate_view
from edgellm.ui.language import tr
from edgellm.ui.result_pane import ResultPane
from edgellm.ui.services import Services
from edgellm.ui.translate_file_work import Chosen, Ended, Went
from edgellm.ui.translate_files import FilesPane
from edgellm.ui.translate_rows import FileRow, FileRows
from edgellm.ui.translate_work import Wish


class FilesDesk(QObject):
    """`wish` tells what translations are to be. Sends `changed`, `arrived` when files were given, and `placed`
    when it is known what they become."""

    changed = Signal()
    arrived = Signal()
    placed = Signal()

    def __init__(self, services: Services, wish: Callable[[], Wish], parent: QObject) -> None:
        super().__init__(parent)
        self._services, self._wish = services, wish
        self.rows = FileRows()
        self.folder: Path | None = None
        self.pane = FilesPane(services)
        self.report = ResultPane(services, tr("Result"), tr("What came of each file appears here."))
        self.report.stem = "translation-report"
        self._ticket = 0
        self.placing = False
        self.pane.given.connect(self._take_any)
        self.pane.removed.connect(self._remove)
        self.pane.emptied.connect(self._empty)
        self.pane.folder_chosen.connect(self._put_into)

    def take(self, paths: Sequence[Path]) -> None:
        """Translate these files too."""
        if paths:
            self.rows.add(paths)
            self._place()
            self.show()
            self.arrived.emit()

    def again(self) -> None:
        """Everything is to be translated again, to another language or place."""
        self.rows.again()
        self._place()
        self.show()

    def restore(self, rows: object, folder: str) -> None:
        """Show what was kept."""
        self.folder = Path(folder) if folder else None
        self.rows.restore(rows)
        self._place()
        self.show()

    def went(self, event: Went) -> FileRow | None:
        """A paragraph more."""
        self.rows.went(event)
        row = self.rows.get(event.path)
        if row is not None:
            self.pane.show_row(row)
        return row

    def ended(self, event: Ended) -> None:
        """A file is over."""
        self.rows.ended(event)
        self.show()

    def halt(self) -> None:
        """Nothing works any more. A file that could not be translated may get its usual place now."""
        self.rows.halt()
        self._place()
        self.show()

    def show(self) -> None:
        """Draw the list and what came of it."""
        rows = list(self.rows)
        self.pane.show_rows(rows, self.folder)
        self.report.show_html(*translate_view.report(rows))
        self.changed.emit()

    def _take_any(self, paths: list[Path]) -> None:
        self._services.background.run(
            lambda: translate_file_work.sorted_out(paths),
            lambda found: self.take([*found[0], *found[1]]),
            self._services.notices.complain,
        )

    def _remove(self, path: Path) -> None:
        before = self.rows.state()
        self.rows.remove(path)
        self.show()
        self._offer_undo(tr("{name} was taken out.").format(name=path.name), before)

    def _empty(self) -> None:
        before = self.rows.state()
        self.rows.clear()
        self.show()
        self._offer_undo(tr("The list was cleared."), before)

    def _offer_undo(self, said: str, before: list[dict[str, Any]]) -> None:
        def undo() -> None:
            self.rows.put_back(before)
            self._place()
            self.show()

        self._services.notices.say(said, tr("Undo"), undo)

    def _put_into(self, folder: Path | None) -> None:
        self.folder = folder
        self.again()

    def _place(self) -> None:
        """Find out in the background what the files become; only the newest answer counts."""
        self._ticket += 1
        paths, taken = self.rows.unplaced(), self.rows.places()
        self.placing = bool(paths)
        if not paths:
            return
        ticket, wish, folder = self._ticket, self._wish(), self.folder

        def found(places: tuple[Chosen, ...]) -> None:
            if ticket == self._ticket:
                self.placing = False
                self.rows.place(places)
                self.show()
                self.placed.emit()

        self._services.background.run(
            lambda: translate_file_work.places(paths, wish, folder, taken), found, self._services.notices.complain
        )
