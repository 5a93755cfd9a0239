"""Writing rows of a CSV file that a spreadsheet shows as they are: no cell is computed there, and none breaks its row.

Reading such files is left to `csv_form` and `csv_rows`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from typing import Literal, TextIO

# The signs of full width begin a formula in a spreadsheet that is set to Chinese or Japanese
_FORMULA = tuple("=+-@\t\r＝＋－＠")
_NUMBER = re.compile(r"[+-]?[\d.,]+(?:[eE][+-]?\d+)?%?")


def write_row(stream: TextIO, cells: Iterable[str], delimiter: str = ",") -> None:
    """Write one row. `stream` was opened with `newline=""`, so that line breaks inside a cell stay what they are."""
    safe = [harmless(cell) for cell in cells]
    # `csv` leaves a carriage return without quotes, and reads it as the end of the row
    quoting: Literal[0, 1] = csv.QUOTE_ALL if any("\r" in cell for cell in safe) else csv.QUOTE_MINIMAL
    csv.writer(stream, delimiter=delimiter, lineterminator="\n", quoting=quoting).writerow(safe)


def harmless(cell: str) -> str:
    """A spreadsheet would compute a cell that begins like a formula; an apostrophe makes it text. Numbers stay."""
    return f"'{cell}" if cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell) else cell
