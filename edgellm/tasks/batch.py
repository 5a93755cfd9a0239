"""One task over many files: each result in a file of its own, and a manifest that lets a batch go on where it was.

The manifest is a file of JSON lines beside the results: first what was asked for, then one line for each file with its
hash, result, time and error. A line is written once its result is whole on the disk, so a batch that was killed at any
moment does no file twice and leaves none out. Files know nothing of each other, so the
same work can be spread over many processes.
"""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgellm import files
from edgellm.documents.chunk import whole_text
from edgellm.documents.document import Document
from edgellm.documents.index import content_hash
from edgellm.errors import ContextOverflow, DocumentEmpty, DocumentError, StorageError, UsageError

MANIFEST, TABLE = "manifest.jsonl", "results.csv"
Read = Callable[[Path], Document]


@dataclass(frozen=True, slots=True)
class Made:
    """A result that says how sure it is: a share from 0 to 1."""

    text: str
    confidence: float | None


Work = Callable[[Document], str | Made]


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of a file. `file` and `output` are relative paths; `error` is empty when there is a result."""

    file: str
    sha256: str
    output: str = ""
    seconds: float = 0.0
    error: str = ""
    confidence: float | None = None

    @classmethod
    def of(cls, value: Any) -> Entry | None:
        """From a line of the manifest; None for one that is not whole."""
        try:
            entry = cls(**value)
        except TypeError:
            return None
        texts = (entry.file, entry.sha256, entry.output, entry.error)
        sound = all(isinstance(text, str) for text in texts) and isinstance(entry.confidence, float | int | None)
        return entry if sound else None


class Manifest:
    """The record of a batch in folder `out`. `asked` is what the results depend on: task, options, model."""

    def __init__(self, out: Path, asked: Mapping[str, Any]) -> None:
        """Raises `UsageError` when the folder holds a batch that asked for something else, `StorageError`."""
        self._path = out / MANIFEST
        self.entries: dict[str, Entry] = {}
        try:
            out.mkdir(parents=True, exist_ok=True)
            lines = self._path.read_bytes().split(b"\n") if self._path.exists() else []
        except OSError as error:
            raise StorageError(f"{out} cannot be used: {error.strerror}.", "Choose another folder with -o.") from error
        head = _parsed(lines[0]) if lines else None
        if head is not None and head != dict(asked):
            raise UsageError(
                f"{out} holds the results of another batch ({head.get('task', 'unknown')}).",
                "Choose another folder with -o, or give the same task, options and model to go on.",
            )
        for line in lines[1:]:
            if (value := _parsed(line)) is not None and (entry := Entry.of(value)) is not None:
                self.entries[entry.file] = entry
        if head is None:
            self._append(dict(asked), fresh=True)
        elif lines[-1]:  # a line that a crash cut short
            self._append(None)

    def add(self, entry: Entry) -> None:
        """Record a file; it is on the disk when this returns."""
        self.entries[entry.file] = entry
        self._append(asdict(entry))

    def _append(self, value: Any, fresh: bool = False) -> None:
        line = "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
        try:
            with self._path.open("w" if fresh else "a", encoding="utf-8", newline="\n") as stream:
                stream.write(line + "\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise StorageError(f"{self._path} cannot be written: {error.strerror}.", "Free some space.") from error


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def run(
    folder: Path, chosen: Sequence[Path], out: Path, manifest: Manifest, read: Read, work: Work
) -> Iterator[tuple[Entry, bool]]:
    """Each file's entry, and whether it was done just now; what is done and unchanged is not done again.

    `work` makes the result of a document. What is wrong with a file or its text is recorded with the file; any other
    error ends the batch.
    """
    for path in chosen:
        name = path.relative_to(folder).as_posix()
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
            document = read(path)
            if not whole_text(document).strip():
                raise DocumentEmpty(path.name, "it holds no text")
            result = work(document)
            made = result if isinstance(result, Made) else Made(result, None)
        except (DocumentError, ContextOverflow, UsageError) as error:
            said = error.message if isinstance(error, DocumentError) else f"{name}: {error.message}"
            entry = Entry(name, digest, seconds=round(time.monotonic() - started, 3), error=said)
        else:
            output = f"{name}.txt"
            _write(out / output, made.text)
            seconds = round(time.monotonic() - started, 3)
            entry = Entry(name, digest, output, seconds, confidence=made.confidence)
        manifest.add(entry)
        yield entry, True


def table(out: Path, manifest: Manifest, chosen: Sequence[str]) -> None:
    """All results as one CSV file: file, result, error, and the confidence where there is one."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("file", "result", "error", "confidence"))
    for name in chosen:
        if (entry := manifest.entries.get(name)) is not None:
            result = (out / entry.output).read_text(encoding="utf-8").rstrip("\n") if entry.output else ""
            sure = "" if entry.confidence is None else f"{entry.confidence:.4f}"
            writer.writerow([*(_harmless(cell) for cell in (entry.file, result, entry.error)), sure])
    _write(out / TABLE, stream.getvalue())


def _harmless(cell: str) -> str:
    """A spreadsheet would compute a cell that begins like a formula; an apostrophe makes it text."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t")) else cell


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, text if text.endswith("\n") else text + "\n")
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}.", "Choose another folder with -o.") from error
