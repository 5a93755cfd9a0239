"""The Documents page: collections and their files on one side, questions and answers with checked quotes on the other.

Reading and listing are left to `DocumentsWork`, the work behind a question to `documents_ask.py`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel

from edgellm.errors import EdgeError
from edgellm.runtimes.base import Chunk
from edgellm.ui import documents_ask
from edgellm.ui.buttons import IconButton
from edgellm.ui.documents_answers import Answers
from edgellm.ui.documents_ask import Asked, Stage
from edgellm.ui.documents_naming import NameField
from edgellm.ui.documents_pane import DocumentsPane
from edgellm.ui.documents_shelf import Shelf
from edgellm.ui.documents_view import Entry, Quote, again, kept
from edgellm.ui.documents_work import DocumentsWork
from edgellm.ui.file_drops import FileDrops
from edgellm.ui.language import tr
from edgellm.ui.passage_window import Place, show_from_file
from edgellm.ui.services import Services
from edgellm.ui.task_page import TaskPage
from edgellm.ui.task_work import Body

_LEAST = 280  # the buttons above the list


class DocumentsPage(FileDrops, TaskPage):
    """Everything about the person's documents."""

    def __init__(self, services: Services) -> None:
        super().__init__(services, "documents", tr("Ask"), "answer")
        self.work = DocumentsWork(services, self)
        self.answers = Answers(services)
        self.documents = DocumentsPane(services, self.work)
        self.collection = QComboBox()
        self.collection.setAccessibleName(tr("Collection"))
        self.new = IconButton(services.theme, "plus", tr("New collection"))
        self.name = NameField()
        self.search_only = QCheckBox(tr("Search only"))
        self.search_only.setToolTip(tr("List the passages with these words; no model answers."))
        self._searching = False
        self._unfinished = ""
        self._wanted = ""  # the collection to choose once it is listed
        self.first = self.answers.question
        cited = self.answers.pane.sources
        self.answers.pane.sources = lambda: (*cited(), *(file.path for file in self.work.shelf.files()))
        self.setAcceptDrops(True)
        self._fill(Shelf())
        head = QHBoxLayout()
        head.setSpacing(10)
        about = QLabel(tr("Ask about"))
        about.setProperty("role", "muted")
        for one in (about, self.collection, self.new, self.name, self.search_only):
            head.addWidget(one)
        head.addStretch(1)
        self.arrange(head, self.documents, self.answers, stretch=(2, 3))
        self.documents.setMinimumWidth(_LEAST)
        self._connect()
        self.bar.set_ready(False)
        self.work.open()

    def _connect(self) -> None:
        self.work.listed.connect(lambda listing: self._fill(listing.shelf))
        self.work.created.connect(self._on_created)
        self.work.renamed.connect(self._on_renamed)
        self.work.told.connect(lambda _: self.touch())
        self.documents.opened.connect(self._show_file)
        self.documents.rename_wanted.connect(self.name.ask_other)
        self.answers.asked.connect(self.run)
        self.answers.changed.connect(self._on_changed)
        self.answers.place.connect(self._show_quote)
        self.collection.activated.connect(self._on_collection)
        self.new.clicked.connect(self.name.ask_new)
        self.name.made.connect(self.work.create)
        self.name.renamed.connect(self.work.rename)
        self.search_only.toggled.connect(self._on_changed)
        self.runner.busy_changed.connect(self._on_busy)

    # What is kept

    def state(self) -> dict[str, Any]:
        """The question, the choices and the earlier questions with their answers."""
        question, entries = self.answers.question.text(), self.answers.entries
        paused = self.work.keeper.now.paused
        if not (question.strip() or entries or self.work.name or self.search_only.isChecked() or paused):
            return {}
        return {
            "paused": paused,
            "question": question,
            "collection": self.work.name,
            "search": self.search_only.isChecked(),
            "entries": [kept(entry) for entry in entries],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Show what was there; a question that was not answered can be gone on with."""
        found = state.get("entries")
        entries = [entry for one in (found if isinstance(found, list) else []) if (entry := again(one)) is not None]
        cut = entries[-1] if entries and entries[-1].state == "asking" else None
        entries = [replace(one, state="stopped") if one.state == "asking" else one for one in entries]
        self.answers.restore([*entries, *self.answers.entries])
        if not self.answers.question.text():
            self.answers.question.setText(str(state.get("question") or ""))
        self.search_only.setChecked(state.get("search") is True)
        self._wanted = str(state.get("collection") or "")
        if state.get("paused") is True:
            self.work.pause(True)
        self._fill(self.work.shelf)
        if cut is not None:
            self.answers.question.setText(cut.question)
        self._note_end()
        self._on_changed()

    # Asking

    def run(self) -> None:
        """Ask, or list passages at once where no model is wanted."""
        if not self.search_only.isChecked():
            super().run()
            return
        asked = None if self.runner.busy or self._searching else self._asked()
        if asked is not None:
            self._searching = True
            self.services.notices.settle()
            self.bar.set_ready(False)
            self.answers.begin(Entry(asked.question, asked.collection, search=True))
            self.services.reading.run(
                partial(documents_ask.search, self.services.app, asked), self._on_found, self._on_not_found
            )

    def body(self) -> Body | None:
        """The question, as work for the engine."""
        asked = None if self._searching else self._asked()
        if asked is None:
            return None
        self.answers.begin(Entry(asked.question, asked.collection))
        self.touch()
        return partial(documents_ask.answer, self.services.app, asked)

    def _asked(self) -> Asked | None:
        question = self.answers.question.text().strip()
        if not question:
            self.answers.question.setFocus()
            return None
        if self.work.shelf.empty:
            self.bar.say(tr("Add files or folders first."))
            return None
        files = self.work.shelf.files(self.work.name)
        if not any(file.read for file in files):
            failed = files and all(file.read is False for file in files)
            words = (
                tr("None of these files can be read.") if failed else tr("Nothing has been read yet; wait a moment.")
            )
            self.bar.say(words)
            return None
        now, notes = self.work.keeper.now, tuple[str, ...]()
        if now.total:
            words = tr("Only {done} of {total} files were read when you asked.")
            notes = (words.format(done=f"{now.done:,}", total=f"{now.total:,}"),)
        self._unfinished = ""
        self.bar.say("")
        return Asked(question, self.work.name, self.work.settle(), notes)

    def on_event(self, event: Any) -> None:
        """The answer grows."""
        if isinstance(event, Stage):
            self.bar.say(event.words)
        elif isinstance(event, Chunk):
            entry = self.answers.entries[-1]
            self.answers.put(replace(entry, text=entry.text + event.text), soon=True)
            self.touch()

    def on_done(self, result: Any) -> None:
        """The answer is there, or what there was when it was stopped."""
        entry = result if isinstance(result, Entry) else replace(self.answers.entries[-1], state="stopped")
        self._finish(entry)
        self.bar.say(tr("Stopped.") if entry.state == "stopped" else "")

    def on_failed(self, error: EdgeError) -> None:
        """What came before the error stays."""
        self._finish(replace(self.answers.entries[-1], state="failed"))
        super().on_failed(error)

    def _on_busy(self, busy: bool) -> None:
        """Work that was stopped before it gave anything ends without a word."""
        last = self.answers.entries[-1] if self.answers.entries else None
        if not busy and last is not None and last.state == "asking" and not last.search:
            self._finish(replace(last, state="stopped"))
        self.bar.set_ready(busy or bool(self.answers.question.text().strip()))

    def _on_found(self, entry: Entry) -> None:
        self._searching = False
        self._finish(entry)
        self.bar.say(tr("{n} passages").format(n=len(entry.quotes)) if entry.quotes else "")

    def _on_not_found(self, error: EdgeError) -> None:
        self._searching = False
        self.on_failed(error)

    def _finish(self, entry: Entry) -> None:
        self.answers.put(entry)
        self._note_end()
        self._on_changed()

    def _note_end(self) -> None:
        """An answer that broke off can be gone on with; where there is none yet, it is asked again."""
        last = self.answers.entries[-1] if self.answers.entries else None
        broke_off = last is not None and last.state in ("stopped", "failed") and last.text
        self._unfinished = last.question if last is not None and broke_off else ""

    def _on_changed(self) -> None:
        question = self.answers.question.text().strip()
        verb = tr("Search") if self.search_only.isChecked() else tr("Ask")
        self.bar.call(tr("Go on") if question and question == self._unfinished else verb)
        self.bar.set_ready(bool(question) and not self._searching)
        self.touch()

    # Collections

    def _fill(self, shelf: Shelf) -> None:
        """List the collections, and keep the chosen one chosen."""
        wanted = self._wanted or self.work.name
        self.collection.clear()
        self.collection.addItem(tr("All documents"), "")
        for name in shelf.names:
            self.collection.addItem(name, name)
        found = self.collection.findData(wanted)
        self.collection.setCurrentIndex(max(found, 0))
        if found > 0:
            self._wanted = ""
        name = str(self.collection.currentData())
        if name != self.work.name:
            self.work.show_collection(name)

    def _on_collection(self) -> None:
        self._wanted = ""
        self.work.show_collection(str(self.collection.currentData()))
        self.touch()

    def _on_created(self, name: str) -> None:
        self.name.done()
        self._wanted = name
        self._fill(self.work.shelf)

    def _on_renamed(self, old: str, name: str) -> None:
        self.name.done()
        if old in (self.work.name, self._wanted):
            self._wanted = name
        self.touch()

    # Places

    def _show_quote(self, quote: Quote) -> None:
        show_from_file(self, self.services, quote.place, quote.start)

    def _show_file(self, path: Path) -> None:
        show_from_file(self, self.services, Place("", 0, 0, path))

    # Files that are dropped anywhere

    def take_dropped(self, paths: list[Path]) -> None:
        """Add what was dropped."""
        self.documents.take(paths)

    def flush(self) -> None:
        """Keep the page and end reading: the window is closing."""
        super().flush()
        self.work.close()
