"""The note beside a part file, `<name>.part.json`: where the bytes came from, and the hash of each whole chunk.

It is written often and never trusted: whoever goes on with a part reads it again and compares.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from edgellm.models import disk

_LARGEST = 4_000_000


@dataclass(frozen=True, slots=True)
class Note:
    """`address` is without its query, `size` that of the whole file, `chunk` in bytes, `chunks` are sha256 in hex."""

    address: str = ""
    etag: str = ""
    size: int | None = None
    chunk: int = 0
    chunks: tuple[str, ...] = ()


def place(part: Path) -> Path:
    """Where the note of a part file lies."""
    return part.with_name(f"{part.name}.json")


def write(part: Path, note: Note) -> None:
    """Write it in one step. Raises `OSError`. The disk is not waited for: a note that is lost costs nothing."""
    new = _new(part)
    new.unlink(missing_ok=True)  # a killed writer's, or a link of a strange disk
    new.write_text(json.dumps({"version": 1, **asdict(note)}), encoding="utf-8")
    os.replace(new, place(part))


def read(part: Path, chunk: int) -> Note:
    """The note, when it makes sense and was made with chunks of this size; an empty one otherwise."""
    try:
        found = json.loads(disk.read_small(place(part), _LARGEST))
        note = Note(found["address"], found["etag"], found["size"], found["chunk"], tuple(found["chunks"]))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return Note()
    texts = all(isinstance(text, str) for text in (note.address, note.etag, *note.chunks))
    size = note.size is None or (type(note.size) is int and note.size >= 0)
    return note if texts and size and note.chunk == chunk else Note()


def remove(part: Path) -> None:
    """Remove it, and one that was half written when the program was killed. Raises `OSError`."""
    place(part).unlink(missing_ok=True)
    _new(part).unlink(missing_ok=True)


def _new(part: Path) -> Path:
    return part.with_name(f"{part.name}.json.new")
