"""A model on its way into a folder: prepared out of sight, then there in one step.

Below `<folder>/.incoming/`: `<token>/`, what is being prepared; `<token>.lock`, held by the process that does;
`<token>.json`, where files came from that were moved and not copied; and `.lock`, held for a moment by whoever changes
names in the folder. Whatever a killed process left there, `recover` puts back or removes.
"""

from __future__ import annotations

import glob
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from edgellm import files
from edgellm.errors import ModelError, StorageError
from edgellm.models import disk
from edgellm.models import manifest as manifests
from edgellm.models.manifest import Manifest

INCOMING = ".incoming"
_GUARD = ".lock"
_LONGEST_WAIT = 20.0
_LARGEST = 4 << 20


@contextmanager
def guarded(folder: Path) -> Iterator[None]:
    """Alone among all processes in changing names in `folder`, for a moment. Not to be entered twice by a thread.

    Raises `StorageError`.
    """
    with disk.told(folder, "The folder for models cannot be changed"):
        (folder / INCOMING).mkdir(parents=True, exist_ok=True)
        if disk.leads_away(folder / INCOMING, folder):
            raise StorageError(f"{folder / INCOMING} is a link to another place.", "Remove that link.")
    with locked(folder / INCOMING):
        yield


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of one of our own folders. Raises `StorageError`."""
    from filelock import FileLock, Timeout

    with disk.told(folder, "The folder for models cannot be changed"):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / _GUARD, timeout=_LONGEST_WAIT, thread_local=False)
        try:
            lock.acquire()
        except Timeout as error:
            raise StorageError(f"Another EdgeLLM is at work in {folder.parent}.", "Wait until it is done.") from error
    try:
        yield
    finally:
        lock.release()


class Staging:
    """A context manager. What is not committed inside it is undone at its end.

    `folder` is where to prepare: files that are written or taken into it have the names of the manifest.
    """

    def __init__(self, top: Path) -> None:
        self.top = top
        self.folder = top / INCOMING / uuid.uuid4().hex[:16]
        self._record = self.folder.with_suffix(".json")
        self._lock_file = self.folder.with_suffix(".lock")
        self._lock: Any = None
        self._taken: dict[str, str] = {}
        self._sources: list[Path] = []

    def __enter__(self) -> Self:
        from filelock import FileLock

        with guarded(self.top), disk.told(self.top, "The model could not be prepared"):
            self._lock = FileLock(self._lock_file, thread_local=False)
            self._lock.acquire(timeout=0)
            self.folder.mkdir()
        return self

    def __exit__(self, *error: object) -> None:
        with guarded(self.top), disk.told(self.top, "What was prepared could not be removed"):
            _undo(self.folder)
            self._lock.release()
            self._lock_file.unlink(missing_ok=True)

    def take(self, name: str, source: Path, *, keep: bool) -> None:
        """Bring `source` in as `name`: linked, else moved, else copied. Unless `keep`, it is gone after the commit."""
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not keep:
            self._sources.append(source)
        if disk.link(source, target):
            return
        if not keep and self.top in source.parents and disk.same_disk(source.parent, self.folder):
            self._taken[name] = source.relative_to(self.top).as_posix()
            files.write(self._record, json.dumps({"taken": self._taken}))
            os.replace(source, target)
            return
        with source.open("rb") as read, target.open("xb") as write:
            shutil.copyfileobj(read, write, 1 << 20)
            write.flush()
            os.fsync(write.fileno())

    def commit(self, manifest: Manifest) -> Path:
        """Make the prepared folder the model `manifest.name`; returns its folder.

        Raises `ModelError` when the name is taken, `StorageError`.
        """
        with disk.told(self.top, f"{manifest.name} could not be installed"):
            manifests.write(self.folder, manifest)
            return self.publish(manifest.name)

    def publish(self, name: str) -> Path:
        """Give what was prepared its name in the folder. Raises `ModelError`, `OSError`, `StorageError`."""
        target = self.top / name
        with guarded(self.top):
            if taken(self.top, name):
                raise ModelError(f"There already is a model {name}.", f"Remove it first: edgellm models remove {name}")
            target.parent.mkdir(parents=True, exist_ok=True)
            disk.settle(self.folder)
            os.rename(self.folder, target)
            disk.settle(target.parent)
            self._record.unlink(missing_ok=True)
        for source in self._sources:
            source.unlink(missing_ok=True)
        return target


def taken(folder: Path, name: str) -> bool:
    """Whether a model of this name is in the folder, in whatever case, as a folder or a file. Raises `OSError`."""
    parent, last = (folder / name).parent, Path(name).name.casefold()
    try:
        return any(entry.casefold() in (last, f"{last}.gguf") for entry in os.listdir(parent))
    except FileNotFoundError:
        return False


def still_prepared(staged: Path) -> bool:
    """Whether a living process is preparing this. Raises `OSError`."""
    from filelock import FileLock, Timeout

    lock_file = staged.with_suffix(".lock")
    if not os.path.exists(lock_file):
        return False
    lock = FileLock(lock_file, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def recover(folder: Path) -> None:
    """Undo what processes that are gone have left half done in `folder`. Raises `StorageError`."""
    from filelock import FileLock, Timeout

    incoming = folder / INCOMING
    if not os.path.isdir(incoming) or disk.leads_away(incoming, folder):
        return
    with guarded(folder), disk.told(folder, "What was left half done could not be removed"):
        for token in sorted({entry.lstrip(".").partition(".")[0] for entry in os.listdir(incoming) if entry != _GUARD}):
            place = incoming / token
            lock = FileLock(place.with_suffix(".lock"), thread_local=False)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                continue
            _undo(place)
            for half_written in incoming.glob(f".{glob.escape(token)}.*"):
                disk.erase(half_written)
            lock.release()
            place.with_suffix(".lock").unlink(missing_ok=True)


def retire(item: Path, folder: Path) -> None:
    """Take a file or folder out of a models folder: out of sight first, then for good. Raises `OSError`."""
    if os.path.isfile(item) or os.path.islink(item):
        item.unlink(missing_ok=True)
    elif os.path.isdir(item):
        with guarded(folder):
            hidden = folder / INCOMING / uuid.uuid4().hex[:16]
            os.rename(item, hidden)
        disk.erase(hidden)
    disk.prune(item.parent, folder)


def _undo(place: Path) -> None:
    """Give back what was moved in, and remove the rest."""
    record, top = place.with_suffix(".json"), place.parent.parent
    for name, source in _taken(record).items():
        inside, back = place / name, top / source
        if os.path.isfile(inside) and not os.path.exists(back) and os.path.isdir(back.parent):
            os.replace(inside, back)
    record.unlink(missing_ok=True)
    disk.erase(place)


def _taken(record: Path) -> dict[str, str]:
    """Which files were moved in from where, both below their folders; nothing for a record that is none of ours."""
    try:
        taken = json.loads(disk.read_small(record, _LARGEST))["taken"]
        return {name: source for name, source in taken.items() if is_below(name) and is_below(source)}
    except (OSError, ValueError, AttributeError, TypeError, KeyError, RecursionError):
        return {}


def is_below(path: str) -> bool:
    """Whether this is a path below some folder: a note on a strange disk may have been written by anyone."""
    return not any(part in ("", ".", "..") or "\\" in part or ":" in part for part in path.split("/"))
