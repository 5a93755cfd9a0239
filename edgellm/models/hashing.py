"""Reading files through to their hashes, and copying them on the way; how far it is, and whether to go on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from edgellm.errors import Stopped
from edgellm.runtimes.base import never

Progress = Callable[[int, int], None]
Cancelled = Callable[[], bool]
CHUNK = 16 << 20
_BLOCK = 1 << 20


def _silent(done: int, total: int) -> None:
    pass


class Work:
    """A long act on files: tells `progress(done, total)` in bytes, and asks `cancelled()` after every block."""

    def __init__(self, progress: Progress | None = None, cancelled: Cancelled | None = None, total: int = 0) -> None:
        self._progress = progress or _silent
        self._cancelled = cancelled or never
        self._total = total
        self._done = 0

    def begin(self, total: int) -> None:
        """There are `total` more bytes to do."""
        self._total += total
        self.add(0)

    def add(self, count: int) -> None:
        """`count` more bytes are done. Raises `Stopped` when the person does not want the rest."""
        if self._cancelled():
            raise Stopped("Stopped.")
        self._done += count
        self._progress(min(self._done, self._total), self._total)


@dataclass(frozen=True, slots=True)
class Digest:
    """What a file is: `size` in bytes, the sha256 of the whole and of each part, in hex."""

    size: int
    sha256: str
    chunks: tuple[str, ...]


class Hashes:
    """The sha256 of bytes that come in order, and of each part of `chunk_size` bytes; 0 leaves the parts out."""

    def __init__(self, chunk_size: int) -> None:
        self.size = 0
        self._chunk_size = chunk_size
        self._whole = hashlib.sha256()
        self._part = hashlib.sha256()
        self._inside = 0
        self._chunks: list[str] = []

    def update(self, data: bytes) -> None:
        """The next bytes."""
        self.size += len(data)
        self._whole.update(data)
        view = memoryview(data)
        while self._chunk_size and view:
            piece = view[: self._chunk_size - self._inside]
            self._part.update(piece)
            self._inside += len(piece)
            view = view[len(piece) :]
            if self._inside == self._chunk_size:
                self._chunks.append(self._part.hexdigest())
                self._part, self._inside = hashlib.sha256(), 0

    def digest(self) -> Digest:
        """What all of it is; the last part may be shorter."""
        last = (self._part.hexdigest(),) if self._inside else ()
        return Digest(self.size, self._whole.hexdigest(), (*self._chunks, *last))


def digest(path: Path, chunk_size: int, work: Work) -> Digest:
    """Read a file through, as long as it is when it is opened. Raises `OSError`, `Stopped`."""
    with path.open("rb") as file:
        return _through(file, None, chunk_size, work)


def digest_range(path: Path, start: int, stop: int) -> str:
    """The sha256 of a part of a file that fits into memory, in hex. Raises `OSError`."""
    with path.open("rb") as file:
        file.seek(start)
        return hashlib.sha256(file.read(stop - start)).hexdigest()


def copy(source: Path, target: Path, chunk_size: int, work: Work) -> Digest:
    """Copy a file, which must not be there yet, and make sure that the disk has it. Raises `OSError`, `Stopped`."""
    with source.open("rb") as file, target.open("xb") as new:
        result = _through(file, new, chunk_size, work)
        new.flush()
        os.fsync(new.fileno())
        return result


def _through(file: BinaryIO, new: BinaryIO | None, chunk_size: int, work: Work) -> Digest:
    hashes = Hashes(chunk_size)
    end = os.fstat(file.fileno()).st_size  # a file that is still being written to would never end
    while block := file.read(min(_BLOCK, end - hashes.size)):
        if new is not None:
            new.write(block)
        hashes.update(block)
        work.add(len(block))
    return hashes.digest()
