"""One task over many files: each result in a file of its own, and a manifest that lets a batch go on where it was.

Files know nothing of each other, so the same work can be spread over many processes, each with its share of the files
and a folder of its own. What is recorded is `batch_manifest.py`, where results go `batch_places.py`.
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from edgellm import files
from edgellm.documents.index import content_hash
from edgellm.errors import ContextOverflow, DocumentError, EngineError, StorageError, UsageError
from edgellm.tasks.batch_manifest import MANIFEST, TABLE, Entry, Manifest
from edgellm.tasks.csv_write import write_row

__all__ = ["MANIFEST", "TABLE", "Entry", "Item", "Made", "Manifest", "Work", "run", "table"]
_FAILURES = 3  # of the engine, one after the other, until the batch ends
_SHOWN = 12  # warnings of one file in the table; the manifest has all
_BULLET = re.compile(r"^- ", re.MULTILINE)
# What `files.replacing`, and a rehearsal, put behind a name
_TEMPORARY = re.compile(r"(?P<start>\..+?)\.[a-z0-9_]{8}(\.\w+)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Item:
    """A file of a batch, its name in the manifest, and where its result is to be."""

    path: Path
    name: str
    out: Path


@dataclass(frozen=True, slots=True)
class Made:
    """A result. `text` is what it says; with `written` the work has put a file into its place itself.

    `confidence` is a share from 0 to 1; `notes` say what to doubt, `warnings` at which places; `details` are more
    columns of the table by name.
    """

    text: str = ""
    confidence: float | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    written: bool = False


Work = Callable[[Item], Made]


def run(
    folder: Path, places: Mapping[str, str], out: Path, manifest: Manifest, work: Work
) -> Iterator[tuple[Entry, bool]]:
    """Each file's entry, and whether it was done just now; what is done and unchanged is not done again.

    `places` are the names of files in `folder` with those of their results in `out`. What is wrong with a file or its
    text is recorded with the file, and so is an engine that fails, to be tried again; any other error ends the batch,
    and `UsageError` before the first says that another run writes into `out`.
    """
    failures = 0
    with manifest.alone():
        _sweep(out, (TABLE, *places.values()))
        for name, place in places.items():
            path = folder / name
            try:
                digest = content_hash(path)
            except OSError as error:
                entry = Entry(name, "", error=f"{name} cannot be read: {error.strerror}.")
                manifest.add(entry)
                yield entry, True
                continue
            known = manifest.entries.get(name)
            if known is not None and known.sha256 == digest and (known.error or (out / known.output).is_file()):
                yield known, False
                continue
            started = time.monotonic()
            try:
                entry = _one(Item(path, name, out / place), digest, place, work)
                failures = 0
            except EngineError as error:
                failures += 1
                if failures == _FAILURES:
                    raise
                entry = Entry(name, "", seconds=_since(started), error=f"{name}: {error.message}")
            manifest.add(entry)
            yield entry, True


def _one(item: Item, digest: str, place: str, work: Work) -> Entry:
    """Do one file; its result is whole on the disk when this returns."""
    started = time.monotonic()
    try:
        item.out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritten(item.out, error) from error
    try:
        made = work(item)
    except (DocumentError, ContextOverflow, UsageError) as error:
        said = error.message if item.path.name in error.message else f"{item.name}: {error.message}"
        return Entry(item.name, digest, seconds=_since(started), error=said)
    except StorageError:
        if _changed(item.path, digest):
            return Entry(item.name, "", seconds=_since(started), error=f"{item.name} was changed while it was read.")
        raise
    if not made.written:
        _write(item.out, made.text)
    return Entry(
        item.name,
        digest,
        place,
        _since(started),
        confidence=made.confidence,
        note=" ".join(dict.fromkeys(made.notes)),
        warnings=made.warnings,
        details=dict(made.details),
        model=made.model,
    )


def table(out: Path, manifest: Manifest, names: Sequence[str], columns: Sequence[str] = (), texts: bool = True) -> None:
    """All results as one CSV file: file, result, error, confidence, what to doubt, and `columns` of the details.

    Without `texts` the result is the name of its file, as it may be of any format. A result that somebody has removed
    is left out. Memory does not grow with the number of files.
    """
    try:
        with files.replacing(out / TABLE) as file:
            stream = io.TextIOWrapper(file, encoding="utf-8", newline="", errors="replace")
            stream.write("\ufeff")  # spreadsheets take a CSV file for an old encoding without it
            write_row(stream, ("file", "result", "error", "confidence", "note", *columns, "warnings"))
            for name in names:
                entry = manifest.entries.get(name)
                if entry is not None and (result := _result(out, entry, texts)) is not None:
                    sure = "" if entry.confidence is None else f"{entry.confidence:.4f}"
                    more = (str(entry.details.get(column, "")) for column in columns)
                    write_row(stream, (entry.file, result, entry.error, sure, entry.note, *more, _warnings(entry)))
            stream.detach()  # writes the rest, and leaves closing to `replacing`
    except OSError as error:
        raise _unwritten(out / TABLE, error) from error


def _warnings(entry: Entry) -> str:
    more = len(entry.warnings) - _SHOWN
    return "\n".join((*entry.warnings[:_SHOWN], *((f"{more} more: see {MANIFEST}",) if more > 0 else ())))


def _result(out: Path, entry: Entry, texts: bool) -> str | None:
    """What was written for a file, empty for one with an error; None when it is not there any more."""
    if not entry.output:
        return ""
    if not texts:
        return entry.output if (out / entry.output).is_file() else None
    try:
        with (out / entry.output).open(encoding="utf-8", errors="replace", newline="") as stream:
            # A cell that begins with a hyphen is a formula to a spreadsheet
            return _BULLET.sub("• ", stream.read().rstrip("\n"))
    except OSError:
        return None


def _sweep(out: Path, places: Iterable[str]) -> None:
    """Delete what a kill in the middle of writing has left beside the results."""
    folders: dict[Path, set[str]] = {}
    for place in map(out.joinpath, places):
        folders.setdefault(place.parent, set()).add(f".{place.name[:60]}")
    for folder, starts in folders.items():
        with suppress(OSError):
            for path in folder.glob(".*"):
                begun = _TEMPORARY.fullmatch(path.name)
                if begun is not None and begun["start"] in starts and not path.is_dir():
                    path.unlink()


def _changed(path: Path, digest: str) -> bool:
    try:
        return content_hash(path) != digest
    except OSError:
        return True


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)


def _write(path: Path, text: str) -> None:
    try:
        files.write(path, text if text.endswith("\n") else text + "\n")
    except UnicodeEncodeError:  # half characters, which a model can write
        _write(path, text.encode("utf-8", "replace").decode("utf-8"))
    except OSError as error:
        raise _unwritten(path, error) from error


def _unwritten(path: Path, error: OSError) -> StorageError:
    return StorageError(f"{path} cannot be written: {error.strerror}.", "Choose another folder with -o.")
