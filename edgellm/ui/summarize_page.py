"""The Summarize page: a text or files on one side, what they say on the other, growing, with links to the passages.

The work is left to `summarize_work.py`, what results look like to `summarize_view.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent

from edgellm.errors import EdgeError
from edgellm.ui import summarize_view, summarize_work
from edgellm.ui.language import tr
from edgellm.ui.passage_window import show_from_file, show_in
from edgellm.ui.result_pane import ResultPane
from edgellm.ui.services import Services
from edgellm.ui.source_box import Source, SourceBox, Takes
from edgellm.ui.summarize_choices import Choices
from edgellm.ui.summarize_pace import Pace
from edgellm.ui.summarize_result import Point, Result, again, kept
from edgellm.ui.summarize_work import Step, Texts, Wanted
from edgellm.ui.task_page import TaskPage
from edgellm.ui.task_work import Body

_DRAW_MS = 250  # while a result grows it is drawn no more often
_SHARE = 10  # and takes at most so small a part of the time


class SummarizePage(TaskPage):
    """Summaries of a text, of files one after the other, or of what files have in common."""

    def __init__(self, services: Services) -> None:
        super().__init__(services, "summarize", tr("Summarize"), "summarize")
        self.choices = Choices(self)
        self.box = SourceBox(services, tr("Text"), tr("Write or paste a text here, or drop files."), Takes(many=True))
        self._hint = tr("Give a text or files, then press Summarize.")
        self.pane = ResultPane(services, tr("Summary"), self._hint)
        self.results: tuple[Result, ...] = ()
        self._style = ""  # in which the results were made
        self._ran: dict[str, Any] = {}  # what they were made of
        self._before = Source()
        self._waits = False
        self._pace = Pace()
        self._drawing = QTimer(self, singleShot=True, interval=_DRAW_MS)
        self._drawing.timeout.connect(self._draw)
        self.pane.saves = {
            ".md": (tr("Markdown"), lambda: summarize_view.as_markdown(self.results, self._style)),
            ".txt": (tr("Text"), lambda: summarize_view.plain(self.results, self._style)),
            ".html": (tr("Web page"), lambda: summarize_view.as_page(self.results, self._style, self.pane.stem)),
        }
        self.pane.sources = lambda: self.box.paths
        self.arrange(self.choices.row, self.box, self.pane, stretch=(3, 4))
        self.box.changed.connect(self._on_source)
        self.box.read.connect(self._on_read)
        self.choices.changed.connect(self._on_changed)
        self.pane.place.connect(self._show_place)
        self._on_changed()

    # What is kept

    def state(self) -> dict[str, Any]:
        """Source, choices and results; nothing of a page that is as it was at first."""
        source = self.box.source
        if source.empty and not self.results and self.choices.usual:
            return {}
        return {
            "text": "" if source.paths else source.text,
            "files": [str(path) for path in source.paths],
            "choices": self.choices.state(),
            "style": self._style,
            "ran": self._ran,
            "results": kept(self.results),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Show what was there; what the person gave in the meantime stays."""
        if not self.box.source.empty or self.runner.busy:
            return
        self.choices.restore(state.get("choices"))
        files, text = state.get("files"), state.get("text")
        paths = [Path(one) for one in (files if isinstance(files, list) else []) if isinstance(one, str)]
        ran, style = state.get("ran"), state.get("style")
        self._ran = ran if isinstance(ran, dict) else {}
        self._style = style if isinstance(style, str) else ""
        self.results = again(state.get("results"))
        if paths:
            self.box.take(paths)
        elif isinstance(text, str):
            self.box.put(text)
        self._name_file()
        self._draw()
        self._on_changed()
        if self._unfinished:
            self.bar.say(self._ending())

    def showEvent(self, event: QShowEvent) -> None:
        """Ready to write, and for the keys of the page."""
        super().showEvent(event)
        self.box.text.setFocus()

    # Running

    def run(self) -> None:
        """Begin; files that are still being read are waited for."""
        if not self.runner.busy and self.box.reading:
            self._waits = True
            self.bar.say(tr("The files are still being read; then it begins."))
            return
        super().run()

    def escape(self) -> None:
        """Stop, or wait no more for the files."""
        if self._waits:
            self._waits = False
            self.bar.say("")
        super().escape()

    def body(self) -> Body | None:
        """Summaries of what is given; what an earlier run finished of the same is not made again."""
        source, wanted = self.box.source, self.choices.wanted
        if source.empty:
            self.box.text.setFocus()
            self.bar.say(tr("Give a text or files first."))
            return None
        if source.paths and not source.documents:
            self.bar.say(tr("None of the files can be read."))
            return None
        if wanted.compare and len(source.documents) < 2:
            self.bar.say(tr("Two files that can be read are needed to compare."))
            return None
        before = self.results if self._unfinished else ()
        self._ran, self._style = self._key(source, wanted), summarize_view.COMPARE if wanted.compare else wanted.style
        self.results = before
        self._name_file()
        self._pace = Pace()
        self.pane.say_empty(tr("Reading; the summary appears here."))
        self._draw()
        self.touch()
        self.bar.say(tr("Waiting for the model"))
        return partial(_work, self.services, source, wanted, before)

    def on_event(self, event: Any) -> None:
        """A result has grown."""
        if not isinstance(event, Step):
            return
        results = list(self.results) if len(self.results) == event.count else [Result()] * event.count
        results[event.number] = event.result
        self.results = tuple(results)
        done, total = self._pace.note(event)
        self.bar.show_progress(done, total)
        self.bar.say(self._pace.words(event))
        if not self._drawing.isActive():
            self._drawing.start()

    def on_done(self, result: Any) -> None:
        """All is there, or what there is of it."""
        if result is not None:
            self.results = result
        self._end("stopped")

    def on_failed(self, error: EdgeError) -> None:
        """What was made before stays, and can be gone on with."""
        super().on_failed(error)
        self._end("failed")
        self.bar.say(error.message)

    def without_model(self) -> tuple[str, Callable[[], None]]:
        """Key sentences need none."""
        return tr("Key sentences, no model"), self._choose_keys

    def _choose_keys(self) -> None:
        self.choices.choose_keys()
        self.run()

    def _end(self, state: Any) -> None:
        self.pane.say_empty(self._hint)
        self.results = tuple(replace(one, state=state) if one.state == "working" else one for one in self.results)
        if not any(one.sections or one.points or one.text for one in self.results):
            self.results = ()  # it ended before anything was read: there is nothing to go on with
        self._draw()
        self._on_changed()
        self.bar.say(self._ending())

    def _ending(self) -> str:
        """One line about what is there."""
        if not self.results:
            return ""
        read, sections = (sum(getattr(one, name) for one in self.results) for name in ("read", "sections"))
        words = list(filter(None, [summarize_view.coverage(Result(read=read, sections=sections))]))
        if self._unfinished:
            words.insert(0, tr("Stopped"))
            words.append(tr("“Go on” continues there."))
        elif count := len(summarize_view.points(self.results)):
            words.append(tr("1 point") if count == 1 else tr("{n} points").format(n=f"{count:,}"))
        unread = len(self.box.paths) - len(self.box.source.documents)
        if unread and not self.box.reading:  # after a restart they are read again
            words.append(tr("files that cannot be read: {n}").format(n=unread))
        return " · ".join(words)

    # What the person changes

    def _on_source(self) -> None:
        source = self.box.source
        if source.empty and self.results and not self.runner.busy and not self._before.empty:
            self._offer_undo(self._before)
        if not source.empty:
            self._before = source
        self.choices.set_files(len(source.paths))
        self._on_changed()

    def _on_changed(self) -> None:
        self.bar.call(tr("Go on") if self._unfinished else tr("Summarize"))
        self.bar.set_ready(not self.box.source.empty)
        self.touch()

    def _on_read(self) -> None:
        if self._waits:
            self._waits = False
            self.run()
        elif self._unfinished and not self.runner.busy:
            self.bar.say(self._ending())

    def _offer_undo(self, source: Source) -> None:
        """The page is empty now; what was on it comes back for who did not mean that."""
        before = (self.results, self._ran, self._style)
        self.results, self._ran = (), {}
        self._draw()
        self.bar.say("")

        def undo() -> None:
            self.results, self._ran, self._style = before
            if source.paths:
                self.box.take(source.paths)
            else:
                self.box.put(source.text)
            self._draw()
            self._on_changed()

        self.services.notices.say(tr("The page is empty now."), tr("Undo"), undo)

    @property
    def _unfinished(self) -> bool:
        """Whether the results are those of the same source and choices, and were not finished."""
        if not self.results or all(one.state == "done" for one in self.results):
            return False
        return self._ran == self._key(self.box.source, self.choices.wanted)

    def _key(self, source: Source, wanted: Wanted) -> dict[str, Any]:
        """What a result is made of, as JSON can carry it."""
        text = source.text.encode("utf-8", "surrogatepass")
        given = [str(path) for path in source.paths] or sha256(text).hexdigest()
        return {"given": given, "wanted": [wanted.style, wanted.length, wanted.language, wanted.compare]}

    # What is shown

    def _draw(self) -> None:
        started = time.monotonic()
        style = self._style
        self.pane.show_html(summarize_view.as_html(self.results, style), summarize_view.plain(self.results, style))
        taken = (time.monotonic() - started) * 1000
        self._drawing.setInterval(max(_DRAW_MS, round(taken * _SHARE)))
        if self.runner.busy:
            self.touch()

    def _name_file(self) -> None:
        paths = self.box.paths
        self.pane.stem = tr("Summary of {name}").format(name=paths[0].stem) if len(paths) == 1 else tr("Summary")

    def _show_place(self, number: int) -> None:
        points = summarize_view.points(self.results)
        if number < len(points):
            self._show_point(points[number])

    def _show_point(self, point: Point) -> None:
        source = self.box.source
        if not point.path:
            show_in(self, self.services, point.place(None if source.paths else source.text))
            return
        document = next((one for one in source.documents if str(one.path) == point.path), None)
        if document is None:
            show_from_file(self, self.services, point.place(None), point.start)
            return
        from edgellm.documents.chunk import whole_text

        show_in(self, self.services, point.place(whole_text(document)))


def _work(
    services: Services, source: Source, wanted: Wanted, before: tuple[Result, ...], engine: Any, work: Any
) -> tuple[Result, ...]:
    """In the engine's thread: what is given, as documents, and the work on them."""
    from edgellm.tasks import summary_compare
    from edgellm.tasks.outline import of_text

    documents = source.documents or (of_text(source.text),)
    titles = summary_compare.names(documents) if len(documents) > 1 else ("",)
    return summarize_work.run(services.app, Texts(documents, titles, before), wanted, engine, work)
