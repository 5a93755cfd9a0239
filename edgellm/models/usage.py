"""How much of the disks the models take, and how the folders for them are. A file with two names counts once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edgellm.models import disk
from edgellm.models.bin import BIN
from edgellm.models.installed import Installed
from edgellm.models.staging import INCOMING

State = Literal["ready", "new", "missing", "read-only"]
_DOWNLOADS = ".downloads"


@dataclass(frozen=True, slots=True)
class Folder:
    """A models folder. "new" is one that is made when it is first needed; `sentence` says what is wrong, if anything.

    `free` is bytes, None when it cannot be known.
    """

    path: Path
    state: State
    free: int | None
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes on disk: of each model by its name, of what was removed, of what is being downloaded, and in all.

    `total` can be less than the sum: two models may share a file.
    """

    models: tuple[tuple[str, int], ...]
    bin: int
    waiting: int
    total: int
    folders: tuple[Folder, ...]


class Counter:
    """Adds up files, each once however many names it has."""

    def __init__(self) -> None:
        self._seen: set[tuple[int, int]] = set()
        self.total = 0

    def add(self, paths: Iterable[Path]) -> int:
        """Bytes of these files; of those that were not counted before, to the total."""
        size = 0
        own: set[tuple[int, int]] = set()
        for path in paths:
            with suppress(OSError):
                info = path.lstat()
                key = (info.st_dev, info.st_ino)
                size += 0 if key in own else info.st_size
                self.total += 0 if key in self._seen else info.st_size
                own.add(key)
                self._seen.add(key)
        return size


def usage(models: Iterable[Installed], folders: tuple[Folder, ...]) -> Usage:
    """What our own models take, in `folders`. Other programs' models and the built-in one are not counted."""
    counter = Counter()
    own = [model for model in models if not model.builtin and not model.foreign]
    sizes = tuple((model.name, counter.add(_files(model.items))) for model in own)
    waiting = counter.add(_files(folder.path / name for folder in folders for name in (INCOMING, _DOWNLOADS)))
    removed = counter.add(_files(folder.path / BIN for folder in folders))
    return Usage(sizes, removed, waiting, counter.total, folders)


def look(path: Path, own: bool) -> Folder:
    """How a models folder is; `own` for the program's own, which is made with all folders above it."""
    free = None
    with suppress(OSError):
        free = disk.room(path)
    if os.path.isdir(path):
        if os.access(path, os.W_OK | os.X_OK) and not _mounted_read_only(path):
            return Folder(path, "ready", free)
        return Folder(path, "read-only", free, f"The folder {path} can be read, and not written to.")
    there = os.path.lexists(path) and not os.path.islink(path)
    if not there and (own or os.access(path.parent, os.W_OK | os.X_OK)):
        return Folder(path, "new", free)
    what = "is no folder" if there else "is not there; is its disk plugged in?"
    return Folder(path, "missing", None, f"The folder for models {path} {what}")


def _mounted_read_only(path: Path) -> bool:
    if not hasattr(os, "statvfs"):
        return False
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError:
        return True


def _files(items: Iterable[Path]) -> Iterator[Path]:
    for item in items:
        if os.path.isdir(item) and not os.path.islink(item):
            yield from (Path(here, name) for here, _, names in os.walk(item) for name in names)
        else:
            yield item
