"""Writing an answer to the database while it is being generated, without holding up who generates it.

`append` only adds to a list; a small thread writes what has gathered every `INTERVAL` seconds, so that a killed
program loses less than a second of what was shown.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from edgellm.errors import StorageError

INTERVAL = 0.4


class StreamWriter:
    """One answer on its way to the database. `write` appends text; `close` stores the state and the facts.

    `append` and `finish` may be called from different threads. Text is never dropped: what could not be written is
    tried again with the next piece, and a `finish` that failed can be repeated.
    """

    def __init__(
        self,
        message: int,
        write: Callable[[int, str], None],
        close: Callable[[int, str, str, Mapping[str, Any]], None],
        interval: float = INTERVAL,
    ) -> None:
        self.message = message
        self._write = write
        self._close = close
        self._interval = interval
        self._lock = threading.Lock()  # guards the list
        self._writing = threading.Lock()  # one write at a time, so that pieces stay in order
        self._pending: list[str] = []
        self._ended = threading.Event()
        self._closed = False
        self._failure: StorageError | None = None
        self._thread = threading.Thread(target=self._run, name=f"chat-writer-{message}", daemon=True)
        self._thread.start()

    def append(self, text: str) -> None:
        """Add text; it reaches the database within `interval` seconds."""
        with self._lock:
            self._pending.append(text)

    def finish(self, state: str, facts: Mapping[str, Any] | None = None) -> None:
        """Write the rest and the final state, at once. Raises `StorageError` when the database refuses."""
        self._ended.set()
        with self._writing:
            if not self._closed:
                self._deliver(lambda text: self._close(self.message, text, state, facts or {}))
                self._closed = True
        self._thread.join(timeout=10)

    @property
    def failure(self) -> StorageError | None:
        """What went wrong with the latest write, until one succeeds."""
        return self._failure

    def _deliver(self, write: Callable[[str], None]) -> None:
        """Hand everything that waits to `write`, and keep it when that fails."""
        with self._lock:
            text = "".join(self._pending)
            self._pending.clear()
        try:
            write(text)
            self._failure = None
        except StorageError as error:
            self._failure = error
            with self._lock:
                self._pending.insert(0, text)
            raise

    def _run(self) -> None:
        while not self._ended.wait(self._interval):
            with self._writing:
                if self._closed or not self._pending:
                    continue
                try:
                    self._deliver(lambda text: self._write(self.message, text))
                except StorageError:
                    continue  # kept in `failure`, and tried again
