"""The thread that owns the client end of the engine. The window talks to it by signals only.

Generated text does not travel by signal, one event per token: it gathers in the `Job`, and the window takes what is
there about thirty times a second.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from PySide6.QtCore import QObject, QThread, Signal

from edgellm.chats.stream import StreamWriter
from edgellm.errors import EdgeError
from edgellm.runtimes.base import Cancelled, Chunk, Event, Finish, Request
from edgellm.ui.background import unexpected


class Status(Protocol):
    """What the window shows of the engine."""

    @property
    def state(self) -> str:
        """A word such as `ready`."""
        ...

    @property
    def model(self) -> str:
        """Name of the loaded model, or nothing."""
        ...

    @property
    def device(self) -> str:
        """Where the model runs."""
        ...

    @property
    def reason(self) -> str:
        """Why it runs there."""
        ...

    @property
    def pid(self) -> int | None:
        """Process id of the engine."""
        ...


class EngineClient(Protocol):
    """The part of the supervisor's `Engine` that the window needs."""

    def load(self, path: Path) -> Any:
        """Load a model file."""
        ...

    def generate(self, request: Request, cancelled: Cancelled = ...) -> Iterator[Event]:
        """Stream an answer."""
        ...

    def status(self) -> Status:
        """What is loaded and where."""
        ...

    def close(self) -> None:
        """End the engine."""
        ...


@dataclass
class Job:
    """One answer being made: the request, where it is written, what has arrived."""

    request: Request
    writer: StreamWriter
    text: str = ""
    finish: Finish | None = None
    error: EdgeError | None = None
    _cancelled: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _fresh: list[str] = field(default_factory=list)

    def cancel(self) -> None:
        """Ask for the end; what has arrived is kept."""
        self._cancelled.set()

    def cancelled(self) -> bool:
        """Whether the end was asked for."""
        return self._cancelled.is_set()

    def add(self, text: str) -> None:
        """Called by the worker with every piece."""
        self.writer.append(text)
        with self._lock:
            self._fresh.append(text)

    def take(self) -> bool:
        """Move what has arrived into `text`; whether there was anything."""
        with self._lock:
            fresh, self._fresh = self._fresh, []
        self.text += "".join(fresh)
        return bool(fresh)


class _Worker(QObject):
    """Lives in the worker thread; every call to the engine happens here."""

    loading = Signal(str)
    ready = Signal(object)
    failed = Signal(object)
    ended = Signal(object)

    def __init__(self, factory: Callable[[], EngineClient]) -> None:
        super().__init__()
        self._factory = factory
        self._engine: EngineClient | None = None

    def load(self, path: str) -> None:
        """Load a model file, starting the engine when there is none."""
        self.loading.emit(Path(path).stem)
        try:
            self._client().load(Path(path))
            status = self._client().status()
        except EdgeError as error:
            self.failed.emit(error)
        except Exception as error:
            self.failed.emit(unexpected(error))
        else:
            self.ready.emit(status)

    def generate(self, job: Job) -> None:
        """Make one answer; its writer is finished before `ended` is sent."""
        state, facts = "interrupted", dict[str, Any]()
        try:
            for event in self._client().generate(job.request, job.cancelled):
                if isinstance(event, Chunk):
                    job.add(event.text)
                else:
                    job.finish = event
            if job.finish is not None:
                state = "cancelled" if job.finish.reason == "cancelled" else "done"
                facts = asdict(job.finish)
        except EdgeError as error:
            job.error = error
        except Exception as error:
            job.error = unexpected(error)
        if job.error is not None:
            facts = {"error": job.error.message, "hint": job.error.hint}
        try:
            job.writer.finish(state, facts)
        except EdgeError as error:
            job.error = error
        self.ended.emit(job)
        self._report()

    def close(self) -> None:
        """End the engine, if it was started."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _client(self) -> EngineClient:
        if self._engine is None:
            self._engine = self._factory()
        return self._engine

    def _report(self) -> None:
        try:
            self.ready.emit(self._client().status())
        except EdgeError as error:
            self.failed.emit(error)


class EngineWorker(QObject):
    """The window's side: send orders, receive signals. Nothing here waits, except `close`."""

    loading = Signal(str)
    ready = Signal(object)
    failed = Signal(object)
    ended = Signal(object)
    _load = Signal(str)
    _generate = Signal(object)
    _close = Signal()

    def __init__(self, factory: Callable[[], EngineClient]) -> None:
        super().__init__()
        self._job: Job | None = None
        self._thread = QThread()
        self._thread.setObjectName("engine-worker")
        self._worker = _Worker(factory)
        self._worker.moveToThread(self._thread)
        for name in ("loading", "ready", "failed", "ended"):
            getattr(self._worker, name).connect(getattr(self, name))
        self._load.connect(self._worker.load)
        self._generate.connect(self._worker.generate)
        self._close.connect(self._worker.close)
        self._thread.start()

    def load(self, path: Path) -> None:
        """Load a model; `loading` and then `ready` or `failed` follow."""
        self._load.emit(str(path))

    def generate(self, job: Job) -> None:
        """Make an answer; `ended` follows."""
        self._job = job
        self._generate.emit(job)

    def close(self) -> None:
        """Stop what runs, end the engine and the thread. Waits up to ten seconds."""
        if self._job is not None:
            self._job.cancel()
        self._close.emit()
        self._thread.quit()
        self._thread.wait(10_000)
