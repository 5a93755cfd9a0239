"""One end of a pipe that carries protocol messages, over two file descriptors."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

from edgellm.engine.protocol import Decoder, Envelope, encode

_PIECE = 1 << 16


class Channel:
    """Sends from any thread; is read by one."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._lock = threading.Lock()

    def send(self, message: Envelope) -> None:
        """Write a message, waiting while the pipe is full. Raises `OSError` when it is closed."""
        self.write(encode(message))

    def write(self, frame: bytes) -> None:
        """Write a frame that is encoded already."""
        left = memoryview(frame)
        with self._lock:
            while left:
                left = left[os.write(self._outgoing, left) :]

    def __iter__(self) -> Iterator[Envelope]:
        """Messages until the pipe closes. Raises `ProtocolError` at bytes that are none, `OSError` at a broken pipe."""
        decoder = Decoder()
        while data := os.read(self._incoming, _PIECE):
            yield from decoder.feed(data)
