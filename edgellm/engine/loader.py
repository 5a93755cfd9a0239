"""Puts a model into a fresh engine process: tries one placement after the other, and keeps what failed in mind.

A process cannot change the native libraries it has loaded, so every try has its own. What is planned for a model is
left to the planner, what counts as a crash to `outcome`, what follows from crashes to `history`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgellm.engine.client import Client
from edgellm.engine.history import Case, History
from edgellm.engine.memory import Memory, model_key
from edgellm.engine.outcome import EngineEnded
from edgellm.engine.patience import Limits
from edgellm.engine.protocol import Keep
from edgellm.engine.status import Board, Plan, describe, device_label
from edgellm.errors import ContextOverflow, EdgeError, EngineError, ModelNotFound, ModelTooLarge, OutOfMemory
from edgellm.paths import Paths
from edgellm.runtimes.base import Cancelled, Choice, Message, ModelInfo, Placement, Reading, Request

# How to run a model file; `True`: even where its memory is more than there is
Planner = Callable[[Path, bool], Plan]
# Where long prompts are kept, asked at each load
Keeper = Callable[[], Keep | None]
_log = logging.getLogger(__name__)
_SMOKE = Request(
    (Message("user", "This is a short test of this computer: read these words and answer with one of them, please."),),
    max_tokens=1,
)
_SLOWEST_DISK = 10_000_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that has answered: how it was placed, and what it says of itself."""

    case: Case
    info: ModelInfo


class Loader:
    """Owns the process. One thread at a time loads; `client`, `drop` and `close` are for any."""

    def __init__(self, paths: Paths, planner: Planner, limits: Limits, board: Board, keeper: Keeper) -> None:
        self._paths = paths
        self._planner = planner
        self._keeper = keeper
        self._limits = limits
        self._board = board
        self._history = History(Memory(paths.machine))
        self._refused: dict[str, EngineError] = {}
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._closed = False

    @property
    def client(self) -> Client | None:
        """The process, when there is one."""
        return self._client

    def load(self, path: Path, stop: Cancelled, again: bool, anyway: bool) -> Loaded:
        """Load the file into a new process; the one before is ended.

        `again` says that a mark is to be forgotten, `anyway` that a plan is wanted even for a model that is too large.
        Raises an `EdgeError`; then there is no process.
        """
        model, loaded = model_key(path), None
        self.drop()
        if not model:
            self._board.set(state="stopped", reason=f"There is no file {path.name}.")
            raise ModelNotFound(f"There is no file {path.name}.", "Run: edgellm models")
        client = self._start()  # starts while the plan is made
        try:
            plan = self._planner(path, anyway)
            if again:
                self._history.unmark(model)
            self._check_mark(path, model, plan)
            loaded = self._descend(path, plan, client, stop, again)
        except EdgeError as error:
            self._board.set(state="stopped", reason=error.message)
            raise
        finally:
            if loaded is None:
                self.drop()
        return loaded

    def note(self, case: Case, error: EngineEnded, answering: bool) -> None:
        """Remember a crash; raises when it was one too many."""
        _log.warning("%s", error.message)
        if self._history.failed(case, error.outcome, answering):
            raise self._refuse(case.model, f"The model crashed three times within a minute. {error.message}") from error

    def refusal(self, model: str) -> EngineError | None:
        """Why this model is not loaded unless it is asked for again."""
        return self._refused.get(model)

    def forgive(self, model: str) -> bool:
        """The person asks for the model again; whether it had been refused."""
        return self._refused.pop(model, None) is not None

    def drop(self) -> None:
        """End the process and wait until nothing is left of it."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def close(self) -> None:
        """The same, and no other is started any more."""
        self._closed = True
        self.drop()

    def _check_mark(self, path: Path, model: str, plan: Plan) -> None:
        if mark := self._history.marked(model, plan.machine):
            raise self._refuse(model, f"{path.name} was not loaded: it crashed three times in a row. {mark}")

    def _refuse(self, model: str, sentence: str) -> EngineError:
        hint = "Load it again to try once more (in a terminal: name it with --model), or choose another model."
        self._refused[model] = EngineError(sentence, hint)
        return self._refused[model]

    def _descend(self, path: Path, plan: Plan, client: Client, stop: Cancelled, again: bool) -> Loaded:
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
                self.note(case, ended, answering=False)
                short = ended.outcome.kind == "memory"
            except EdgeError as refused:
                error, short = refused, isinstance(refused, OutOfMemory | ModelTooLarge)
                if short:
                    self._history.too_large(case)
                elif not isinstance(refused, EngineError) and device_label(rung.value) == "CPU":
                    raise  # the file is at fault, not the way it was run
            self.drop()
            _log.info("%s failed", describe(rung.value))
            if short:
                rungs = [lower for lower in rungs if _smaller(lower.value, rung.value)]
            self._board.say(f"{error.message} Next: {rungs[0].reason}" if rungs else error.message)
            client = self._start() if rungs else client
        if error is not None:
            raise error
        raise self._refuse(model, f"Every way to run {path.name} on this computer has failed before.")

    def _passed_over(self, case: Case) -> bool:
        why = self._history.why_not(case)
        if why:
            self._board.say(f"{describe(case.placement)} was passed over: {why}.")
        return bool(why)

    def _try(self, path: Path, case: Case, rung: Choice[Placement], client: Client, stop: Cancelled) -> Loaded:
        self._board.set(state="starting", device=device_label(rung.value), reason=rung.reason, placement=rung.value)
        client.hello(stop)
        self._board.set(state="loading")
        limit = self._limits.start + path.stat().st_size / _SLOWEST_DISK
        loaded = client.load(path, rung.value, limit, stop, self._keeper())
        if not self._history.proven(case):
            _prove(client, loaded.info, stop)
            self._history.prove(case)
        self._board.set(state="ready", model=loaded.info.name)
        return Loaded(case, loaded.info)

    def _start(self) -> Client:
        client = Client(self._paths.logs, self._paths.crash, self._limits)
        with self._lock:
            if not self._closed:
                self._client = client
                self._board.set(state="starting")
                return client
        client.close()
        raise EngineError("The engine was closed.", "Start EdgeLLM again.")


def _prove(client: Client, info: ModelInfo, stop: Cancelled) -> None:
    """A short run of what the model is for."""
    if info.kind not in ("decoder", "seq2seq"):
        own = info.kind == "classify" and not info.metadata.get("zero_shot")
        labels = () if own else ("a word", "another")
        client.read(Reading(info.kind, "These are a few words.", labels), stop)
        return
    try:
        client.smoke(_SMOKE, stop)
    except ContextOverflow:
        _log.info("the context is too small for the smoke run")


def _smaller(lower: Placement, higher: Placement) -> bool:
    """Whether `lower` needs less memory where memory ran out."""
    fewer = 0 <= lower.gpu_layers < higher.gpu_layers or (higher.gpu_layers < 0 <= lower.gpu_layers)
    return fewer or lower.context < higher.context or (lower.kv_type == "q8_0" and higher.kv_type == "f16")
