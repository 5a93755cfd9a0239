"""Bytes of one file from whichever of its addresses has its turn: one request, its answer judged, its pieces.

Keeping the bytes, and what to do after a failure, are left to `transfer`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from edgellm.models import answers
from edgellm.models.digests import Piece
from edgellm.models.rate import Control
from edgellm.models.retry import Routes, Tuning, pause

if TYPE_CHECKING:
    from edgellm import network

Connect = Callable[[str], "network.Client"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What an answer brings: bytes from `start` on, which is where they were asked from, or 0 when the file changed.

    `total` is the size of the whole file, None when the server does not say. Let go of a piece soon: its memory is used
    again. Empty pieces only show that time passes.
    """

    start: int
    total: int | None
    etag: str
    pieces: Iterator[Piece]


class Source:
    """Opened for one file. `received` counts every byte of an answer's body."""

    def __init__(self, addresses: tuple[str, ...], client: network.Client, control: Control, tuning: Tuning) -> None:
        self._client = client
        self._control = control
        self.routes = Routes(addresses, tuning, control)
        self.received = 0

    @property
    def host(self) -> str:
        """Whom the next request goes to."""
        return _split(self.routes.route.address)[1]

    @property
    def address(self) -> str:
        """Where the next request goes, without its query and whatever else may be secret."""
        return _split(self.routes.route.address)[0]

    @contextmanager
    def open(self, start: int, stop: int | None, size: int | None, etag: str) -> Iterator[Reply]:
        """Ask for the bytes from `start` to before `stop`; `size` is that of the whole file, if known.

        `etag` is what the server said of the bytes before `start`. Raises `NetworkError`, `ModelDamaged` or `Stopped`,
        also while the pieces are read.
        """
        route = self.routes.route
        _, host, path = _split(route.address)
        headers = {"Accept-Encoding": "identity"}
        if route.ranges and (start or stop is not None):
            headers["Range"] = f"bytes={start}-{'' if stop is None else stop - 1}"
            if etag:
                headers["If-Range"] = etag
        asked = answers.Asked(host, path, start, stop, size, etag)
        wait, views = self.routes.timeouts(), {"edgellm.views": True}
        with self._client.stream("GET", route.address, headers=headers, timeout=wait, extensions=views) as response:
            status = response.status_code
            if status == 403 and response.url.host != host:
                status = 503  # a signed address that is too old: the next attempt gets a new one
            try:
                answer = answers.read(status, response.headers, asked)
            except answers.BadRange:
                route.ranges = False
                raise
            yield Reply(answer.start, answer.total, answer.etag, self._pieces(response.iter_raw(), answer.skip))

    def _pieces(self, raw: Iterator[Piece], skip: int) -> Iterator[Piece]:
        control = self._control
        for data in raw:
            self.received += len(data)
            control.check()
            if wait := control.rate.take(len(data)):
                pause(wait, control)
            if not skip:
                yield data
            else:
                yield data[skip:]
                skip = max(0, skip - len(data))


def _split(address: str) -> tuple[str, str, str]:
    """An address without secrets, its host, its path."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "", "", ""
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}", host, parts.path
