"""What the Documents page does with the library: lists it, adds and removes, and tells how far reading is.

Everything is done in the background; the widgets only show what is here. Reading itself is left to `Keeper`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from edgellm.errors import EdgeError
from edgellm.ui import documents_shelf
from edgellm.ui.documents_keeper import Keeper, Now
from edgellm.ui.documents_list import Row, rows, totals
from edgellm.ui.documents_shelf import DEFAULT, Removal, Shelf
from edgellm.ui.language import tr
from edgellm.ui.services import Services

_LOOK_MS = 200
_LIST_SECONDS = 1.0  # while files are read, the list is made again no more often, and in a tenth of the time at most
_SHARE = 10
_UNDO_MS = 9_500  # a little longer than the notice with the undo stays


@dataclass(frozen=True, slots=True)
class Listing:
    """The shelf, and of the collection that is shown, or of all: the rows, and the totals in a line."""

    shelf: Shelf = field(default_factory=Shelf)
    rows: tuple[Row, ...] = ()
    totals: str = ""


class DocumentsWork(QObject):
    """`listed` is sent with a `Listing`, `told` with `Now` when it has changed, `created` with a collection's name,
    `renamed` with the old name and the new one.

    `name` is the collection that is shown; empty: all. What is removed is hidden at once, and forgotten when the undo
    is no longer offered, or a question is asked.
    """

    listed = Signal(object)
    told = Signal(object)
    created = Signal(str)
    renamed = Signal(str, str)

    def __init__(self, services: Services, parent: QObject) -> None:
        super().__init__(parent)
        self.name = ""
        self.shelf = Shelf()
        self.keeper = Keeper(services.app)
        self._services = services
        self._removals: list[Removal] = []
        self._seen = Now()
        self._listing = False
        self._again = False
        self._stale = False
        self._listed_at = self._took = 0.0
        self._watch = QTimer(self, interval=_LOOK_MS)
        self._watch.timeout.connect(self._look)
        self._forget = QTimer(self, singleShot=True, interval=_UNDO_MS)
        self._forget.timeout.connect(self._take_out)
        services.models.changed.connect(self._on_models)

    def open(self) -> None:
        """List what there is, and begin to watch where there is something."""
        self._list()
        self._watch.start()

    def add(self, paths: Sequence[Path], name: str = "") -> None:
        """Let files and folders belong to a collection."""
        app, wanted = self._services.app, name or DEFAULT

        def job() -> str:
            library = app.library()
            made = library.create(wanted).name
            for path in paths:
                library.add_source(made, path)
            return made

        self._removals = [one for one in self._removals if one.path is not None or one.name != wanted]
        self._removals = [one for one in self._removals if one.name != wanted or one.path not in paths]
        self._services.background.run(job, lambda _: self._added(), self._complain)

    def show_collection(self, name: str) -> None:
        """List this collection; all without a name."""
        self.name = name
        self._list()

    def create(self, name: str) -> None:
        """Make an empty collection."""
        app = self._services.app

        def done(made: str) -> None:
            self._list()
            self.created.emit(made)

        self._services.background.run(lambda: app.library().create(name).name, done, self._services.notices.complain)

    def rename(self, old: str, new: str) -> None:
        """Give a collection another name; what is in it stays, with an undo."""
        app, removals = self._services.app, self.settle()

        def job() -> str:
            library = app.library()
            documents_shelf.take_out(library, removals)
            return library.rename(old, new).name

        def done(name: str) -> None:
            self.renamed.emit(old, name)
            self._list()
            words = tr("{old} is called {name} now.").format(old=old, name=name)
            self._services.notices.say(words, tr("Undo"), lambda: self.rename(name, old))

        self._services.background.run(job, done, self._complain)

    def remove(self, removal: Removal, title: str) -> None:
        """Take something out, with an undo."""
        self._take_out()
        self._removals.append(removal)
        self._forget.start()
        paths = [one.path for group in self.shelf.groups if group.name == removal.name for one in group.added]
        self._list()
        words = tr("{name} is out of the list; the files themselves stay.").format(name=title)
        self._services.notices.say(words, tr("Undo"), lambda: self._undo(removal, paths))

    def settle(self) -> tuple[Removal, ...]:
        """What was removed and is still to be forgotten, for who does it now."""
        self._forget.stop()
        removals, self._removals = tuple(self._removals), []
        return removals

    def update(self) -> None:
        """Look for changes now, and try again what could not be read."""
        self._begin()
        self.keeper.retry()

    def pause(self, on: bool) -> None:
        """Hold reading, or go on."""
        self.keeper.pause(on)
        self._look()

    def close(self) -> None:
        """End the threads; what was removed is forgotten."""
        self._watch.stop()
        self._take_out()
        self.keeper.close()

    def _begin(self) -> None:
        keeper = self.keeper
        self._services.background.run(keeper.start, lambda _: keeper.look(), self._services.notices.complain)

    def _added(self) -> None:
        self._list()
        self._begin()

    def _complain(self, error: EdgeError) -> None:
        self._services.notices.complain(error)
        self._list()

    def _undo(self, removal: Removal, paths: Sequence[Path]) -> None:
        """Show it again; what was forgotten meanwhile is added again."""
        if removal in self._removals:
            self._removals.remove(removal)
        else:
            self.add(paths if removal.path is None else [removal.path], removal.name)
        self._list()

    def _take_out(self) -> None:
        removals = self.settle()
        if removals:
            app = self._services.app
            self._services.background.run(
                lambda: documents_shelf.take_out(app.library(), removals),
                lambda _: self._list(),
                self._services.notices.complain,
            )

    def _on_models(self) -> None:
        if self.keeper.started:
            self.keeper.embed()

    def _look(self) -> None:
        now = self.keeper.now
        if now != self._seen:
            self._stale = self._stale or now.change != self._seen.change
            self._seen = now
            self.told.emit(now)
        if self._stale and time.monotonic() - self._listed_at >= max(_LIST_SECONDS, self._took * _SHARE):
            self._list()

    def _list(self) -> None:
        """Make the list again; once more at once, where it is being made."""
        self._again = self._listing
        if self._listing:
            return
        self._listing, self._stale = True, False
        app, hidden, name = self._services.app, frozenset(self._removals), self.name

        def job() -> tuple[Listing, float]:
            began = time.monotonic()
            shelf = documents_shelf.read(app.library(), hidden)
            return Listing(shelf, rows(shelf, name), totals(shelf.files(name))), time.monotonic() - began

        self._services.background.run(job, self._on_listed, self._on_unlisted)

    def _on_listed(self, found: tuple[Listing, float]) -> None:
        listing, self._took = found
        self._listing, self._listed_at = False, time.monotonic()
        self.shelf = listing.shelf
        self.listed.emit(listing)
        if not self.shelf.empty and not self.keeper.started:
            self._begin()
        if self._again:
            self._list()

    def _on_unlisted(self, error: EdgeError) -> None:
        self._listing = False
        self._services.notices.complain(error)
