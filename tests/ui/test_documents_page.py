"""The Documents page in the real window: collections are read, questions answered with links, and all of it is kept."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from desk import Desk, nameless, wait
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest

from edgellm.documents.library import Library
from edgellm.ui import documents_ask, documents_keeper, documents_shelf, documents_view
from edgellm.ui.documents_list import rows
from edgellm.ui.documents_page import DocumentsPage
from edgellm.ui.documents_shelf import Added, File, Group, Removal, Shelf
from edgellm.ui.documents_view import Entry, Quote
from edgellm.ui.passage_window import PassageWindow

TRIP = "# Trip\n\n## Harbor\n\nThe boat leaves on Monday. We eat fish in the small restaurant.\n"
HOUSE = "# House\n\n## Garden\n\nMy sister waters the flowers on Monday. The dog sleeps in the garden.\n"
QUOTED = "“The boat leaves on Monday.”\nIt leaves on Monday."


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What changed is read after a shorter rest."""
    monkeypatch.setattr(documents_keeper, "_STILL", 0.2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two notes and a file that cannot be read."""
    made = tmp_path / "notes"
    made.mkdir()
    (made / "trip.md").write_text(TRIP, encoding="utf-8")
    (made / "house.md").write_text(HOUSE, encoding="utf-8")
    (made / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing")
    return made


def opened(desk: Desk) -> DocumentsPage:
    """The page, restored and listed."""
    page = desk.window.open_key("documents")
    assert isinstance(page, DocumentsPage)
    wait(lambda: page._restored and page.work._listed_at, "the page")
    return page


def drop(page: DocumentsPage, *paths: Path) -> None:
    """Let files fall on the page."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    page.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys, QEvent.Type.Drop))


def read(page: DocumentsPage, count: int) -> None:
    """Wait until so many files were looked at."""
    wait(lambda: sum(file.read is not None for file in page.work.shelf.files()) == count, f"{count} files")


def ask(page: DocumentsPage, question: str) -> Entry:
    """Ask and wait for the end."""
    page.answers.question.setText(question)
    QTest.keyClick(page.answers.question, Qt.Key.Key_Return)
    wait(lambda: not page.runner.busy and not page._searching, "the answer")
    entry = page.answers.shown
    assert entry is not None
    return entry


def test_a_dropped_folder_is_read_asked_and_its_quote_opened(open_desk: Callable[..., Desk], folder: Path) -> None:
    desk = open_desk(replies={"boat": QUOTED})
    desk.ready()
    page = opened(desk)
    assert not page.documents.first.isHidden()
    assert page.documents._stack.currentIndex() == 0
    drop(page, folder)
    read(page, 3)
    shown = {row.title: row for row in page.documents.list.rows}
    assert shown["broken.pdf"].bad
    assert shown["trip.md"].below == "1 passage"
    wait(lambda: page.documents.words.text() == "3 files · 2 passages · 1 cannot be read", "the totals")
    entry = ask(page, "When does the boat leave?")
    assert entry.state == "done"
    assert [quote.text for quote in entry.quotes] == ["The boat leaves on Monday."]
    assert entry.basis.startswith("Read the whole of 2 documents (")
    page.answers.pane.view.anchorClicked.emit(QUrl("place:0"))
    wait(lambda: page.window().findChildren(PassageWindow), "the passage")
    window = page.window().findChildren(PassageWindow)[0]
    assert window.passage == "The boat leaves on Monday."
    assert "trip.md" in window.windowTitle()
    window.close()
    assert list(nameless(page)) == []


def test_search_only_needs_no_model_and_marks_the_words(open_desk: Callable[..., Desk], folder: Path) -> None:
    desk = open_desk(reply="unused")
    page = opened(desk)
    drop(page, folder)
    read(page, 3)
    page.search_only.setChecked(True)
    entry = ask(page, "flowers in the garden")
    assert entry.search
    assert entry.quotes[0].path.endswith("house.md")
    assert '<span class="hit">flowers</span>' in documents_view.as_html(entry)
    assert ask(page, "Zeppelin").quotes == ()
    assert "No passage has these words." in page.answers.pane.view.toPlainText()


def test_what_the_documents_do_not_say_is_said_with_the_nearest(open_desk: Callable[..., Desk], folder: Path) -> None:
    desk = open_desk(reply="The text does not say.")
    desk.ready()
    page = opened(desk)
    drop(page, folder)
    read(page, 3)
    entry = ask(page, "When does the boat sink?")
    assert not entry.said
    assert entry.near
    assert "Your documents do not say." in page.answers.pane.view.toPlainText()
    assert "place:0" in documents_view.as_html(entry)


def test_the_starter_answers_with_a_quote(open_desk: Callable[..., Desk], folder: Path, starter: Path) -> None:
    desk = open_desk(reply="unused")
    desk.ready()
    desk.window.services.worker.load(str(starter), asked=True)
    wait(lambda: desk.window.status is not None and desk.window.status.path == starter, "the starter")
    page = opened(desk)
    drop(page, folder)
    read(page, 3)
    entry = ask(page, "Where does the dog sleep?")
    assert "garden" in entry.text
    assert entry.quotes[0].text == "The dog sleeps in the garden."
    assert entry.quotes[0].headings[-1] == "Garden"


def test_stopping_keeps_what_is_there(open_desk: Callable[..., Desk], folder: Path) -> None:
    desk = open_desk(reply=QUOTED + " word" * 300, seconds_per_token=0.02)
    desk.ready()
    page = opened(desk)
    drop(page, folder)
    read(page, 3)
    page.answers.question.setText("When does the boat leave?")
    page.bar.button.click()
    wait(lambda: page.answers.entries and "word" in page.answers.entries[-1].text, "some words")
    page.escape()
    wait(lambda: not page.runner.busy, "the end")
    entry = page.answers.shown
    assert entry is not None
    assert entry.state == "stopped"
    assert "word" in entry.text
    assert "Stopped; this is what there was." in page.answers.pane.view.toPlainText()
    assert page.bar.button.text() == "Go on"
    page.answers.question.setText("Where do we eat?")
    assert page.bar.button.text() == "Ask"
    page.answers.question.setText("When does the boat leave?")
    page.kept.flush()
    desk.close()
    assert opened(open_desk(reply=QUOTED)).bar.button.text() == "Go on"


def test_a_question_stopped_before_its_answer_is_asked_again(open_desk: Callable[..., Desk], folder: Path) -> None:
    desk = open_desk(reply=QUOTED, seconds_per_token=3.0)
    desk.ready()
    page = opened(desk)
    drop(page, folder)
    read(page, 3)
    page.answers.question.setText("When does the boat leave?")
    page.bar.button.click()
    page.escape()
    wait(lambda: not page.runner.busy, "the end")
    shown = page.answers.pane.view.toPlainText()
    assert "Stopped before there was an answer." in shown
    assert "this is what there was" not in shown
    assert page.bar.button.text() == "Ask"
    page.kept.flush()
    desk.close()
    page = opened(open_desk(reply=QUOTED))
    assert page.answers.question.text() == "When does the boat leave?"
    assert page.bar.button.text() == "Ask"


def test_a_cut_question_goes_on_after_a_restart(open_desk: Callable[..., Desk], folder: Path) -> None:
    desk = open_desk(reply=QUOTED + " word" * 300, seconds_per_token=0.02)
    desk.ready()
    page = opened(desk)
    drop(page, folder)
    read(page, 3)
    page.answers.question.setText("When does the boat leave?")
    page.run()
    wait(lambda: page.answers.entries and "word" in page.answers.entries[-1].text, "some words")
    page.kept.flush()
    desk.close()
    file = page.services.app.paths.work / "documents.json"
    assert file.stat().st_mode & 0o077 == 0
    desk = open_desk(reply=QUOTED)
    desk.ready()
    page = opened(desk)
    assert page.bar.button.text() == "Go on"
    assert "word" in page.answers.pane.view.toPlainText()
    page.bar.button.click()
    wait(lambda: page.runner.busy or len(page.answers.entries) == 1, "the work")
    wait(lambda: not page.runner.busy, "the answer")
    assert [entry.state for entry in page.answers.entries] == ["done"]
    assert page.bar.button.text() == "Ask"


def test_removing_has_an_undo_and_then_forgets(open_desk: Callable[..., Desk], folder: Path) -> None:
    desk = open_desk(reply="unused")
    page = opened(desk)
    drop(page, folder, folder / "trip.md")
    read(page, 3)
    library = desk.app.library()
    page.documents.list.choose(next(row for row in page.documents.list.rows if row.kind == "folder"))
    QTest.keyClick(page.documents.list, Qt.Key.Key_Delete)
    wait(lambda: [row.title for row in page.documents.list.rows] == ["documents", "trip.md"], "the shorter list")
    assert folder in library.collection("documents").sources
    page.services.notices._act()
    wait(lambda: len(page.work.shelf.files()) == 3, "the folder again")
    page.documents.list.choose(page.documents.list.rows[0])
    page.documents.remove.click()
    wait(lambda: not page.documents.list.rows, "the empty list")
    page.work._take_out()
    wait(lambda: library.collections() == (), "the end of the collection")
    page.services.notices._act()
    wait(lambda: len(page.work.shelf.files()) >= 3, "all of it again")
    assert (folder / "trip.md").read_text(encoding="utf-8") == TRIP


def test_collections_are_made_chosen_and_asked_alone(open_desk: Callable[..., Desk], folder: Path) -> None:
    desk = open_desk(reply="unused")
    page = opened(desk)
    page.new.click()
    page.name.setText("  Harbor  ")
    QTest.keyClick(page.name, Qt.Key.Key_Return)
    wait(lambda: page.work.name == "Harbor", "the collection")
    drop(page, folder / "trip.md")
    read(page, 1)
    page.collection.setCurrentIndex(0)
    page._on_collection()
    drop(page, folder / "house.md")
    read(page, 2)
    assert page.work.shelf.names == ("Harbor", "documents")
    page.search_only.setChecked(True)
    assert len(ask(page, "Monday").quotes) == 2
    page.collection.setCurrentIndex(page.collection.findData("Harbor"))
    page._on_collection()
    assert [Path(quote.path).name for quote in ask(page, "Monday").quotes] == ["trip.md"]
    assert page.answers.earlier.count() == 2
    page.answers.earlier.setCurrentRow(1)
    assert page.answers.shown is page.answers.entries[0]
    QTest.keyClick(page.answers.earlier, Qt.Key.Key_Delete)
    assert len(page.answers.entries) == 1
    page.services.notices._act()
    assert len(page.answers.entries) == 2


def test_a_collection_gets_another_name(open_desk: Callable[..., Desk], folder: Path) -> None:
    desk = open_desk(reply="unused")
    page = opened(desk)
    for name in ("Harbor", "House"):
        page.work.add([folder / "trip.md"], name)
        wait(lambda name=name: name in page.work.shelf.names, name)  # type: ignore[misc]
    read(page, 1)
    page.collection.setCurrentIndex(page.collection.findData("Harbor"))
    page._on_collection()
    wait(lambda: [row.title for row in page.documents.list.rows][:1] == ["Harbor"], "its rows")
    page.documents.list.choose(page.documents.list.rows[0])
    QTest.keyClick(page.documents.list, Qt.Key.Key_F2)
    assert page.name.isVisible()
    assert page.name.text() == page.name.selectedText() == "Harbor"
    notices = page.services.notices
    for given, sentence in (
        ("House", "There is a collection 'House' already.\nChoose another name."),
        ("   ", "A collection needs a name.\nGive it a name of letters and digits."),
        ("x" * 200, "The name has more than 100 letters.\nChoose a shorter one."),
        ("a/b", "The name of a collection holds no slash.\nGive it a name of letters and digits."),
    ):
        page.name.setText(given)
        QTest.keyClick(page.name, Qt.Key.Key_Return)
        wait(lambda said=sentence: notices.text == said, sentence)  # type: ignore[misc]
        assert page.name.isVisible()
        assert page.name.text() == given
        notices.hide()
    page.name.setText(" Harbor  town ")
    QTest.keyClick(page.name, Qt.Key.Key_Return)
    wait(lambda: page.work.name == "Harbor town" and "Harbor town" in page.work.shelf.names, "the new name")
    assert not page.name.isVisible()
    assert page.collection.currentData() == "Harbor town"
    assert page.work.shelf.names == ("Harbor town", "House")
    assert [file.path.name for file in page.work.shelf.files("Harbor town")] == ["trip.md"]
    assert page.state()["collection"] == "Harbor town"
    notices._act()
    wait(lambda: page.work.shelf.names == ("Harbor", "House"), "the old name again")
    wait(lambda: [row.title for row in page.documents.list.rows][:1] == ["Harbor"], "its rows again")
    menu = page.documents.menu(next(row for row in page.documents.list.rows if row.kind == "collection"))
    assert [action.text() for action in menu.actions()] == ["Rename (F2)", "Take out of the list (Del)"]
    menu.actions()[0].trigger()
    assert page.name.isVisible()
    QTest.keyClick(page.name, Qt.Key.Key_Escape)
    assert not page.name.isVisible()


def test_changes_failures_and_pauses_are_seen(open_desk: Callable[..., Desk], folder: Path) -> None:
    desk = open_desk(reply="unused")
    page = opened(desk)
    drop(page, folder)
    read(page, 3)
    page.work.keeper._state("The battery is at 12 %.")
    wait(lambda: "The battery is at 12 %." in page.documents.words.text(), "the sentence")
    page.work.keeper._state("")
    page.documents.pause.click()
    wait(lambda: "Paused" in page.documents.words.text(), "the pause")
    (folder / "later.txt").write_text("The cat is on the roof.", encoding="utf-8")
    page.work.keeper.look()
    QTest.qWait(300)
    assert len(page.work.shelf.files()) == 3
    page.documents.pause.click()
    read(page, 4)
    (folder / "broken.pdf").unlink()
    page.work.keeper.look()
    read(page, 3)
    blocked = folder / "later.txt"
    page.work.keeper.retry()
    wait(lambda: not page.work.keeper._again.is_set() and page.work.keeper._jobs.empty(), "the second attempt")
    assert blocked in [file.path for file in page.work.shelf.files()]


def test_an_engine_that_is_killed_costs_one_answer(open_desk: Callable[..., Desk], folder: Path) -> None:
    desk = open_desk(reply=QUOTED + " word" * 300, seconds_per_token=0.02)
    desk.ready()
    page = opened(desk)
    drop(page, folder)
    read(page, 3)
    page.answers.question.setText("When does the boat leave?")
    page.run()
    wait(lambda: page.answers.entries and "word" in page.answers.entries[-1].text, "some words")
    assert desk.window.status is not None
    assert desk.window.status.pid is not None
    os.kill(desk.window.status.pid, signal.SIGKILL)
    wait(lambda: not page.runner.busy, "the error")
    assert page.services.notices.text
    entry = page.answers.shown
    assert entry is not None
    assert entry.state == "failed"
    assert "word" in entry.text
    page.search_only.setChecked(True)
    assert ask(page, "boat").quotes


def test_nothing_is_asked_of_nothing(open_desk: Callable[..., Desk]) -> None:
    page = opened(open_desk(reply="unused"))
    assert not page.bar.button.isEnabled()
    page.run()
    page.answers.question.setText("Anything?")
    page.run()
    assert page.bar.words.toolTip() == "Add files or folders first."
    assert page.answers.entries == ()
    page.documents.take([Path("/nowhere/at-all.txt")])
    wait(lambda: page.services.notices.text, "the complaint")
    assert "does not exist" in page.services.notices.text


def test_an_answer_is_saved_with_its_quotes(open_desk: Callable[..., Desk], tmp_path: Path) -> None:
    page = opened(open_desk(reply="unused"))
    quote = Quote("The boat leaves on Monday.", "/a/trip.pdf", 3, ("Trip", "Harbor"), 12)
    page.answers.begin(Entry("When?", state="done", text="On **Monday**.", quotes=(quote,), basis="Read 1 passage."))
    for name in ("answer.md", "answer.txt"):
        page.answers.pane.save_as(tmp_path / name)
        wait((tmp_path / name).exists, name)
    saved = (tmp_path / "answer.md").read_text(encoding="utf-8")
    assert saved.startswith(
        "## When?\n\nOn **Monday**.\n\n> “The boat leaves on Monday.”\n> — trip.pdf, page 3, “Harbor”"
    )
    assert "trip.pdf, page 3" in (tmp_path / "answer.txt").read_text(encoding="utf-8")


def test_entries_are_escaped_and_survive_damage() -> None:
    quote = Quote("<b>& boat", "/a/<i>.txt", 0, (), 4, ((3, 5),))
    entry = Entry("<script>", state="done", text="<img src=x>", quotes=(quote,), near=(quote,), notes=("<u>",))
    made = documents_view.as_html(entry)
    for tag in ("<script", "<img", "<i>", "<u>"):
        assert tag not in made
    assert documents_view.again(json.loads(json.dumps(documents_view.kept(entry)))) == entry
    bad: object
    for bad in (None, [], {}, {"question": 3}, "x"):
        assert documents_view.again(bad) is None
    bent = {"question": "q", "state": "dancing", "quotes": [1, {"text": 2}], "text": 7, "notes": "n", "search": "yes"}
    assert documents_view.again(bent) == Entry("q", state="done")


def test_a_long_passage_is_cut_around_its_first_word() -> None:
    text = "Nothing here. " * 60 + "The boat sails. " + "More of it. " * 60
    marks = tuple(documents_ask.marks("When does the boat sail?", text))
    assert [text[start:stop] for start, stop in marks] == ["boat", "sails"]
    made = documents_view._excerpt(Quote(text, "/a.txt", marks=marks))
    assert made.startswith("…")
    assert made.endswith("…")
    assert '<span class="hit">boat</span>' in made
    chinese = "我们在港口吃鱼。"
    assert [chinese[start:stop] for start, stop in documents_ask.marks("港口在哪里？", chinese)] == ["港口"]


def test_rows_say_what_is_known() -> None:
    files = (File(Path("/a/x.pdf"), False, reason="it is damaged"), File(Path("/a/y.pdf"), True, 12, 1400))
    gone = Added(Path("/b.txt"), False, False, (File(Path("/b.txt"), True, 0, 1),))
    shelf = Shelf((Group("one", (Added(Path("/a"), True, True, files), gone)), Group("two")))
    said = [(row.title, row.below, row.level) for row in rows(shelf)]
    assert said == [
        ("one", "3 files · 1,401 passages · 1 cannot be read", 0),
        ("a", "2 files · 1,400 passages · 1 cannot be read", 1),
        ("x.pdf", "cannot be read: it is damaged", 2),
        ("y.pdf", "12 pages · 1,400 passages", 2),
        ("b.txt", "not there now; what was read of it is kept", 1),
        ("two", "Empty; drop files or folders here.", 0),
    ]
    assert [row.title for row in rows(shelf, "two")] == ["two"]


def test_a_shelf_is_read_without_what_is_being_removed(tmp_path: Path) -> None:
    library = Library(tmp_path / "library.db")
    try:
        inner = tmp_path / "in"
        inner.mkdir()
        library.create("one")
        library.add_source("one", inner)
        library.create("two")
        assert documents_shelf.read(library).names == ("one", "two")
        assert documents_shelf.read(library, {Removal("two"), Removal("one", inner)}) == Shelf((Group("one"),))
        documents_shelf.take_out(library, [Removal("two"), Removal("one", inner), Removal("three")])
        assert documents_shelf.read(library) == Shelf((Group("one"),))
    finally:
        library.close()


def test_documents_are_kept_up_to_date_before_the_page_is_opened(
    open_desk: Callable[..., Desk], folder: Path, home: Path
) -> None:
    desk = open_desk(reply="unused")
    desk.window.keep_documents()
    assert len(desk.window._built) == 1
    library = Library(home / "library.db")
    library.create("notes")
    library.add_source("notes", folder)
    library.close()
    desk.window.keep_documents()
    assert desk.window.stack.currentWidget() is desk.chat
    wait(lambda: len(desk.app.library().files("notes")) == 3, "the files")
    desk.close()
    assert [one.name for one in threading.enumerate() if one.name.startswith("documents")] == []
