"""The form of a table that the person gives, with its first rows, and the rows of a result read again.

Finding the form is the tasks' work; here only the column is guessed where they want it said.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from edgellm.errors import UsageError
from edgellm.ui.classify_rows import Line

if TYPE_CHECKING:
    from edgellm.tasks.csv_rows import Table

SUFFIXES = frozenset({".csv", ".tsv", ".tab"})
FIRST = 4  # rows that are shown before it begins
_SAMPLE = 50
_CELL = 200
_ADDED = 4  # columns of the result: label, confidence, best guess, note
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Form:
    """What is shown of a table: its columns, whether the first row named them, first rows, and how many in all."""

    header: tuple[str, ...]
    named: bool
    column: int
    rows: tuple[tuple[str, ...], ...]
    total: int
    delimiter: str


def look(path: Path, named: bool | None = None) -> tuple[Table, Form]:
    """Find the form of a table; reads all of it. Raises `UsageError` and `StorageError`."""
    from edgellm.tasks import csv_form, csv_rows

    try:
        table = csv_form.open_table(path, named=named)
        column = table.column
    except UsageError:
        table = csv_form.open_table(path, "1", named=named)
        column = -1
    sample = [record.cells for record in islice(csv_rows.records(table), _SAMPLE)]
    if column < 0:
        column = _wordiest(sample, len(table.header))
    total = sum(1 for _ in csv_rows.records(table))
    rows = tuple(tuple(cell[:_CELL] for cell in cells) for cells in sample[:FIRST])
    return table, Form(table.header, table.named, column, rows, total, table.delimiter)


def _wordiest(rows: Sequence[Sequence[str]], width: int) -> int:
    """The column with the most words: most likely the texts."""
    words = [sum(len(row[n].split()) for row in rows if n < len(row)) for n in range(width)]
    return max(range(width), key=lambda n: words[n], default=0)


def lines_of(path: Path, delimiter: str, column: int) -> tuple[Line, ...]:
    """The rows of a result that are whole, as the page shows them; none when there is no such file."""
    lines: list[Line] = []
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            rows = csv.reader(stream, delimiter=delimiter, strict=True)
            width = len(next(rows, ()))
            lines.extend(_line(cells, column) for cells in rows if len(cells) == width > column + _ADDED - 1)
    except (OSError, csv.Error):
        pass  # the end of a row that was being written
    return tuple(lines)


def _line(cells: Sequence[str], column: int) -> Line:
    label, share, best, note = (_bare(cell) for cell in cells[-_ADDED:])
    try:
        confidence = float(share) if share else None
    except ValueError:
        confidence = None
    text = _bare(cells[column])[:600]
    if not best:
        return Line(text, note=note, failed=True)
    return Line(text, label, confidence, best, "" if note == "unsure" else note.removeprefix("unsure; "))


def _bare(cell: str) -> str:
    """Without the apostrophe that keeps a spreadsheet from computing it."""
    return cell[1:] if cell.startswith("'") and cell[1:2] in _FORMULA else cell
