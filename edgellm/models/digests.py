"""The hashes of a file while its bytes arrive: of the whole, of each chunk, and git's blob id; in threads of their own.

hashlib lets go of the interpreter while it works, so two hashes and the network run side by side. Reading a file that
lies on the disk is left to `hashing`.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Callable

_BATCH = 1 << 20
_WAITING = 8
"""Batches that may wait for a hash before whoever feeds has to wait: this bounds the memory."""

Piece = bytes | memoryview


class Digests:
    """Feed it every byte in order. `git_size` is the file's size when git's id is asked for. Close it after use."""

    def __init__(self, chunk: int, git_size: int | None = None) -> None:
        self._chunk = chunk
        self.size = 0
        self.done: list[str] = []
        """The sha256 of each whole chunk so far; complete only after `drain`."""
        self._part = hashlib.sha256()
        self._inside = 0
        self._whole = hashlib.sha256()
        self._git = None
        if git_size is not None:
            self._git = hashlib.sha1(b"blob %d\0" % git_size, usedforsecurity=False)
        self._batch: list[Piece] = []
        self._batched = 0
        self._lines = [_Line(self._feed_whole), _Line(self._feed_chunk)]

    def feed(self, data: Piece) -> None:
        """The next bytes."""
        self.size += len(data)
        self._batch.append(data)
        self._batched += len(data)
        if self._batched >= _BATCH:
            self._flush()

    def drain(self) -> None:
        """Wait until everything fed is in the hashes."""
        self._flush()
        for line in self._lines:
            line.drain()

    def result(self) -> tuple[str, str, tuple[str, ...]]:
        """sha256, git's blob id (empty when not asked for), the sha256 of each chunk, the last one perhaps short."""
        self.drain()
        last = (self._part.hexdigest(),) if self._inside else ()
        return self._whole.hexdigest(), self._git.hexdigest() if self._git else "", (*self.done, *last)

    def close(self) -> None:
        """End the threads."""
        for line in self._lines:
            line.close()

    def _flush(self) -> None:
        if self._batch:
            for line in self._lines:
                line.put(self._batch.copy())
            self._batch, self._batched = [], 0

    def _feed_whole(self, data: Piece) -> None:
        self._whole.update(data)
        if self._git is not None:
            self._git.update(data)

    def _feed_chunk(self, data: Piece) -> None:
        view = memoryview(data)
        while view:
            piece = view[: self._chunk - self._inside]
            self._part.update(piece)
            self._inside += len(piece)
            view = view[len(piece) :]
            if self._inside == self._chunk:
                self.done.append(self._part.hexdigest())
                self._part, self._inside = hashlib.sha256(), 0


class _Line:
    """One thread that takes batches in order."""

    def __init__(self, take: Callable[[Piece], None]) -> None:
        self._take = take
        self._queue: queue.Queue[list[Piece] | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._run, name="hash", daemon=True)
        self._thread.start()

    def put(self, batch: list[Piece]) -> None:
        self._queue.put(batch)

    def drain(self) -> None:
        self._queue.join()

    def close(self) -> None:
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        while (batch := self._queue.get()) is not None:
            while batch:
                self._take(batch.pop(0))
            self._queue.task_done()
