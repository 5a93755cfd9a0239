"""Keeps one model running in an engine process: answers, restarts, explains, and says what each answer cost.

Bringing a model into a process is left to `loader.py`, how one turn follows the other to `turn.py`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from edgellm.engine import process
from edgellm.engine.client import Client, cancelled_finish
from edgellm.engine.history import Case
from edgellm.engine.loader import Keeper, Loader, Planner
from edgellm.engine.memory import model_key
from edgellm.engine.outcome import EngineEnded
from edgellm.engine.patience import Limits
from edgellm.engine.status import Board, EngineStatus, Run
from edgellm.engine.turn import Turn
from edgellm.errors import EngineError, NoModel
from edgellm.paths import Paths
from edgellm.runtimes import words
from edgellm.runtimes.base import (
    Cancelled,
    Chunk,
    Dropped,
    Event,
    Finish,
    Message,
    ModelInfo,
    Reading,
    Reply,
    Request,
    never,
    never_dropped,
)

__all__ = ["Engine", "Planner"]
OnFinish = Callable[[Run], None]
T = TypeVar("T")


class _NotBegun(Exception):
    """An order was cancelled before the engine could begin it."""


def _nothing(_run: Run) -> None:
    return None


def _unseen(ask: Callable[[], T]) -> T:
    """What is answered at once or not at all: a process that was ended from outside meanwhile is replaced unseen."""
    try:
        return ask()
    except EngineEnded as error:
        if error.outcome.kind != "ended":
            raise
        return ask()


def _nowhere() -> None:
    return None


class Engine:
    """A `Generator` whose model lives in another process.

    `status` and `cancel` answer at once from any thread, `close` too; other threads wait for the orders before theirs.
    `on_finish` is told of every answer that came to its end and of every text that was read whole, in the thread that
    took it, after its last event.
    `keeper` says at each load whether long prompts are kept on the disk, and where.
    """

    def __init__(
        self,
        paths: Paths,
        planner: Planner,
        limits: Limits | None = None,
        on_finish: OnFinish = _nothing,
        keeper: Keeper = _nowhere,
    ) -> None:
        self._on_finish = on_finish
        self._board = Board()
        self._loader = Loader(paths, planner, limits or Limits(), self._board, keeper)
        self._turn = Turn()
        self._stop = threading.Event()
        self._closed = False
        self._case: Case | None = None
        self._info: ModelInfo | None = None
        self._anyway = False
        self._restarts = 0
        process.sweep(paths.crash)

    @property
    def info(self) -> ModelInfo:
        """The model that is loaded, or was when the engine last stopped. Raises `UsageError` when there is none."""
        if self._info is None:
            raise NoModel
        return self._info

    @property
    def restarts(self) -> int:
        """How often a new process had to take over."""
        return self._restarts

    @property
    def closed(self) -> bool:
        """Whether `close` was called: then it stays closed."""
        return self._closed

    def status(self) -> EngineStatus:
        """How it stands now."""
        status, client = self._board.status, self._loader.client
        if client is None or not client.alive:
            return replace(status, state="stopped" if status.state == "ready" else status.state)
        return replace(status, pid=client.pid, peak_memory=max(status.peak_memory, client.peak_memory))

    def load(self, path: Path, asked: bool = False, anyway: bool = False) -> ModelInfo:
        """Load a model file, starting the engine; nothing happens when this very file is loaded already.

        A model that crashed three times within a minute is refused once, with an error that says so, and loaded when
        it is asked for again; `asked` says that a person has just named it, `anyway` that it is to be tried even if the
        plan finds it too large. Raises an `EdgeError`.
        """
        with self._turn.taken():
            client, model = self._loader.client, model_key(path)
            same = self._case is not None and self._board.status.path == path and self._case.model == model
            if same and client is not None and client.alive and self._info is not None:
                return self._info
            again = self._loader.forgive(model)
            self._info, self._anyway = None, anyway
            self._board.set(path=path, model=path.name.split(".", 1)[0], steps=())
            return self._load(path, never, asked or anyway or again)

    def generate(self, request: Request, cancelled: Cancelled = never) -> Iterator[Event]:
        """Stream an answer, first bringing a stopped engine back. Raises an `EdgeError`; what came before it stays."""
        pieces: list[str] = []
        stop = self._stopping(cancelled)

        def answer(client: Client) -> Iterator[Event]:
            finish: Finish | None = None
            try:
                for event in client.generate(request, stop):
                    if isinstance(event, Chunk):
                        pieces.append(event.text)
                    else:
                        finish = event
                    yield event
            finally:
                if finish is not None:
                    self._tell(finish, "".join(pieces))

        try:
            yield from self._stream(answer, cancelled)
        except _NotBegun:
            yield cancelled_finish()

    def generate_many(
        self, requests: tuple[Request, ...], cancelled: Cancelled = never, dropped: Dropped = never_dropped
    ) -> Iterator[tuple[int, Event]]:
        """The same for several requests at once; each event comes with the index of its request.

        Every request ends in its own `Finish`, or one error ends all that have none yet. `on_finish` is not told: what
        one answer costs beside others says nothing of the model's speed.
        """
        ended: set[int] = set()
        stop = self._stopping(cancelled)

        def answers(client: Client) -> Iterator[tuple[int, Event]]:
            return client.generate_many(requests, stop, dropped)

        try:
            for index, event in self._stream(answers, cancelled):
                if isinstance(event, Finish):
                    ended.add(index)
                yield index, event
        except _NotBegun:
            for index in range(len(requests)):
                if index not in ended:
                    yield index, cancelled_finish()

    def _stopping(self, cancelled: Cancelled) -> Cancelled:
        return lambda: self._stop.is_set() or cancelled()

    def _stream(self, begin: Callable[[Client], Iterator[T]], cancelled: Cancelled) -> Iterator[T]:
        """The events of an order, in turn. Raises `_NotBegun` when it was cancelled with the engine not there."""
        with self._turn.taken(cancelled) as mine:
            if not mine:
                raise _NotBegun
            self._stop.clear()
            stop = self._stopping(cancelled)
            try:
                yield from self._answer(begin, stop)
            except EngineEnded as error:
                if error.outcome.kind == "closed" and stop() and not self._closed:
                    raise _NotBegun from None
                self._crashed(error)
                raise
            finally:
                self._rest()

    def _answer(self, begin: Callable[[Client], Iterator[T]], stop: Cancelled) -> Iterator[T]:
        """The events. A process that was ended from outside before it said anything is replaced unseen."""
        begun = False
        try:
            client = self._ready(stop)
            self._board.set(state="generating")
            for event in begin(client):
                begun = True
                yield event
        except EngineEnded as error:
            if begun or error.outcome.kind != "ended":
                raise
            client = self._ready(stop)
            self._board.set(state="generating")
            yield from begin(client)

    def _understand(self, reading: Reading, stop: Cancelled) -> Reply:
        client = self._ready(stop)
        self._board.set(state="generating")
        started = time.monotonic()
        reply = client.read(reading, stop)
        if reading.kind != "decoder" and not reply.truncated and not stop():
            self._tell_reading(reading, time.monotonic() - started)
        return reply

    def count(self, messages: tuple[Message, ...]) -> int:
        """Prompt tokens of a conversation."""
        with self._turn.taken():
            try:
                return _unseen(lambda: self._ready(never).count(messages))
            except EngineEnded as error:
                self._crashed(error)
                raise

    def read(self, reading: Reading, cancelled: Cancelled = never) -> Reply:
        """Have a model that writes nothing read something, first bringing a stopped engine back."""
        with self._turn.taken(cancelled) as mine:
            if not mine:
                return Reply()
            self._stop.clear()

            def stop() -> bool:
                return self._stop.is_set() or cancelled()

            try:
                return _unseen(lambda: self._understand(reading, stop))
            except EngineEnded as error:
                self._crashed(error)
                raise
            finally:
                self._rest()

    def cancel(self) -> None:
        """Stop the answer that is being written, if there is one."""
        self._stop.set()

    def unload(self) -> None:
        """End the process and forget the model."""
        with self._turn.taken():
            self._loader.drop()
            self._case = self._info = None
            self._board.clear()

    def close(self) -> None:
        """End the process for good, also in the middle of an answer."""
        self._closed = True
        self._loader.close()
        self._board.set(state="stopped", reason="The engine was closed.")

    def _ready(self, stop: Cancelled) -> Client:
        """A process with the model in it."""
        path, case = self._board.status.path, self._case
        if path is None:
            raise NoModel
        if refusal := self._loader.refusal(model_key(path)):
            raise EngineError(refusal.message, refusal.hint)
        if self._loader.client is not None and case is not None:
            client = self._loader.client
            try:
                if client.alive:
                    client.settle()
                    return client
                raise EngineEnded(client.outcome())
            except EngineEnded as error:
                self._loader.drop()
                self._board.say(error.message)
                if error.outcome.counts:
                    self._loader.note(case, error, answering=True)
        self._restarts += self._info is not None
        self._load(path, stop, False)
        assert self._loader.client is not None
        return self._loader.client

    def _load(self, path: Path, stop: Cancelled, again: bool) -> ModelInfo:
        if self._info is not None and self._case is not None and self._case.model != model_key(path):
            self._board.say(f"{path.name} has changed on the disk since it was loaded.")
        self._case = None
        loaded = self._loader.load(path, stop, again, self._anyway)
        self._case, self._info = loaded.case, loaded.info
        return loaded.info

    def _crashed(self, error: EngineEnded) -> None:
        """After the end of a process with a loaded model; raises when it was one too many. The next request starts
        another."""
        ours = self._loader.client is not None and self._case is not None and self._info is not None
        self._loader.drop()
        self._board.set(state="stopped", reason=error.message)
        if ours and self._case is not None and error.outcome.counts:
            self._loader.note(self._case, error, answering=True)

    def _rest(self) -> None:
        client = self._loader.client
        if self._board.status.state == "generating":
            self._board.set(state="ready" if client is not None and client.alive else "stopped")

    def _tell(self, finish: Finish, text: str) -> None:
        case, path = self._case, self._board.status.path
        if case is not None and path is not None:
            self._on_finish(Run(path, case.model, case.machine, case.placement, finish, words.count(text)))

    def _tell_reading(self, reading: Reading, seconds: float) -> None:
        case, path = self._case, self._board.status.path
        if case is not None and path is not None and seconds > 0:
            count = words.to_read(reading)
            finish = Finish("stop", 0, 0, count, seconds, count / seconds, "", 0, False)
            self._on_finish(Run(path, case.model, case.machine, case.placement, finish, count, reads=True))
