"""The record of a batch: what was asked for, and what became of each file.

A file of JSON lines beside the results: first what was asked for, then one line for each file with its hash, result,
time and error. A line is written once its result is whole on the disk, so a batch that was killed at any moment does no
file twice and leaves none out. One run at a time writes into a folder.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from edgellm.errors import StorageError, UsageError

MANIFEST, TABLE = "manifest.jsonl", "results.csv"
_LOCK = ".manifest.lock"
_LONGEST_HEAD = 1 << 20
_ELSEWHERE = "Choose another folder with -o."


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of a file. `file` and `output` are relative paths; `error` is empty when there is a result.

    `note` says what to doubt about it, `warnings` at which places, `details` more of it by name. `model` made it.
    """

    file: str
    sha256: str
    output: str = ""
    seconds: float = 0.0
    error: str = ""
    confidence: float | None = None
    note: str = ""
    warnings: tuple[str, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)
    model: str = ""

    @classmethod
    def of(cls, value: Any) -> Entry | None:
        """From a line of the manifest; None for one that is not whole."""
        try:
            entry = cls(**{**value, "warnings": tuple(value.get("warnings", ()))})
        except (TypeError, AttributeError):
            return None
        texts = (entry.file, entry.sha256, entry.output, entry.error, entry.note, entry.model, *entry.warnings)
        sound = all(isinstance(text, str) for text in texts) and isinstance(entry.confidence, float | int | None)
        return entry if sound and isinstance(entry.details, dict) and _is_inside(entry.output) else None


class Manifest:
    """The record of a batch in folder `out`. `asked` is what the results depend on: task, options, model."""

    def __init__(self, out: Path, asked: Mapping[str, Any], planned: Collection[str] = ()) -> None:
        """Raises `UsageError` when the folder holds a batch that asked for something else, `StorageError`.

        `planned` are names in the folder that a new batch would write beside manifest and table: one of them that is
        there belongs to somebody else, and is a `UsageError` too. Without them all is replaced.
        """
        self._path = out / MANIFEST
        self.entries: dict[str, Entry] = {}
        try:
            out.mkdir(parents=True, exist_ok=True)
            data = self._path.read_bytes() if self._path.exists() else b""
        except OSError as error:
            raise StorageError(f"{out} cannot be used: {error.strerror}.", _ELSEWHERE) from error
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
            if planned:  # a manifest that a crash cut short is one line
                _check_free(out, (*((MANIFEST,) if b"\n" in data else ()), TABLE, *planned))
            self._append(dict(asked), fresh=True)
        elif lines[-1]:  # a line that a crash cut short
            self._append(None)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other runs out of the folder; what one has done since this was read is taken over.

        Raises `UsageError` while another run writes there, and `StorageError`.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self._path.with_name(_LOCK), timeout=0, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            said = f"{self._path.parent} is being written by another run."
            raise UsageError(said, "Wait for it, or stop it.") from None
        except OSError as error:
            said = f"{self._path.parent} cannot be written: {error.strerror}."
            raise StorageError(said, "Check who may write there.") from error
        try:
            with suppress(OSError), self._path.open("rb") as stream:
                stream.seek(self._size)
                self._take(stream.read().split(b"\n"))
            yield
        finally:
            with suppress(OSError):  # still held: whoever gets a lock of a file that is gone is refused it (filelock)
                self._path.with_name(_LOCK).unlink()
            lock.release()

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
                stream.write(f"{line}\n".encode("utf-8", "replace"))
                stream.flush()
                os.fsync(stream.fileno())
                self._size = os.fstat(stream.fileno()).st_size
        except OSError as error:
            raise StorageError(f"{self._path} cannot be written: {error.strerror}.", "Free some space.") from error


def check_place(out: Path) -> None:
    """Raise `StorageError` where no results can be written, before any work; nothing is left there."""
    place = next(path for path in (out, *out.parents) if path.exists() or path.is_symlink())
    try:
        with tempfile.TemporaryFile(dir=place):
            return
    except OSError as error:
        raise StorageError(f"{out} cannot be used: {error.strerror}.", _ELSEWHERE) from error


def holds_batch(folder: Path) -> bool:
    """Whether results of a batch are in a folder: those are no documents."""
    try:
        with (folder / MANIFEST).open("rb") as stream:
            head = _parsed(stream.readline(_LONGEST_HEAD))
    except OSError:
        return False
    return head is not None and "task" in head and "model" in head


def _check_free(out: Path, planned: Iterable[str]) -> None:
    there = [name for name in planned if (out / name).exists() or (out / name).is_symlink()]
    if there:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise UsageError(
            f"{out} holds files that are not of this batch and would be replaced: {there[0]}{more}.",
            "Choose another folder with -o, or add --force to replace them.",
        )


def _is_inside(output: str) -> bool:
    """Whether a result's name stays in the folder: a manifest can come from elsewhere."""
    return not Path(output).is_absolute() and ".." not in Path(output).parts and "\0" not in output


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
