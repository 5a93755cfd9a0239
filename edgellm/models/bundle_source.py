"""Where the bytes of a bundle come from: a file, or another computer that shares it. Read in order, once.

What the bytes mean is left to `bundle_read`. A connection that breaks off is taken up again where it stopped.
"""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol
from urllib.parse import quote, urlsplit

from edgellm import trouble
from edgellm.errors import ModelDamaged, NetworkError, OfflineError, Stopped, StorageError, UntrustedName, UsageError
from edgellm.models.names import check_relative

if TYPE_CHECKING:
    from edgellm import network

Connect = Callable[[str], "network.Client"]
PIECE = 1 << 20
INDEX = "/index.json"
_LARGEST_INDEX = 1 << 16
_PURPOSE = "bundle"
_SKIP_BY_READING = 4 << 20
_ASK = 0.1  # seconds between two looks at whether the person wants to stop
_WAITS = (0.2, 0.5, 1.0, 2.0, 4.0)  # between attempts that bring no new byte; after the last one we give up
_FIRST_ATTEMPTS = 1  # more than the first, as long as nobody has answered
_AGAIN = (429, 500, 502, 503, 504)


class Source(Protocol):
    """Bytes in order. `position` is how many are behind us, `size` all of them, None when unknown."""

    @property
    def position(self) -> int:
        """See above."""
        ...

    @property
    def size(self) -> int | None:
        """See above."""
        ...

    def read(self, most: int) -> bytes:
        """From 1 to `most` bytes; none only at the end. Raises an `EdgeError`."""
        ...

    def skip(self, count: int) -> None:
        """Pass over `count` bytes, without reading them where that saves anything. Raises an `EdgeError`."""
        ...


@contextmanager
def opened(address: str, connect: Connect, cancelled: Callable[[], bool]) -> Iterator[Source]:
    """The bundle at a path, or at an http or https address. Raises an `EdgeError`."""
    if address.lower().startswith(("http://", "https://")):
        with connect(_PURPOSE) as client:
            client.stop_when(cancelled)
            remote = Remote(_found(address, client), client, cancelled)
            try:
                yield remote
            finally:
                remote.close()
        return
    with opened_file(Path(address).expanduser(), cancelled) as local:
        yield local


