"""Orders for one engine process and their answers: hello, load, count, generate, cancel, close.

Notices when the engine is gone, silent or talks nonsense, and raises `EngineEnded` with the reason. Starting another
one is left to the supervisor.
"""

from __future__ import annotations

import itertools
import os
import queue
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from edgellm.engine import process, protocol
from edgellm.engine.child import Child
from edgellm.engine.outcome import Doing, EngineEnded, Exit, Killed, Outcome, explain
from edgellm.engine.patience import Limits, Patience, Silence
from edgellm.errors import EdgeError
from edgellm.runtimes.base import Cancelled, Chunk, Event, Finish, Message, Placement, Reading, Reply, Request

_POLL = 0.02


def _never() -> bool:
    return False


class Client:
    """One thread gives orders; `kill`, `close` and the properties are for any. The process starts at once."""

    def __init__(self, logs: Path, crash: Path, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._child = Child(logs, crash)
        self._ids = itertools.count(1)
        self._doing: Doing = "starting"
        self._unsettled = 0
        self._kills = process.kernel_kills()
        self._memory = process.Memory()

    @property
    def alive(self) -> bool:
        """Whether the process is there and was not told to end."""
        return not self._child.gone.is_set() and not self._child.killed

    @property
    def pid(self) -> int | None:
        """Process id, once it has started."""
        return self._child.pid

    @property
    def peak_memory(self) -> int:
        """Peak resident memory of the engine in bytes, as last heard."""
        return self._child.peak_memory

    def hello(self, cancelled: Cancelled = _never) -> None:
        """Wait for the engine's first message. A cancelled wait ends the process."""
        if not isinstance(self._answer(0, self._limits.start, cancelled), protocol.Hello):
            self._end("garbage")
        self._doing = "waiting"

    def load(self, path: Path, placement: Placement, limit: float, cancelled: Cancelled = _never) -> protocol.Loaded:
        """Load a model within `limit` seconds. A cancelled load ends the process."""
        id = next(self._ids)
        self._doing, self._kills = "loading", process.kernel_kills()
        self._child.send(protocol.Load(id, os.fsencode(path), placement))
        message = self._answer(id, limit, cancelled)
        if not isinstance(message, protocol.Loaded):
            self._end("garbage")
        self._note(message.peak_memory)
        self._doing = "waiting"
        return message

    def count(self, messages: tuple[Message, ...]) -> int:
        """Prompt tokens of a conversation."""
        id = next(self._ids)
        self._child.send(protocol.Count(id, messages))
        message = self._answer(id, self._limits.smoke, _never)
        if not isinstance(message, protocol.Counted):
            self._end("garbage")
        return message.tokens

    def read(self, reading: Reading, cancelled: Cancelled = _never) -> Reply:
        """Have something read. When `cancelled` says so, what there is comes soon."""
        id = next(self._ids)
        self._doing, self._kills = "generating", process.kernel_kills()
        self._child.send(protocol.Read(id, reading))
        message = self._receive(id, Patience(), None, cancelled)
        if message is None:
            self._child.send(protocol.Cancel(id))
            message = self._receive(id, Patience(), self._limits.settle, _never, "stuck")
        if not isinstance(message, protocol.Understood):
            self._end("garbage")
        self._doing = "waiting"
        return message.reply

    def smoke(self, request: Request, cancelled: Cancelled = _never) -> None:
        """Have a short request answered, to see whether the placement survives it."""
        id = next(self._ids)
        self._doing = "testing"
        self._child.send(protocol.Generate(id, request))
        while not isinstance(self._answer(id, self._limits.smoke, cancelled), protocol.Done):
            continue
        self._doing = "waiting"

    def generate(self, request: Request, cancelled: Cancelled) -> Iterator[Event]:
        """Stream an answer. When `cancelled` says so the `Finish` comes at once, even if the engine needs longer."""
        id = next(self._ids)
        self._doing, self._kills = "generating", process.kernel_kills()
        self._child.send(protocol.Generate(id, request))
        self._unsettled = id
        tally = _Tally()
        patience = Patience()
        try:
            while (message := self._receive(id, patience, None, cancelled)) is not None:
                if isinstance(message, protocol.Text):
                    tally.add()
                    yield Chunk(message.text)
                elif isinstance(message, protocol.Done):
                    yield self._done(message)
                    return
                else:
                    self._end("garbage")
            self._child.send(protocol.Cancel(id))
            yield from self._wind_down(id, tally)
        except GeneratorExit:
            if self._unsettled:
                self._child.send(protocol.Cancel(id))
            raise
        except EngineEnded:
            raise
        except EdgeError:
            self._unsettled = 0
            raise

    def settle(self) -> None:
        """Make sure that a cancelled answer has ended; an engine that goes on with it is ended itself."""
        patience = Patience()
        while self._unsettled:
            try:
                message = self._receive(self._unsettled, patience, self._limits.settle, _never, "stuck")
            except EngineEnded:
                raise
            except EdgeError:
                self._unsettled = 0
            else:
                if isinstance(message, protocol.Done):
                    self._unsettled = 0
        self._doing = "waiting"

    def outcome(self) -> Outcome:
        """Why the process ended; waits a moment for the rest of its end."""
        child = self._child
        child.gone.wait(self._limits.end + 3.0)
        short = process.kernel_kills() > self._kills or self._memory.short
        return explain(Exit(child.code, self._doing, child.killed, child.stderr, short))

    def kill(self) -> None:
        """End the process at once."""
        self._child.kill("closed")

    def close(self) -> None:
        """End the process and wait until nothing is left of it."""
        self._child.close(self._limits.end)

    def _done(self, message: protocol.Done) -> Finish:
        self._unsettled, self._doing = 0, "waiting"
        self._note(message.finish.peak_memory)
        return message.finish

    def _note(self, peak_memory: int) -> None:
        self._child.peak_memory = max(self._child.peak_memory, peak_memory)

    def _wind_down(self, id: int, tally: _Tally) -> Iterator[Event]:
        """After a cancellation: what still arrives within a moment, then a `Finish` of our own if none came."""
        deadline = time.monotonic() + self._limits.cancel
        while (left := deadline - time.monotonic()) > 0 and self.alive:
            try:
                message = self._child.inbox.get(timeout=left)
            except queue.Empty:
                break
            if message is None or (isinstance(message, protocol.Failed) and message.id == id):
                self._unsettled = 0
                if message is None:
                    self._child.inbox.put(None)
                break
            if isinstance(message, protocol.Text) and message.id == id:
                tally.add()
                yield Chunk(message.text)
            elif isinstance(message, protocol.Done) and message.id == id:
                yield self._done(message)
                return
        yield tally.finish(self.peak_memory)

    def _end(self, why: Killed) -> NoReturn:
        self._child.kill(why)
        raise EngineEnded(self.outcome())

    def _answer(self, id: int, limit: float, cancelled: Cancelled) -> protocol.Envelope:
        message = self._receive(id, Patience(), limit, cancelled)
        if message is None:
            self._end("cancelled")
        return message

    def _receive(
        self, id: int, patience: Patience, limit: float | None, cancelled: Cancelled, late: Killed = "slow"
    ) -> protocol.Envelope | None:
        """The next message that answers order `id` (0 for the hello), or None when `cancelled` says so.

        Raises `EngineEnded`, or the error that a `Failed` message carries.
        """
        silence = Silence(self._limits)
        while not cancelled():
            try:
                message = self._child.inbox.get(timeout=_POLL)
            except queue.Empty:
                self._watch(silence)
            else:
                if message is None:
                    self._child.inbox.put(None)
                    raise EngineEnded(self.outcome())
                if isinstance(message, protocol.Failed) and message.id == id:
                    raise protocol.revived(message)
                if getattr(message, "id", 0) == id:
                    return message
            patience.step()
            if limit is not None and patience.seconds > limit:
                self._end(late)
        return None

    def _watch(self, silence: Silence) -> None:
        """Called while nothing comes: ping, look at the memory, give up on an engine that is silent or stopped."""
        child = self._child
        due = silence.step(child.heard)
        if child.killed:
            raise EngineEnded(self.outcome())
        if due and child.pid is not None:
            self._memory = process.memory_of(child.pid)
            child.send(protocol.Ping(child.heard))
            if silence.suspicious and process.stopped(child.pid):
                self._end("stopped")
            if silence.over:
                self._end("silent")


def cancelled_finish() -> Finish:
    """The last event of an answer that was cancelled before the engine had begun it."""
    return _Tally().finish(0)


class _Tally:
    """Counts what came of an answer, for a `Finish` when the engine sends none."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._first = 0.0
        self._pieces = 0

    def add(self) -> None:
        """A piece came."""
        self._first = self._first or time.monotonic()
        self._pieces += 1

    def finish(self, peak_memory: int) -> Finish:
        """The facts as far as they are known here; pieces stand for tokens."""
        now = time.monotonic()
        decode = now - self._first if self._first else 0.0
        return Finish(
            reason="cancelled",
            prompt_tokens=0,
            cached_tokens=0,
            new_tokens=self._pieces,
            seconds=now - self._started,
            tokens_per_second=self._pieces / decode if decode > 0 else 0.0,
            device="",
            peak_memory=peak_memory,
            truncated=False,
            prefill_seconds=self._first - self._started if self._first else 0.0,
        )
