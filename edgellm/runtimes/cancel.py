"""Lets a long native computation be stopped from Python, at no cost to the computation.

llama.cpp asks a C function after each step of its graph whether to stop: about a thousand times a token. A Python
callback there would cost several percent, so the function is C's own `strlen`, and what it is given is a buffer that
holds an empty text until somebody writes one character into it.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType

from edgellm.runtimes.base import Cancelled

_PERIOD = 0.02


class CancelWatch:
    """Asks `cancelled` every 20 ms from a thread of its own while the block runs, and at each `check`.

    The two never ask at the same time. `buffer` is what `strlen` reads. The thread gives `beat` the time, in seconds.
    """

    def __init__(
        self, buffer: ctypes.Array[ctypes.c_char], cancelled: Cancelled, beat: Callable[[float], None] = lambda _: None
    ) -> None:
        self._buffer = buffer
        self._cancelled = cancelled
        self._beat = beat
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="cancel-watch", daemon=True)

    def __enter__(self) -> CancelWatch:
        self._buffer[0] = b"\0"
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._buffer[0] = b"\0"

    def check(self) -> bool:
        """True once `cancelled` has said so."""
        if self._buffer[0] == b"\0":
            with self._lock:
                if self._cancelled():
                    self._buffer[0] = b"\1"
        return bool(self._buffer[0] != b"\0")

    def _watch(self) -> None:
        while not self._over.wait(_PERIOD):
            self.check()
            self._beat(time.monotonic())


def read_flag() -> int:
    """Address of a C function that returns 0 for a buffer that begins with a zero byte, and 1 for one character."""
    library = ctypes.cdll.msvcrt if sys.platform == "win32" else ctypes.CDLL(None)
    return ctypes.cast(library.strlen, ctypes.c_void_p).value or 0
