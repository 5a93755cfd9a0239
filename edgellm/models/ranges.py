"""Fetching bad chunks of a file again, and nothing else of it. Which ones are bad is left to the caller."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

from edgellm import trouble
from edgellm.errors import ModelDamaged, NetworkError, UsageError
from edgellm.models import answers
from edgellm.models.parts import stored
from edgellm.models.rate import Control
from edgellm.models.retry import Tuning
from edgellm.models.source import Connect, Source
from edgellm.models.wanted import Wanted

_MOST_WRONG = 3
"""How often one address may send a chunk with a wrong hash before it is not asked again."""


def fetch_ranges(
    wanted: Wanted, path: Path, chunks: Sequence[int], connect: Connect, control: Control, tuning: Tuning | None = None
) -> int:
    """Fetch chunks, by number, again and write each into `path` once its hash is right. Returns the bytes received.

    Needs `wanted.chunks` and `wanted.size`, which the file is given. `control.progress` counts the bytes of these
    chunks. Raises as `fetch` does; what was repaired stays repaired.
    """
    tuning = tuning or Tuning()
    size = wanted.size
    if size is None or not wanted.addresses or len(wanted.chunks) != -(-size // tuning.chunk):
        raise UsageError("The parts of this file are not known, so it cannot be repaired.", "Download it again.")
    if any(not 0 <= chunk < len(wanted.chunks) for chunk in chunks):
        raise UsageError("This file has no such part.")
    if not chunks:
        return 0
    with stored(path):
        handle = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0))
    try:
        with connect("repair") as client:
            client.stop_when(control.cancelled)
            source = Source(wanted.addresses, client, control, tuning)
            _Mending(wanted, size, tuning.chunk, source, control).run(handle, path, sorted(set(chunks)))
            return source.received
    finally:
        os.close(handle)


class _Mending:
    """The state of one `fetch_ranges`."""

    def __init__(self, wanted: Wanted, size: int, chunk: int, source: Source, control: Control) -> None:
        self._known = wanted.chunks
        self._size = size
        self._chunk = chunk
        self._source = source
        self._control = control
        self._wrong: dict[str, int] = {}
        self._done = 0
        self._got = bytearray()

    def run(self, handle: int, path: Path, left: list[int]) -> None:
        """Until none is left."""
        total = sum(self._stop(chunk) - chunk * self._chunk for chunk in left)
        with stored(path):
            os.ftruncate(handle, self._size)
        while left:
            started = time.monotonic()
            try:
                self._attempt(handle, path, left, total)
            except (NetworkError, ModelDamaged) as error:
                self._source.routes.failed(error, started)
        with stored(path):
            os.fsync(handle)

    def _attempt(self, handle: int, path: Path, left: list[int], total: int) -> None:
        """Ask for the first run of neighbors, from where the last attempt ended."""
        count = next((n for n in range(1, len(left)) if left[n] != left[0] + n), len(left))
        end, got = left[count:], self._got
        start, stop = left[0] * self._chunk + len(got), self._stop(left[count - 1])
        with self._source.open(start, stop, self._size, "") as reply:
            for data in reply.pieces:
                got += data
                if data:
                    self._source.routes.arrived()
                while left != end and len(got) >= (length := self._stop(left[0]) - left[0] * self._chunk):
                    self._keep(handle, path, left[0], bytes(got[:length]))
                    del got[:length], left[0]
                    self._done += length
                if left == end:
                    got.clear()
                self._control.progress(self._done + len(got), total)
                if left == end:
                    return
        raise trouble.broken(self._source.host)

    def _keep(self, handle: int, path: Path, chunk: int, data: bytes) -> None:
        if hashlib.sha256(data).hexdigest() != self._known[chunk].lower():
            route = self._source.routes.route
            self._wrong[route.address] = self._wrong.get(route.address, 0) + 1
            route.dead = self._wrong[route.address] >= _MOST_WRONG
            self._got.clear()
            raise answers.other_file(self._source.host)
        with stored(path):
            os.lseek(handle, chunk * self._chunk, os.SEEK_SET)
            view = memoryview(data)
            while view:
                view = view[os.write(handle, view) :]

    def _stop(self, chunk: int) -> int:
        """Where a chunk ends."""
        return min((chunk + 1) * self._chunk, self._size)
