"""A window in a process of its own that does the work of a page, as a person would ask for it, and says how far it is.

Its order is a JSON object on the command line: `page`, `model`, `files` to drop where the page is empty, `log`, a file
that gets a line for each answer of the engine and each document that was read, `slow`, seconds for each of these
documents, `count`, how many there are, and `again`, whether there was a window before. It prints JSON lines: first what
the page shows, then how much is done; at the end it closes the window.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from edgellm.app import App
from edgellm.documents.document import Document
from edgellm.documents.load import Loader
from edgellm.engine.switch import Switch
from edgellm.runtimes.base import Event, Finish, Reading, Reply, Request
from edgellm.ui import main
from edgellm.ui.classify_page import ClassifyPage
from edgellm.ui.documents_page import DocumentsPage
from edgellm.ui.summarize_page import SummarizePage
from edgellm.ui.task_page import TaskPage
from edgellm.ui.translate_page import TranslatePage
from edgellm.ui.window import Window

LABELS = "good, bad"
_TICK_MS = 20
_STILL = 25  # ticks


def tell(**facts: Any) -> None:
    """Say something to the test."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def drop(widget: QWidget, paths: list[str]) -> None:
    """Let files fall on a widget."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(path) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    widget.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys, QEvent.Type.Drop))


class Hand:
    """The person before a page: gives files, sees what is given, how much is done, and whether all is."""

    def __init__(self, page: Any, count: int) -> None:
        self.page, self.count = page, count

    @property
    def given(self) -> list[str]:
        """The files that the page shows as its source."""
        return [str(path) for path in self.page.box.paths]

    @property
    def ready(self) -> bool:
        """Whether the button may be pressed, where files were given."""
        return bool(self.page.bar.button.isEnabled())

    def give(self, files: list[str]) -> None:
        """Drop the files, and choose what is wanted."""
        drop(self.page.box, files)

    def done(self) -> int:
        """How much is done."""
        raise NotImplementedError

    def result(self) -> Any:
        """What came of it."""
        raise NotImplementedError

    def over(self) -> bool:
        """Whether nothing is left to do."""
        return not self.page.runner.busy

    def press(self) -> None:
        """Begin, or go on."""
        self.page.bar.button.click()


class Summaries(Hand):
    """A summary with points for each section."""

    @property
    def ready(self) -> bool:
        """Its file must be read."""
        return super().ready and not self.page.box.reading

    def give(self, files: list[str]) -> None:
        """Points for each section, short ones."""
        style = self.page.choices.style
        style.setCurrentIndex(style.findData("sections"))
        style.activated.emit(style.currentIndex())
        self.page.choices.length.setCurrentIndex(0)
        super().give(files)

    def done(self) -> int:
        """Sections that were read."""
        return sum(one.read for one in self.page.results)

    def result(self) -> Any:
        """The points."""
        return [point.text for one in self.page.results for point in one.points]


class Translations(Hand):
    """Files that keep their format."""

    @property
    def given(self) -> list[str]:
        """The files of the list."""
        return [str(row.path) for row in self.page.desk.rows]

    def done(self) -> int:
        """Paragraphs."""
        return sum(row.done for row in self.page.desk.rows)

    def result(self) -> Any:
        """Where each file is, and its state."""
        return [[str(row.out), row.state] for row in self.page.desk.rows]


class Labels(Hand):
    """Labels for the rows of a table."""

    @property
    def given(self) -> list[str]:
        """The table."""
        return [str(path) for path in self.page.given.box.paths]

    @property
    def ready(self) -> bool:
        """The rows of an earlier run are shown first."""
        return super().ready and self.page.given.ready

    def give(self, files: list[str]) -> None:
        """Two labels."""
        self.page.labels.line.selectAll()
        QTest.keyClicks(self.page.labels.line, LABELS)
        drop(self.page.given.box, files)

    def done(self) -> int:
        """Rows."""
        return len(self.page.pane.lines)

    def result(self) -> Any:
        """The label of each."""
        return [[line.text, line.label] for line in self.page.pane.lines]


class Index(Hand):
    """Documents that are read by themselves."""

    @property
    def given(self) -> list[str]:
        """What was added."""
        return [str(one.path) for group in self.page.work.shelf.groups for one in group.added]

    @property
    def ready(self) -> bool:
        """Nothing is pressed."""
        return True

    def give(self, files: list[str]) -> None:
        """Drop a folder on the page."""
        drop(self.page, files)

    def press(self) -> None:
        """It goes on by itself."""

    def done(self) -> int:
        """Files that were read."""
        listed = sum(file.read is not None for file in self.page.work.shelf.files())
        return max(listed, int(self.page.work.keeper.now.done))

    def over(self) -> bool:
        """Whether every file was looked at, and nothing is being read."""
        return len(self.result()) >= self.count and not self.page.work.keeper.now.busy

    def result(self) -> Any:
        """The names of what can be found."""
        return sorted(file.path.name for file in self.page.work.shelf.files() if file.read)


HANDS: Mapping[str, tuple[type[TaskPage], type[Hand]]] = {
    "summarize": (SummarizePage, Summaries),
    "translate": (TranslatePage, Translations),
    "classify": (ClassifyPage, Labels),
    "documents": (DocumentsPage, Index),
}


class Person:
    """Looks at the window fifty times a second, and does the next thing."""

    def __init__(self, order: Mapping[str, Any]) -> None:
        self._order = order
        self._hand: Hand | None = None
        self._step: Callable[[Window], None] = self._open
        self._told = -1
        self._still = 0

    def look(self) -> None:
        """Do what comes next, once the window has its model."""
        window = next((one for one in QApplication.topLevelWidgets() if isinstance(one, Window)), None)
        if window is not None and window.status is not None:
            self._step(window)

    def _open(self, window: Window) -> None:
        kind, hand = HANDS[self._order["page"]]
        page = window.open_key(self._order["page"])
        assert isinstance(page, kind)
        self._hand, self._step = hand(page, self._order["count"]), self._see

    def _see(self, _window: Window) -> None:
        """What was kept is read in the background: see it once it has not changed for a while."""
        hand = self._hand
        assert hand is not None
        self._still += 1
        if not hand.page._restored or self._still < (_STILL if self._order["again"] else 1):
            return
        facts = {"given": hand.given, "button": hand.page.bar.button.text(), "before": hand.done()}
        if not hand.given:
            hand.give(self._order["files"])
        elif not hand.ready:
            return
        tell(**facts)
        self._step = self._press

    def _press(self, _window: Window) -> None:
        hand = self._hand
        assert hand is not None
        if hand.given and hand.ready:
            hand.press()
            self._step = self._watch

    def _watch(self, window: Window) -> None:
        hand = self._hand
        assert hand is not None
        if hand.done() != self._told:
            self._told = hand.done()
            tell(done=self._told)
        if hand.over():
            tell(end=hand.result(), done=hand.done(), button=hand.page.bar.button.text())
            window.close()


def note(log: str, slow: float) -> None:
    """Write down each answer of the engine, when it is whole, and each document that was read."""
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    generate, many, read, load = Switch.generate, Switch.generate_many, Switch.read, Loader.load

    def line(words: str) -> None:
        os.write(out, (words + "\n").encode())

    def asked(request: Request) -> str:
        return hashlib.sha256(repr(request.messages).encode()).hexdigest()

    def noted(self: Switch, request: Request, *rest: Any) -> Iterator[Event]:
        for event in generate(self, request, *rest):
            if isinstance(event, Finish) and event.reason != "cancelled":
                line(asked(request))
            yield event

    def several(self: Switch, requests: tuple[Request, ...], *rest: Any) -> Iterator[tuple[int, Event]]:
        for index, event in many(self, requests, *rest):
            if isinstance(event, Finish) and event.reason != "cancelled":
                line(asked(requests[index]))
            yield index, event

    def heard(self: Switch, reading: Reading, *rest: Any) -> Reply:
        reply = read(self, reading, *rest)
        line(hashlib.sha256(repr(reading).encode()).hexdigest())
        return reply

    def loaded(self: Loader, path: Path, *rest: Any, **more: Any) -> Document:
        document = load(self, path, *rest, **more)
        time.sleep(slow)
        line(path.name)
        return document

    Switch.generate, Switch.generate_many, Switch.read = noted, several, heard  # type: ignore[method-assign,assignment]
    Loader.load = loaded  # type: ignore[method-assign]


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    note(told["log"], told.get("slow", 0.0))
    main.application()
    person = Person(told)
    timer = QTimer()
    timer.timeout.connect(person.look)
    timer.start(_TICK_MS)
    sys.exit(main.run(lambda: App.create({"model": told["model"], "language": "en"})))
