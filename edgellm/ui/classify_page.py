"""The Classify page: labels, a text or table or files, and what came of it. The work itself is `classify_work`'s."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QSpinBox

from edgellm.errors import EdgeError, Stopped
from edgellm.ui import classify_kept, classify_save, classify_work
from edgellm.ui.classify_kept import Place
from edgellm.ui.classify_labels import LabelsBox
from edgellm.ui.classify_rows import Line
from edgellm.ui.classify_source import Given, whole
from edgellm.ui.classify_view import LabelsPane
from edgellm.ui.classify_work import Asked, Begun
from edgellm.ui.language import tr
from edgellm.ui.services import Services
from edgellm.ui.task_page import TaskPage
from edgellm.ui.task_work import Body, TaskWork

_DRAW_MS = 100
_LEAST = 272  # the buttons above the source
_UNDO_MS = 9_500  # a little longer than the notice with the undo stays
_EXAMPLE = "The food was great. We loved it."
_KINDS = ("text", "table", "files")
_ASKED = ("paths", "column", "named", "labels", "unsure")


class ClassifyPage(TaskPage):
    """One text shows all labels; the rows of a table, and files, get one each."""

    def __init__(self, services: Services) -> None:
        super().__init__(services, "classify", tr("Classify"), task="classify")
        self.place = Place(services.app.paths.work / "classify")
        self.labels = LabelsBox(services)
        self.unsure = QSpinBox(minimum=0, maximum=100, singleStep=5, suffix=" %")
        self.unsure.setSpecialValueText(tr("off"))
        self.unsure.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.unsure.setAccessibleName(tr("Unsure below"))
        self.unsure.setToolTip(tr("A text whose best label has less than this gets none."))
        self.given = Given(services)
        self.pane = LabelsPane(services)
        self.first = self.given.box.text
        self._kind = ""  # of what the pane shows, one of _KINDS
        self._shown: dict[str, Any] = {}  # what it was asked for, and the result where that is one text's
        self._unfinished = False
        self._total = 0
        self._fresh: list[Line] = []
        self._gone: dict[str, Any] = {}  # what was cleared, as long as it can be had back
        self._timer = QTimer(self, interval=_DRAW_MS)
        self._timer.timeout.connect(self._draw)
        self._forget = QTimer(self, singleShot=True, interval=_UNDO_MS)
        self._forget.timeout.connect(self._forget_now)
        self._arrange()
        self.labels.changed.connect(self._on_changed)
        self.unsure.valueChanged.connect(self._on_changed)
        self.given.changed.connect(self._on_source)
        self.pane.example.connect(self._try)
        self.pane.save.connect(self.ask_save)
        self.runner.ended.connect(self._on_end)
        self._on_changed()

    def _arrange(self) -> None:
        words = QLabel(tr("Unsure below"))
        words.setBuddy(self.unsure)
        side = QHBoxLayout()
        side.setSpacing(8)
        side.addWidget(words)
        side.addWidget(self.unsure)
        head = QHBoxLayout()
        head.setSpacing(14)
        head.addWidget(self.labels, 1)
        head.addLayout(side)
        head.setAlignment(side, Qt.AlignmentFlag.AlignTop)
        self.arrange(head, self.given, self.pane, stretch=(2, 3))
        self.given.setMinimumWidth(_LEAST)

    # What was given

    def _asked(self) -> dict[str, Any]:
        """What the page would run on, apart from a typed text."""
        found = {**self.given.state(), "labels": self.labels.line.text(), "unsure": self.unsure.value()}
        return {key: found[key] for key in _ASKED}

    @property
    def _goes_on(self) -> bool:
        """Whether the page would go on with what was begun."""
        return self._unfinished and self._asked() == {key: self._shown.get(key) for key in _ASKED}

    def _on_source(self) -> None:
        if self.given.empty and not self.runner.busy:
            self._clear()
        self._on_changed()

    def _on_changed(self) -> None:
        """Something was chosen otherwise: whether there is something to run on, and what the button says."""
        self.bar.set_ready(self.labels.labels is not None and self.given.ready)
        self.bar.call(tr("Go on") if self._goes_on else tr("Classify"))
        self.touch()

    def _try(self) -> None:
        if self.labels.labels is None:
            self.labels.take_first()
        self.given.put(_EXAMPLE)
        self.run()

    # Work

    def body(self) -> Body | None:
        """What to do now."""
        labels, kind, box = self.labels.labels, self.given.kind, self.given.box
        if labels is None:
            self.bar.say(self.labels.problem.text() or tr("Write the labels first, with commas between them."))
            self.labels.line.setFocus()
            return None
        if not self.given.ready:
            self.bar.say(tr("There is no text yet.") if self.given.empty else tr("Reading"))
            return None
        self._gone = {}
        self._forget.stop()
        if not self._goes_on:
            self._total = 0
            self.pane.show_nothing()
        self._kind, self._shown = kind, self._asked()
        self._unfinished = kind != "text"
        self._fresh.clear()
        self.bar.say(tr("Classifying"))
        self.touch()
        asked, paths = Asked(labels, self.unsure.value() / 100), box.paths
        if kind == "text":
            return classify_work.one_text(box.source.text, paths[0] if paths else None, asked, self.place)
        self._timer.start()
        if kind == "files":
            return classify_work.several_files(paths, asked, self.place)
        table = classify_work.Source(paths[0], self.given.column, self.given.named)
        self._shown["delimiter"] = self.given.form.delimiter if self.given.form else ","
        return classify_work.table_rows(table, asked, self.place)

    def on_event(self, event: Any) -> None:
        """Rows come one by one; they are shown ten times a second."""
        if isinstance(event, Line):
            self._fresh.append(event)
        elif isinstance(event, Begun):
            self._total = event.total
            self._fresh.clear()
            self.pane.show_lines(event.lines, self._first())
            self._say_progress()
            self.touch()

    def _first(self) -> str:
        return tr("File") if self._kind == "files" else tr("Text")

    def _draw(self) -> None:
        if self._fresh:
            fresh, self._fresh = self._fresh, []
            self.pane.add(fresh)
            self._say_progress()

    def _say_progress(self) -> None:
        done = len(self.pane.lines)
        self.bar.show_progress(done, self._total)
        words = tr("{done} of {total} files") if self._kind == "files" else tr("{done} of {total} rows")
        self.bar.say(words.format(done=f"{done:,}", total=f"{self._total:,}"))

    def on_done(self, result: Any) -> None:
        """One text is done; the rows of others have come before."""
        if self._kind != "text":
            return
        shown = None if result is None else classify_work.shown(result)
        if shown is None:
            self.bar.say(tr("Stopped."))
            return
        self._shown |= shown
        self._show_one()
        self.bar.say(tr("{seconds} s").format(seconds=f"{result.finish.seconds:.1f}"))

    def _show_one(self) -> None:
        shown = self._shown
        scores = [(str(name), None if share is None else float(share)) for name, share in shown.get("scores", ())]
        self.pane.show_scores(str(shown.get("label", "")), scores, str(shown.get("note", "")))

    def _on_end(self, work: TaskWork) -> None:
        """The work is over, however it ended."""
        self._timer.stop()
        failed = work.error is not None and not isinstance(work.error, Stopped)
        words = self.bar.words.whole
        self._draw()
        if self._kind != "text":
            self._unfinished = len(self.pane.lines) < self._total
            self._say_end()
        if failed:
            self.bar.say(words)
        if self.given.empty:
            self._clear()
        self._on_changed()

    def _say_end(self) -> None:
        words = tr("Stopped. {done} of {total} are done.") if self._unfinished else tr("{done} of {total} are done.")
        self.bar.say(words.format(done=f"{len(self.pane.lines):,}", total=f"{self._total:,}"))

    # Clearing, and having it back

    def _clear(self) -> None:
        """Nothing is given any more: the result goes too, with an undo where it took work."""
        if self._kind in ("table", "files") and not self.pane.empty:
            self._gone = {**self._shown, **self._facts(), "lines": tuple(self.pane.lines)}
            self._forget.start()
            self.services.notices.say(tr("The result was cleared."), tr("Undo"), self._take_back)
        self._kind, self._shown, self._unfinished = "", {}, False
        self.pane.show_nothing()
        self.bar.say("")

    def _take_back(self) -> None:
        gone, self._gone = self._gone, {}
        self._forget.stop()
        if gone:
            self.restore(gone)

    def _forget_now(self) -> None:
        """What was cleared is removed from the disk."""
        self._gone = {}
        if not self.runner.busy and self._kind not in ("table", "files"):
            self.services.background.run(self.place.forget)

    def flush(self) -> None:
        """Keep the page now; what was cleared is gone."""
        super().flush()
        if self._gone:
            self._forget_now()

    # Over a restart

    def _facts(self) -> dict[str, Any]:
        return {
            "kind": self._kind,
            "unfinished": self._unfinished,
            "total": self._total,
            "meanings": self.labels.meanings,
            "shown": self._shown,
        }

    def state(self) -> dict[str, Any]:
        """The page; rows themselves lie beside it."""
        if self.given.empty and self.labels.untouched and not self.unsure.value():
            return {}
        return {**self.given.state(), **self._asked(), **self._facts()}

    def restore(self, state: dict[str, Any]) -> None:
        """Show what was kept."""
        meanings = state.get("meanings")
        known = meanings if isinstance(meanings, dict) else {}
        self.labels.put(str(state.get("labels", "")), {str(name): str(text) for name, text in known.items()})
        self.unsure.setValue(min(whole(state.get("unsure")), 100))
        self.given.restore(state)
        self._restore_result(state)
        self._on_changed()

    def _restore_result(self, state: Mapping[str, Any]) -> None:
        shown, kind = state.get("shown"), state.get("kind")
        if not isinstance(shown, dict) or kind not in _KINDS:
            return
        self._kind, self._shown, self._total = str(kind), dict(shown), whole(state.get("total"))
        self._unfinished = state.get("unfinished") is True
        if kind == "text":
            try:
                self._show_one()
            except (TypeError, ValueError):
                self.pane.show_nothing()
        elif "lines" in state:
            self._on_lines(state["lines"])
        else:
            job = partial(classify_kept.lines_before, self.place, self._kind, self._shown)
            self.services.reading.run(job, self._on_lines, self.services.notices.complain)

    def _on_lines(self, lines: tuple[Line, ...]) -> None:
        if not self.runner.busy and lines:
            self.pane.show_lines(lines, self._first())
            self._say_end()

    # Saving

    def ask_save(self) -> None:
        """Ask where, and save there."""
        stem = self.given.box.paths[0].stem if self.given.kind == "table" else ""
        name = f"{stem}-labels.csv" if stem else "labels.csv"
        chosen, _ = QFileDialog.getSaveFileName(self, tr("Save as CSV"), name, "CSV (*.csv)")
        if chosen:
            target = Path(chosen)
            self.save_as(target if target.suffix else target.with_suffix(".csv"))

    def save_as(self, target: Path) -> None:
        """Write the result as CSV, in the background; a table keeps all its columns."""
        notices, lines = self.services.notices, tuple(self.pane.lines)
        if self._kind == "text":
            text = self.given.box.source.text
            lines = tuple(Line(text, line.text, line.confidence) for line in lines)
        table = self.place if self._kind == "table" else None
        copy = classify_save.Copy(
            target, self.given.box.paths, lines, "file" if self._kind == "files" else "text", table
        )

        def failed(error: EdgeError) -> None:
            notices.complain(error, tr("Save elsewhere"), self.ask_save)

        said = tr("Saved as {name}.")
        self.services.background.run(copy.write, lambda name: notices.say(said.format(name=name)), failed)
