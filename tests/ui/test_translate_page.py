"""The Translate page: text as it is typed, sentences that belong together, files, stops, restarts and errors."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, nameless, wait
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from edgellm.ui import main, translate_view
from edgellm.ui.result_pane import ResultView
from edgellm.ui.translate_choices import FILES, TEXT
from edgellm.ui.translate_file_work import Ended, Went
from edgellm.ui.translate_page import TranslatePage
from edgellm.ui.translate_rows import FileRow, FileRows
from edgellm.ui.translate_view import Offsets, Sides
from edgellm.ui.translate_work import Languages, Translated

SENTENCES = "Good morning! The teacher is tired. I have two red books."
FRENCH = "Bonne matinée ! Le professeur est fatigué. J'ai deux livres rouges."
MARKDOWN = "# The teacher is tired\n\nI have two red books.\n\n- The cat is black.\n"


@pytest.fixture
def taught(home: Path, starter: Path) -> Iterator[Desk]:
    """A window with the real starter."""
    main.application()
    desk = Desk({"theme": "light", "language": "en", "model": str(starter)})
    desk.ready()
    yield desk
    desk.close()


def page_of(desk: Desk) -> TranslatePage:
    """The page, once it has read what was kept."""
    desk.ready()
    page = desk.window.open_key("translate")
    assert isinstance(page, TranslatePage)
    wait(lambda: page._restored, "the state")
    return page


def again(page: TranslatePage) -> TranslatePage:
    """The page after a restart."""
    page.flush()
    wait(lambda: not page.runner.busy, "the stop")
    page.flush()
    made = TranslatePage(page.services)
    wait(lambda: made._restored, "the state")
    return made


def write(page: TranslatePage, text: str) -> None:
    """Type a text."""
    page.box.text.setFocus()
    page.box.text.selectAll()
    page.box.text.insertPlainText(text)


def translate(page: TranslatePage) -> None:
    """Press the button and wait for the end."""
    page.bar.button.click()
    wait(lambda: page.runner.busy or page.desk.placing or not page._begin_when_placed, "the beginning")
    wait(lambda: not page.runner.busy and not page._begin_when_placed, "the translation")


def drop(widget: QWidget, *paths: Path) -> None:
    """Let files fall on a widget."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    widget.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys, QEvent.Type.Drop))


def marked(view: object) -> str:
    """What is marked in a view."""
    selections = view.extraSelections()  # type: ignore[attr-defined]
    return str(selections[0].cursor.selectedText()) if selections else ""


# Text


def test_a_text_is_translated_while_it_is_typed_and_its_sentences_are_matched(taught: Desk) -> None:
    page = page_of(taught)
    assert not page.bar.button.isEnabled()
    write(page, SENTENCES)
    assert not page.runner.busy  # not before a pause
    wait(lambda: page.made is not None, "the translation")
    assert page.pane.plain == FRENCH
    assert page.choices.source.currentText() == "English, detected"
    assert page.bar.words.toolTip() == "English to French"
    assert page.pane.notes.isHidden()
    cursor = page.box.text.textCursor()
    cursor.setPosition(SENTENCES.index("teacher"))
    page.box.text.setTextCursor(cursor)
    assert marked(page.box.text) == "The teacher is tired."
    assert marked(page.pane.view) == "Le professeur est fatigué."
    page.pane.view.setFocus()
    there = page.pane.view.textCursor()
    there.setPosition(FRENCH.index("livres"))
    page.pane.view.setTextCursor(there)
    assert marked(page.box.text) == "I have two red books."
    at = page.box.text.cursorRect(_cursor_at(page, 3)).center()
    QTest.mouseMove(page.box.text.viewport(), at)
    wait(lambda: marked(page.pane.view) == "Bonne matinée !", "the sentence under the pointer")
    assert list(csv.reader(io.StringIO(page.pane.saves[".csv"][1]())))[1] == ["Good morning!", "Bonne matinée !"]
    assert list(nameless(page)) == []
    write(page, SENTENCES + " The zyqqle is tired.")
    assert marked(page.pane.view) == ""
    wait(lambda: "zyqqle" in page.pane.notes.text(), "the doubt")
    assert page.pane.notes.isVisible()
    page.box.clear()
    assert page.pane.plain == ""
    assert page.pane.notes.isHidden()
    assert page.choices.source.currentText() == "Detect the language"


def _cursor_at(page: TranslatePage, at: int) -> QTextCursor:
    cursor = QTextCursor(page.box.text.document())
    cursor.setPosition(at)
    return cursor


