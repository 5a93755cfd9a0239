"""Writes the result of the Classify page where the person wants it, as CSV that no spreadsheet computes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgellm import files
from edgellm.errors import StorageError
from edgellm.ui.classify_kept import Place
from edgellm.ui.classify_rows import Line, as_csv
from edgellm.ui.saving import spare


@dataclass(frozen=True, slots=True)
class Copy:
    """`lines` under a first column called `first`; or the page's own `table`, which has all columns of the source."""

    target: Path
    sources: tuple[Path, ...]
    lines: tuple[Line, ...]
    first: str
    table: Place | None = None

    def write(self) -> str:
        """Write it; returns the file's name. Raises `UsageError` for a target among the sources, and `StorageError`."""
        try:
            spare(self.target, self.sources)
            files.write(self.target, self._text())
        except OSError as error:
            raise StorageError(f"It could not be saved: {error.strerror}.", "Choose another folder.") from error
        return self.target.name

    def _text(self) -> str:
        if self.table is None:
            return as_csv(self.lines, self.first)
        with self.table.written.open(encoding="utf-8", newline="") as stream:
            return stream.read()