def _found(address: str, client: network.Client) -> str:
    """The bundle's address where that of a whole server was given: its index names the one file that it shares."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return address  # the client says what is wrong with it
    if parts.path not in ("", "/") or not parts.netloc:
        return address
    text = b""
    with client.stream("GET", f"{parts.scheme}://{parts.netloc}{INDEX}") as answer:
        for piece in answer.iter_bytes():
            text += piece
            if len(text) > _LARGEST_INDEX:
                break
    try:
        name = json.loads(text)["name"] if len(text) <= _LARGEST_INDEX else ""
        return f"{parts.scheme}://{parts.netloc}/{quote(str(check_relative(name)), safe='')}"
    except (ValueError, KeyError, TypeError, RecursionError, UntrustedName) as error:
        raise NetworkError(
            f"{parts.hostname} shares no bundle.", "Give the whole address, as edgellm models share shows it."
        ) from error


@contextmanager
def opened_file(path: Path, cancelled: Callable[[], bool]) -> Iterator[Source]:
    """The bundle at a path. Raises an `EdgeError`."""
    with _regular(path) as file:
        yield Local(file, cancelled)


def _regular(path: Path) -> BinaryIO:
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        file = os.fdopen(os.open(path, flags), "rb")
    except IsADirectoryError as error:
        raise UsageError(f"{path} is a folder.", "Name the file of the bundle.") from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"There is no file {path}.", "Check the name, and that the stick is plugged in.") from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it has an impossible name"
        raise StorageError(f"{path} cannot be opened: {why}.", "Check the stick and its permissions.") from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise UsageError(f"{path} is no file.", "Name the file of the bundle.")
    return file


class Local:
    """A file."""

    def __init__(self, file: BinaryIO, cancelled: Callable[[], bool]) -> None:
        self.position = 0
        self.size: int | None = os.fstat(file.fileno()).st_size
        self._file = file
        self._cancelled = cancelled

    def read(self, most: int) -> bytes:
        """From 1 to `most` bytes; none at the end."""
        _check(self._cancelled)
        try:
            data = self._file.read(min(most, PIECE))
        except OSError as error:
            raise StorageError(
                f"The bundle cannot be read any further: {error.strerror}.",
                "Check the stick, or copy the bundle again.",
            ) from error
        self.position += len(data)
        return data

    def skip(self, count: int) -> None:
        """Pass over `count` bytes. Raises `ModelDamaged` when there are fewer."""
        self.position += count
        if self.size is not None and self.position > self.size:
            raise ends_early()
        self._file.seek(self.position)


class Remote:
    """A file that another computer shares over HTTP."""

    def __init__(self, address: str, client: network.Client, cancelled: Callable[[], bool]) -> None:
        self.position = 0
        self.size: int | None = None
        self._address = address
        self._client = client
        self._cancelled = cancelled
        self._etag = ""
        self._answer: _Answer | None = None
        self._rest = b""
        self._ended = False
        self._failures = 0

    def read(self, most: int) -> bytes:
        """From 1 to `most` bytes; none at the end."""
        while not self._rest and not self._ended and (self.size is None or self.position < self.size):
            _check(self._cancelled)
            try:
                self._rest = self._next()
            except NetworkError as error:
                self._again(error)
        data, self._rest = self._rest[:most], self._rest[most:]
        self.position += len(data)
        return data

    def skip(self, count: int) -> None:
        """Pass over `count` bytes; many are not fetched at all. Raises `ModelDamaged` when there are fewer."""
        if self.size is not None and self.position + count > self.size:
            raise ends_early()
        if self.size is not None and count > _SKIP_BY_READING + len(self._rest):
            self.close()
            self.position += count
            return
        while count:
            data = self.read(min(count, PIECE))
            if not data:
                raise ends_early()
            count -= len(data)

    def close(self) -> None:
        """End the transfer that runs, if any."""
        answer, self._answer, self._rest = self._answer, None, b""
        if answer is not None:
            answer.close()

    def _next(self) -> bytes:
        if self._answer is None:
            self._answer = _Answer(self._client, self._address, self.position, self._etag)
            if self.size is None:
                self.size, self._etag = self._answer.size, self._answer.etag
        other = self._answer.etag and self._etag and self._answer.etag != self._etag
        if other or self._answer.size != self.size:
            raise ModelDamaged("The bundle was replaced by another while it was fetched.", "Add it again.")
        data = self._answer.read()
        if data:
            self._failures = 0
        elif self.size is None:
            self._ended = True
        elif self.position < self.size:
            raise trouble.broken(self._answer.host)
        return data

    def _again(self, error: NetworkError) -> None:
        """Wait for the next attempt, or give up."""
        self.close()
        attempts = len(_WAITS) if self.size is not None else _FIRST_ATTEMPTS
        if self._failures >= attempts or error.lasting or isinstance(error, OfflineError):
            raise error
        until = time.monotonic() + _WAITS[self._failures]
        self._failures += 1
        while time.monotonic() < until:
            _check(self._cancelled)
            time.sleep(_ASK)


class _Answer:
    """One request from `start` on, and its answer. `size` is that of the whole file, None when unknown."""

    def __init__(self, client: network.Client, address: str, start: int, etag: str) -> None:
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        if start and etag:
            headers["If-Range"] = etag
        self.size: int | None = None
        self.etag = ""
        self._open = ExitStack()
        with ExitStack() as undo:
            answer = undo.enter_context(client.stream("GET", address, headers=headers))
            self.host = answer.url.host
            self._behind = self._accept(answer.status_code, answer.headers.get, start)
            self._pieces = answer.iter_raw()  # as it arrives: what waits for a fuller piece is lost with the connection
            self._open = undo.pop_all()

    def read(self) -> bytes:
        """The next piece that is new; none at the end."""
        for piece in self._pieces:
            fresh = piece[self._behind :]
            self._behind -= min(self._behind, len(piece))
            if fresh:
                return fresh
        return b""

    def close(self) -> None:
        """Receive no more."""
        self._open.close()

    def _accept(self, status: int, header: Callable[[str, str], str], start: int) -> int:
        """Check the answer; returns how many of its first bytes we have already."""
        if status in _AGAIN:
            raise NetworkError(f"{self.host} is busy (status {status}).", "Try again in a while.")
        if status not in (200, 206):
            raise NetworkError(
                f"{self.host} has no such bundle (status {status}).",
                "Check the address, as edgellm models share shows it.",
                lasting=True,
            )
        etag = header("etag", "")
        self.etag = "" if etag.startswith("W/") else etag
        if status == 200:
            length = header("content-length", "")
            self.size = int(length) if length.isascii() and length.isdigit() else None
            return start
        unit, _, span = header("content-range", "").partition(" ")
        first, _, whole = span.partition("/")
        if unit != "bytes" or first.partition("-")[0] != str(start) or not (whole.isascii() and whole.isdigit()):
            raise trouble.odd(self.host)
        self.size = int(whole)
        return 0


def ends_early() -> ModelDamaged:
    """The error of a bundle that is cut short."""
    return ModelDamaged("The bundle is damaged: it ends too early.", "Copy the bundle again from where it was made.")


def _check(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise Stopped("Nothing was added: it was stopped.")
