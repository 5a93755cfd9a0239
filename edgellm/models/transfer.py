"""Fetching one file, whatever the network does: parts that are kept, checked, and gone on with.

`fetch` leaves a whole and verified part file; giving it its name is left to the caller, as are listing, several files
at once, and locks: one part belongs to one transfer at a time. `parts` keeps the bytes, `source` and `answers` get them
and judge what a server says, `retry` knows when and whom to ask again, `rate` how fast.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from edgellm import trouble
from edgellm.errors import ModelDamaged, NetworkError, StorageError, UsageError
from edgellm.models import answers
from edgellm.models.digests import Piece
from edgellm.models.disk import amount
from edgellm.models.parts import Part
from edgellm.models.ranges import fetch_ranges
from edgellm.models.rate import Control
from edgellm.models.retry import Tuning
from edgellm.models.source import Connect, Reply, Source
from edgellm.models.wanted import Fetched, Wanted, part_name

__all__ = ["Connect", "Control", "Fetched", "Tuning", "Wanted", "fetch", "fetch_ranges", "part_name"]

_MOST_WRONG = {"file": 2, "chunk": 5}
"""How often one address may send a whole file, or a chunk, with a wrong hash before it is not asked again."""
_MOST_RESTARTS = 3


def fetch(wanted: Wanted, part: Path, connect: Connect, control: Control, tuning: Tuning | None = None) -> Fetched:
    """Fetch a file into `part`, going on with what is there; beside it `<part>.json` holds the progress.

    On success `part` is whole, verified and synced, and `<part>.json` is gone; rename it. Raises `Stopped` (the part
    is kept), `NetworkError` (kept; `retry_after` may say how long to wait), `ModelDamaged` when what every address
    sends is not the file that was published (what came of it is removed), and `StorageError` when it cannot be written.
    """
    if not wanted.addresses:
        raise UsageError("There is no address to get this file from.", "Name a model of the catalog, or a link.")
    tuning = tuning or Tuning()
    file = Part(part, tuning.chunk, wanted.size if wanted.git_oid else None, tuning.save_every)
    whole = False
    try:
        file.read_again(control, wanted.size)
        with connect("download") as client:
            client.stop_when(control.cancelled)
            source = Source(wanted.addresses, client, control, tuning)
            fetched = _Transfer(wanted, file, source, control).run()
        whole = True
        return fetched
    finally:
        file.close(keep_note=not whole)


class _Transfer:
    """The state of one `fetch`."""

    def __init__(self, wanted: Wanted, part: Part, source: Source, control: Control) -> None:
        self._wanted = wanted
        self._part = part
        self._source = source
        self._control = control
        self._total = wanted.size
        self._etag = ""
        self._best = part.size
        self._restarts = 0
        self._good = 0
        self._wrong: dict[tuple[str, str], int] = {}

    def run(self) -> Fetched:
        """Until the file is whole and right."""
        while True:
            started = time.monotonic()
            try:
                if self._total is None or self._part.size < self._total:
                    self._attempt()
                if self._total is not None and self._part.size >= self._total:
                    return self._verified()
            except (NetworkError, ModelDamaged) as error:
                self._source.routes.failed(error, started)

    def _attempt(self) -> None:
        part, source = self._part, self._source
        etag = part.note.etag if part.note.address == source.address else ""
        if part.size and not etag and not (self._wanted.sha256 or self._wanted.git_oid):
            self._restart()  # nothing would show that the rest belongs to another file
        start = part.size
        with source.open(start, None, self._total, etag) as reply:
            if reply.start != start:
                self._restart()
            self._prepare(reply)
            for data in reply.pieces:
                self._take(data)
                if self._total is not None and part.size >= self._total:
                    break
        if self._total is None:
            self._total = part.size
        elif part.size < self._total:
            raise trouble.broken(source.host)

    def _prepare(self, reply: Reply) -> None:
        """Note where the bytes come from, and make sure that there is room for them."""
        self._etag = reply.etag
        if self._total is None:
            self._total = reply.total
        part = self._part
        note = (self._source.address, reply.etag, self._total)
        if note != (part.note.address, part.note.etag, part.note.size):
            part.describe(*note)
        missing = (self._total or 0) - part.size
        if missing > 0 and missing > (free := shutil.disk_usage(part.path.parent).free):
            raise StorageError(
                f"There is not enough room: {amount(missing)} are missing, {amount(free)} are free.",
                "Free some space, or choose another folder for models in the settings.",
            )

    def _take(self, data: Piece) -> None:
        part = self._part
        if self._total is not None and len(data) > self._total - part.size:
            data = data[: self._total - part.size]
        if not data:
            return
        part.write(data)
        if part.size > self._best:
            self._best = part.size
            self._source.routes.arrived()
        self._control.progress(part.size, self._total)
        if self._wanted.chunks:
            self._check_chunks()

    def _check_chunks(self) -> None:
        wrong = self._part.wrong_chunk(self._wanted.chunks)
        if wrong is not None:
            self._part.cut(wrong, self._control)
            self._best = self._part.size
            raise self._mismatch("chunk")

    def _verified(self) -> Fetched:
        part, wanted = self._part, self._wanted
        sha256, git_oid, chunks = part.finish()
        if wanted.chunks and (wrong := part.wrong_chunk(wanted.chunks)) is not None:
            part.cut(wrong, self._control)
            self._best = part.size
            raise self._mismatch("chunk")
        right = (not wanted.sha256 or sha256 == wanted.sha256.lower()) and (
            not wanted.git_oid or git_oid == wanted.git_oid.lower()
        )
        if not right or (wanted.size is not None and part.size != wanted.size):
            part.cut(0, self._control)
            self._best = 0
            raise self._mismatch("file")
        return Fetched(part.path, part.size, sha256, chunks, self._source.received, self._etag)

    def _mismatch(self, what: str) -> ModelDamaged:
        """Count it against the address that sent the last bytes."""
        key = (self._source.routes.route.address, what)
        self._wrong[key] = self._wrong.get(key, 0) + 1
        if self._wrong[key] >= _MOST_WRONG[what]:
            self._source.routes.route.dead = True
        return answers.other_file(self._source.host)

    def _restart(self) -> None:
        """From the first byte again. Only a few times does that count as a new beginning."""
        self._part.cut(0, self._control)
        self._restarts += 1
        if self._restarts <= _MOST_RESTARTS:
            self._best = 0
        if self._wanted.size is None:
            self._total = None
