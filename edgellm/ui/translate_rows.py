"""The files that are to be translated, as values: what each becomes, how far it is, and how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgellm.ui.language import tr
from edgellm.ui.translate_file_work import Chosen, Ended, Went
from edgellm.ui.translate_work import Languages

_STATES = ("waiting", "working", "stopped", "done", "failed")


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file. `out` is known once its place was looked up; `numbered` says that its usual name was taken.

    While a file that was stopped is read again (`reading`), it still says how far it was.
    """

    path: Path
    out: Path | None = None
    state: str = "waiting"
    done: int = 0
    total: int = 0
    line: str = ""
    warnings: tuple[str, ...] = ()
    languages: Languages | None = None
    numbered: bool = False
    reading: bool = False

    @property
    def words(self) -> str:
        """How it stands, in words."""
        if self.state == "working":
            if self.reading or not self.total:
                return tr("Reading")
            said = tr("{done} of {total} paragraphs")
            return said.format(done=f"{self.done:,}", total=f"{self.total:,}")
        if self.state == "stopped" and self.total:
            said = tr("Stopped at {done} of {total} paragraphs")
            return said.format(done=f"{self.done:,}", total=f"{self.total:,}")
        plain = {"stopped": tr("Stopped"), "done": tr("Done"), "failed": tr("Not translated")}
        words = plain.get(self.state, "")
        if self.state == "done" and self.warnings:
            return words + " · " + tr("warnings: {n}").format(n=f"{len(self.warnings):,}")
        return words


class FileRows:
    """The rows in the order in which they were given, each file once."""

    def __init__(self) -> None:
        self._rows: dict[Path, FileRow] = {}

    def __iter__(self) -> Iterator[FileRow]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, path: Path) -> FileRow | None:
        """The row of a file."""
        return self._rows.get(path)

    def add(self, paths: Iterable[Path]) -> None:
        """Add files; one that is there already and has ended is to be translated again."""
        for path in paths:
            row = self._rows.get(path)
            if row is None or row.state in ("done", "failed"):
                self._rows[path] = FileRow(path)

    def remove(self, path: Path) -> None:
        """Take a file out of the list."""
        self._rows.pop(path, None)

    def clear(self) -> None:
        """Take all out."""
        self._rows.clear()

    def again(self) -> None:
        """The language or the folder is another: everything is to be translated, to another place."""
        self._rows = {path: FileRow(path) for path in self._rows}

    def unplaced(self) -> tuple[Path, ...]:
        """The files whose place is not known yet; one that was stopped keeps the place that it has."""
        return tuple(row.path for row in self if row.out is None or row.state in ("waiting", "failed"))

    def places(self) -> frozenset[Path]:
        """The places of those that keep theirs."""
        unplaced = set(self.unplaced())
        return frozenset(row.out for row in self if row.out is not None and row.path not in unplaced)

    def place(self, found: Sequence[Chosen]) -> None:
        """What files become."""
        for one in found:
            row = self._rows.get(one.path)
            if row is not None and (row.out is None or row.state in ("waiting", "failed")):
                self._rows[one.path] = replace(row, out=one.out, numbered=one.numbered)

    def pending(self) -> tuple[Chosen, ...]:
        """What is still to be done, those that were begun first."""
        open_rows = [row for row in self if row.state != "done" and row.out is not None]
        open_rows.sort(key=lambda row: row.state != "stopped")
        return tuple(Chosen(row.path, row.out) for row in open_rows if row.out is not None)

    @property
    def begun(self) -> bool:
        """Whether a file was stopped before its end."""
        return any(row.state == "stopped" for row in self)

    @property
    def standing(self) -> str:
        """How far all of them are, in words; empty where none was begun."""
        if all(row.state == "waiting" for row in self):
            return ""
        done = sum(row.state == "done" for row in self)
        said = tr("{done} of {total} files translated").format(done=done, total=len(self))
        return f"{tr('Stopped')} · {said}" if self.begun else said

    def went(self, event: Went) -> None:
        """A paragraph more, or it is being read: then nobody knows yet how many there are."""
        row = self._rows.get(event.path)
        if row is None:
            return
        if event.total:
            row = replace(row, done=event.done, total=event.total)
        self._rows[event.path] = replace(row, state="working", reading=not event.total)

    def ended(self, event: Ended) -> None:
        """A file is over."""
        row = self._rows.get(event.path)
        if row is not None:
            out = event.out if event.state == "done" else row.out
            self._rows[event.path] = replace(
                row,
                out=out,
                state=event.state,
                line=event.line,
                warnings=event.warnings,
                languages=event.languages,
                numbered=row.numbered or out != row.out,
            )

    def halt(self) -> None:
        """Nothing works any more: what was at work has stopped."""
        for row in list(self):
            if row.state == "working":
                self._rows[row.path] = replace(row, state="stopped")

    def state(self) -> list[dict[str, Any]]:
        """All of it as values that JSON has."""
        return [
            {
                "path": str(row.path),
                "out": str(row.out) if row.out is not None else "",
                "state": "stopped" if row.state == "working" else row.state,
                "done": row.done,
                "total": row.total,
                "line": row.line,
                "warnings": list(row.warnings),
                "numbered": row.numbered,
            }
            for row in self
        ]

    def put_back(self, rows: object) -> None:
        """Take back what was taken out; files that are in the list stay as they are now."""
        now = dict(self._rows)
        self._rows.clear()
        self.restore(rows)
        self._rows.update(now)

    def restore(self, rows: object) -> None:
        """What `state` gave; rows that are no such thing are left out."""
        for one in rows if isinstance(rows, list) else ():
            if isinstance(one, dict) and isinstance(one.get("path"), str) and one["path"]:
                path, out, state = Path(one["path"]), one.get("out"), one.get("state")
                warnings = one.get("warnings")
                self._rows[path] = FileRow(
                    path,
                    Path(out) if isinstance(out, str) and out else None,
                    state if state in _STATES and state != "working" else "waiting",
                    _count(one.get("done")),
                    _count(one.get("total")),
                    str(one.get("line", "")),
                    tuple(str(warning) for warning in warnings) if isinstance(warnings, list) else (),
                    None,
                    one.get("numbered") is True,
                )


def _count(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0
