"""Reading a CSV file row by row, whatever program wrote it. Its form is found before, by `csv_form`.

Memory does not grow with the file. A row that is no row of the table is handed out with what is wrong with it, by the
line where it begins; the rows after it are read all the same.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edgellm.errors import StorageError

_LINE = 1 << 18  # letters of a line that are taken at a time: a cell that long is an error anyway


@dataclass(frozen=True, slots=True)
class Record:
    """A row; `line` is where it begins, counted from 1. `problem` says why it is none of the table's."""

    line: int
    cells: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file and its form. `named` says that its first row is the header; else columns are called by number.

    `column` is the index of the one with the texts. `size` is bytes, `notes` is what was assumed.
    """

    path: Path
    sha256: str
    size: int
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    named: bool
    column: int
    notes: tuple[str, ...] = ()

    def text(self, record: Record) -> str:
        """The cell that holds the text."""
        return record.cells[self.column] if self.column < len(record.cells) else ""

    def fitted(self, cells: Sequence[str]) -> list[str]:
        """Cells of a row, as many as there are columns; what is too much goes into the last one, so nothing is lost."""
        width = len(self.header)
        if len(cells) > width:
            return [*cells[: width - 1], self.delimiter.join(cells[width - 1 :])]
        return [*cells, *[""] * (width - len(cells))]


def records(table: Table) -> Iterator[Record]:
    """All rows below the header. Blank lines are passed over. Raises `StorageError`."""
    rows = parsed(table, table.delimiter)
    if table.named:
        next(rows, None)
    width = len(table.header)
    for record in rows:
        cells = record.cells
        if record.problem or len(cells) == width:
            yield record
        else:
            count = f"{len(cells)} cell{'' if len(cells) == 1 else 's'} where {width} are expected"
            yield replace(record, problem=f"line {record.line}: {count}")


class _Lines:
    """The lines of a file, some of which can be put back. `number` is that of the last one handed out."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._back: deque[str] = deque()
        self.taken: list[str] = []
        self.number = 0
        self.over = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        try:
            line = self._back.popleft() if self._back else next(self._lines)
        except StopIteration:
            self.over = True
            raise
        self.number += 1
        self.taken.append(line)
        return line

    def retry(self) -> None:
        """Put back all lines of the row at hand but its first."""
        rest = self.taken[1:]
        self._back.extendleft(reversed(rest))
        self.number -= len(rest)
        self.over = False


def parsed(table: Table, delimiter: str) -> Iterator[Record]:
    """All rows, with this separator, whatever their number of cells; also the header. Raises `StorageError`."""
    try:
        with table.path.open(encoding=table.encoding, errors="replace", newline="") as stream:
            lines = _Lines(iter(lambda: stream.readline(_LINE), ""))
            reader = csv.reader(lines, delimiter=delimiter)
            while True:
                lines.taken.clear()
                first = lines.number + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error:
                    cells = None
                if cells is None or (lines.over and len(lines.taken) > 1 and _open(lines.taken, delimiter)):
                    problem = f"line {first}: a quote that is not closed, or a cell that is too long"
                    yield Record(first, (_clean(lines.taken[0]).strip()[:1000],), problem)
                    lines.retry()
                    reader = csv.reader(lines, delimiter=delimiter)
                elif cells:
                    yield _record(first, cells)
    except OSError as error:
        raise StorageError(f"{table.path.name} cannot be read: {error.strerror}.", "Check the disk.") from error
    except UnicodeError as error:
        raise StorageError(
            f"{table.path.name} is no text in {table.encoding}.", "Name another with --encoding."
        ) from error


def _record(line: int, cells: list[str]) -> Record:
    cells = [_clean(cell) for cell in cells]
    unreadable = any("\ufffd" in cell for cell in cells)
    return Record(line, tuple(cells), f"line {line}: letters that cannot be read" if unreadable else "")


def _clean(cell: str) -> str:
    return cell.replace("\0", "")


def _open(lines: Sequence[str], delimiter: str) -> bool:
    """Whether these lines end within quotes."""
    try:
        for _ in csv.reader(lines, delimiter=delimiter, strict=True):
            pass
    except csv.Error as error:
        return "end of data" in str(error)
    return False
