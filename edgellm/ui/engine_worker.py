"""The thread that owns the client end of the engine. The window talks to it by signals only.

Generated text does not travel by signal, one event per token: it gathers in the `Job`, and the window takes what is
there about thirty times a second.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QThread, Signal

from edgellm.chats.stream import StreamWriter
from edgellm.errors import ContextOverflow, EdgeError, ModelTooLarge, UsageError
from edgellm.runtimes.base import Chunk, Finish, Message, Request
from edgellm.runtimes.remote_address import is_remote
from edgellm.tasks import history
from edgellm.ui.background import unexpected
from edgellm.ui.engine_client import EngineClient
from edgellm.ui.facts import SHORTEST
from edgellm.ui.language import tr
from edgellm.ui.meter import Meter
from edgellm.ui.model_kinds import no_chat
from edgellm.ui.task_work import TaskWork

_PATIENCE_MS = 3_000
_log = logging.getLogger(__name__)


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


@dataclass(frozen=True, slots=True)
class Counted:
    """Tokens of what would be sent, and how many of the oldest messages would not; `too_long`: the last alone is."""

    tokens: int = 0
    left_out: int = 0
    too_long: bool = False


class _Worker(QObject):
    """Lives in the worker thread; every call to the engine happens here.

    Each of its orders is a boundary of that thread: an unforeseen fault is logged there and told to the person.
    """

    loading = Signal(str)
    ready = Signal(object)
    failed = Signal(object)
    too_large = Signal(str, object)
    ended = Signal(object)
    counted = Signal(int, object)
    told_kind = Signal(str)
    worked = Signal(object)

    def __init__(self, factory: Callable[[], EngineClient], resolve: Callable[[str], Path], meter: Meter) -> None:
        super().__init__()
        self._factory = factory
        self._resolve = resolve
        self._meter = meter
        self._engine: EngineClient | None = None

    def load(self, name: str, asked: bool, anyway: bool) -> None:
        """Load a model by name or path (empty: the starter), starting the engine when there is none.

        When a person asks, it is loaded afresh, so that changed settings apply. A server holds its model itself, and
        may not be there: the model before is kept until it has answered.
        """
        try:
            path = self._resolve(name)
            remote = is_remote(path.as_posix())
            self.loading.emit(path.as_posix() if remote else _shown_name(path))
            client = self._client()
            if asked and not remote:
                client.unload()
            client.load(path, asked, anyway)
        except ModelTooLarge as error:
            if anyway:
                self.failed.emit(error)
            else:
                self.too_large.emit(name, error)
        except EdgeError as error:
            self.failed.emit(error)
        except Exception as error:
            self.failed.emit(unexpected(error))
        if self._engine is not None and self._engine.status().state == "ready":
            self.ready.emit(self._engine.status())  # after a wrong name: the model that is still loaded
            self._tell_kind(self._engine)

    def generate(self, job: Job) -> None:
        """Make one answer; its writer is finished before `ended` is sent."""
        state, facts, left_out = "interrupted", dict[str, Any](), 0
        try:
            client = self._client()
            if sentence := no_chat(client.info.kind):
                raise UsageError(sentence, tr("Choose another model at the top of the window."))
            fitted = history.fit(client, job.request.messages)
            left_out = fitted.left_out
            for event in client.generate(replace(job.request, messages=fitted.messages), job.cancelled):
                if isinstance(event, Chunk):
                    job.add(event.text)
                    self._meter.add()
                else:
                    job.finish = event
                    if event.new_tokens >= SHORTEST:
                        self._meter.finish(event.tokens_per_second)
            if job.finish is not None:
                state = "cancelled" if job.finish.reason == "cancelled" else "done"
                facts = {**asdict(job.finish), "left_out": left_out}
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

    def count(self, ticket: int, messages: tuple[Message, ...]) -> None:
        """Count the tokens of what would be sent, and the messages that no longer fit; quiet without a model."""
        try:
            engine = self._engine
            if engine is None or engine.status().state != "ready" or no_chat(engine.info.kind):
                return
            fitted = history.fit(engine, messages)
            self.counted.emit(ticket, Counted(engine.count(fitted.messages), fitted.left_out))
        except ContextOverflow as error:
            self.counted.emit(ticket, Counted(error.prompt_tokens, too_long=True))
        except EdgeError as error:
            _log.info("tokens were not counted: %s", type(error).__name__)
        except Exception as error:
            unexpected(error)

    def work(self, work: TaskWork) -> None:
        """Do a task's work; `worked` is sent when it is over, however it ended."""
        try:
            work.run(self._client(), self._meter)
        except EdgeError as error:
            work.error = error
        except Exception as error:
            work.error = unexpected(error)
        self.worked.emit(work)
        self._report()

    def close(self) -> None:
        """End the engine, if it was started. The engine allows it from any thread, also in the middle of an answer."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def pid(self) -> int | None:
        """Process id of the engine, if there is one."""
        engine = self._engine
        return engine.status().pid if engine is not None else None

    def _tell_kind(self, engine: EngineClient) -> None:
        try:
            self.told_kind.emit(engine.info.kind)
        except EdgeError as error:  # it has ended since
            _log.info("the kind of model is not known: %s", type(error).__name__)

    def _client(self) -> EngineClient:
        if self._engine is None:
            self._engine = self._factory()
        return self._engine

    def _report(self) -> None:
        try:
            self.ready.emit(self._client().status())
        except EdgeError as error:
            self.failed.emit(error)


def _shown_name(path: Path) -> str:
    """A model that is a folder may have a dot in its name."""
    return path.name if path.is_dir() else path.stem


class EngineWorker(QObject):
    """The window's side: send orders, receive signals. Nothing here waits, except `close`. `waiting` has the name of
    a model that is loaded when what is at work now is over."""

    waiting = Signal(str)
    loading = Signal(str)
    ready = Signal(object)
    failed = Signal(object)
    too_large = Signal(str, object)
    ended = Signal(object)
    counted = Signal(int, object)
    told_kind = Signal(str)
    worked = Signal(object)
    _load = Signal(str, bool, bool)
    _generate = Signal(object)
    _work = Signal(object)
    _count = Signal(int, object)
    _close = Signal()

    def __init__(self, factory: Callable[[], EngineClient], resolve: Callable[[str], Path]) -> None:
        super().__init__()
        self._job: Job | None = None
        self._works: list[TaskWork] = []
        self._thread = QThread()
        self._thread.setObjectName("engine-worker")
        self.meter = Meter()
        self._worker = _Worker(factory, resolve, self.meter)
        self._worker.moveToThread(self._thread)
        for name in ("loading", "ready", "failed", "too_large", "ended", "counted", "told_kind", "worked"):
            getattr(self._worker, name).connect(getattr(self, name))
        self._load.connect(self._worker.load)
        self._generate.connect(self._worker.generate)
        self._work.connect(self._worker.work)
        self.worked.connect(self._forget)
        self.ended.connect(self._forget_job)
        self._count.connect(self._worker.count)
        self._close.connect(self._worker.close)
        self._thread.start()

    def load(self, name: str, asked: bool = False, anyway: bool = False) -> None:
        """Load a model by name or path; `loading` and then `ready` or `failed` follow.

        Without `anyway` a model that memory does not hold gives `too_large` instead, with its name.
        """
        if self.busy:
            self.waiting.emit(name)
        self._load.emit(name, asked, anyway)

    @property
    def busy(self) -> bool:
        """Whether an answer or a task's work is being done, or waits."""
        return self._job is not None or bool(self._works)

    def stop(self) -> None:
        """Ask all of it to end; what has come is kept."""
        if self._job is not None:
            self._job.cancel()
        for work in self._works:
            work.cancel()

    def count(self, ticket: int, messages: tuple[Message, ...]) -> None:
        """Count a prompt's tokens when the engine is free; `counted` follows with the ticket."""
        self._count.emit(ticket, messages)

    def generate(self, job: Job) -> None:
        """Make an answer; `ended` follows."""
        self._job = job
        self._generate.emit(job)

    def work(self, work: TaskWork) -> None:
        """Do a task's work when what was asked for before is over; `worked` follows."""
        self._works.append(work)
        self._work.emit(work)

    def engine_pid(self) -> int | None:
        """Process id of the engine; safe to ask from any thread."""
        return self._worker.pid()

    def close(self) -> None:
        """Stop what runs, end the engine and the thread. Waits a few seconds at most."""
        self.stop()
        self._close.emit()
        self._thread.quit()
        if not self._thread.wait(_PATIENCE_MS):
            self._worker.close()
            self._thread.wait(_PATIENCE_MS)

    def _forget_job(self, job: Job) -> None:
        if job is self._job:
            self._job = None

    def _forget(self, work: TaskWork) -> None:
        if work in self._works:
            self._works.remove(work)
