"""Reading tables: encodings, separators, headers, quoted line breaks, and rows that are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgellm.errors import StorageError, UsageError
from edgellm.tasks.csv_form import open_table
from edgellm.tasks.csv_rows import Record, records


def table(folder: Path, data: str | bytes, column: str = "", **form: Any) -> list[Record]:
    path = folder / "a.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return list(records(open_table(path, column, **form)))


def cells(rows: list[Record]) -> list[tuple[str, ...]]:
    assert not [row.problem for row in rows if row.problem]
    return [row.cells for row in rows]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_separators_are_found_also_where_the_text_holds_others(tmp_path: Path, sign: str) -> None:
    data = f'id{sign}text{sign}n\n1{sign}"Well, it is; or | not"{sign}2\n2{sign}"Two\nlines, here"{sign}3\n'
    rows = table(tmp_path, data)
    assert cells(rows) == [("1", "Well, it is; or | not", "2"), ("2", "Two\nlines, here", "3")]
    assert [row.line for row in rows] == [2, 3]


def test_prose_in_one_column_is_not_cut(tmp_path: Path) -> None:
    assert cells(table(tmp_path, "text\nIt is late\nIt was cold\n")) == [("It is late",), ("It was cold",)]
    prose = 'text\n"It is late, and cold."\nGood\n'
    assert cells(table(tmp_path, prose)) == [("It is late, and cold.",), ("Good",)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_encodings_are_found(tmp_path: Path, encoding: str) -> None:
    lines = "".join(f"{number};Die Straße zur Mühle ist schön, aber für Autos gesperrt\n" for number in range(40))
    data = f"id;text\n{lines}".encode(encoding)
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    found = open_table(path)
    assert next(iter(records(found))).cells[1] == "Die Straße zur Mühle ist schön, aber für Autos gesperrt"
    assert any("guessed" in note for note in found.notes) == (encoding == "cp1252")


def test_an_encoding_can_be_named_and_bad_letters_are_said(tmp_path: Path) -> None:
    data = "text\nÜber\n".encode("cp1252")
    assert cells(table(tmp_path, data, encoding="cp1252")) == [("Über",)]
    assert "cannot be read" in table(tmp_path, data, encoding="utf-8")[0].problem
    with pytest.raises(UsageError, match="no encoding utf-99"):
        table(tmp_path, data, encoding="utf-99")


def test_a_header_is_told_from_data(tmp_path: Path) -> None:
    assert cells(table(tmp_path, "1,It is cold.\n2,It is late.\n", "2")) == [
        ("1", "It is cold."),
        ("2", "It is late."),
    ]
    assert cells(table(tmp_path, "number,what\n1,It is cold.\n", "what")) == [("1", "It is cold.")]
    assert cells(table(tmp_path, "It is cold.\nIt is late.\n")) == [("It is cold.",), ("It is late.",)]
    assert cells(table(tmp_path, "good\nbad\n", named=False)) == [("good",), ("bad",)]
    assert cells(table(tmp_path, "good bad\nlate\n", named=True)) == [("late",)]


def test_columns_are_found_by_name_or_number(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,Review,2\n1,x,y\n")
    assert [open_table(path, wanted).column for wanted in ("Review", "review", "2", "3", "")] == [1, 1, 2, 2, 1]
    for wanted in ("4", "0", "nosuch"):
        with pytest.raises(UsageError, match="no column"):
            open_table(path, wanted)
    path.write_text("a,a,b\n1,2,3\n")
    with pytest.raises(UsageError, match="Several columns") as caught:
        open_table(path, "a")
    assert "1, 2" in caught.value.hint
    with pytest.raises(UsageError, match="3 columns"):
        open_table(path)


def test_bad_rows_are_named_by_line_and_the_others_are_read(tmp_path: Path) -> None:
    rows = table(tmp_path, "id,text\n1,good\n2\n3,a,b\n\n4,fine\n", "text")
    assert [(row.line, bool(row.problem)) for row in rows] == [(2, False), (3, True), (4, True), (6, False)]
    assert "1 cell where 2 are expected" in rows[1].problem
    assert "line 4: 3 cells" in rows[2].problem


def test_a_quote_that_is_never_closed_swallows_nothing(tmp_path: Path) -> None:
    after = "".join(f"{number},text {number}\n" for number in range(10, 40))
    rows = table(tmp_path, f'id,text\n1,good\n2,"never closed\n{after}', "text")
    assert [row.line for row in rows if row.problem] == [3]
    assert [row.cells[0] for row in rows if not row.problem] == ["1", *map(str, range(10, 40))]
    long = "".join(f"{number},text {number}\n" for number in range(20_000))
    rows = table(tmp_path, f'id,text\n2,"never closed\n{long}', "text")
    assert [row.line for row in rows if row.problem] == [2]
    assert len(rows) == 20_001


def test_a_cell_that_is_too_long_is_that_rows_own_trouble(tmp_path: Path) -> None:
    rows = table(tmp_path, f"id,text\n1,{'long ' * 40_000}\n2,good\n", "text")
    assert [bool(row.problem) for row in rows] == [True, False]
    assert rows[1].cells == ("2", "good")


@pytest.mark.parametrize(
    ("data", "said"), [(b"", "is empty"), (b"\n\n", "no rows"), (b"PK\x03\x04..", "not a CSV"), (b"a\0b", "not a CSV")]
)
def test_what_is_no_table_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(StorageError, match=said):
        table(tmp_path, data)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="There is no file"):
        open_table(tmp_path / "nosuch.csv")
    with pytest.raises(StorageError, match="is a folder"):
        open_table(tmp_path)
