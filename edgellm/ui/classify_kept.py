"""The page's own folder for Classify: where results lie while the page shows them, and how they are read again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgellm.ui.classify_rows import Line
from edgellm.ui.language import tr


@dataclass(frozen=True, slots=True)
class Place:
    """The page's own folder."""

    folder: Path

    @property
    def result(self) -> Path:
        """The table with its labels, once all rows are done."""
        return self.folder / "result.csv"

    @property
    def part(self) -> Path:
        """The rows that are finished while others are not."""
        return self.folder / ".result.csv.part"

    @property
    def written(self) -> Path:
        """Whichever of the two there is."""
        return self.part if self.part.exists() else self.result

    @property
    def files(self) -> Path:
        """Results of files, each in a file of its own."""
        return self.folder / "files"

    def begin(self, kind: str) -> None:
        """Make the folder, for this person only, without what came of another kind of source."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if kind != "files":
            shutil.rmtree(self.files, ignore_errors=True)
        if kind != "table":
            for path in self.folder.glob("*.csv*"):
                path.unlink(missing_ok=True)
            for path in self.folder.glob(".*.csv*"):
                path.unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.folder, ignore_errors=True)


def lines_before(place: Place, kind: str, shown: Mapping[str, Any]) -> tuple[Line, ...]:
    """The rows that an earlier run has finished; `shown` is what the page kept about it."""
    if kind == "files":
        return files_before(place)
    from edgellm.ui import classify_table

    delimiter, column = shown.get("delimiter"), shown.get("column")
    known = isinstance(delimiter, str) and len(delimiter) == 1 and isinstance(column, int)
    return classify_table.lines_of(place.written, str(delimiter), int(column or 0)) if known else ()


def files_before(place: Place) -> tuple[Line, ...]:
    """What an earlier run found about files."""
    from edgellm.tasks import batch

    path = place.files / batch.MANIFEST
    try:
        head = json.loads(path.read_bytes().split(b"\n")[0])
    except (OSError, ValueError):
        return ()
    if not isinstance(head, dict):
        return ()
    return tuple(line_of_entry(place.files, entry) for entry in batch.Manifest(place.files, head).entries.values())


def line_of_entry(folder: Path, entry: Any) -> Line:
    """A file's row; `entry` is one of the manifest of a batch."""
    if entry.error:
        said = entry.error.removeprefix(entry.file).removeprefix(Path(entry.file).name).lstrip(" :")
        return Line(entry.file, note=said, failed=True)
    try:
        kept = json.loads((folder / entry.output).read_text(encoding="utf-8"))
        label, best, note = (str(kept[key]) for key in ("label", "best", "note"))
    except (OSError, ValueError, KeyError, TypeError):
        return Line(entry.file, note=tr("The result was lost."), failed=True)
    return Line(entry.file, label, entry.confidence, best, note)
