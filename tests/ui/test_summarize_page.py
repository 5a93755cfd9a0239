"""The Summarize page in the real window: points with links, stop and go on, restarts, several files, saving, errors."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from desk import Desk, nameless, wait
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtTest import QTest

from edgellm.ui import summarize_view
from edgellm.ui.passage_window import PassageWindow
from edgellm.ui.summarize_page import SummarizePage
from edgellm.ui.summarize_work import KEYS
from tests.document_files import pdf

Open = Callable[..., Desk]
CHAPTERS = 6


def fact(number: int) -> str:
    """What chapter `number` says."""
    return f"The mill burned in {1000 + number}."


def report(chapters: int = CHAPTERS) -> str:
    """Chapters below headings."""
    more = "Its owner rebuilt the house beside the river."
    return "\n\n".join(f"# Chapter {n}\n\n{fact(n)} {more}" for n in range(1, chapters + 1)) + "\n"


ANSWERS = {fact(number): fact(number) for number in range(1, 61)}


def opened(desk: Desk, style: str = "sections") -> SummarizePage:
    """The page, with what was kept."""
    desk.ready()
    page = desk.window.open_key("summarize")
    assert isinstance(page, SummarizePage)
    wait(lambda: page._restored, "what was kept")
    choose(page, style)
    return page


def choose(page: SummarizePage, style: str) -> None:
    """Choose a style as a person does."""
    page.choices.style.setCurrentIndex(page.choices.style.findData(style))
    page.choices.style.activated.emit(page.choices.style.currentIndex())


def drop(page: SummarizePage, *paths: Path) -> None:
    """Let files fall on the box, and wait until they are read."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    page.box.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys, QEvent.Type.Drop))
    wait(lambda: not page.box.reading, "the files")


def finish(page: SummarizePage) -> None:
    """Run and wait for the end."""
    page.run()
    wait(lambda: not page.runner.busy, "the summary")


