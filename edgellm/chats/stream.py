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
    """One answer on its way to the database. `write` appends text; `close` stores the state and the facts."""

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
        self._lock = threading.Lock()
        self._pending: list[str] = []
        self._ended = threading.Event()
        self._failure: StorageError | None = None
        self._thread = threading.Thread(target=self._run, name=f"chat-writer-{message}", daemon=True)
        self._thread.start()

    def append(self, text: str) -> None:
        """Add text; it reaches the database within `interval` seconds."""
        with self._lock:
            self._pending.append(text)

    def finish(self, state: str, facts: Mapping[str, Any] | None = None) -> None:
        """Write the rest and the final state, at once. Raises `StorageError` when the database refuses."""
        if self._ended.is_set():
            return
        self._ended.set()
        self._thread.join(timeout=10)
        self._close(self.message, self._take(), state, facts or {})

    @property
    def failure(self) -> StorageError | None:
        """What went wrong with the latest write, until one succeeds."""
        return self._failure

    def _take(self) -> str:
        with self._lock:
            text = "".join(self._pending)
            self._pending.clear()
        return text

    def _run(self) -> None:
        while not self._ended.wait(self._interval):
            text = self._take()
            if not text:
                continue
            try:
                self._write(self.message, text)
                self._failure = None
            except StorageError as error:
                with self._lock:
                    self._pending.insert(0, text)
                self._failure = error