def test_a_swap_makes_the_translation_the_text_and_can_be_taken_back(taught: Desk) -> None:
    page = page_of(taught)
    page.choices.swap.click()
    assert "not known" in page.services.notices.text
    write(page, "The teacher is tired.")
    wait(lambda: page.made is not None, "the translation")
    page.choices.swap.click()
    assert (page.choices.source.code, page.choices.target.code) == ("fr", "en")
    assert page.box.text.toPlainText() == "Le professeur est fatigué."
    wait(lambda: page.pane.plain == "The teacher is tired.", "the way back")
    page.box.text.undo()
    assert page.box.text.toPlainText() == "The teacher is tired."


def test_a_glossary_and_words_that_stay_are_kept_and_a_bad_one_is_said(taught: Desk, tmp_path: Path) -> None:
    page = page_of(taught)
    page.choices.options.click()
    assert not page.choices.panel.isHidden()
    glossary = tmp_path / "terms.csv"
    glossary.write_text("teacher,enseignant\n", encoding="utf-8")
    page.choices.use_glossary(glossary)
    page.choices.keep.setText("Anna")
    page.choices.keep.editingFinished.emit()
    write(page, "The teacher is tired. Anna has two red books.")
    wait(lambda: page.made is not None, "the translation")
    assert "enseignant" in page.pane.plain
    assert "Anna" in page.pane.plain
    glossary.write_text("teacher,enseignant\nteacher,prof\n", encoding="utf-8")
    page.choices.use_glossary(glossary)
    wait(lambda: "terms.csv" in page.pane.notes.text(), "the error")
    assert "another translation above" in page.pane.notes.text()
    page.choices.no_glossary.click()
    wait(lambda: page.made is not None, "the translation without a glossary")
    assert "professeur" in page.pane.plain


