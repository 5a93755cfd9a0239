"""One at a time: a lock that a suspended generator may hold, and that refuses to lock its own thread out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from edgellm.errors import UsageError
from edgellm.runtimes.base import Cancelled, never


class Turn:
    """Other threads wait for their turn; the thread that has it gets a `UsageError` instead of waiting for itself."""

    POLL = 0.05

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner: int | None = None

    @contextmanager
    def taken(self, cancelled: Cancelled = never) -> Iterator[bool]:
        """Hold the turn; False, and nothing is held, when `cancelled` says so before it came.

        It may be let go by another thread, as when an abandoned generator is collected.
        """
        me = threading.get_ident()
        if self._owner == me:
            raise UsageError("The engine is still writing an answer.", "Stop it, or wait for its end.")
        while not self._lock.acquire(timeout=self.POLL):
            if cancelled():
                yield False
                return
        self._owner = me
        try:
            yield True
        finally:
            self._owner = None
            self._lock.release()
