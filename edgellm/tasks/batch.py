"""One task over many files: each result in a file of its own, and a manifest that lets a batch go on where it was.

The manifest is a file of JSON lines beside the results: first what was asked for, then one line for each file with its
hash, result, time and error. A line is written once its result is whole on the disk, so a batch that was killed at any
moment does no file twice and leaves none out. One run at a time writes into a folder. Files know nothing of each other,
so the same work can be spread over many processes, each with its share of the files and a folder of its own.
"""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgellm import files
from edgellm.documents.chunk import whole_text
from edgellm.documents.document import Document
from edgellm.documents.index import content_hash
from edgellm.errors import ContextOverflow, DocumentEmpty, DocumentError, StorageError, UsageError
from edgellm.tasks.csv_write import write_row

MANIFEST, TABLE = "manifest.jsonl", "results.csv"
_LOCK = ".manifest.lock"
Read = Callable[[Path], Document]


@dataclass(frozen=True, slots=True)
class Made:
    """A result that says how sure it is (a share from 0 to 1), and what to doubt about it."""

    text: str
    confidence: float | None = None
    notes: tuple[str, ...] = ()


Work = Callable[[Document], str | Made]


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of a file. `file` and `output` are relative paths; `error` is empty when there is a result;
    `note` says what to doubt about it."""

    file: str
    sha256: str
    output: str = ""
    seconds: float = 0.0
    error: str = ""
    confidence: float | None = None
    note: str = ""

    @classmethod
    def of(cls, value: Any) -> Entry | None:
        """From a line of the manifest; None for one that is not whole."""
        try:
            entry = cls(**value)
        except TypeError:
            return None
        texts = (entry.file, entry.sha256, entry.output, entry.error, entry.note)
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
            data = self._path.read_bytes() if self._path.exists() else b""
        except OSError as error:
            raise StorageError(f"{out} cannot be used: {error.strerror}.", "Choose another folder with -o.") from error
        self._size = len(data)
        lines = data.split(b"\n") if data else []
        head = _parsed(lines[0]) if lines else None
        if head is not None and head != json.loads(json.dumps(dict(asked))):
            raise UsageError(
                f"{out} holds the results of another batch ({head.get('task', 'unknown')}).",
                "Choose another folder with -o, or give the same task, options and model to go on.",
            )
        self._take(lines[1:])
        if head is None:
            self._append(dict(asked), fresh=True)
        elif lines[-1]:  # a line that a crash cut short
            self._append(None)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other runs out of the folder; what one has done since this was read is taken over.

        Raises `UsageError` while another run writes there.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self._path.with_name(_LOCK), timeout=0, thread_local=False)
        try:
            with lock:
                with suppress(OSError), self._path.open("rb") as stream:
                    stream.seek(self._size)
                    self._take(stream.read().split(b"\n"))
                try:
                    yield
                finally:
                    with suppress(OSError):
                        self._path.with_name(_LOCK).unlink()
        except Timeout:
            raise UsageError(
                f"{self._path.parent} is being written by another run.", "Wait for it, or stop it."
            ) from None

    def _take(self, lines: Sequence[bytes]) -> None:
        for line in lines:
            if (value := _parsed(line)) is not None and (entry := Entry.of(value)) is not None:
                self.entries[entry.file] = entry

    def add(self, entry: Entry) -> None:
        """Record a file; it is on the disk when this returns."""
        self.entries[entry.file] = entry
        self._append(asdict(entry))

    def _append(self, value: Any, fresh: bool = False) -> None:
        line = "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
        try:
            flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if fresh else os.O_APPEND)
            with os.fdopen(os.open(self._path, flags, 0o600), "wb") as stream:
                stream.write(f"{line}\n".encode())
                stream.flush()
                os.fsync(stream.fileno())
                self._size = os.fstat(stream.fileno()).st_size
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
    error ends the batch, and `UsageError` before the first says that another run writes into `out`.
    """
    with manifest.alone():
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
            entry = _one(path, name, digest, out, read, work)
            manifest.add(entry)
            yield entry, True


def _one(path: Path, name: str, digest: str, out: Path, read: Read, work: Work) -> Entry:
    """Do one file; its result is whole on the disk when this returns."""
    started = time.monotonic()
    try:
        document = read(path)
        if not whole_text(document).strip():
            raise DocumentEmpty(path.name, "it holds no text")
        result = work(document)
    except (DocumentError, ContextOverflow, UsageError) as error:
        said = error.message if isinstance(error, DocumentError) else f"{name}: {error.message}"
        return Entry(name, digest, seconds=round(time.monotonic() - started, 3), error=said)
    made = result if isinstance(result, Made) else Made(result)
    output = f"{name}.txt"
    _write(out / output, made.text)
    note = " ".join(dict.fromkeys((*document.notes, *made.notes)))
    return Entry(name, digest, output, round(time.monotonic() - started, 3), confidence=made.confidence, note=note)


def table(out: Path, manifest: Manifest, chosen: Sequence[str]) -> None:
    """All results as one CSV file: file, result, error, the confidence where there is one, and what to doubt.

    A result that somebody has removed is left out. Memory does not grow with the number of files.
    """
    try:
        with files.replacing(out / TABLE) as file:
            stream = io.TextIOWrapper(file, encoding="utf-8", newline="")
            stream.write("\ufeff")  # spreadsheets take a CSV file for an old encoding without it
            write_row(stream, ("file", "result", "error", "confidence", "note"))
            for name in chosen:
                entry = manifest.entries.get(name)
                if entry is not None and (result := _result(out, entry)) is not None:
                    sure = "" if entry.confidence is None else f"{entry.confidence:.4f}"
                    write_row(stream, (entry.file, result, entry.error, sure, entry.note))
            stream.detach()  # writes the rest, and leaves closing to `replacing`
    except OSError as error:
        raise _unwritten(out / TABLE, error) from error


def _result(out: Path, entry: Entry) -> str | None:
    """What was written for a file, empty for one with an error; None when it is not there any more."""
    if not entry.output:
        return ""
    try:
        with (out / entry.output).open(encoding="utf-8", errors="replace", newline="") as stream:
            return stream.read().rstrip("\n")
    except OSError:
        return None


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, text if text.endswith("\n") else text + "\n")
    except OSError as error:
        raise _unwritten(path, error) from error


def _unwritten(path: Path, error: OSError) -> StorageError:
    return StorageError(f"{path} cannot be written: {error.strerror}.", "Choose another folder with -o.")