def test_typing_on_stops_what_runs_and_begins_again(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(replies={"first": "un deux trois quatre cinq " * 40, "second": "autre"}, seconds_per_token=0.05)
    page = page_of(desk)
    write(page, "This is the first text.")
    wait(lambda: page.runner.busy and "un deux" in page.texts.result, "the first words")
    write(page, "This is the second text.")
    assert page.runner.stopping
    wait(lambda: page.pane.plain == "autre", "the second translation")
    assert page.made is not None
    assert page.made.text == "This is the second text."
    page.choices.live.setChecked(False)
    write(page, "This is the third text.")
    QTest.qWait(750)
    assert not page.runner.busy
    assert page.bar.button.isEnabled()


def test_a_stop_keeps_what_is_there_and_it_goes_on_behind_it(taught: Desk) -> None:
    page = page_of(taught)
    page.choices.live.setChecked(False)
    text = " ".join(["The teacher is tired.", "I have two red books."] * 40)
    write(page, text)
    page.bar.button.click()
    wait(lambda: page.texts.result.count(".") >= 3, "some sentences")
    page.escape()
    wait(lambda: not page.runner.busy, "the stop")
    stopped = page.made
    assert stopped is not None
    assert not stopped.finished
    assert 0 < len(stopped.pairs) < 80
    assert page.pane.plain == stopped.result
    assert page.bar.button.text() == "Go on"
    assert page.bar.words.toolTip().startswith("Stopped")
    after = again(page)
    assert after.box.source.text == text
    assert after.pane.plain == stopped.result
    assert after.bar.button.text() == "Go on"
    assert after.bar.words.toolTip() == "Stopped · English to French"
    assert not after.runner.busy
    translate(after)
    made = after.made
    assert made is not None
    assert made.finished
    assert made.result == " ".join(["Le professeur est fatigué.", "J'ai deux livres rouges."] * 40)
    assert made.pairs[: len(stopped.pairs)] == stopped.pairs
    assert [made.text[a:b] for a, b, _, _ in made.pairs] == ["The teacher is tired.", "I have two red books."] * 40
    assert {made.result[c:d] for _, _, c, d in made.pairs} == {"Le professeur est fatigué.", "J'ai deux livres rouges."}
    assert after.bar.button.text() == "Translate"
    after.runner.stop()


def test_an_engine_that_ends_is_said_and_the_page_goes_on(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(reply="un deux trois quatre " * 60, seconds_per_token=0.05)
    page = page_of(desk)
    page.choices.live.setChecked(False)
    write(page, "This is a text.")
    page.bar.button.click()
    wait(lambda: "trois" in page.texts.result, "the first words")
    pid = page.services.worker.engine_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait(lambda: not page.runner.busy, "the error")
    assert page.services.notices.text
    assert page.pane.plain.startswith("un deux trois")
    assert page.bar.button.text() == "Go on"
    page.bar.button.click()
    wait(lambda: "trois" in page.texts.result, "words again")
    page.escape()
    wait(lambda: not page.runner.busy, "the stop")


def test_without_a_model_there_is_nothing_to_go_on_with_and_a_button_to_the_models(
    open_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    desk = open_desk(reply="unused")
    page = page_of(desk)
    page.choices.live.setChecked(False)
    write(page, "This is a text.")
    page.services.app.engine().unload()
    translate(page)
    assert page.bar.words.toolTip() == "No model is loaded."
    assert page.bar.button.text() == "Translate"
    assert page.services.notices._button.text() == "Open Models"
    page.desk.take([long_file(tmp_path)])
    page.choices.set_mode(FILES)
    wait(lambda: not page.desk.placing and len(page.desk.rows), "the place")
    translate(page)
    assert [row.state for row in page.desk.rows] == ["waiting"]
    assert page.bar.button.text() == "Translate"
    assert page.services.notices._button.text() == "Open Models"
    page.services.notices._button.click()
    assert desk.window.stack.currentWidget() is desk.window.open_key("models")


def test_a_language_that_the_model_cannot_do_is_said_below(taught: Desk) -> None:
    page = page_of(taught)
    page.choices.target.choose("it")
    write(page, "The teacher is tired.")
    wait(lambda: "Italian" in page.pane.notes.text(), "the sentence")
    assert page.services.notices.text == ""
    page.choices.target.choose("en")
    wait(lambda: "already" in page.pane.notes.text() and page.pane.plain, "the note and the text")
    assert page.pane.plain == "The teacher is tired."


# Files


def test_files_keep_their_format_and_none_is_overwritten(taught: Desk, tmp_path: Path) -> None:
    page = page_of(taught)
    note, web, broken = tmp_path / "note.md", tmp_path / "page.html", tmp_path / "broken.epub"
    note.write_text(MARKDOWN, encoding="utf-8")
    web.write_text("<html><body><h1>The zyqqle is tired.</h1></body></html>", encoding="utf-8")
    broken.write_bytes(b"PK\x03\x04nothing")
    (tmp_path / "note.fr.md").write_text("mine", encoding="utf-8")
    drop(page, note, web, broken)
    wait(lambda: len(page.desk.rows) == 3 and not page.desk.placing, "the places")
    assert page.choices.mode == FILES
    assert page.desk.pane.card(note).becomes.text().startswith("→ note.fr (2).md · a number more")
    assert page.desk.pane.card(web).becomes.text() == "→ page.fr.html"
    translate(page)
    assert (tmp_path / "note.fr.md").read_text(encoding="utf-8") == "mine"
    made = (tmp_path / "note.fr (2).md").read_text(encoding="utf-8")
    assert made == "# Le professeur est fatigué\n\nJ'ai deux livres rouges.\n\n- Le chat est noir.\n"
    assert note.read_text(encoding="utf-8") == MARKDOWN
    assert "<h1>" in (tmp_path / "page.fr.html").read_text(encoding="utf-8")
    assert [row.state for row in page.desk.rows] == ["done", "done", "failed"]
    said = page.desk.report.plain
    assert "note.md → note.fr (2).md\n3 of 3 paragraphs translated · English to French" in said
    assert "zyqqle" in said
    assert "broken.epub cannot be read" in said
    assert not list(tmp_path.glob("broken.fr*"))
    assert page.bar.words.toolTip() == "2 of 3 files translated"
    page.desk.report.copy.click()
    assert QGuiApplication.clipboard().text() == said
    assert list(nameless(page)) == []
    page.services.notices.hide()
    page.desk.pane.card(broken).take_out.click()
    assert len(page.desk.rows) == 2
    page.services.notices._act()
    assert len(page.desk.rows) == 3
    page.desk.pane.clear.click()
    assert len(page.desk.rows) == 0


def long_file(folder: Path) -> Path:
    """Forty short paragraphs, each another."""
    things, states = ("teacher", "cat", "dog", "doctor", "book", "train", "house", "car"), "tired black red old new"
    path = folder / "long.md"
    paragraphs = [f"The {thing} is {state}." for thing in things for state in states.split()]
    path.write_text("\n\n".join(paragraphs), encoding="utf-8")
    return path


def stop_early(page: TranslatePage, file: Path) -> FileRow:
    """Begin, and stop after a few paragraphs."""
    page.bar.button.click()
    wait(lambda: page.desk.pane.card(file).progress.value() >= 2, "some paragraphs")
    assert not page.choices.target.isEnabled()
    assert "of 40 paragraphs" in page.bar.words.toolTip()
    page.bar.button.click()
    wait(lambda: not page.runner.busy, "the stop")
    row = next(iter(page.desk.rows))
    assert row.state == "stopped"
    assert 2 <= row.done < 40
    return row


def reused(page: TranslatePage) -> int:
    """How many paragraphs the report says were known."""
    found = re.search(r"(\d+) of 40 paragraphs from memory", page.desk.report.plain)
    return int(found[1]) if found else 0


def test_files_that_were_stopped_go_on_after_a_restart(taught: Desk, tmp_path: Path) -> None:
    page = page_of(taught)
    file, folder = long_file(tmp_path), tmp_path / "out"
    folder.mkdir()
    page.desk.take([file])
    page.desk.pane.folder_chosen.emit(folder)
    row = stop_early(page, file)
    assert list(folder.iterdir()) == []
    after = again(page)
    assert after.choices.mode == FILES
    assert after.bar.button.text() == "Go on"
    assert next(iter(after.desk.rows)) == FileRow(file, folder / "long.fr.md", "stopped", row.done, 40)
    assert after.bar.words.toolTip() == "Stopped · 0 of 1 files translated"
    after.choices.set_mode(TEXT)
    assert after.bar.words.toolTip() == ""
    after.choices.set_mode(FILES)
    translate(after)
    assert after.bar.words.toolTip() == "1 of 1 files translated"
    assert [one.name for one in folder.iterdir()] == ["long.fr.md"]
    assert (folder / "long.fr.md").read_text(encoding="utf-8").startswith("Le professeur est fatigué.")
    assert reused(after) >= row.done
    assert after.bar.button.text() == "Translate"
    assert not after.bar.button.isEnabled()


def test_without_a_memory_a_stopped_file_goes_on_too_and_leaves_nothing(taught: Desk, tmp_path: Path) -> None:
    page = page_of(taught)
    page.choices.memory.used.click()
    assert not page.services.app.settings.translation_memory
    file = long_file(tmp_path)
    page.desk.take([file])
    wait(lambda: not page.desk.placing, "the place")
    row = stop_early(page, file)
    kept = page.services.app.paths.translations
    assert list(kept.glob("*.db"))
    translate(page)
    assert reused(page) >= row.done
    assert (tmp_path / "long.fr.md").exists()
    assert not list(kept.glob("*.db*"))


def test_the_memory_is_cleared_after_a_second_press(taught: Desk, tmp_path: Path) -> None:
    page = page_of(taught)
    notices = page.services.notices
    page.choices.memory.forget.click()
    wait(lambda: notices.text == "The memory is empty.", "the notice")
    file = tmp_path / "note.md"
    file.write_text(MARKDOWN, encoding="utf-8")
    page.desk.take([file])
    translate(page)
    page.choices.memory.forget.click()
    wait(lambda: notices.text.startswith("3 paragraphs"), "the question")
    assert page.services.app.memory().count() == 3
    notices._act()
    wait(lambda: notices.text == "3 paragraphs were forgotten.", "the end")
    assert page.services.app.memory().count() == 0


def test_a_plain_file_is_read_as_text_and_comes_back(taught: Desk, tmp_path: Path) -> None:
    page = page_of(taught)
    file = tmp_path / "note.txt"
    file.write_text("The teacher is tired.\n", encoding="utf-8")
    drop(page, file)
    wait(lambda: page.made is not None, "the translation")
    assert page.choices.mode == TEXT
    assert page.pane.plain.strip() == "Le professeur est fatigué."
    after = again(page)
    wait(lambda: after.made is not None, "the file")
    assert after.box.paths == (file,)
    assert after.pane.plain.strip() == "Le professeur est fatigué."
    QTest.qWait(700)
    assert not after.runner.busy  # nothing is asked again


def test_what_was_kept_may_be_anything(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(reply="Un.")
    desk.ready()
    kept = desk.app.paths.work / "translate.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    state = {"text": 7, "rows": [1, {"path": 3}, {"path": "/a.md", "state": "odd", "done": -1, "warnings": 5}]}
    state |= {"made": {"source": "en", "target": "fr", "pairs": [[0, 99, 0, 1]]}, "result": "x", "target": "tlh"}
    kept.write_text(json.dumps(state), encoding="utf-8")
    page = page_of(desk)
    assert page.box.source.text == "7"
    assert page.choices.target.code == "fr"
    assert page.made is not None
    assert page.made.pairs == ()
    assert [row.state for row in page.desk.rows] == ["waiting"]


# Values


def test_every_character_of_a_translation_has_its_place_in_the_view() -> None:
    main.application()
    view = ResultView("Translation")
    result = "\n One 𝔘 <b>two</b> &amp;\r\tthree \u2028four\n\n\nfive  six\x00 "
    view.document().setHtml(translate_view.as_html(result))
    shown = view.document().toPlainText()
    assert shown == translate_view.plain(result)
    offsets = Offsets(result)
    for word in ("One", "two", "three", "four", "five", "six"):
        at = result.index(word)
        cursor = QTextCursor(view.document())
        cursor.setPosition(offsets.units(at))
        cursor.setPosition(offsets.units(at + len(word)), QTextCursor.MoveMode.KeepAnchor)
        assert cursor.selectedText() == word
        assert offsets.characters(offsets.units(at)) == at


def test_a_sentence_is_found_from_either_side() -> None:
    sides = Sides(((0, 4, 0, 3), (5, 9, 4, 4), (12, 20, 4, 9)))
    assert sides.at_source(0) == (0, 4, 0, 3)
    assert sides.at_source(4) == (0, 4, 0, 3)
    assert sides.at_source(10) is None
    assert sides.at_source(99) is None
    assert sides.at_target(8) == (12, 20, 4, 9)
    assert Sides().at_source(0) is None


def test_a_report_shows_names_and_warnings_as_they_are() -> None:
    rows = FileRows()
    path = Path("/x/<i>.md")
    rows.add([path, Path("/x/other.md")])
    rows.went(Went(path, 2, 4))
    assert [row.words for row in rows] == ["2 of 4 paragraphs", ""]
    warnings = tuple(f"line {n}: <script>" for n in range(400))
    rows.ended(Ended(path, Path("/x/<i>.fr.md"), "done", "4 of 4", warnings, Languages("en", "fr")))
    html, plain = translate_view.report(list(rows))
    assert "<script>" not in html
    assert "<i>" not in html
    assert "400 warnings in all" in html
    assert html.count("<li>") == 300
    assert plain.count("<script>") == 400
    assert "other.md" not in plain
    assert rows.pending() == ()


def test_a_report_puts_warnings_of_a_kind_together() -> None:
    rows, path = FileRows(), Path("/x/long.pdf")
    rows.add([path])
    doubts = [f"page {n}, paragraph 2: the built-in model was not taught word{n}." for n in range(1, 101)]
    rows.ended(Ended(path, Path("/x/long.fr.docx"), "done", "100 of 100", tuple(doubts), Languages("en", "fr")))
    html, plain = translate_view.report(list(rows))
    assert html.count("<li>") == 1
    assert "page 5, paragraph 2 and 95 more: the built-in model was not taught some of the words." in html
    assert plain.count("the built-in model was not taught word") == 100


def test_a_file_that_is_read_again_still_says_how_far_it_was() -> None:
    rows, path = FileRows(), Path("/x/long.md")
    rows.add([path])
    rows.went(Went(path, 0, 0))
    rows.halt()
    assert [row.words for row in rows] == ["Stopped"]
    rows.went(Went(path, 16, 78))
    rows.ended(Ended(path, Path("/x/long.fr.md"), "stopped"))
    for end in (rows.halt, lambda: rows.ended(Ended(path, Path("/x/long.fr.md"), "stopped"))):
        rows.went(Went(path, 0, 0))
        assert [row.words for row in rows] == ["Reading"]
        after = FileRows()
        after.restore(rows.state())
        end()
        assert [row.words for row in rows] == [row.words for row in after] == ["Stopped at 16 of 78 paragraphs"]


def test_a_translation_goes_on_only_where_it_is_the_same() -> None:
    from edgellm.ui.translate_work import Wish

    made = Translated("a b", "x", Languages("en", "fr"), ((0, 1, 0, 1),), finished=False, by_sentence=True)
    assert made.beginning("a b", Wish("fr")) is made
    assert made.beginning("a b", Wish("fr", "en")) is made
    assert made.beginning("a b", Wish("de")) is None
    assert made.beginning("a b", Wish("fr", "de")) is None
    assert made.beginning("a c", Wish("fr")) is None


def test_the_model_of_languages_is_loaded_once(open_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes a third of a second, and each pause in typing asks for the language."""
    from py3langid.langid import LanguageIdentifier

    loads, load = list[Any](), LanguageIdentifier.from_model_file

    def counted(*given: Any, **named: Any) -> Any:
        loads.append(given)
        return load(*given, **named)

    monkeypatch.setattr(LanguageIdentifier, "from_model_file", counted)
    page = page_of(open_desk(reply="un deux"))
    page.choices.live.setChecked(False)
    for text in ("The mill burned down in autumn.", "Nobody rebuilt that mill afterwards."):
        write(page, text)
        translate(page)
        assert page.made is not None
        assert page.made.languages.source == "en"
    assert len(loads) == 1
