"""The form of a CSV file, found by looking: its encoding, separator, header, and the column that holds the texts.

Reading its rows is left to `csv_rows`.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path

from edgellm.documents.encodings import guess
from edgellm.documents.formats_text import MARKS
from edgellm.errors import StorageError, UsageError
from edgellm.tasks.csv_rows import Table, parsed

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_BLOCK = 1 << 20
_SAMPLE = 1 << 17
_SAMPLE_ROWS = 200
_TEXT_NAMES = ("text", "texte", "review", "comment", "message", "body", "content", "sentence", "description")
_LONGEST_NAME = 60
_NUMBER = re.compile(r"[+-]?[\d.,:/ -]+%?")


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


def _read_through(path: Path) -> tuple[str, int, bool]:
    """The file's hash and size, and whether all of it is UTF-8; in one pass. Raises `StorageError`."""
    hashed, size, decoder = hashlib.sha256(), 0, codecs.getincrementaldecoder("utf-8")()
    utf8 = True
    try:
        if path.is_dir():
            raise StorageError(f"{path} is a folder.", "Name a CSV file inside it, or run: edgellm batch classify.")
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
    if any(head.startswith(mark) for mark, _ in MARKS):
        return
    if head.startswith((b"PK\x03\x04", b"%PDF", b"\xd0\xcf\x11\xe0")) or b"\0" in head[:4096]:
        raise StorageError(f"{path.name} is not a CSV file.", "In the spreadsheet, save the sheet as CSV (UTF-8).")


def _encoding(path: Path, utf8: bool) -> tuple[str, bool]:
    """The encoding, and whether it had to be guessed."""
    with path.open("rb") as stream:
        head = stream.read(_SAMPLE)
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return encoding, False
    if utf8:
        return "utf-8", False
    found = guess(head)
    return (found if found not in ("", "ascii", "utf_8") else "cp1252"), True


def _sample(table: Table, delimiter: str) -> list[tuple[str, ...]]:
    return [record.cells for record in islice(parsed(table, delimiter), _SAMPLE_ROWS) if not record.problem]


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