def write(folder: Path, name: str, text: str) -> Path:
    """A file."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def texts(page: SummarizePage) -> list[str]:
    """All points."""
    return [point.text for point in summarize_view.points(page.results)]


def watched(page: SummarizePage) -> list[int]:
    """How many points would be saved after each event from now on, until all is read and the last are chosen."""
    held: list[int] = []

    def note(_event: object) -> None:
        results = page.state()["results"]
        if any(one["read"] < max(one["sections"], 1) for one in results):
            held.append(sum(len(one["points"]) for one in results))

    page.runner.told.connect(note)
    return held


def passage(page: SummarizePage, number: int) -> str:
    """Follow a link; returns what is highlighted."""
    page.pane.view.anchorClicked.emit(QUrl(f"place:{number}"))
    wait(lambda: page.window().findChildren(PassageWindow), "the passage")
    window = page.window().findChildren(PassageWindow)[-1]
    found = window.passage
    window.close()
    wait(lambda: not page.window().findChildren(PassageWindow), "the window to go")
    return found


def test_a_dropped_file_becomes_points_with_links_to_its_pages(open_desk: Open, tmp_path: Path) -> None:
    page = opened(open_desk(replies=ANSWERS), "sections")
    assert list(nameless(page)) == []
    assert not page.bar.button.isEnabled()
    lines = [[(20.0, f"Chapter {n}"), (12.0, ""), (12.0, f"{fact(n)} It was cold.")] for n in range(1, 4)]
    path = tmp_path / "mill <old>.pdf"
    path.write_bytes(pdf(lines))
    drop(page, path)
    page.window().activateWindow()
    wait(page.isActiveWindow, "the focus")
    QTest.keyClick(page.box.text, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    wait(lambda: not page.runner.busy and page.results, "the summary")
    assert texts(page) == [fact(1), fact(2), fact(3)]
    shown = page.pane.view.toPlainText()
    assert [f"page {n}" in shown for n in range(1, 5)] == [True, True, True, False]
    assert "3 of 3 sections" in page.bar.words.toolTip()
    assert passage(page, 1) == fact(2)
    page.box.take([])
    page.pane.copy.click()
    assert f"{fact(3)} (page 3)" in QGuiApplication.clipboard().text()


def test_a_typed_text_is_summarized_and_its_passage_found_again(open_desk: Open) -> None:
    page = opened(open_desk(reply="The mill <b>burned</b> in 1001."), "bullets")
    page.box.text.setPlainText(report(2))
    finish(page)
    assert "The mill <b>burned</b> in 1001." in page.pane.view.toPlainText()
    assert fact(1) in passage(page, 0)
    page.box.text.setPlainText("More at the top.\n\n" + report(2))
    assert fact(1) in passage(page, 0)
    assert page.bar.button.text() == "Summarize"


def test_stopping_keeps_the_points_and_go_on_asks_only_for_the_rest(open_desk: Open, tmp_path: Path) -> None:
    page = opened(open_desk(replies=ANSWERS, seconds_per_token=0.012))
    drop(page, write(tmp_path, "report.md", report(24)))
    page.run()
    wait(lambda: any(one.read >= 3 for one in page.results), "three sections")
    page.escape()
    wait(lambda: not page.runner.busy, "the end")
    read = page.results[0].read
    assert 3 <= read < 24
    assert len(texts(page)) == read
    assert page.bar.button.text() == "Go on"
    assert f"Stopped. {read} of 24 sections" in page.pane.view.toPlainText()
    choose(page, "line")
    assert page.bar.button.text() == "Summarize"
    choose(page, "sections")
    assert page.bar.button.text() == "Go on"
    steps: list[int] = []
    page.runner.told.connect(lambda event: steps.append(getattr(event, "kept", 0)))
    held = watched(page)
    page.run()
    assert len(page.state()["results"][0]["points"]) == read
    wait(lambda: not page.runner.busy, "the summary")
    assert min(held) >= read
    assert max(steps) >= read
    assert texts(page) == [fact(number) for number in range(1, 25)]
    assert page.bar.button.text() == "Summarize"
    assert page.results[0].state == "done"


def test_a_restart_in_the_middle_shows_all_and_goes_on(open_desk: Open, tmp_path: Path) -> None:
    desk = open_desk(replies=ANSWERS, seconds_per_token=0.012)
    page = opened(desk)
    page.choices.length.setCurrentIndex(0)
    drop(page, write(tmp_path, "report.md", report(24)))
    page.run()
    wait(lambda: any(one.read >= 3 for one in page.results), "three sections")
    page.touch()
    desk.close()
    kept = page.services.app.paths.work / "summarize.json"
    assert kept.stat().st_mode & 0o077 == 0
    assert json.loads(kept.read_text(encoding="utf-8"))["results"][0]["points"]
    desk = open_desk(replies=ANSWERS)
    desk.ready()
    page = desk.window.open_key("summarize")  # type: ignore[assignment]
    wait(lambda: page._restored, "what was kept")
    said = {page.bar.words.toolTip()}
    wait(lambda: said.add(page.bar.words.toolTip()) or not page.box.reading, "the file")  # type: ignore[func-returns-value]
    assert all("cannot be read" not in words for words in said)
    assert page.bar.words.toolTip().endswith("“Go on” continues there.")
    before = texts(page)
    assert before == [fact(number) for number in range(1, len(before) + 1)]
    assert len(before) >= 3
    assert page.choices.wanted.style == "sections"
    assert page.choices.wanted.length == "short"
    assert page.box.paths == (tmp_path / "report.md",)
    assert page.bar.button.text() == "Go on"
    assert passage(page, 1) == fact(2)
    finish(page)
    assert texts(page) == [fact(number) for number in range(1, 25)]


def test_several_files_become_one_summary_each(open_desk: Open, tmp_path: Path) -> None:
    page = opened(open_desk(replies=ANSWERS))
    first, second = write(tmp_path, "first.md", report(2)), write(tmp_path, "second.md", f"# Late\n\n{fact(9)}\n")
    empty, broken = write(tmp_path, "empty.md", ""), tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7\nnothing")
    drop(page, first, empty, broken, second)
    page.services.notices.hide()
    assert not page.choices.compare.isHidden()
    finish(page)
    assert [one.title for one in page.results] == ["first.md", *(["empty.md"] * (len(page.results) - 2)), "second.md"]
    assert texts(page) == [fact(1), fact(2), fact(9)]
    assert "cannot be read: " in page.bar.words.toolTip()
    assert passage(page, 2) == fact(9)


def test_files_are_compared(open_desk: Open, tmp_path: Path) -> None:
    page = opened(open_desk(reply="unused"))
    same = "The harbor was built by sailors from Norway. "
    one = write(tmp_path, "one.txt", same + "The bridge is 30 meters long. A painter lived near the church.")
    two = write(tmp_path, "two.txt", same + "The bridge is 40 meters long. The market opens every Monday.")
    drop(page, one, two)
    page.choices.compare.setChecked(True)
    page.choices.by.setCurrentIndex(page.choices.by.findData(KEYS))
    finish(page)
    shown = page.pane.view.toPlainText()
    assert [one.title for one in page.results] == [
        "In common", "Alike, but not the same", "Only in one.txt", "Only in two.txt", "",
    ]  # fmt: skip
    assert "one.txt two.txt" in shown
    assert "The bridge is 40 meters long." in shown
    assert passage(page, 1) == same.strip()
    page.box.take([])


def test_files_are_compared_by_the_points_of_a_model(open_desk: Open, tmp_path: Path) -> None:
    page = opened(open_desk(replies=ANSWERS))
    drop(page, write(tmp_path, "one.md", f"# One\n\n{fact(2)} It was cold.\n"))
    drop(page, write(tmp_path, "two.md", f"# Two\n\n{fact(2)} Snow fell.\n"))
    page.choices.compare.setChecked(True)
    finish(page)
    assert [point.text for point in page.results[0].points] == [fact(2), fact(2)]
    assert page.results[0].points[1].joined
    page.choices.compare.setChecked(False)
    assert page.bar.button.text() == "Summarize"


def test_a_stopped_comparison_stays_until_something_new_is_read(open_desk: Open, tmp_path: Path) -> None:
    page = opened(open_desk(replies=ANSWERS, seconds_per_token=0.012))
    for number in range(1, 9):
        drop(page, write(tmp_path, f"{number}.md", f"# File\n\n{fact(number)} Snow fell.\n"))
    page.choices.compare.setChecked(True)
    page.run()
    wait(lambda: sum(one.read for one in page.results) >= 2, "two files")
    page.escape()
    wait(lambda: not page.runner.busy, "the end")
    before = texts(page)
    assert before
    held = watched(page)
    page.run()
    page.escape()
    wait(lambda: not page.runner.busy, "the second end")
    assert page.bar.button.text() == "Go on"
    assert texts(page) == before
    finish(page)
    assert min(held) > 0
    assert len(texts(page)) == 8
    assert page.bar.button.text() == "Summarize"


def test_key_sentences_need_no_model(open_desk: Open, tmp_path: Path) -> None:
    desk = open_desk(faults=[{"at": "load", "kind": "error", "error": "ModelDamaged"}])
    wait(lambda: desk.window.services.notices.text or desk.window.status is not None, "the news")
    page = desk.window.open_key("summarize")
    assert isinstance(page, SummarizePage)
    wait(lambda: page._restored, "what was kept")
    choose(page, KEYS)
    assert page.choices.wanted.language == ""
    drop(page, write(tmp_path, "report.md", report(9)))
    finish(page)
    assert len(texts(page)) == 7
    assert passage(page, 0) in report(9)


def test_the_starter_summarizes(open_desk: Open, starter: Path, tmp_path: Path) -> None:
    desk = open_desk(reply="unused")
    page = opened(desk)
    desk.window.services.worker.load(str(starter), asked=True)
    wait(lambda: desk.window.status is not None and desk.window.status.path == starter, "the starter")
    text = "# Trip\n\nThe boat leaves at noon. It waits for the train.\n\n# Home\n\nThe dog sleeps in the garden.\n"
    drop(page, write(tmp_path, "trip.md", text))
    finish(page)
    assert len(texts(page)) == 2
    assert "Trip" in page.pane.view.toPlainText()
    choose(page, "line")
    finish(page)
    assert page.results[0].text
    assert page.pane.plain.strip().startswith(page.results[0].text)


def test_a_result_is_saved_as_text_markdown_and_a_page(open_desk: Open, tmp_path: Path) -> None:
    page = opened(open_desk(replies=ANSWERS))
    drop(page, write(tmp_path, "report.md", report(2)))
    finish(page)
    assert page.pane.stem == "Summary of report"
    for suffix in page.pane.saves:
        page.pane.save_as(tmp_path / f"out{suffix}")
    wait(lambda: all((tmp_path / f"out{suffix}").exists() for suffix in page.pane.saves), "the files")
    marked = (tmp_path / "out.md").read_text(encoding="utf-8")
    assert f"### Chapter 2\n\n- {fact(2)}" in marked
    site = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "place:" not in site
    assert f"<li>{fact(1)}" in site
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == page.pane.plain


@pytest.mark.parametrize("how", ["killed", "said no"])
def test_an_engine_that_ends_is_said_and_what_was_read_stays(open_desk: Open, tmp_path: Path, how: str) -> None:
    faults = [] if how == "killed" else [{"prompt": "1004", "once": True, "kind": "error", "error": "EngineError"}]
    desk = open_desk(replies=ANSWERS, seconds_per_token=0.02, faults=faults)
    page = opened(desk)
    drop(page, write(tmp_path, "report.md", report(12)))
    page.run()
    wait(lambda: any(one.read >= 2 for one in page.results), "two sections")
    if how == "killed":
        pid = desk.window.services.worker.engine_pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    wait(lambda: not page.runner.busy, "the end")
    if page.results[0].state == "done":  # the engine was started again in time
        pytest.fail("the end of the engine was not seen")
    assert page.results[0].state == "failed"
    assert page.services.notices.text
    assert ("Try again" in page.services.notices.text) == (how == "killed")
    assert len(texts(page)) >= 2
    assert page.bar.button.text() == "Go on"
    page.run()
    assert page.services.notices.text == ""
    wait(lambda: not page.runner.busy, "the summary")
    assert texts(page) == [fact(number) for number in range(1, 13)]


def test_without_a_model_there_is_nothing_to_go_on_with(open_desk: Open, tmp_path: Path) -> None:
    desk = open_desk(replies=ANSWERS)
    (tmp_path / "report.md").write_text(report(2), encoding="utf-8")
    page = opened(desk)
    drop(page, tmp_path / "report.md")
    page.services.app.engine().unload()
    page.run()
    wait(lambda: page.bar.words.toolTip() == "No model is loaded." and not page.runner.busy, "the error")
    assert page.bar.button.text() == "Summarize"
    assert page.results == ()
    assert page.pane.plain.strip() == ""
    assert page.services.notices._button.text() == "Key sentences, no model"
    page.services.notices._button.click()
    wait(lambda: not page.runner.busy and page.results, "the key sentences")
    assert page.choices.wanted.style == KEYS
    assert texts(page)
    assert page.services.notices.text == ""


def test_an_emptied_page_comes_back(open_desk: Open, tmp_path: Path) -> None:
    page = opened(open_desk(replies=ANSWERS))
    drop(page, write(tmp_path, "report.md", report(2)))
    finish(page)
    page.box.clear()
    assert page.results == ()
    assert not page.pane.plain.strip()
    assert "empty now" in page.services.notices.text
    page.services.notices._button.click()
    wait(lambda: not page.box.reading, "the file")
    assert texts(page) == [fact(1), fact(2)]
    page.box.clear()
    page.choices.style.setCurrentIndex(page.choices.style.findData("bullets"))
    page.flush()
    assert not (page.services.app.paths.work / "summarize.json").exists()


def test_run_waits_for_files_and_says_what_is_missing(open_desk: Open, tmp_path: Path) -> None:
    page = opened(open_desk(replies=ANSWERS))
    page.run()
    assert "first" in page.bar.words.toolTip()
    path = write(tmp_path, "report.md", report(2))
    page.box.take([path])
    page.run()
    assert not page.runner.busy
    wait(lambda: page.results and not page.runner.busy, "the summary")
    assert texts(page) == [fact(1), fact(2)]
