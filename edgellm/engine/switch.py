"""One engine for the faces: models on this computer go to the `Engine`, those on a server to the `RemoteEngine`.

Each is made when its first model is loaded. The model that was loaded last is the one that answers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from edgellm.engine.remote_engine import RemoteEngine
from edgellm.engine.status import EngineStatus
from edgellm.engine.supervisor import Engine
from edgellm.errors import NoModel, UsageError
from edgellm.runtimes import many
from edgellm.runtimes.base import (
    Cancelled,
    Dropped,
    Event,
    Message,
    ModelInfo,
    Reading,
    Reply,
    Request,
    never,
    never_dropped,
)
from edgellm.runtimes.remote_address import is_remote


class Switch:
    """Has the methods of `Engine`, and passes each on."""

    def __init__(self, local: Callable[[], Engine], remote: Callable[[], RemoteEngine]) -> None:
        self._makers = (local, remote)
        self._lock = threading.Lock()
        self._local: Engine | None = None
        self._remote: RemoteEngine | None = None
        self._now: Engine | RemoteEngine | None = None
        self._closed = False

    @property
    def info(self) -> ModelInfo:
        """The model that is loaded. Raises `UsageError` when there is none."""
        return self._engine().info

    @property
    def restarts(self) -> int:
        """How often a new process had to take over."""
        return self._local.restarts if self._local is not None else 0

    @property
    def closed(self) -> bool:
        """Whether `close` was called: then it stays closed."""
        return self._closed

    def status(self) -> EngineStatus:
        """How the one in charge stands now."""
        now = self._now
        return now.status() if now is not None else EngineStatus()

    def load(self, path: Path, asked: bool = False, anyway: bool = False) -> ModelInfo:
        """Load a model file, or find the one of the server that `path` means; the other engine's model is let go.

        Raises an `EdgeError`.
        """
        with self._lock:
            if self._closed:
                raise UsageError("The engine was closed.", "Start the program again.")
            chosen, before = self._chosen(path), self._now
            self._now = before or chosen
        info = chosen.load(path, asked, anyway)  # first: after a wrong name the model before is still there
        self._now = chosen
        if before is not None and before is not chosen:
            before.unload()
        return info

    def generate(self, request: Request, cancelled: Cancelled = never) -> Iterator[Event]:
        """Stream an answer. Raises an `EdgeError`; what came before it stays."""
        yield from self._engine().generate(request, cancelled)

    def generate_many(
        self, requests: tuple[Request, ...], cancelled: Cancelled = never, dropped: Dropped = never_dropped
    ) -> Iterator[tuple[int, Event]]:
        """Several at once where the model can: each event with the index of its request."""
        yield from many.answer_all(self._engine(), requests, cancelled, dropped)

    def count(self, messages: tuple[Message, ...]) -> int:
        """Prompt tokens of a conversation."""
        return self._engine().count(messages)

    def read(self, reading: Reading, cancelled: Cancelled = never) -> Reply:
        """Have a model that writes nothing read something."""
        return self._engine().read(reading, cancelled)

    def cancel(self) -> None:
        """Stop the answer that is being written, if there is one."""
        if self._now is not None:
            self._now.cancel()

    def unload(self) -> None:
        """Forget the model, and end its process if it has one."""
        if self._now is not None:
            self._now.unload()

    def close(self) -> None:
        """End both for good, also in the middle of an answer."""
        with self._lock:
            self._closed = True
            engines = (self._local, self._remote)
        for engine in engines:
            if engine is not None:
                engine.close()

    def _engine(self) -> Engine | RemoteEngine:
        if self._now is None:
            raise NoModel
        return self._now

    def _chosen(self, path: Path) -> Engine | RemoteEngine:
        local, remote = self._makers
        if is_remote(path.as_posix()):
            if self._remote is None:
                self._remote = remote()
            return self._remote
        if self._local is None:
            self._local = local()
        return self._local
