"""Bringing a collection's index up to date: which files are new, changed, gone or unreadable, one file at a time.

A file is read when its content is not in the library, so a renamed or copied one is only hashed. Killed at any moment,
the next `update` goes on with the next file. Storing is left to `library.py`.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

import filelock

from edgellm.documents import chunk
from edgellm.documents.document import Document
from edgellm.documents.library import Library, Stamp
from edgellm.documents.load import load
from edgellm.documents.scan import Found, plain_files, scan
from edgellm.errors import DocumentError, DocumentMissing, Stopped, StorageError
from edgellm.runtimes.base import never

__all__ = ["Control", "Indexer", "Report", "Step", "content_hash", "plain_files", "rest"]

Read = Callable[[Path], Document]
# A file that changed this shortly before may change again within the same tick of the file system's clock
_FRESH = 2_000_000_000
_BLOCK = 1 << 20
_SLICE = 0.2  # seconds within which a wait notices that it was cancelled


@dataclass(frozen=True, slots=True)
class Report:
    """What an update did, in files; `chunks` are the passages added. `missing` are sources that were not there.

    `moved` were known by their content: renamed or copied. `unreadable` failed before and have not changed since.
    `closed` are folders that could not be listed, and `unnamed` the names that are no text: the index cannot hold such
    a file.
    """

    added: int = 0
    moved: int = 0
    unchanged: int = 0
    failed: int = 0
    removed: int = 0
    chunks: int = 0
    unreadable: int = 0
    missing: tuple[Path, ...] = ()
    closed: tuple[Path, ...] = ()
    unnamed: tuple[str, ...] = ()
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
    """How an update is watched and held.

    `pause` gives the seconds to rest after a file (on battery, say). `held` says why the next file has to wait, for as
    long as it does; `waiting` is told so, and "" when it goes on. Meanwhile another program may index.
    """

    progress: Callable[[Step], None] = lambda step: None
    cancelled: Callable[[], bool] = never
    pause: Callable[[], float] = lambda: 0.0
    held: Callable[[], str] = lambda: ""
    waiting: Callable[[str], None] = lambda why: None


@dataclass(slots=True)
class _Tally:
    counts: dict[str, int] = field(default_factory=dict)
    missing: list[Path] = field(default_factory=list)
    closed: list[Path] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)
    chunks: int = 0
    stopped: bool = False

    def count(self, kind: str, number: int = 1) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + number

    def report(self) -> Report:
        return replace(
            Report(),
            **self.counts,
            chunks=self.chunks,
            missing=tuple(self.missing),
            closed=tuple(self.closed),
            unnamed=tuple(self.unnamed),
            stopped=self.stopped,
        )


@dataclass(slots=True)
class _File:
    """A file of one or more sources: some `know` it as it is now, the others are `due`. `whole`: it could be read."""

    stamp: Stamp
    whole: bool = False
    know: list[int] = field(default_factory=list)
    due: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Work:
    """The files that were found, by path, each once; and those that are gone from each source."""

    files: dict[str, _File] = field(default_factory=dict)
    gone: list[tuple[int, list[str]]] = field(default_factory=list)


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
        tally = _Tally()
        try:
            self._update(self._plan(name, control, retry, tally), control, lock, tally)
        except Stopped:
            tally.stopped = True
        finally:
            lock.release()
        return tally.report()

    def _plan(self, collection: str, control: Control, retry: bool, tally: _Tally) -> _Work:
        work = _Work()
        for source, root in self._library.sources(collection):
            found = scan(root, self._suffixes, control.cancelled)
            if found is None:
                tally.missing.append(root)  # an unplugged disk is no reason to forget what was on it
                continue
            tally.closed += found.closed
            tally.unnamed += found.unnamed
            self._compare(source, found, retry, work)
        return work

    def _compare(self, source: int, found: Found, retry: bool, work: _Work) -> None:
        known = self._library.stamps(source)
        for name, stamp in found.files.items():
            before, whole = known.get(name, (None, False))
            file = work.files.setdefault(name, _File(stamp))
            same = before == stamp and (whole or not retry)
            file.whole |= same and whole
            (file.know if same else file.due).append(source)
        work.gone.append((source, [name for name in known if name not in found.files and not found.hides(name)]))

    def _update(self, work: _Work, control: Control, lock: filelock.BaseFileLock, tally: _Tally) -> None:
        for name, file in work.files.items():
            if file.know:
                tally.count("unchanged" if file.whole else "unreadable")
            if file.know and file.due:
                self._library.share(file.know[0], Path(name), file.due)
        new = [(Path(name), file) for name, file in work.files.items() if not file.know]
        for number, (path, file) in enumerate(new, 1):
            _hold(control, lock)
            sources = [source for source in file.due if self._library.has_source(source)]
            if not sources:
                continue  # it was taken out meanwhile, by this program or another
            reason = self._take(sources[0], path, file.stamp, control.cancelled, tally)
            if sources[1:]:
                self._library.share(sources[0], path, sources[1:])
            control.progress(Step(path, number, len(new), reason))
            if number < len(new):
                rest(control.pause(), control.cancelled)
        for source, paths in work.gone:  # last, so that a renamed file finds its content
            self._library.forget(source, paths)
        tally.count("removed", len({path for _, paths in work.gone for path in paths} - work.files.keys()))
        self._library.sweep()

    def _take(self, source: int, path: Path, stamp: Stamp, cancelled: Callable[[], bool], tally: _Tally) -> str:
        """Bring one file up to date; returns why it cannot be read."""
        kept = Stamp(stamp.size, -1) if time.time_ns() - stamp.mtime < _FRESH else stamp
        try:
            if path.exists() and not path.is_file():  # opening a pipe would wait for someone to write into it
                raise DocumentMissing(path.name, "it is no plain file", "Copy its content into a file first.")
            before = self._library.content_of(source, path)
            if self._library.link(source, path, kept, content_hash(path, cancelled)):
                tally.count("unchanged" if before == self._library.content_of(source, path) else "moved")
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


def content_hash(path: Path, cancelled: Callable[[], bool] = never) -> str:
    """The sha256 of a file, as 64 hex digits. Raises `OSError` and `Stopped`."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            if cancelled():
                raise Stopped()
            digest.update(block)
    return digest.hexdigest()


def _hold(control: Control, lock: filelock.BaseFileLock) -> None:
    """Wait for as long as `control` holds the update, without the lock. Raises `Stopped` when it is cancelled."""
    told = ""
    while not control.cancelled() and (why := control.held()):
        if why != told:
            lock.release()
            control.waiting(why)
            told = why
        time.sleep(_SLICE)
    if told:
        control.waiting("")
    while not control.cancelled():
        try:
            if told:
                lock.acquire(blocking=False)
            return
        except filelock.Timeout:  # another program took its turn
            time.sleep(_SLICE)
    raise Stopped()


def rest(seconds: float, cancelled: Callable[[], bool]) -> None:
    """Wait, but no longer than until somebody cancels."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not cancelled():
        time.sleep(min(left, _SLICE))
