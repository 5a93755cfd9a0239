"""The Translate page: a text as it is typed, or files that keep their format; each is a desk of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget

from edgellm.errors import EdgeError, StorageError, UsageError
from edgellm.runtimes.base import Chunk
from edgellm.ui import translate_view
from edgellm.ui.language import tr
from edgellm.ui.services import Services
from edgellm.ui.task_page import TaskPage
from edgellm.ui.task_work import Body
from edgellm.ui.translate_choices import FILES, TEXT, Choices
from edgellm.ui.translate_desk import FilesDesk
from edgellm.ui.translate_file_work import Ended, Went, files_body
from edgellm.ui.translate_files import FilesPane
from edgellm.ui.translate_hint import TranslatorHint
from edgellm.ui.translate_kept import kept
from edgellm.ui.translate_models import Standing, Translators
from edgellm.ui.translate_text import TextSource
from edgellm.ui.translate_texts import TextDesk
from edgellm.ui.translate_work import Asked, Languages, Translated


class TranslatePage(TaskPage):
    """Text on the left, its translation on the right; or files on the left, what came of them on the right."""

    def __init__(self, services: Services) -> None:
        super().__init__(services, "translate", tr("Translate"))
        self.translators = Translators(services.app)
        self.who = TranslatorHint(services, self.translators)
        self.hint = self.who
        self.choices = Choices(services)
        self.texts = TextDesk(services, self)
        self.box, self.pane = self.texts.box, self.texts.pane
        self.first = self.box.text
        self.desk = FilesDesk(services, lambda: self.choices.wish, self)
        self._doing = ""  # what runs, or ran last: text or files
        self._quiet = self._live = self._again = False
        self._begin_when_placed = False
        self._table: Mapping[type, Callable[[Any], None]] = {
            Chunk: self.texts.on_chunk,
            Languages: self._on_languages,
            Standing: self.who.say_standing,
            Went: self._on_went,
            Ended: self._on_file_ended,
        }
        self._left, self._right = QStackedWidget(), QStackedWidget()
        for stack, panes in ((self._left, (self.box, self.desk.pane)), (self._right, (self.pane, self.desk.report))):
            for pane in panes:
                stack.addWidget(pane)
        head = QHBoxLayout()
        head.addWidget(self.choices)
        self.arrange(head, self._left, self._right)
        self.setAcceptDrops(True)
        self._connect()
        self._show_readiness()
        self._ask_hint()

    @property
    def made(self) -> Translated | None:
        """The newest translation of a text that ended, well or not."""
        return self.texts.made

    def _connect(self) -> None:
        self.box.changed.connect(self._on_source)
        self.box.files.connect(self.desk.take)
        self.texts.changed.connect(self._on_changed)
        self.texts.outdated.connect(self._on_outdated)
        self.texts.paused.connect(self._begin)
        self.texts.found.connect(self._on_found)
        self.desk.changed.connect(self._on_changed)
        self.desk.arrived.connect(lambda: self.choices.set_mode(FILES))
        self.desk.placed.connect(self._on_placed)
        self.choices.languages_changed.connect(self._on_choice)
        self.choices.terms_changed.connect(self._on_terms)
        self.choices.pdf.toggled.connect(self._on_pdf)
        self.choices.live_changed.connect(self._on_source)
        self.choices.mode_changed.connect(self._show_mode)
        self.choices.swapped.connect(self._swap)
        self.who.chosen.connect(self._on_terms)
        self.runner.busy_changed.connect(self._on_busy)

    # What is kept

    def state(self) -> dict[str, Any]:
        """Text or file, choices, and how far it is."""
        return kept(self, self.texts.unfinished or (self.runner.busy and self._doing == TEXT))

    def restore(self, state: dict[str, Any]) -> None:
        """Show it again; what was at work waits for the button."""
        self._quiet = True
        choices = self.choices
        choices.source.choose(str(state.get("source", "")))
        choices.target.choose(str(state.get("target", "")))
        choices.live.setChecked(state.get("live") is not False)
        choices.keep.setText(str(state.get("keep", "")))
        choices.pdf.setChecked(state.get("pdf") == choices.pdf_suffix(True))
        self.translators.own = state.get("own") is True
        glossary, folder = (str(state.get(name) or "") for name in ("glossary", "folder"))
        self.desk.restore(state.get("rows"), folder)
        choices.use_glossary(Path(glossary) if glossary else None)
        self.texts.restore(state)
        choices.set_mode(FILES if state.get("mode") == FILES else TEXT)
        self._quiet = False
        self._show_mode()
        if self.made is not None:
            self.who.for_languages(self.made.languages.source, self.made.languages.target)

    # Text

    def _on_source(self) -> None:
        """The text, or how it is to be translated, changed."""
        self.touch()
        if not self._quiet:
            self.texts.again(self.choices.live.isChecked())

    def _on_outdated(self) -> None:
        if self.box.source.empty:
            self._again = False
        if self.runner.busy and self._doing == TEXT:
            self.texts.stale = True
            self.runner.stop()

    def _on_choice(self) -> None:
        self._ask_hint()
        if not self._quiet:
            self.desk.again()
        self._on_source()

    def _on_terms(self) -> None:
        self.texts.forget()
        self._on_source()

    def _on_pdf(self) -> None:
        if not self._quiet:
            self.desk.again()

    def _begin(self) -> None:
        """Typing paused."""
        if self.choices.mode != TEXT:
            return
        if self.runner.busy:
            self._again = True
            return
        self._live = True
        super().run()

    def run(self) -> None:
        """Translate what is shown."""
        if not self.runner.busy:
            self._live = False
            self.texts.begin()
            super().run()

    def body(self) -> Body | None:
        """The text, or the files that are not done."""
        asked = Asked(self.services.app, self.translators)
        if self.choices.mode == FILES:
            return self._files_body(asked)
        body = self.texts.body(self.choices.wish, asked)
        if body is None:
            self.bar.say(tr("Reading") if self.box.reading else tr("Type a text first, or drop a file."))
        else:
            self._doing = TEXT
        return body

    def _on_found(self, languages: Languages | None) -> None:
        self.choices.show_found(languages)
        self._say_standing()

    def _on_languages(self, event: Languages) -> None:
        if self._doing == TEXT:
            self.choices.show_found(event)
            self.pane.say_notes(translate_view.doubts(event))
            self.bar.say(translate_view.line(event))
        self.who.for_languages(event.source, event.target)

    def _swap(self) -> None:
        """The languages change places, and the translation becomes the text."""
        made, choices = self.made, self.choices
        source = choices.source.code or (made.languages.source if made is not None else "")
        if not source:
            self.services.notices.say(tr("The language of the text is not known yet."))
            return
        target, result = choices.target.code, self.texts.result
        choices.source.choose(target)
        choices.target.choose(source)
        if result.strip() and choices.mode == TEXT:
            self.box.replace(result)

    # Files

    def _files_body(self, asked: Asked) -> Body | None:
        pending = self.desk.rows.pending()
        self._begin_when_placed = self.desk.placing
        if self.desk.placing or not pending:
            self.bar.say(tr("All files are translated.") if pending == () and len(self.desk.rows) else "")
            return None
        self._doing = FILES
        return files_body(pending, self.choices.wish, asked)

    def _on_placed(self) -> None:
        if self._begin_when_placed:
            self._begin_when_placed = False
            self.run()

    def _on_went(self, event: Went) -> None:
        row = self.desk.went(event)
        if row is not None:
            self.bar.show_progress(event.done, event.total)
            self.bar.say(f"{event.path.name}: {row.words}" + (f", {event.where}" if event.where else ""))
            self.touch()
            if not event.total:  # it begins: after a kill it is to be gone on with
                self._keep_now()

    def _on_file_ended(self, event: Ended) -> None:
        """That a file is done is kept at once: else it would be translated to another name after a kill."""
        self.desk.ended(event)
        self._keep_now()

    # Both

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files are welcome everywhere on the page."""
        self._taker.dragEnterEvent(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Nothing is held over the page any more."""
        self._taker.dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Take in what was dropped."""
        self._taker.dropEvent(event)

    @property
    def _taker(self) -> TextSource | FilesPane:
        return self.desk.pane if self.choices.mode == FILES else self.box

    def on_event(self, event: Any) -> None:
        """Something came of the work."""
        handle = self._table.get(type(event))
        if handle is not None:
            handle(event)

    def on_done(self, result: Any) -> None:
        """Show the whole of it."""
        self._end()
        if isinstance(result, Translated):
            self.texts.take(result)
        elif self._doing == TEXT:
            self.bar.say(tr("Stopped"))
            return
        self._say_standing()

    def on_failed(self, error: EdgeError) -> None:
        """What was made stays. While the person types, an error is said below the translation."""
        self._end()
        if self._live and isinstance(error, UsageError | StorageError):
            self.texts.say(error)
            self.bar.say(error.message)
        else:
            super().on_failed(error)

    def _end(self) -> None:
        if self._doing == FILES:
            self.desk.halt()
        else:
            self.texts.end()

    def _on_busy(self, busy: bool) -> None:
        self.choices.set_working(busy and self._doing == FILES)
        self.desk.pane.set_working(busy and self._doing == FILES)
        self._show_readiness()
        if not busy and self._again:
            self._again = False
            self._begin()

    def _on_changed(self) -> None:
        self._show_readiness()
        self.touch()

    def _show_mode(self) -> None:
        files = self.choices.mode == FILES
        self._left.setCurrentIndex(files)
        self._right.setCurrentIndex(files)
        self.choices.show_found(None if files else self.texts.languages())
        self._say_standing()
        self._on_changed()

    def _say_standing(self) -> None:
        """How far that is which is shown, while nothing works on it."""
        if not self.runner.busy and not self._quiet:
            self.bar.say(self.desk.rows.standing if self.choices.mode == FILES else self.texts.standing)

    def _show_readiness(self) -> None:
        """What the button does, and whether it can."""
        files = self.choices.mode == FILES
        unfinished = self.desk.rows.begun if files else self.texts.unfinished
        self.bar.call(tr("Go on") if unfinished and not self.runner.busy else tr("Translate"))
        ready = bool(self.desk.rows.pending() or self.desk.placing) if files else bool(self.texts.text.strip())
        self.bar.set_ready(ready)

    def _ask_hint(self) -> None:
        self.who.for_languages(self.choices.source.code, self.choices.target.code)
