"""Orders for one engine process and their answers: hello, load, count, generate, cancel, close.

Notices when the engine is gone, silent or talks nonsense, and raises `EngineEnded` with the reason. Starting another
one is left to the supervisor.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from edgellm.engine import process, protocol
from edgellm.engine.child import Child
from edgellm.engine.outcome import Doing, EngineEnded, Exit, Killed, Outcome, explain
from edgellm.engine.patience import Limits, Patience, Silence
from edgellm.engine.tally import Tally
from edgellm.errors import EdgeError
from edgellm.runtimes.base import (
    Cancelled,
    Chunk,
    Dropped,
    Event,
    Finish,
    Message,
    Placement,
    Reading,
    Reply,
    Request,
    never,
    never_dropped,
)

_POLL = 0.02


class Client:
    """One thread gives orders; `kill`, `close` and the properties are for any. The process starts at once."""

    def __init__(self, logs: Path, crash: Path, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._child = Child(logs, crash)
        self._ids = itertools.count(1)
        self._doing: Doing = "starting"
        self._unsettled = Unsettled()
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

    def hello(self, cancelled: Cancelled = never) -> None:
        """Wait for the engine's first message. A cancelled wait ends the process."""
        if not isinstance(self._answer(0, self._limits.start, cancelled), protocol.Hello):
            self._end("garbage")
        self._doing = "waiting"

    def load(
        self,
        path: Path,
        placement: Placement,
        limit: float,
        cancelled: Cancelled = never,
        keep: protocol.Keep | None = None,
    ) -> protocol.Loaded:
        """Load a model within `limit` seconds. A cancelled load ends the process."""
        id = next(self._ids)
        self._doing, self._kills = "loading", process.kernel_kills()
        self._child.send(protocol.Load(id, os.fsencode(path), placement, keep))
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
        message = self._answer(id, self._limits.smoke, never)
        if not isinstance(message, protocol.Counted):
            self._end("garbage")
        return message.tokens

    def read(self, reading: Reading, cancelled: Cancelled = never) -> Reply:
        """Have something read. When `cancelled` says so, what there is comes soon."""
        id = next(self._ids)
        self._doing, self._kills = "generating", process.kernel_kills()
        self._child.send(protocol.Read(id, reading))
        message = self._receive(id, Patience(), None, cancelled)
        if message is None:
            self._child.send(protocol.Cancel(id))
            message = self._receive(id, Patience(), self._limits.settle, never, "stuck")
        if not isinstance(message, protocol.Understood):
            self._end("garbage")
        self._doing = "waiting"
        return message.reply

    def smoke(self, request: Request, cancelled: Cancelled = never) -> None:
        """Have a short request answered, to see whether the placement survives it."""
        id = next(self._ids)
        self._doing = "testing"
        self._child.send(protocol.Generate(id, request))
        while not isinstance(self._answer(id, self._limits.smoke, cancelled), protocol.Done):
            continue
        self._doing = "waiting"

    def generate(self, request: Request, cancelled: Cancelled) -> Iterator[Event]:
        """Stream an answer. When `cancelled` says so the `Finish` comes at once, even if the engine needs longer."""
        order = protocol.Generate(next(self._ids), request)
        with contextlib.closing(self._stream(order, 1, cancelled, never_dropped)) as events:
            for _, event in events:
                yield event

    def generate_many(
        self, requests: tuple[Request, ...], cancelled: Cancelled, dropped: Dropped
    ) -> Iterator[tuple[int, Event]]:
        """Stream several answers; each event comes with the index of its request.

        When `cancelled` says so the `Finish` of each comes at once, when `dropped` does that of the one with the index.
        """
        order = protocol.GenerateMany(next(self._ids), requests)
        return self._stream(order, len(requests), cancelled, dropped)

    def _stream(
        self, order: protocol.Generate | protocol.GenerateMany, count: int, cancelled: Cancelled, dropped: Dropped
    ) -> Generator[tuple[int, Event], None, None]:
        id, open_ = order.id, {index: Tally() for index in range(count)}
        self._doing, self._kills = "generating", process.kernel_kills()
        self._child.send(order)
        self._unsettled = Unsettled(id, set(open_))
        patience = Patience()
        try:
            while open_:
                message = self._receive(id, patience, None, lambda: cancelled() or any(map(dropped, open_)))
                if message is not None:
                    yield from self._event(message, open_)
                elif cancelled():
                    self._child.send(protocol.Cancel(id))
                    yield from self._wind_down(id, open_)
                else:
                    for index in [index for index in open_ if dropped(index)]:
                        self._child.send(protocol.Drop(id, index))
                        yield index, open_.pop(index).finish(self.peak_memory)
        except GeneratorExit:
            if self._unsettled.indexes:
                self._child.send(protocol.Cancel(id))
            raise
        except EngineEnded:
            raise
        except EdgeError:
            self._unsettled.indexes.clear()
            raise

    def _event(self, message: protocol.Envelope, open_: dict[int, Tally]) -> Iterator[tuple[int, Event]]:
        """What a message says of one of the answers that are open; nothing of one that was dropped."""
        if isinstance(message, protocol.Text):
            if message.index in open_:
                open_[message.index].add()
                yield message.index, Chunk(message.text)
        elif isinstance(message, protocol.Done):
            self._settled(message)
            if open_.pop(message.index, None):
                yield message.index, message.finish
        else:
            self._end("garbage")

    def settle(self) -> None:
        """Make sure that a cancelled answer has ended; an engine that goes on with it is ended itself."""
        patience, left = Patience(), self._unsettled
        while left.indexes:
            try:
                message = self._receive(left.id, patience, self._limits.settle, never, "stuck")
            except EngineEnded:
                raise
            except EdgeError:
                left.indexes.clear()
            else:
                if isinstance(message, protocol.Done):
                    self._settled(message)
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

    def _settled(self, message: protocol.Done) -> None:
        self._unsettled.indexes.discard(message.index)
        if not self._unsettled.indexes:
            self._doing = "waiting"
        self._note(message.finish.peak_memory)

    def _note(self, peak_memory: int) -> None:
        self._child.peak_memory = max(self._child.peak_memory, peak_memory)

    def _wind_down(self, id: int, open_: dict[int, Tally]) -> Iterator[tuple[int, Event]]:
        """After a cancellation: what still arrives within a moment, then a `Finish` of our own where none came."""
        deadline = time.monotonic() + self._limits.cancel
        while open_ and (left := deadline - time.monotonic()) > 0 and self.alive:
            try:
                message = self._child.inbox.get(timeout=left)
            except queue.Empty:
                break
            if message is None or (isinstance(message, protocol.Failed) and message.id == id):
                self._unsettled.indexes.clear()
                if message is None:
                    self._child.inbox.put(None)
                break
            if isinstance(message, protocol.Text | protocol.Done) and message.id == id:
                yield from self._event(message, open_)
        for index, tally in list(open_.items()):
            del open_[index]
            yield index, tally.finish(self.peak_memory)

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
    return Tally().finish(0)


@dataclass(slots=True)
class Unsettled:
    """Which answers of order `id` the engine may still be writing."""

    id: int = 0
    indexes: set[int] = field(default_factory=set)
