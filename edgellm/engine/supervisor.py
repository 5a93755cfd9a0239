"""Keeps one model running in an engine process: starts it, tries one placement after the other, restarts, explains.

Every load gets a fresh process, because a process cannot change the native libraries it has loaded. What is planned for
a model is left to the planner, what counts as a crash to `outcome`, what follows from crashes to `history`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgellm.engine import process
from edgellm.engine.client import Client, cancelled_finish
from edgellm.engine.history import Case, History
from edgellm.engine.memory import Memory, model_key
from edgellm.engine.outcome import EngineEnded
from edgellm.engine.patience import Limits
from edgellm.engine.status import EngineStatus, Plan, describe, device_label
from edgellm.engine.turn import Turn
from edgellm.errors import (
    ContextOverflow,
    EdgeError,
    EngineError,
    ModelNotFound,
    ModelTooLarge,
    OutOfMemory,
    UsageError,
)
from edgellm.paths import Paths
from edgellm.runtimes.base import Cancelled, Choice, Event, Message, ModelInfo, Placement, Request

# How to run a model file; `True`: even where its memory is more than there is
Planner = Callable[[Path, bool], Plan]
_log = logging.getLogger(__name__)
_SMOKE = Request(
    (Message("user", "This is a short test of this computer: read these words and answer with one of them, please."),),
    max_tokens=1,
)
_SLOWEST_DISK = 10_000_000
_MOST_STEPS = 20


def _never() -> bool:
    return False


class Engine:
    """A `Generator` whose model lives in another process.

    `status` and `cancel` answer at once from any thread, `close` too; other threads wait for the orders before theirs.
    """

    def __init__(self, paths: Paths, planner: Planner, limits: Limits | None = None) -> None:
        self._paths = paths
        self._planner = planner
        self._limits = limits or Limits()
        self._history = History(Memory(paths.machine))
        self._turn = Turn()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._closed = False
        self._client: Client | None = None
        self._case: Case | None = None
        self._info: ModelInfo | None = None
        self._refused: dict[str, EngineError] = {}
        self._anyway = False
        self._status = EngineStatus()
        self._restarts = 0
        process.sweep(paths.crash)

    @property
    def info(self) -> ModelInfo:
        """The model that is loaded, or was when the engine last stopped. Raises `UsageError` when there is none."""
        if self._info is None:
            raise UsageError("No model is loaded.", "Load a model first.")
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
        with self._lock:
            status, client = self._status, self._client
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
            client = self._client
            same = self._case is not None and self._status.path == path and self._case.model == model_key(path)
            if same and client is not None and client.alive and self._info is not None:
                return self._info
            again = self._refused.pop(model_key(path), None) is not None
            self._info, self._anyway = None, anyway
            self._set(path=path, model=path.name.split(".", 1)[0], steps=())
            return self._load(path, _never, asked or anyway or again)

    def generate(self, request: Request, cancelled: Cancelled = _never) -> Iterator[Event]:
        """Stream an answer, first bringing a stopped engine back. Raises an `EdgeError`; what came before it stays."""
        with self._turn.taken(cancelled) as mine:
            if not mine:
                yield cancelled_finish()
                return
            self._stop.clear()

            def stop() -> bool:
                return self._stop.is_set() or cancelled()

            try:
                yield from self._answer(request, stop)
            except EngineEnded as error:
                if error.outcome.kind == "closed" and stop() and not self._closed:
                    yield cancelled_finish()
                    return
                self._crashed(error)
                raise
            finally:
                self._rest()

    def _answer(self, request: Request, stop: Cancelled) -> Iterator[Event]:
        """The answer. A process that was ended from outside before it said anything is replaced unseen."""
        begun = False
        try:
            client = self._ready(stop)
            self._set(state="generating")
            for event in client.generate(request, stop):
                begun = True
                yield event
        except EngineEnded as error:
            if begun or error.outcome.kind != "ended":
                raise
            client = self._ready(stop)
            self._set(state="generating")
            yield from client.generate(request, stop)

    def count(self, messages: tuple[Message, ...]) -> int:
        """Prompt tokens of a conversation."""
        with self._turn.taken():
            try:
                return self._ready(_never).count(messages)
            except EngineEnded as error:
                self._crashed(error)
                raise

    def cancel(self) -> None:
        """Stop the answer that is being written, if there is one."""
        self._stop.set()

    def unload(self) -> None:
        """End the process and forget the model."""
        with self._turn.taken():
            self._drop()
            self._case = self._info = None
            with self._lock:
                self._status = EngineStatus()

    def close(self) -> None:
        """End the process for good, also in the middle of an answer."""
        self._closed = True
        self._drop()
        self._set(state="stopped", reason="The engine was closed.")

    def _ready(self, stop: Cancelled) -> Client:
        """A process with the model in it."""
        path, case = self._status.path, self._case
        if path is None:
            raise UsageError("No model is loaded.", "Load a model first.")
        if refusal := self._refused.get(model_key(path)):
            raise EngineError(refusal.message, refusal.hint)
        if self._client is not None and case is not None:
            client = self._client
            try:
                if client.alive:
                    client.settle()
                    return client
                raise EngineEnded(client.outcome())
            except EngineEnded as error:
                self._drop()
                self._say(error.message)
                if error.outcome.counts:
                    self._note(case, error, answering=True)
        self._restarts += self._info is not None
        self._load(path, stop, False)
        assert self._client is not None
        return self._client

    def _load(self, path: Path, stop: Cancelled, again: bool) -> ModelInfo:
        model, info = model_key(path), None
        if self._info is not None and self._case is not None and self._case.model != model:
            self._say(f"{path.name} has changed on the disk since it was loaded.")
        self._drop()
        self._case = None
        if not model:
            self._set(state="stopped", reason=f"There is no file {path.name}.")
            raise ModelNotFound(f"There is no file {path.name}.", "Run: edgellm models")
        client = self._start()  # starts while the plan is made
        try:
            plan = self._planner(path, self._anyway)
            if again:
                self._history.unmark(model)
            self._check_mark(path, model, plan)
            info = self._info = self._descend(path, plan, client, stop, again)
        except EdgeError as error:
            self._set(state="stopped", reason=error.message)
            raise
        finally:
            if info is None:
                self._drop()
        return info

    def _check_mark(self, path: Path, model: str, plan: Plan) -> None:
        if mark := self._history.marked(model, plan.machine):
            raise self._refuse(model, f"{path.name} was not loaded: it crashed three times in a row. {mark}")

    def _refuse(self, model: str, sentence: str) -> EngineError:
        hint = "Load it again to try once more (in a terminal: name it with --model), or choose another model."
        self._refused[model] = EngineError(sentence, hint)
        return self._refused[model]

    def _descend(self, path: Path, plan: Plan, client: Client, stop: Cancelled, again: bool) -> ModelInfo:
        """Try the rungs from the best to the safest."""
        model = model_key(path)
        error: EdgeError | None = None
        rungs = [rung for rung in plan.rungs if not self._passed_over(Case(model, plan.machine, rung.value))]
        if not rungs and (again or not self._history.remembered(Case(model, plan.machine, plan.rungs[-1].value))):
            rungs = [plan.rungs[-1]]
        while rungs:
            rung = rungs.pop(0)
            case = Case(model, plan.machine, rung.value)
            try:
                return self._try(path, case, rung, client if client.alive else self._start(), stop)
            except EngineEnded as ended:
                error = ended
                if not ended.outcome.counts:
                    raise
                self._note(case, ended, answering=False)
                short = ended.outcome.kind == "memory"
            except EdgeError as refused:
                error, short = refused, isinstance(refused, OutOfMemory | ModelTooLarge)
                if short:
                    self._history.too_large(case)
                elif not isinstance(refused, EngineError) and device_label(rung.value) == "CPU":
                    raise  # the file is at fault, not the way it was run
            self._drop()
            _log.info("%s failed", describe(rung.value))
            if short:
                rungs = [lower for lower in rungs if _smaller(lower.value, rung.value)]
            self._say(f"{error.message} Next: {rungs[0].reason}" if rungs else error.message)
            client = self._start() if rungs else client
        if error is not None:
            raise error
        raise self._refuse(model, f"Every way to run {path.name} on this computer has failed before.")

    def _passed_over(self, case: Case) -> bool:
        why = self._history.why_not(case)
        if why:
            self._say(f"{describe(case.placement)} was passed over: {why}.")
        return bool(why)

    def _try(self, path: Path, case: Case, rung: Choice[Placement], client: Client, stop: Cancelled) -> ModelInfo:
        self._set(state="starting", device=device_label(rung.value), reason=rung.reason, placement=rung.value)
        client.hello(stop)
        self._set(state="loading")
        limit = self._limits.start + path.stat().st_size / _SLOWEST_DISK
        loaded = client.load(path, rung.value, limit, stop)
        if not self._history.proven(case):
            try:
                client.smoke(_SMOKE, stop)
            except ContextOverflow:
                _log.info("the context is too small for the smoke run")
            self._history.prove(case)
        self._case = case
        self._set(state="ready", model=loaded.info.name)
        return loaded.info

    def _note(self, case: Case, error: EngineEnded, answering: bool) -> None:
        """Remember a crash; raises when it was one too many."""
        _log.warning("%s", error.message)
        if self._history.failed(case, error.outcome, answering):
            raise self._refuse(case.model, f"The model crashed three times within a minute. {error.message}") from error

    def _crashed(self, error: EngineEnded) -> None:
        """After the end of a process with a loaded model; raises when it was one too many. The next request starts
        another."""
        ours = self._client is not None and self._case is not None and self._info is not None
        self._drop()
        self._set(state="stopped", reason=error.message)
        if ours and self._case is not None and error.outcome.counts:
            self._note(self._case, error, answering=True)

    def _start(self) -> Client:
        client = Client(self._paths.logs, self._paths.crash, self._limits)
        with self._lock:
            if not self._closed:
                self._client = client
                self._status = replace(self._status, state="starting")
                return client
        client.close()
        raise EngineError("The engine was closed.", "Start EdgeLLM again.")

    def _drop(self) -> None:
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _rest(self) -> None:
        client = self._client
        if self._status.state == "generating":
            self._set(state="ready" if client is not None and client.alive else "stopped")

    def _say(self, sentence: str) -> None:
        _log.info("%s", sentence)
        self._set(steps=(*self._status.steps, sentence)[-_MOST_STEPS:])

    def _set(self, **changes: Any) -> None:
        with self._lock:
            self._status = replace(self._status, **changes)


def _smaller(lower: Placement, higher: Placement) -> bool:
    """Whether `lower` needs less memory where memory ran out."""
    fewer = 0 <= lower.gpu_layers < higher.gpu_layers or (higher.gpu_layers < 0 <= lower.gpu_layers)
    return fewer or lower.context < higher.context or (lower.kv_type == "q8_0" and higher.kv_type == "f16")
