"""A part file: what has arrived of a file, what is known of it, and what is worth keeping of it after a crash.

The file's length is how far the transfer came; `part_note` holds the hashes of its chunks, so that a damaged tail is
found and cut off.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from edgellm.errors import Stopped, StorageError
from edgellm.models import part_note
from edgellm.models.digests import Digests, Piece
from edgellm.models.part_note import Note
from edgellm.models.rate import Control

_BLOCK = 1 << 20
_SAVE_SECONDS = 1.0
_SYNC_SECONDS = 10.0
"""A power failure costs about as much."""
_WRITE_BACK = 32 << 20
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_SHUT = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class Part:
    """An open part file. Every method may raise `StorageError`; close it after use, whatever happened."""

    def __init__(self, path: Path, chunk: int, git_size: int | None, save_every: int) -> None:
        self.path = path
        self._chunk = chunk
        self._git_size = git_size
        self._save_every = save_every
        self._saved = (0, 0.0)
        self._started = 0
        self._synced = time.monotonic()
        self._syncing: threading.Thread | None = None
        self.note = Note()
        with stored(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
            self._file = os.open(path, flags, 0o644)
        self._digests = Digests(chunk, git_size)

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return self._digests.size

    def read_again(self, control: Control, largest: int | None) -> None:
        """Hash what is there. A tail that differs from what was noted, or is longer than `largest`, is cut off."""
        self.note = part_note.read(self.path, self._chunk)
        known = self.note.chunks
        with stored(self.path):
            length = os.fstat(self._file).st_size
            if largest is not None and length > largest:
                length = 0
                os.ftruncate(self._file, 0)
            os.lseek(self._file, 0, os.SEEK_SET)
            while self.size < length:
                if control.cancelled():
                    raise Stopped()
                data = os.read(self._file, min(_BLOCK, self._chunk, length - self.size))
                if not data:
                    break
                self._digests.feed(data)
                control.checking(self.size, length)
        self._digests.drain()
        have = self._digests.done
        good = next((index for index, (a, b) in enumerate(zip(have, known, strict=False)) if a != b), None)
        if good is not None:
            self.cut(good, control)
        else:
            self._seek()

    def write(self, data: Piece) -> None:
        """Add the next bytes."""
        with stored(self.path):
            view = memoryview(data)
            while view:
                view = view[os.write(self._file, view) :]
        self._digests.feed(data)
        self._save_sometimes()

    def wrong_chunk(self, known: tuple[str, ...]) -> int | None:
        """The first chunk whose hash is not the known one."""
        have = self._digests.done
        return next((index for index, (a, b) in enumerate(zip(have, known, strict=False)) if a != b), None)

    def cut(self, chunks: int, control: Control) -> None:
        """Keep the first `chunks` chunks only."""
        self._digests.close()
        self._digests = Digests(self._chunk, self._git_size)
        with stored(self.path):
            os.ftruncate(self._file, chunks * self._chunk)
        if chunks:
            self.read_again(control, None)
        else:
            self.note = Note()
            with stored(self.path):
                part_note.remove(self.path)
            self._seek()

    def describe(self, address: str, etag: str, size: int | None) -> None:
        """Note where the bytes come from."""
        self.note = Note(address, etag, size, self._chunk)
        self.save()

    def save(self) -> None:
        """Write the note."""
        self._saved = (self.size, time.monotonic())
        self.note = replace(self.note, chunk=self._chunk, chunks=tuple(self._digests.done))
        with stored(self.path):
            part_note.write(self.path, self.note)

    def finish(self) -> tuple[str, str, tuple[str, ...]]:
        """sha256, git's id and the chunks' hashes of the whole; the disk has it all."""
        result = self._digests.result()
        with stored(self.path):
            os.fsync(self._file)
        return result

    def close(self, keep_note: bool = True) -> None:
        """Close, and leave a note for the next time, or none."""
        try:
            with suppress(StorageError):
                if keep_note and self.size:
                    self._digests.drain()
                    self.save()
                else:
                    with stored(self.path):
                        part_note.remove(self.path)
        finally:
            self._digests.close()
            os.close(self._file)
        if keep_note and not self.size:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)

    def _seek(self) -> None:
        self._started = self.size
        with stored(self.path):
            os.ftruncate(self._file, self.size)
            os.lseek(self._file, self.size, os.SEEK_SET)

    def _save_sometimes(self) -> None:
        if self.size - self._started >= _WRITE_BACK:
            _start_writing(self._file, self._started, self.size)
            self._started = self.size
        (size, at), now = self._saved, time.monotonic()
        if self.size - size >= self._save_every and now - at >= _SAVE_SECONDS:
            self.save()
        if now - self._synced >= _SYNC_SECONDS and (self._syncing is None or not self._syncing.is_alive()):
            self._synced = now
            self._syncing = threading.Thread(target=_sync, args=(os.dup(self._file),), name="sync", daemon=True)
            self._syncing.start()


def _start_writing(handle: int, start: int, stop: int) -> None:
    """Have the system begin to write these bytes, so that there is little left to wait for at the end.

    Linux does that when told that fresh bytes are not needed in memory; they stay there until they are written.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.posix_fadvise(handle, start, stop - start, os.POSIX_FADV_DONTNEED)


def _sync(handle: int) -> None:
    """Beside the transfer, with a handle of its own: a slow disk must hold up neither the network nor a stop."""
    try:
        with suppress(OSError):  # a disk that is full or gone is found by the next write, or at the end
            os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def stored(path: Path) -> Iterator[None]:
    """Turns a failure to write into a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageError(
                f"The disk is full: {path.parent} has no room for the rest.",
                "What has arrived is kept. Free some space, or choose another folder for models in the settings.",
            ) from error
        if error.errno in _SHUT:
            raise StorageError(
                f"{path.parent} cannot be written to.", "Check its permissions, or choose another folder for models."
            ) from error
        raise StorageError(
            f"{path.name} cannot be written: {error.strerror}.", "Check the disk, or choose another folder for models."
        ) from error
