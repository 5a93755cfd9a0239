"""Connections that can be given up at once: waiting for a name, a handshake or a byte asks again and again whether to.

Only `network` uses this. A wait that is given up loses nothing before that: reads are tried again on the same socket.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, TypeVar

import httpcore

from edgellm.errors import Stopped

_STEP = 0.1
_PIECE = 1 << 20
_BUFFERED = 64 << 10  # so much is taken by the system at once, whether the other side reads or not
_LEAST = 1 << 16
_HEAD_END = b"\r\n\r\n"
Cancelled = Callable[[], bool]
_Data = TypeVar("_Data", bytes, memoryview)


class Backend(httpcore.NetworkBackend):
    """TCP for httpcore, with an eye on `cancelled`. Raises `Stopped`."""

    def __init__(self, cancelled: Cancelled) -> None:
        self._cancelled = cancelled
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect; all addresses of the host together have `timeout` seconds, the look-up of its name included."""

        def connect() -> httpcore.NetworkStream:
            return self._plain.connect_tcp(host, port, timeout, local_address, socket_options)

        return Stream(_apart(connect, timeout, self._cancelled, lambda: None), self._cancelled)


class Stream(httpcore.NetworkStream):
    """One connection. The head of an answer is handed over by itself, so that its body can be read past the parser."""

    def __init__(self, inner: httpcore.NetworkStream, cancelled: Cancelled) -> None:
        self._inner = inner
        self._cancelled = cancelled
        self._left = b""
        self._tail: bytes | None = None
        self.at_body = False
        """Whether everything up to the end of a head, and nothing of what follows, was handed over."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.at_body = False
        if self._left:
            data, self._left = self._left, b""
            return data
        data = self._receive(max_bytes, timeout)
        if self._tail is None:
            return data
        seen = self._tail + data
        end = seen.find(_HEAD_END)
        if end < 0:
            self._tail = seen[1 - len(_HEAD_END) :]
            return data
        end += len(_HEAD_END) - len(self._tail)
        self._tail = None
        self._left, self.at_body = data[end:], True
        return data[:end]

    def body(self, length: int, timeout: float | None, views: bool = False) -> Iterator[bytes | memoryview]:
        """The next `length` bytes, in large pieces; only while `at_body`. The parser must not be used afterwards.

        With `views` the pieces are views into buffers that are used again once nobody holds a view of them.
        """
        data: bytes | memoryview = self._left[:length]
        self._left = b""
        connection = self._inner.get_extra_info("socket")
        buffers = _Buffers(connection) if views and isinstance(connection, socket.socket) else None
        while True:
            length -= len(data)
            if data:
                yield data
            if not length:
                return
            if buffers is not None:
                data = self._waiting(partial(buffers.receive, length), timeout)
            else:
                data = self._receive(min(length, _PIECE), timeout)
            if not data:
                raise httpcore.RemoteProtocolError("the body ended too early")

    def _receive(self, max_bytes: int, timeout: float | None) -> bytes:
        return self._waiting(lambda: self._inner.read(max_bytes, _STEP), timeout)

    def _waiting(self, read: Callable[[], _Data], timeout: float | None) -> _Data:
        """What `read` brings, tried again and again for `timeout` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            if self._cancelled():  # also between the bytes of a server that sends one now and then
                raise Stopped()
            try:
                return read()
            except httpcore.ReadTimeout:
                if end is not None and time.monotonic() >= end:
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._tail, self.at_body = b"", False
        if len(buffer) <= _BUFFERED:
            self._inner.write(buffer, timeout)
        else:
            _apart(lambda: self._written(buffer, timeout), timeout, self._cancelled, self._give_up)

    def _written(self, buffer: bytes, timeout: float | None) -> httpcore.NetworkStream:
        self._inner.write(buffer, timeout)
        return self._inner

    def _give_up(self) -> None:
        with contextlib.suppress(OSError):
            self._inner.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        def handshake() -> httpcore.NetworkStream:
            return self._inner.start_tls(ssl_context, server_hostname, timeout)

        return Stream(_apart(handshake, timeout, self._cancelled, self._give_up), self._cancelled)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Buffers:
    """Buffers to receive into. One is free when no view of it is left, which a bytearray knows: it can be resized then.

    Fresh memory for every piece would have to be mapped and zeroed again and again, which costs a tenth of the speed.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffers: list[bytearray] = []
        self._rest = memoryview(b"")

    def receive(self, length: int) -> memoryview:
        """Up to `length` bytes of the connection, behind those received before. Raises as httpcore's streams do."""
        if len(self._rest) < _LEAST:
            self._rest.release()
            self._rest = memoryview(self._free())
        view = self._rest[:length]
        try:
            self._connection.settimeout(_STEP)
            count = self._connection.recv_into(view)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(error) from error
        except OSError as error:
            raise httpcore.ReadError(error) from error
        self._rest = self._rest[count:]
        return view[:count]

    def _free(self) -> bytearray:
        for buffer in self._buffers:
            with contextlib.suppress(BufferError):
                buffer.append(0)
                buffer.pop()
                return buffer
        self._buffers.append(bytearray(_PIECE))
        return self._buffers[-1]


def _apart(
    work: Callable[[], httpcore.NetworkStream],
    timeout: float | None,
    cancelled: Cancelled,
    give_up: Callable[[], None],
) -> httpcore.NetworkStream:
    """The result of `work`, done in a thread of its own that is left behind when there is no time or wish to wait.

    What such a thread still brings is closed.
    """
    results: queue.SimpleQueue[httpcore.NetworkStream | BaseException] = queue.SimpleQueue()
    left = threading.Event()

    def run() -> None:
        try:
            found = work()
        except BaseException as error:  # a thread's boundary: whoever waits gets it
            results.put(error)
            return
        results.put(found)
        if left.is_set():
            found.close()

    threading.Thread(target=run, name="connect", daemon=True).start()
    end = None if timeout is None else time.monotonic() + timeout
    while True:
        try:
            result = results.get(timeout=_STEP / 2)
        except queue.Empty:
            if cancelled():
                failure: Exception = Stopped()
            elif end is not None and time.monotonic() >= end:
                failure = httpcore.ConnectTimeout("no connection in time")
            else:
                continue
            left.set()
            _discard(results)
            give_up()
            raise failure from None
        if isinstance(result, BaseException):
            raise result
        return result


def _discard(results: queue.SimpleQueue[httpcore.NetworkStream | BaseException]) -> None:
    """Close what came in the very moment it was given up."""
    with contextlib.suppress(queue.Empty):
        late = results.get_nowait()
        if not isinstance(late, BaseException):
            late.close()
