"""The Classify page: one text, tables, files; labels and their sets; stops, restarts, copies and errors."""

from __future__ import annotations

import csv
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from desk import Desk, nameless, wait
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from edgellm.errors import Stopped
from edgellm.ui import main
from edgellm.ui.classify_page import ClassifyPage
from edgellm.ui.classify_rows import CONFIDENCE, NOTE, Line, as_csv
from edgellm.ui.source_files import files_of

Open = Callable[..., Desk]
ANSWERS = {"broken": '"bad"', "lovely": '"good"', "strange": '"bad"'}
ROWS = [("1", "It is broken."), ("2", "It is lovely."), ("3", "=lovely"), ("4", ""), ("5", "a strange thing")]


def page_of(desk: Desk) -> ClassifyPage:
    desk.ready()
    page = desk.window.open_key("classify")
    assert isinstance(page, ClassifyPage)
    wait(lambda: page._restored, "the first reading")
    return page


def labeled(page: ClassifyPage, line: str = "good, bad") -> ClassifyPage:
    page.labels.line.setText(line)
    return page


def table(folder: Path, rows: list[tuple[str, str]] | None = None) -> Path:
    path = folder / "letters.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("number", "words"), *(ROWS if rows is None else rows)])
    return path


def drop(page: ClassifyPage, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    page.given.box.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys, QEvent.Type.Drop))
    wait(lambda: page.given.ready, "the source")


def run(page: ClassifyPage) -> None:
    page.run()
    assert page.runner.busy
    wait(lambda: not page.runner.busy, "the labels")


def labels_of(page: ClassifyPage) -> list[str]:
    return [line.label for line in page.pane.lines]


@pytest.fixture
def starter(home: Path) -> Iterator[ClassifyPage]:
    """The page on the real starter model."""
    main.application()
    desk = Desk({"model": "", "theme": "light", "language": "en"})
    yield page_of(desk)
    desk.close()


def test_the_starter_says_how_sure_it_is_of_every_label(starter: ClassifyPage) -> None:
    assert starter.pane.empty
    starter.pane.try_button.click()
    wait(lambda: not starter.runner.busy and not starter.pane.empty, "the labels")
    assert starter.pane.head.text() == "positive"
    lines = starter.pane.lines
    assert lines[0].text == "positive"
    assert {line.text for line in lines} == {"positive", "negative", "neutral"}
    assert sum(line.confidence or 0 for line in lines) == pytest.approx(1, abs=0.01)
    assert list(nameless(starter)) == []


def test_the_starter_labels_a_table(starter: ClassifyPage, tmp_path: Path) -> None:
    drop(
        starter,
        table(tmp_path, [("1", "The food was great."), ("2", "The train is late and I am angry.")]),
    )
    assert starter.given.columns.combo.currentText() == "words"
    run(starter)
    assert labels_of(starter) == ["positive", "negative"]
    assert starter.pane.words.text() == "negative 1 · positive 1"
    assert all((line.confidence or 0) > 0.5 for line in starter.pane.lines)


