"""Where the bytes of a bundle come from: a file, or another computer that shares it. Read in order, once.

What the bytes mean is left to `bundle_read`. A connection that breaks off is taken up again where it stopped.
"""

from __future__ import annotations

import logging
import os
import queue
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from edgellm import network
from edgellm.errors import EdgeError, ModelDamaged, NetworkError, OfflineError, Stopped, StorageError, UsageError

_log = logging.getLogger(__name__)
Connect = Callable[[str], "network.Client"]
PIECE = 1 << 20
_PURPOSE = "bundle"
_SKIP_BY_READING = 4 << 20
_ASK = 0.1  # seconds between two looks at whether the person wants to stop
_WAITS = (0.2, 0.5, 1.0, 2.0, 4.0)  # between attempts that bring no new byte; after the last one we give up
_AGAIN = (429, 500, 502, 503, 504)


class Source(Protocol):
    """Bytes in order. `position` is how many are behind us, `size` all of them, None when unknown."""

    position: int
    size: int | None

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
            remote = Remote(address, client, cancelled)
            try:
                yield remote
            finally:
                remote.close()
        return
    with _opened_file(Path(address).expanduser()) as file:
        yield Local(file, cancelled)


def _opened_file(path: Path) -> BinaryIO:
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
    """A file that another computer shares over HTTP, fetched by a thread, so that a stop is noticed at once."""

    def __init__(self, address: str, client: network.Client, cancelled: Callable[[], bool]) -> None:
        self.position = 0
        self.size: int | None = None
        self._address = address
        self._client = client
        self._cancelled = cancelled
        self._etag = ""
        self._fetch: _Fetch | None = None
        self._rest = b""
        self._ended = False
        self._failures = 0

    def read(self, most: int) -> bytes:
        """From 1 to `most` bytes; none at the end."""
        while not self._rest and not self._ended and (self.size is None or self.position < self.size):
            try:
                self._rest = self._next()
            except OfflineError:
                raise
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
        fetch, self._fetch, self._rest = self._fetch, None, b""
        if fetch is not None:
            fetch.stop()

    def _next(self) -> bytes:
        if self._fetch is None:
            self._fetch = _Fetch(self._client, self._address, self.position, self._etag)
        data = self._fetch.get(self._cancelled)
        if self.size is None and self._fetch.size is not None:
            self.size, self._etag = self._fetch.size, self._fetch.etag
        if (self._fetch.size, self._fetch.etag) != (self.size, self._etag):
            raise ModelDamaged("The bundle was replaced by another while it was fetched.", "Add it again.")
        if data:
            self._failures = 0
        elif self.size is None:
            self._ended = True
        elif self.position < self.size:
            raise NetworkError(f"The connection to {self._fetch.host} broke off.", "Try again.")
        return data

    def _again(self, error: NetworkError) -> None:
        """Wait for the next attempt, or give up."""
        self.close()
        if self._failures >= len(_WAITS) or isinstance(error, _Refused):
            raise error
        until = time.monotonic() + _WAITS[self._failures]
        self._failures += 1
        while time.monotonic() < until:
            _check(self._cancelled)
            time.sleep(_ASK)


class _Refused(NetworkError):
    """An answer that will be the same the next time."""


class _Fetch:
    """One request, read by a thread of its own. `size` is that of the whole file once the answer has begun."""

    def __init__(self, client: network.Client, address: str, start: int, etag: str) -> None:
        self.size: int | None = None
        self.etag = ""
        self.host = ""
        self._client = client
        self._address = address
        self._start = start
        self._wanted_etag = etag
        self._stopped = threading.Event()
        self._arrived: queue.Queue[bytes | EdgeError] = queue.Queue(maxsize=16)
        threading.Thread(target=self._run, name="bundle", daemon=True).start()

    def get(self, cancelled: Callable[[], bool]) -> bytes:
        """The next piece; none at the end. Raises what the thread met, and `Stopped`."""
        while True:
            _check(cancelled)
            try:
                found = self._arrived.get(timeout=_ASK)
            except queue.Empty:
                continue
            if isinstance(found, EdgeError):
                raise found
            return found

    def stop(self) -> None:
        """Let the thread end as soon as it can."""
        self._stopped.set()

    def _run(self) -> None:
        try:
            self._receive()
            self._put(b"")
        except EdgeError as error:
            self._put(error)
        except Exception as error:  # the end of a thread; closing the client under it can raise anything
            if not self._stopped.is_set():
                _log.exception("fetching a bundle failed")
            self._put(NetworkError(f"The connection to {self.host} broke off ({type(error).__name__}).", "Try again."))

    def _put(self, found: bytes | EdgeError) -> None:
        while not self._stopped.is_set():
            try:
                self._arrived.put(found, timeout=_ASK)
                return
            except queue.Full:
                continue

    def _receive(self) -> None:
        headers = {"Accept-Encoding": "identity"}
        if self._start:
            headers["Range"] = f"bytes={self._start}-"
        if self._start and self._wanted_etag:
            headers["If-Range"] = self._wanted_etag
        with self._client.stream("GET", self._address, headers=headers) as answer:
            self.host = answer.url.host
            behind = self._accept(answer.status_code, answer.headers.get)
            for piece in answer.iter_raw(PIECE):
                if self._stopped.is_set():
                    return
                fresh = piece[behind:]
                behind -= min(behind, len(piece))
                if fresh:
                    self._put(fresh)

    def _accept(self, status: int, header: Callable[[str, str], str]) -> int:
        """Check the answer; returns how many of its first bytes we have already."""
        if status in _AGAIN:
            raise NetworkError(f"{self.host} is busy (status {status}).", "Try again in a while.")
        if status == 416:
            raise _Refused(f"The bundle at {self.host} is shorter than it was.", "Add it again.")
        if status not in (200, 206):
            raise _Refused(
                f"{self.host} does not have this bundle (status {status}).", "Check the address that share printed."
            )
        etag = header("etag", "")
        self.etag = "" if etag.startswith("W/") else etag
        if status == 200:
            length = header("content-length", "")
            self.size = int(length) if length.isascii() and length.isdigit() else None
            return self._start
        unit, _, span = header("content-range", "").partition(" ")
        first, _, whole = span.partition("/")
        if unit != "bytes" or first.partition("-")[0] != str(self._start) or not (whole.isascii() and whole.isdigit()):
            raise _Refused(f"{self.host} sent another part than was asked for.", "Try again, or copy the bundle.")
        self.size = int(whole)
        return 0


def ends_early() -> ModelDamaged:
    """The error of a bundle that is cut short."""
    return ModelDamaged("The bundle is damaged: it ends too early.", "Copy the bundle again from where it was made.")


def _check(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise Stopped("Nothing was added: it was stopped.")
