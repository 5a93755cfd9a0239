"""The bin of a models folder: what was removed lies in `<folder>/.bin/` for a day, and can be brought back until then.

Each removal is a folder there with a `record.json` and the model itself, put in by a rename: it costs no copy, and
frees no space before it is discarded.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edgellm import files
from edgellm.errors import ModelError, StorageError
from edgellm.models import disk
from edgellm.models.staging import guarded, is_below

BIN = ".bin"
KEPT_SECONDS = 24 * 3600.0
_RECORD = "record.json"
_GONE = ".gone"
_LARGEST = 4 << 20


@dataclass(frozen=True, slots=True)
class Removed:
    """A model in the bin: its name, bytes, the models folder it was in, and when it was removed (Unix seconds).

    `place` is its folder in the bin, `items` the paths of what belongs to it, below the models folder.
    """

    name: str
    size: int
    folder: Path
    removed: float
    place: Path
    items: tuple[str, ...]

    @property
    def until(self) -> float:
        """When it is discarded by itself, in Unix seconds."""
        return self.removed + KEPT_SECONDS


def remove(name: str, size: int, folder: Path, items: Iterable[Path]) -> Removed:
    """Put a model's files into the bin of its folder: all of them, or none. Raises `StorageError`."""
    paths = tuple(item.relative_to(folder).as_posix() for item in items)
    removed = Removed(name, size, folder, time.time(), folder / BIN / uuid.uuid4().hex[:16], paths)
    with guarded(folder), disk.told(folder, f"{name} could not be removed"):
        if disk.leads_away(folder / BIN, folder):
            raise StorageError(f"{folder / BIN} is a link to another place.", "Remove that link.")
        removed.place.mkdir(parents=True)
        record = {"name": name, "size": size, "removed": removed.removed, "items": paths}
        files.write(removed.place / _RECORD, json.dumps(record))
        try:
            for path in paths:
                _rename(folder / path, removed.place / path)
        except OSError:
            _put_back(removed)
            raise
        for path in paths:
            disk.prune((folder / path).parent, folder)
    return removed


def restore(removed: Removed) -> None:
    """Bring a model back. Raises `ModelError` when its place is taken, `StorageError`."""
    with guarded(removed.folder), disk.told(removed.folder, f"{removed.name} could not be restored"):
        for path in removed.items:
            if os.path.lexists(removed.folder / path):
                raise ModelError(
                    f"{removed.name} cannot be restored: there is another {path} now.",
                    f"Remove that one first: edgellm models remove {removed.name}",
                )
        _put_back(removed)


def discard(removed: Removed) -> None:
    """Remove a model for good. Raises `StorageError`."""
    gone = removed.place.with_name(removed.place.name + _GONE)
    with guarded(removed.folder), disk.told(removed.folder, f"{removed.name} could not be discarded"):
        with suppress(FileNotFoundError):  # another process was faster
            os.rename(removed.place, gone)
        disk.erase(gone)


def contents(folder: Path) -> tuple[Removed, ...]:
    """What is in the bin of a models folder, the latest first. What cannot be read is left out."""
    places: list[Path] = []
    with suppress(OSError):
        if disk.leads_away(folder / BIN, folder):
            return ()
        places = [place for place in (folder / BIN).iterdir() if not place.name.endswith(_GONE)]
    found = [one for place in places if (one := _read(place, folder)) is not None]
    return tuple(sorted(found, key=lambda one: one.removed, reverse=True))


def recover(folder: Path) -> None:
    """Finish or undo what a killed process left half done in the bin. Raises `StorageError`."""
    if not os.path.isdir(folder / BIN) or disk.leads_away(folder / BIN, folder):
        return
    with guarded(folder), disk.told(folder, "The bin could not be put in order"):
        for place in list((folder / BIN).iterdir()):
            one = None if place.name.endswith(_GONE) else _read(place, folder)
            if one is None:
                disk.erase(place)
            elif any(not os.path.lexists(place / path) for path in one.items):
                _put_back(one)


def _put_back(removed: Removed) -> None:
    for path in removed.items:
        inside, outside = removed.place / path, removed.folder / path
        if os.path.lexists(inside) and not os.path.lexists(outside):
            _rename(inside, outside)
    if not any(os.path.lexists(removed.place / path) for path in removed.items):
        disk.erase(removed.place)


def _rename(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.rename(source, target)


def _read(place: Path, folder: Path) -> Removed | None:
    try:
        record = json.loads(disk.read_small(place / _RECORD, _LARGEST))
        name, size, when, items = (record[key] for key in ("name", "size", "removed", "items"))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    fits = isinstance(name, str) and type(size) is int and isinstance(when, int | float) and isinstance(items, list)
    if not fits or not all(isinstance(item, str) and is_below(item) and item != _RECORD for item in items):
        return None
    return Removed(name, size, folder, float(when), place, tuple(items))