def test_a_model_without_shares_gives_the_label_alone(open_desk: Open) -> None:
    page = labeled(page_of(open_desk(replies=ANSWERS, reply='"good"')))
    page.given.box.text.setPlainText("It is broken.")
    QTest.keyClick(page.given.box.text, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    wait(lambda: not page.runner.busy, "the label")
    assert page.pane.head.text() == "bad"
    assert "does not say how sure" in page.pane.words.text()
    assert page.pane.lines[0].confidence is None


def test_bad_labels_are_said_beside_the_field(open_desk: Open) -> None:
    page = page_of(open_desk(reply='"good"'))
    page.given.box.text.setPlainText("words")
    for line, words in (("good", "at least two"), ("a, b, a", "twice"), ("Good, good", "case"), ("a,,b", "empty")):
        page.labels.line.setText(line)
        assert words in page.labels.problem.text()
        assert not page.labels.problem.isHidden()
        assert not page.bar.button.isEnabled()
        page.run()
        assert not page.runner.busy
    page.labels.line.setText("good，bad、fine,")
    assert page.labels.problem.isHidden()
    assert [label.name for label in page.labels.labels or ()] == ["good", "bad", "fine"]
    assert page.bar.button.isEnabled()


def test_a_set_is_kept_deleted_and_had_back(open_desk: Open) -> None:
    page = labeled(page_of(open_desk(reply='"good"')), "mild, hot")
    box, notices = page.labels, page.services.notices
    box.ask_name()
    box.name.setText("spice")
    QTest.keyClick(box.name, Qt.Key.Key_Return)
    wait(lambda: any(one.name == "spice" for one in box._sets), "the set")
    made = next(one for one in box._sets if one.name == "spice")
    box.take_first()
    box._fill()
    titles = [action.text() for action in box.menu.actions()]
    assert "spice: mild, hot" in titles
    box.menu.actions()[titles.index("spice: mild, hot")].trigger()
    assert box.line.text() == "mild, hot"
    box.delete(made)
    wait(lambda: not any(one.name == "spice" for one in box._sets), "the end of the set")
    assert "deleted" in notices.text
    notices._act()
    wait(lambda: any(one.name == "spice" for one in box._sets), "the set again")
    box.ask_name()
    box.name.setText("/")
    box.keep()
    wait(lambda: "cannot be the name" in notices.text, "the complaint")


def test_a_table_is_labeled_saved_and_copied(open_desk: Open, tmp_path: Path) -> None:
    page = labeled(page_of(open_desk(replies=ANSWERS, reply='"good"')))
    source = table(tmp_path)
    drop(page, source)
    columns = page.given.columns
    assert columns.combo.currentText() == "words"
    assert page.given.box._chips[source].facts.text() == "5 rows"
    assert columns.rows.item(0, 1).text() == "It is broken."  # type: ignore[union-attr]
    assert columns.named.isChecked()
    run(page)
    assert labels_of(page) == ["bad", "good", "good", "", "bad"]
    assert page.pane.lines[3].failed
    assert page.pane.words.text() == "bad 2 · good 2 · not classified 1"
    assert "5 of 5" in page.bar.words.toolTip()
    page.pane.table.selectRow(2)
    page.pane.copy()
    wait(lambda: "Copied" in page.services.notices.text, "the copy")
    assert QGuiApplication.clipboard().text() == "'=lovely\tgood\t\tgood\t\n"
    out = tmp_path / "out.csv"
    page.save_as(out)
    wait(out.exists, "the file")
    with out.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == ["number", "words", "label", "confidence", "best_guess", "label_note"]
    assert [row[2] for row in rows[1:]] == ["bad", "good", "good", "", "bad"]
    assert rows[3][1] == "'=lovely"
    before = source.read_bytes()
    page.save_as(source)
    wait(lambda: "cannot take the place" in page.services.notices.text, "the complaint")
    assert source.read_bytes() == before


def test_another_column_and_a_table_without_names(open_desk: Open, tmp_path: Path) -> None:
    page = labeled(page_of(open_desk(replies=ANSWERS, reply='"good"')))
    drop(page, table(tmp_path))
    page.given.columns.combo.setCurrentIndex(0)
    page.given.columns.named.click()
    assert not page.given.ready
    wait(lambda: page.given.ready, "the other form")
    assert page.given.columns.combo.currentText() == "column 1"
    assert page.given.form is not None and page.given.form.total == 6
    run(page)
    assert [line.text for line in page.pane.lines] == ["number", "1", "2", "3", "4", "5"]


def test_a_stop_keeps_rows_and_a_restart_goes_on(open_desk: Open, tmp_path: Path) -> None:
    many = [(str(n), "It is broken." if n % 3 else "It is lovely.") for n in range(40)]
    content = {"replies": {key: f"{value} and so on" for key, value in ANSWERS.items()}, "seconds_per_token": 0.01}
    desk = open_desk(**content)
    page = labeled(page_of(desk))
    drop(page, table(tmp_path, many))
    page.run()
    wait(lambda: len(page.pane.lines) >= 3, "some rows")
    page.escape()
    wait(lambda: not page.runner.busy, "the stop")
    done = len(page.pane.lines)
    assert 3 <= done < 40
    assert f"Stopped. {done} of 40" in page.bar.words.toolTip()
    assert page.bar.button.text() == "Go on"
    page.save_as(tmp_path / "half.csv")
    wait((tmp_path / "half.csv").exists, "the file")
    assert len((tmp_path / "half.csv").read_text(encoding="utf-8").splitlines()) == done + 1
    desk.close()
    again = page_of(open_desk(**{**content, "seconds_per_token": 0}))
    wait(lambda: len(again.pane.lines) == done and again.given.ready, "what was there")
    assert again.labels.line.text() == "good, bad"
    assert again.bar.button.text() == "Go on"
    run(again)
    assert len(again.pane.lines) == 40
    assert labels_of(again) == ["bad" if n % 3 else "good" for n in range(40)]
    assert again.bar.button.text() == "Classify"
    again.labels.line.setText("bad, good, other")
    run(again)
    assert len(again.pane.lines) == 40


def test_a_window_that_is_closed_at_work_goes_on(open_desk: Open, tmp_path: Path) -> None:
    desk = open_desk(replies=ANSWERS, seconds_per_token=0.05)
    page = labeled(page_of(desk))
    drop(page, table(tmp_path, [(str(n), f"{n} is broken.") for n in range(20)]))
    page.run()
    wait(lambda: len(page.pane.lines) >= 2, "some rows")
    desk.close()
    again = page_of(open_desk(replies=ANSWERS))
    wait(lambda: len(again.pane.lines) >= 2 and again.given.ready, "what was there")
    assert again.bar.button.text() == "Go on"
    run(again)
    assert [line.text for line in again.pane.lines] == [f"{n} is broken." for n in range(20)]
    assert again.place.folder.stat().st_mode & 0o077 == 0
    again.given.put("It is lovely.")
    run(again)
    assert list(again.place.folder.iterdir()) == []  # rows that are no longer shown are not kept


def test_an_error_in_the_middle_keeps_what_is_there(open_desk: Open, tmp_path: Path) -> None:
    faults = [{"at": "generate", "error": "ModelDamaged", "prompt": "strange"}]
    page = labeled(page_of(open_desk(replies=ANSWERS, faults=faults)))
    drop(page, table(tmp_path))
    run(page)
    assert page.services.notices.text
    assert page.bar.words.toolTip() in page.services.notices.text
    assert labels_of(page) == ["bad", "good", "good", ""]
    assert page.bar.button.text() == "Go on"
    page.given.put("It is lovely.")
    run(page)
    assert page.pane.head.text() == "good"


def test_what_was_cleared_can_be_had_back(open_desk: Open, tmp_path: Path) -> None:
    page = labeled(page_of(open_desk(replies=ANSWERS)))
    drop(page, table(tmp_path))
    run(page)
    page.given.box.clear_button.click()
    assert page.pane.empty
    assert "cleared" in page.services.notices.text
    page.services.notices._act()
    wait(lambda: page.given.ready, "the table")
    assert labels_of(page) == ["bad", "good", "good", "", "bad"]
    assert page.pane.save_button.isEnabled()
    page.given.box.clear_button.click()
    page._forget_now()
    wait(lambda: not page.place.folder.exists(), "the end of the rows")


def test_files_are_labeled_as_a_whole_and_bad_ones_named(open_desk: Open, tmp_path: Path) -> None:
    desk = open_desk(replies=ANSWERS)
    page = labeled(page_of(desk))
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "a.txt").write_text("It is broken.", encoding="utf-8")
    (folder / "b.md").write_text("It is *lovely*.\n\nIt is lovely.", encoding="utf-8")
    (folder / "c.pdf").write_bytes(b"%PDF-1.7\nnothing")
    page.given.take_folder(folder)
    wait(lambda: page.given.ready, "the folder")
    run(page)
    assert [(line.text, line.label, line.failed) for line in page.pane.lines] == [
        ("a.txt", "bad", False),
        ("b.md", "good", False),
        ("c.pdf", "", True),
    ]
    assert page.pane.lines[2].note
    page.save_as(tmp_path / "files.csv")
    wait((tmp_path / "files.csv").exists, "the file")
    lines = (tmp_path / "files.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[:2] == ["file,label,confidence,best_guess,label_note", "a.txt,bad,,bad,"]
    desk.close()
    again = page_of(open_desk(replies=ANSWERS))
    wait(lambda: len(again.pane.lines) == 3, "what was there")
    assert [line.label for line in again.pane.lines] == ["bad", "good", ""]


def test_many_files_cost_the_window_nothing(open_desk: Open, tmp_path: Path) -> None:
    desk = open_desk(replies=ANSWERS)
    page = page_of(desk)
    desk.window.resize(760, 520)
    paths = [tmp_path / f"{n}.txt" for n in range(3_000)]
    page.given.box.take(paths)
    QTest.qWait(50)
    assert page.given.box.paths == tuple(paths)
    assert len(page.given.box._chips) == 100
    assert page.given.box._more.text() == "and 2,900 more"
    assert desk.window.height() == 520
    page.given.box.clear_button.click()
    assert page.given.empty
    assert page.given.box._list.isHidden()


def test_rows_are_called_what_they_are(open_desk: Open) -> None:
    page = page_of(open_desk(reply='"good"'))
    lines = [
        Line("a", "good", 0.9, "good", "Only the beginning was read."),
        Line("b", "", 0.4, "bad"),
        Line("c", note="too long for the model", failed=True),
    ]
    page.pane.show_lines(lines, "Text")
    rows = page.pane.table.rows
    shown = [[rows.index(row, column).data() for column in range(4)] for row in range(3)]
    assert shown == [
        ["a", "good", "90 %", "Only the beginning was read."],
        ["b", "unsure (bad?)", "40 %", ""],
        ["c", "too long for the model", "", ""],
    ]
    assert page.pane.words.text() == "good 1 · unsure 1 · not classified 1"
    assert not page.pane.table.isColumnHidden(NOTE)
    assert as_csv(lines, "text").splitlines()[1:] == [
        "a,good,0.9000,good,Only the beginning was read.",
        "b,,0.4000,bad,",
        "c,,,,too long for the model",
    ]


def test_one_document_is_a_text(open_desk: Open, tmp_path: Path) -> None:
    page = labeled(page_of(open_desk(replies=ANSWERS)))
    (tmp_path / "a.html").write_text("<p>It is <b>lovely</b>.</p>", encoding="utf-8")
    drop(page, tmp_path / "a.html")
    run(page)
    assert page.pane.head.text() == "good"


def test_a_file_that_is_no_table_is_said(open_desk: Open, tmp_path: Path) -> None:
    page = labeled(page_of(open_desk(replies=ANSWERS)))
    bad = tmp_path / "picture.csv"
    bad.write_bytes(b"PK\x03\x04" + b"\0" * 50)
    page.given.box.take([bad])
    wait(lambda: "is not a CSV file" in page.services.notices.text, "the complaint")
    assert not page.given.ready
    assert not page.bar.button.isEnabled()


def test_an_engine_that_dies_costs_nothing_that_is_done(open_desk: Open, tmp_path: Path) -> None:
    desk = open_desk(replies=ANSWERS, seconds_per_token=0.02)
    page = labeled(page_of(desk))
    drop(page, table(tmp_path, [(str(n), "It is broken.") for n in range(30)]))
    page.run()
    wait(lambda: len(page.pane.lines) >= 2, "some rows")
    pid = desk.window.status.pid if desk.window.status else None
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait(lambda: not page.runner.busy, "the end")
    if page._unfinished:  # else the engine came back before the row was given up
        assert page.services.notices.text
        assert page.bar.button.text() == "Go on"
        run(page)
    assert labels_of(page) == ["bad"] * 30


def test_a_hundred_thousand_rows_are_shown_and_sorted(open_desk: Open) -> None:
    page = page_of(open_desk(reply='"good"'))
    lines = [Line(f"text {n}", "good", n / 100_000, "good") for n in range(100_000)]
    page.pane.show_lines(lines[:90_000], "Text")
    page.pane.add(lines[90_000:])
    view = page.pane.table
    assert view.rows.rowCount() == 100_000
    assert page.pane.words.text() == "good 100,000"
    view.sortByColumn(CONFIDENCE, Qt.SortOrder.DescendingOrder)
    assert view.rows.lines[0].text == "text 99999"
    view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
    assert view.rows.lines[0].text == "text 0"
    assert page.pane.lines[0].text == "text 0"


def test_damaged_kept_work_is_no_obstacle(open_desk: Open, home: Path) -> None:
    work = home / "work"
    work.mkdir(parents=True, exist_ok=True)
    shown = {"scores": [["a"]], "delimiter": 7, "column": "x"}
    kept = {"labels": 3, "paths": [1], "column": "x", "kind": "text", "shown": shown, "unsure": 900, "meanings": []}
    (work / "classify.json").write_text(json.dumps(kept), encoding="utf-8")
    page = page_of(open_desk(reply='"good"'))
    assert page.pane.empty
    assert page.unsure.value() == 100
    (work / "classify.json").write_text(json.dumps({**kept, "kind": "table", "total": 4}), encoding="utf-8")
    page.restore(json.loads((work / "classify.json").read_text(encoding="utf-8")))
    assert page.pane.empty


def test_a_table_among_other_files_is_told_of_and_taken_alone(open_desk: Open, tmp_path: Path) -> None:
    page = labeled(page_of(open_desk(replies=ANSWERS)))
    rows, text = tmp_path / "rows.csv", tmp_path / "a.txt"
    rows.write_text("text\nIt is broken.\nIt is lovely.\n", encoding="utf-8")
    text.write_text("It is broken.", encoding="utf-8")
    drop(page, text, rows)
    assert page.given.kind == "files"
    assert "row by row when it is given alone" in page.services.notices.text
    assert page.given.box._chips[rows].facts.toolTip().startswith("as one text")
    (offer,) = [one for one in page.services.notices.findChildren(QPushButton) if one.text() == "Only rows.csv"]
    offer.click()
    assert page.given.box.paths == (rows,)
    wait(lambda: page.given.ready, "the form of the table")
    run(page)
    assert [line.label for line in page.pane.lines] == ["bad", "good"]


def test_clearing_ends_the_look_into_a_folder_and_files_take_the_focus_nowhere_else(
    open_desk: Open, tmp_path: Path
) -> None:
    page = page_of(open_desk(reply='"bad"'))
    box = page.given.box
    folder = tmp_path / "letters"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.txt").write_text("It is broken.", encoding="utf-8")
    page.window().activateWindow()
    box.text.setFocus()
    wait(box.text.hasFocus, "the focus")
    heard: list[bool] = []
    for times in (1, 2):
        if times == 1:
            box.take_dropped([folder])
        else:
            page.given.take_folder(folder)
        assert box.looking.whole == "Looking for documents in letters…"
        assert not box.looking.isHidden()
        box.clear_button.click()
        assert box.looking.isHidden()
        heard.clear()
        for _ in range(2):  # one for each thread that reads
            page.services.reading.run(lambda: None, lambda _: heard.append(True))
        wait(lambda: len(heard) == 2, "what was asked later")
        QTest.qWait(20)
        assert box.paths == ()
    page.given.take_folder(folder)
    wait(lambda: len(box.paths) == 3, "the files")
    assert box.looking.isHidden()
    assert box._list.hasFocus()  # not a button: the next key would press it
    box.clear()
    assert box.text.hasFocus()
    with pytest.raises(Stopped):
        files_of([folder], lambda: True)


def test_a_dropped_folder_gives_its_documents_and_one_that_is_closed_is_said(
    open_desk: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = labeled(page_of(open_desk(replies=ANSWERS)))
    inner = tmp_path / "letters" / "old"
    inner.mkdir(parents=True)
    (inner.parent / "a.txt").write_text("It is broken.", encoding="utf-8")
    (inner / "b.txt").write_text("It is lovely.", encoding="utf-8")
    (inner / "picture.bin").write_bytes(b"\0")
    drop(page, inner.parent)
    run(page)
    assert [(line.text, line.label) for line in page.pane.lines] == [("a.txt", "bad"), ("old/b.txt", "good")]
    run(page)
    assert [(line.text, line.label) for line in page.pane.lines] == [("a.txt", "bad"), ("old/b.txt", "good")]
    page.given.box.clear_button.click()
    assert not page.given.box.text.isHidden()  # a text can be typed again

    def refuse(_folder: Path) -> list[str]:
        raise PermissionError(13, "Permission denied")

    walk = os.walk

    def guarded(top: Path, onerror: Callable[[OSError], None]) -> Iterator[tuple[str, list[str], list[str]]]:
        for folder, folders, names in walk(top, onerror=onerror):
            if "old" in folders:  # the account that runs this may open everything
                folders.remove("old")
                onerror(PermissionError(13, "Permission denied", os.path.join(folder, "old")))
            yield folder, folders, names

    with monkeypatch.context() as closed:
        closed.setattr(os, "walk", guarded)
        drop(page, inner.parent)
        wait(lambda: "left out: old" in page.services.notices.text, "the name of the closed folder")
    assert page.given.box.paths == (inner.parent / "a.txt",)
    page.given.box.clear_button.click()
    monkeypatch.setattr(os, "listdir", refuse)
    page.given.take_folder(inner)
    wait(lambda: "The folder old cannot be opened." in page.services.notices.text, "the complaint")
    assert page.given.empty
