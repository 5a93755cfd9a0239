"""Bringing a collection's index up to date: which files are new, changed, gone or unreadable, one file at a time.

A file is read when its content is not in the library, so a renamed or copied one is only hashed. Killed at any moment,
the next `update` goes on with the next file. Storing is left to `library.py`.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import filelock

from edgellm.documents import chunk
from edgellm.documents.document import Document
from edgellm.documents.library import Library, Stamp
from edgellm.documents.load import load
from edgellm.errors import DocumentError, Stopped, StorageError

Read = Callable[[Path], Document]
# A file that changed this shortly before may change again within the same tick of the file system's clock
_FRESH = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Report:
    """What an update did, in files; `chunks` are the passages added. `missing` are sources that were not there.

    `moved` were known by their content: renamed, copied, or touched.
    """

    added: int = 0
    moved: int = 0
    unchanged: int = 0
    failed: int = 0
    removed: int = 0
    chunks: int = 0
    missing: tuple[Path, ...] = ()
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """Progress: file number `done` of `total` was handled. `reason` says why it could not be read."""

    path: Path
    done: int
    total: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Control:
    """How an update is watched and held. `pause` gives the seconds to rest before the next file (on battery, say)."""

    progress: Callable[[Step], None] = lambda step: None
    cancelled: Callable[[], bool] = lambda: False
    pause: Callable[[], float] = lambda: 0.0


@dataclass(slots=True)
class _Tally:
    counts: dict[str, int] = field(default_factory=dict)
    missing: list[Path] = field(default_factory=list)
    chunks: int = 0
    stopped: bool = False

    def count(self, kind: str, number: int = 1) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + number

    def report(self) -> Report:
        return Report(**self.counts, chunks=self.chunks, missing=tuple(self.missing), stopped=self.stopped)


class Indexer:
    """Reads files into a library; for many files let `read` be that of one `Loader`, which keeps its process.

    `suffixes`, such as {".pdf"}, are those that count inside folders; None means all.
    """

    def __init__(
        self, library: Library, read: Read = load, suffixes: Collection[str] | None = None, tokens: int = chunk.TOKENS
    ) -> None:
        self._library = library
        self._read = read
        self._suffixes = suffixes
        self._tokens = tokens

    def update(self, name: str, control: Control | None = None, retry: bool = False) -> Report:
        """Make the index of a collection what its files are now. `retry` reads those again that failed before.

        Raises `UsageError` without such a collection, and `StorageError` when another program indexes.
        """
        control = control or Control()
        lock = filelock.FileLock(f"{self._library.path}.indexing")
        try:
            lock.acquire(blocking=False)
        except filelock.Timeout as error:
            raise StorageError("Another program is indexing documents.", "Wait until it has finished.") from error
        try:
            tally = _Tally()
            self._update(name, control, retry, tally)
        finally:
            lock.release()
        return tally.report()

    def _update(self, collection: str, control: Control, retry: bool, tally: _Tally) -> None:
        work: list[tuple[int, Path, Stamp]] = []
        gone: list[tuple[int, list[str]]] = []
        for source, root in self._library.sources(collection):
            found = _scan(root, self._suffixes)
            if found is None:
                tally.missing.append(root)  # an unplugged disk is no reason to forget what was on it
                continue
            known = self._library.stamps(source)
            for name, stamp in found.items():
                before, whole = known.get(name, (None, False))
                if before == stamp and (whole or not retry):
                    tally.count("unchanged")
                else:
                    work.append((source, Path(name), stamp))
            gone.append((source, [name for name in known if name not in found]))
        for number, (source, path, stamp) in enumerate(work, 1):
            if control.cancelled():
                tally.stopped = True
                return
            try:
                reason = self._take(source, path, stamp, tally)
            except Stopped:  # a reader that was told to
                tally.stopped = True
                return
            control.progress(Step(path, number, len(work), reason))
            time.sleep(max(0.0, control.pause()))
        for source, paths in gone:  # last, so that a renamed file finds its content
            self._library.forget(source, paths)
            tally.count("removed", len(paths))
        self._library.sweep()

    def _take(self, source: int, path: Path, stamp: Stamp, tally: _Tally) -> str:
        """Bring one file up to date; returns why it cannot be read."""
        kept = Stamp(stamp.size, -1) if time.time_ns() - stamp.mtime < _FRESH else stamp
        try:
            if self._library.link(source, path, kept, content_hash(path)):
                tally.count("moved")
                return ""
            document = self._read(path)
        except DocumentError as error:
            reason, hint = error.reason, error.hint
        except OSError as error:
            reason, hint = (error.strerror or "the system refused it").lower(), "Check its disk and permissions."
        else:
            cut = chunk.chunks(document, self._tokens)
            tally.chunks += self._library.store(source, path, kept, document, cut)
            tally.count("added")
            return ""
        self._library.fail(source, path, kept, reason, hint)
        tally.count("failed")
        return reason


def content_hash(path: Path) -> str:
    """The sha256 of a file, as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _scan(root: Path, suffixes: Collection[str] | None) -> dict[str, Stamp] | None:
    """The files under a source with their stamps; None when the source itself is not there."""
    try:
        if not root.is_dir():
            return {str(root): _stamp(root)} if root.exists() else None
        os.listdir(root)
    except OSError:
        return None
    found: dict[str, Stamp] = {}
    for path in plain_files(root):
        if suffixes is None or path.suffix.lower() in suffixes:
            try:
                found[str(path)] = _stamp(path)
            except OSError:
                continue  # gone since its folder was read
    return found


def plain_files(root: Path) -> Iterator[Path]:
    """Plain files in a fixed order: nothing hidden, no links, no names that are not text, no office lock files."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if name.startswith((".", "~$")) or path.is_symlink() or not path.is_file() or not _is_text(str(path)):
                continue
            yield path


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _stamp(path: Path) -> Stamp:
    status = path.stat()
    return Stamp(status.st_size, status.st_mtime_ns)
