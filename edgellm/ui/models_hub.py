"""What was asked of the hub from the Models page: a search by name, and references that were looked up."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from edgellm.errors import EdgeError
from edgellm.ui import models_reading, models_view
from edgellm.ui.background import Runner
from edgellm.ui.language import tr
from edgellm.ui.models_view import Row
from edgellm.ui.notices import Notices

if TYPE_CHECKING:
    from edgellm.app import App
    from edgellm.models.catalog import ModelCard

_MOST = 30


class HubSearch(QObject):
    """`changed` is sent with every answer. Whether the network may be used is asked before, by the caller."""

    changed = Signal()

    def __init__(self, app: App, runner: Runner, notices: Notices) -> None:
        super().__init__()
        self._app, self._runner, self._notices = app, runner, notices
        self._closed = threading.Event()
        self._text = self._words = ""
        self._found: tuple[Row, ...] = ()
        self._looked_up: dict[str, tuple[ModelCard, Row]] = {}

    def asked(self, text: str) -> Row:
        """The row of a reference that was typed, with what is known of it."""
        return self._looked_up[text][1] if text in self._looked_up else models_view.asked(text)

    def entries(self, text: str) -> tuple[Row | str, ...]:
        """What a search for this very text has found, after a heading; nothing when it was not searched for."""
        if not self._words or text.strip() != self._text:
            return ()
        return (self._words, *(self._looked_up.get(row.reference, (None, row))[1] for row in self._found))

    def words(self, text: str) -> str:
        """How a search for this very text went; nothing when it was not searched for."""
        return self._words if text.strip() == self._text else ""

    def card(self, row: Row) -> ModelCard | None:
        """What the hub said about a row."""
        return self._looked_up[row.reference][0] if row.reference in self._looked_up else None

    def search(self, text: str) -> None:
        """Search by name."""
        text = text.strip()
        self._found, self._words, self._text = (), tr("Searching the hub"), text
        self.changed.emit()

        def show(found: tuple[Row, ...]) -> None:
            if text == self._text:
                words = tr("On the hub · {n}").format(n=len(found)) if found else tr("Nothing on the hub is called so")
                self._found, self._words = found, words
                self.changed.emit()

        def failed(error: EdgeError) -> None:
            self._words = ""
            self._notices.complain(error)
            self.changed.emit()

        self._runner.run(lambda: models_reading.search(self._app, text, _MOST, self._closed.is_set), show, failed)

    def look_up(self, row: Row) -> None:
        """Ask for files, size and license of one."""

        def show(answer: tuple[ModelCard, Row]) -> None:
            self._looked_up[row.reference] = answer
            self.changed.emit()

        def ask() -> tuple[ModelCard, Row]:
            return models_reading.look_up(self._app, row.reference, self._closed.is_set)

        self._runner.run(ask, show, self._notices.complain)

    def close(self) -> None:
        """Give up what is being asked."""
        self._closed.set()
