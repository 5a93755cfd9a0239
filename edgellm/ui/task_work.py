"""One piece of work for the engine's thread: that thread feeds it, the window empties it, the person may stop it.

What the work is stands in a function that gets the engine; what comes of it travels as events in the order in which
they were put, none of them by signal.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from edgellm.errors import EdgeError
from edgellm.runtimes.base import Chunk, Finish
from edgellm.ui.engine_client import EngineClient
from edgellm.ui.facts import SHORTEST
from edgellm.ui.meter import Meter

Body = Callable[[EngineClient, "TaskWork"], Any]


class TaskWork:
    """`body` runs in the engine's thread; then `result` is what it returned, or `error` why it did not."""

    def __init__(self, body: Body) -> None:
        self.result: Any = None
        self.error: EdgeError | None = None
        self._body = body
        self._meter: Meter | None = None
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._events: list[Any] = []

    def run(self, engine: EngineClient, meter: Meter) -> None:
        """Do it, here and now; nothing when it was stopped before it began."""
        self._meter = meter
        if not self.cancelled():
            self.result = self._body(engine, self)

    def put(self, event: Any) -> None:
        """Something came of it: a `Chunk`, or whatever the page understands. Called by the body."""
        if self._meter is not None and isinstance(event, Chunk):
            self._meter.add()
        elif self._meter is not None and isinstance(event, Finish) and event.new_tokens >= SHORTEST:
            self._meter.finish(event.tokens_per_second)
        with self._lock:
            self._events.append(event)

    def take(self) -> list[Any]:
        """What has come since the last call."""
        with self._lock:
            fresh, self._events = self._events, []
        return fresh

    def cancel(self) -> None:
        """Ask it to stop; what has come is kept."""
        self._stopped.set()

    def cancelled(self) -> bool:
        """Whether it should stop. The body hands this to the task's options."""
        return self._stopped.is_set()
