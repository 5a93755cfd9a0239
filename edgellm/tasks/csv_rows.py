"""Reading a CSV file row by row, whatever program wrote it: encoding, separator and header are found first.

Memory does not grow with the file. A row that is no row of the table is handed out with what is wrong with it, by the
line where it begins; the rows after it are read all the same.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from edgellm.errors import StorageError, UsageError

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BLOCK = 1 << 20
_SAMPLE = 1 << 17
_SAMPLE_ROWS = 200
_LINE = 1 << 18  # letters of a line that are taken at a time: a cell that long is an error anyway
_TEXT_NAMES = ("text", "texte", "review", "comment", "message", "body", "content", "sentence", "description")
_LONGEST_NAME = 60
_NUMBER = re.compile(r"[+-]?[\d.,:/ -]+%?")


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


def open_table(
    path: Path, column: str = "", *, named: bool | None = None, delimiter: str = "", encoding: str = ""
) -> Table:
    """Look at a CSV file. `column` is a name, or a number from 1; `named` says whether there is a header.

    What is not given is found. Raises `UsageError` for a column that is not there, and when there are several to choose
    from; `StorageError` for a file that is no CSV file.
    """
    digest, size, utf8 = _read_through(path)
    found, guessed = (encoding, False) if encoding else _encoding(path, utf8)
    try:
        codecs.lookup(found)
    except LookupError:
        raise UsageError(f"There is no encoding {found}.", "For example: --encoding utf-8 or windows-1252") from None
    blank = Table(path, digest, size, found, delimiter, (), False, 0)
    separator = delimiter or _delimiter(blank)
    rows = _sample(blank, separator)
    if not rows:
        raise StorageError(f"{path.name} holds no rows.", "Check that it was saved completely.")
    header_known = _has_header(rows, column) if named is None else named
    width = len(rows[0]) if header_known else Counter(map(len, rows)).most_common(1)[0][0]
    header = tuple(cell.strip() for cell in rows[0]) if header_known else tuple(f"column {n + 1}" for n in range(width))
    notes = [f"Its encoding is not declared and was guessed: {found}."] if guessed else []
    if named is None and width:
        told = "was taken for the header; --no-header says that it is data"
        notes.append(f"The first row {told if header_known else 'was taken for data; --header says that it names'}.")
    table = replace(blank, delimiter=separator, header=header, named=header_known, notes=tuple(notes))
    return replace(table, column=_column(header, column, path.name))


def records(table: Table) -> Iterator[Record]:
    """All rows below the header. Blank lines are passed over. Raises `StorageError`."""
    rows = _parsed(table, table.delimiter)
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


def _parsed(table: Table, delimiter: str) -> Iterator[Record]:
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


def _read_through(path: Path) -> tuple[str, int, bool]:
    """The file's hash and size, and whether all of it is UTF-8; in one pass. Raises `StorageError`."""
    hashed, size, decoder = hashlib.sha256(), 0, codecs.getincrementaldecoder("utf-8")()
    utf8 = True
    try:
        if not path.is_file():
            raise StorageError(f"There is no file {path}.", "Check the spelling and the folder.")
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                if not size:
                    _check_kind(path, block)
                hashed.update(block)
                size += len(block)
                try:
                    if utf8:
                        decoder.decode(block)
                except UnicodeDecodeError:
                    utf8 = False
        with suppress(UnicodeDecodeError):
            decoder.decode(b"", final=True)
    except OSError as error:
        raise StorageError(f"{path.name} cannot be read: {error.strerror}.", "Check its permissions.") from error
    if not size:
        raise StorageError(f"{path.name} is empty.", "Check that it was saved completely.")
    return hashed.hexdigest(), size, utf8


def _check_kind(path: Path, head: bytes) -> None:
    if any(head.startswith(mark) for mark, _ in _MARKS):
        return
    if head.startswith((b"PK\x03\x04", b"%PDF", b"\xd0\xcf\x11\xe0")) or b"\0" in head[:4096]:
        raise StorageError(f"{path.name} is not a CSV file.", "In the spreadsheet, save the sheet as CSV (UTF-8).")


def _encoding(path: Path, utf8: bool) -> tuple[str, bool]:
    """The encoding, and whether it had to be guessed."""
    with path.open("rb") as stream:
        head = stream.read(_SAMPLE)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, False
    if utf8:
        return "utf-8", False
    import charset_normalizer

    best = charset_normalizer.from_bytes(head).best()
    return (best.encoding if best and best.encoding not in ("ascii", "utf_8") else "cp1252"), True


def _sample(table: Table, delimiter: str) -> list[tuple[str, ...]]:
    return [record.cells for record in islice(_parsed(table, delimiter), _SAMPLE_ROWS) if not record.problem]


def _delimiter(table: Table) -> str:
    """The separator that cuts the most rows into the same number of cells, at least two; a comma when none does.

    `csv.Sniffer` looks for any letter that is evenly spread, and finds one in prose.
    """
    best = (0.0, 0, ",")
    for sign in DELIMITERS.values():
        counts = Counter(map(len, _sample(table, sign)))
        if counts:
            width, often = counts.most_common(1)[0]
            if width > 1:
                best = max(best, (round(often / counts.total(), 1), width, sign))
    return best[2]


def _has_header(rows: Sequence[tuple[str, ...]], column: str) -> bool:
    """Whether the first row names the columns: it says so, or its cells are short, different, and no numbers."""
    first = [cell.strip() for cell in rows[0]]
    if column and column.strip().casefold() in (cell.casefold() for cell in first):
        return True
    if any(cell.casefold() in _TEXT_NAMES for cell in first):
        return True
    if any(not cell or len(cell) > _LONGEST_NAME or _NUMBER.fullmatch(cell) for cell in first):
        return False
    if len(set(first)) < len(first) or first[0].endswith((".", "!", "?")):
        return False
    if len(first) > 1:
        return all(not cell.endswith((".", "!", "?")) for cell in first)
    return len(first[0].split()) == 1 and all(len(row) != 1 or len(row[0].split()) > 1 for row in rows[1:])


def _column(header: Sequence[str], wanted: str, name: str) -> int:
    """The index of a column. Raises `UsageError`."""
    folded = [cell.casefold() for cell in header]
    if not wanted:
        if len(header) == 1:
            return 0
        usual = [index for index, cell in enumerate(folded) if cell in _TEXT_NAMES]
        if len(usual) == 1:
            return usual[0]
        raise UsageError(f"{name} has {len(header)} columns.", f"Say which with --column: {_shown(header)}")
    if header.count(wanted) > 1:
        numbers = ", ".join(str(index + 1) for index, cell in enumerate(header) if cell == wanted)
        raise UsageError(f"Several columns are called {wanted}.", f"Give the number: {numbers}")
    if wanted in header:
        return header.index(wanted)
    if folded.count(wanted.strip().casefold()) == 1:
        return folded.index(wanted.strip().casefold())
    if wanted.isdecimal() and 1 <= int(wanted) <= len(header):
        return int(wanted) - 1
    raise UsageError(f"{name} has no column {wanted}.", f"There are: {_shown(header)}")


def _shown(header: Sequence[str]) -> str:
    more = f" and {len(header) - 12} more" if len(header) > 12 else ""
    return ", ".join(cell or str(index + 1) for index, cell in enumerate(header[:12])) + more
