"""Rows that are written come back as they were, whatever is in their cells, and no spreadsheet computes one."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from edgellm.tasks.batch import Entry, Manifest, table
from edgellm.tasks.csv_write import harmless, write_row


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_what_is_written_is_read_again(tmp_path: Path, delimiter: str) -> None:
    path, draw = tmp_path / "a.csv", random.Random(7)
    rows = [["x", "".join(draw.choices('ab",;|\t\r\n 中', k=draw.randint(0, 9)))] for _ in range(500)]
    with path.open("w", encoding="utf-8", newline="") as stream:
        for row in rows:
            write_row(stream, row, delimiter)
    with path.open(encoding="utf-8", newline="") as stream:
        found = list(csv.reader(stream, delimiter=delimiter))
    assert found == [[one, harmless(two)] for one, two in rows]
    assert any("\r" in two and "\n" not in two for _, two in rows)


@pytest.mark.parametrize("cell", ["=1+1", "+cmd", "-x", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "＠SUM(A1)"])
def test_a_formula_is_text(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "-3", "+1,200.50", "-5%", "1e-5", "a=b"])
def test_numbers_and_words_stay(cell: str) -> None:
    assert harmless(cell) == cell


def test_a_result_that_was_removed_is_left_out_of_the_table(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path, {"task": "ask"})
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_text(f"{name}\r{name}\n", encoding="utf-8", newline="")
        manifest.add(Entry(name, "0", f"{name}.txt"))
    (tmp_path / "a.txt").unlink()
    table(tmp_path, manifest, ("a", "b", "never done"))
    with (tmp_path / "results.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert [row["result"] for row in csv.DictReader(stream)] == ["b\rb"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.txt", "manifest.jsonl", "results.csv"]


def test_what_another_run_has_done_meanwhile_is_taken_over(tmp_path: Path) -> None:
    first, second = Manifest(tmp_path, {"task": "ask", "n": (1,)}), Manifest(tmp_path, {"task": "ask", "n": (1,)})
    first.add(Entry("a", "0"))
    with second.alone():
        assert set(second.entries) == {"a"}
