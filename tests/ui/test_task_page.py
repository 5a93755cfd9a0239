"""What all task pages share: sources from files, work in the engine's thread, results, passages, and restarts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, child, nameless, wait
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QHBoxLayout

from edgellm.errors import UsageError
from edgellm.runtimes.base import Choice, Chunk, Message, Request
from edgellm.ui.buttons import IconButton
from edgellm.ui.file_shelf import FileChip
from edgellm.ui.model_hint import ModelHint
from edgellm.ui.passage_window import PassageWindow, Place, show_from_file, show_in
from edgellm.ui.result_pane import ResultPane
from edgellm.ui.services import Services
from edgellm.ui.source_box import SourceBox, Takes
from edgellm.ui.summarize_page import SummarizePage
from edgellm.ui.task_page import TaskPage
from edgellm.ui.task_work import Body, TaskWork
from edgellm.ui.translate_page import TranslatePage


class Echo(TaskPage):
    """A page that asks the model about the source as it is."""

    def __init__(self, services: Services, many: bool = False) -> None:
        super().__init__(services, "echo", "Echo")
        self.box = SourceBox(services, "Text", "Write here", Takes(many))
        self.pane = ResultPane(services, "Result", "Nothing yet.")
        self.failure = ""
        self.arrange(QHBoxLayout(), self.box, self.pane)
        self.box.changed.connect(self.touch)
        self.pane.sources = lambda: self.box.paths
        self.made = ""

    def state(self) -> dict[str, Any]:
        return {"text": self.box.source.text, "made": self.made} if not self.box.source.empty else {}

    def restore(self, state: dict[str, Any]) -> None:
        self.box.put(str(state.get("text", "")))
        self.made = str(state.get("made", ""))
        self.pane.show_html(self.made, self.made)

    def body(self) -> Body | None:
        text = self.box.source.text
        if not text.strip():
            return None
        self.made = ""

        def work(engine: Any, work: TaskWork) -> str:
            if text == "bad":
                raise UsageError("That is bad.", "Write something else.")
            for event in engine.generate(Request((Message("user", text),)), work.cancelled):
                work.put(event)
            return "over"

        return work

    def on_event(self, event: Any) -> None:
        if isinstance(event, Chunk):
            self.made += event.text
            self.pane.show_html(f"<p>{self.made}</p>", self.made)

    def on_done(self, result: Any) -> None:
        self.bar.say(f"done: {result}")


@pytest.fixture
def page(open_desk: Callable[..., Desk]) -> Iterator[Echo]:
    """The page in a window whose model answers one sentence."""
    desk = open_desk(reply="One two three.")
    desk.ready()
    made = Echo(desk.window.services)
    desk.window.stack.addWidget(made)
    desk.window.stack.setCurrentWidget(made)
    yield made
    made.runner.stop()
    wait(lambda: not made.runner.busy, "the work to stop")


def test_a_text_becomes_a_result(page: Echo) -> None:
    page.box.text.setPlainText("Say it.")
    QTest.keyClick(page.box.text, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert page.runner.busy
    wait(lambda: not page.runner.busy, "the answer")
    assert page.pane.plain == page.made
    assert page.made.strip()
    assert page.bar.words.toolTip() == "done: over"
    assert list(nameless(page)) == []


def test_an_error_is_said_and_the_page_goes_on(page: Echo) -> None:
    page.box.text.setPlainText("bad")
    page.run()
    wait(lambda: not page.runner.busy, "the error")
    assert "That is bad." in page.services.notices.text
    page.box.text.setPlainText("good")
    page.run()
    wait(lambda: not page.runner.busy and page.made, "the answer")


def test_a_dropped_file_is_read_and_shown(page: Echo, tmp_path: Path) -> None:
    file = tmp_path / "note.md"
    file.write_text("# Harbor\n\nThe boat leaves at noon.\n", encoding="utf-8")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    page.box.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys, QEvent.Type.Drop))
    assert page.box.reading
    wait(lambda: not page.box.reading, "the file")
    source = page.box.source
    assert source.paths == (file,)
    assert "The boat leaves at noon." in source.text
    assert page.box.text.isReadOnly()
    assert page.box.text.toPlainText() == source.text
    page.box.clear()
    assert page.box.source.empty
    assert not page.box.text.isReadOnly()
    assert page.box.text.toPlainText() == ""


def test_a_file_that_cannot_be_read_says_so(page: Echo, tmp_path: Path) -> None:
    file = tmp_path / "broken.pdf"
    file.write_bytes(b"%PDF-1.7\nnothing")
    page.box.take([file])
    wait(lambda: not page.box.reading, "the file")
    assert "broken.pdf" in page.services.notices.text
    assert page.box.source.documents == ()
    page.services.notices.hide()


def test_what_is_on_the_page_survives_a_restart(page: Echo) -> None:
    wait(lambda: page._restored, "the first reading")
    page.box.text.setPlainText("Keep me.")
    page.run()
    wait(lambda: not page.runner.busy, "the answer")
    page.flush()
    again = Echo(page.services)
    wait(lambda: again._restored, "the state")
    assert again.box.source.text == "Keep me."
    assert again.pane.plain == page.made
    assert (page.services.app.paths.work / "echo.json").stat().st_mode & 0o077 == 0
    again.box.clear()
    again.flush()
    assert not (page.services.app.paths.work / "echo.json").exists()


def test_a_result_is_saved_and_copied(page: Echo, tmp_path: Path) -> None:
    page.pane.show_html("<p>one <a href='place:4'>two</a></p>", "one two")
    page.pane.save_as(tmp_path / "out.txt")
    wait(lambda: (tmp_path / "out.txt").exists(), "the file")
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == "one two"
    places = list[int]()
    page.pane.place.connect(places.append)
    page.pane.view.anchorClicked.emit(QUrl("place:4"))
    assert places == [4]


def test_a_passage_is_shown_where_it_stands(page: Echo, tmp_path: Path) -> None:
    text = "First 𝔘 line.\nThe boat leaves at noon.\nLast line."
    start = text.index("The boat")
    window = show_in(page, page.services, Place(text, start, start + 24, None, 3, ("Harbor",)))
    assert window.passage == "The boat leaves at noon."
    window.close()
    file = tmp_path / "moved.txt"
    file.write_text("More at the top.\n" + text, encoding="utf-8")
    show_from_file(page, page.services, Place(text, start, start + 24, file))
    found = page.window().findChildren(PassageWindow)
    wait(lambda: page.window().findChildren(PassageWindow), "the window")
    found = page.window().findChildren(PassageWindow)
    assert found[-1].passage == "The boat leaves at noon."
    found[-1].close()


def test_a_better_model_is_offered_and_loaded(
    open_desk: Callable[..., Desk], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk(reply="One.")
    desk.ready()
    better = home / "better.fake.json"
    better.write_text('{"name": "better", "reply": "Two."}', encoding="utf-8")
    app = desk.window.services.app
    monkeypatch.setattr(app, "settings", dataclasses.replace(app.settings, model=""))
    monkeypatch.setattr(app, "model_for", lambda task, *languages: Choice(better, f"It was made for {task}."))
    hint = ModelHint(desk.window.services, "summarize")
    hint.look()
    wait(lambda: not hint.isHidden(), "the hint")
    assert hint.words.toolTip() == "It was made for summarize."
    hint.button.click()
    wait(lambda: hint.isHidden(), "the other model")
    assert desk.window.status is not None
    assert desk.window.status.path == better


def test_a_result_never_takes_the_place_of_its_source(page: Echo, tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    file.write_text("The boat leaves at noon.", encoding="utf-8")
    page.box.take([file])
    wait(lambda: not page.box.reading, "the file")
    page.pane.show_html("<p>Noon.</p>", "Noon.")
    page.pane.save_as(file)
    wait(lambda: "cannot take the place of its source" in page.services.notices.text, "the complaint")
    assert file.read_text(encoding="utf-8") == "The boat leaves at noon."
    page.pane.save_as(tmp_path / "other.txt")
    wait(lambda: "other.txt" in page.services.notices.text, "the other file")
    assert (tmp_path / "other.txt").read_text(encoding="utf-8") == "Noon."


def test_a_file_with_much_to_say_is_taken_out_where_there_is_little_room(page: Echo, tmp_path: Path) -> None:
    file = tmp_path / "a yearly report of the harbor.txt"
    file.write_text("Noon.", encoding="utf-8")
    page.box.take([file])
    wait(lambda: not page.box.reading, "the file")
    page.box.say(file, "1,000 pages · 16,584,000 characters · see notes", "One page is empty.")
    page.box.setFixedWidth(240)
    QTest.qWait(50)
    chip = child(page.box, FileChip)
    assert chip.width() <= 240
    button = child(chip, IconButton)
    assert chip.rect().contains(button.geometry())
    assert chip.facts.toolTip() == "1,000 pages · 16,584,000 characters · see notes\nOne page is empty."
    # nothing can be typed beside a file
    assert page.box.text.placeholderText() == ""
    button.click()
    assert page.box.text.placeholderText() == "Write here"


def test_a_long_result_is_shown_from_its_beginning(page: Echo) -> None:
    bar = page.pane.view.verticalScrollBar()
    long = "".join(f"<p>Line {number}</p>" for number in range(300))
    page.pane.show_html(long, long)
    QTest.qWait(50)
    assert bar.value() == 0
    assert bar.maximum() > 1000
    bar.setValue(500)
    page.pane.show_html(long + long, long + long)
    QTest.qWait(50)
    assert bar.value() == 500
    bar.setValue(bar.maximum())
    page.pane.show_html(long * 3, long * 3)
    QTest.qWait(50)
    assert bar.value() == bar.maximum()


def test_the_tab_key_goes_through_a_source_from_top_to_bottom(page: Echo, tmp_path: Path) -> None:
    box = SourceBox(page.services, "Files", "Write here", Takes(many=True))
    folder = IconButton(page.services.theme, "folder", "A folder")
    box.add_button(folder)
    page.layout().addWidget(box)  # type: ignore[union-attr]
    paths = [tmp_path / f"{name}.txt" for name in "ab"]
    for path in paths:
        path.write_text("The dog sleeps.", encoding="utf-8")
    box.take(paths)
    wait(lambda: not box.reading, "the files")
    box.open.setFocus()
    stops = []
    for _ in range(5):
        QTest.keyClick(page.window().focusWidget(), Qt.Key.Key_Tab)
        stops.append(page.window().focusWidget().accessibleName())
    assert stops == ["A folder", "Clear", "Files", "Take a.txt out", "Take b.txt out"]


def test_the_pages_name_their_sources_to_their_results(open_desk: Callable[..., Desk], tmp_path: Path) -> None:
    desk = open_desk(reply="One.")
    desk.ready()
    file = tmp_path / "note.rtf"
    file.write_text(r"{\rtf1 Noon.}", encoding="utf-8")
    for key in ("summarize", "translate"):
        page = desk.window.open_key(key)
        assert isinstance(page, SummarizePage | TranslatePage)
        page.box.take([file])
        wait(partial(_names, page.pane, file), key)


def _names(pane: ResultPane, file: Path) -> bool:
    return tuple(pane.sources()) == (file,)
