"""The engine process: owns the model, obeys the messages on its pipe. Started as `python -m edgellm.engine.host`.

Two threads matter. The main thread runs the model, one order at a time. The reader takes messages at any time, also
while native code runs: it answers pings, passes on cancellations, and ends the process at once when the pipe closes.
The pipe is the standard input and output that the process was born with, moved to private descriptors before anything
else; whatever a native library prints goes to standard error.
"""

from __future__ import annotations

import dataclasses
import faulthandler
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from edgellm.engine import process, protocol
from edgellm.engine.channel import Channel
from edgellm.engine.wire import ProtocolError
from edgellm.errors import EdgeError, NoModel, OutOfMemory, UsageError
from edgellm.runtimes import many
from edgellm.runtimes.base import Chunk, Event, Generator, Reader, ReadingRuntime, Remembering, Runtime
from edgellm.runtimes.peak import peak_memory

MERGE_SECONDS = 0.005
_log = logging.getLogger("edgellm.engine.host")  # by name: this module runs as __main__
_Order = protocol.Load | protocol.Generate | protocol.GenerateMany | protocol.Count | protocol.Read


class TextSender:
    """Sends the pieces of an order's answers, merging those that come within five milliseconds of the one before.

    The first piece is sent at once, and nothing waits longer than that, so a fast model costs few messages and a slow
    one gains no delay.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._lock = threading.Lock()
        self._waiting = threading.Event()
        self._pieces: dict[int, list[str]] = {}
        self._id = 0
        self._sent = 0.0
        threading.Thread(target=self._flush_late, name="engine-text", daemon=True).start()

    def start(self, id: int) -> None:
        """A new answer begins."""
        with self._lock:
            self._id, self._sent, self._pieces = id, 0.0, {}

    def add(self, text: str, index: int = 0) -> None:
        """Send `text` now or with the next pieces."""
        with self._lock:
            self._pieces.setdefault(index, []).append(text)
            if time.monotonic() - self._sent >= MERGE_SECONDS:
                self._flush()
            else:
                self._waiting.set()

    def finish(self) -> None:
        """Send what is left."""
        with self._lock:
            self._flush()

    def _flush(self) -> None:
        self._waiting.clear()
        if self._pieces:
            for index, pieces in self._pieces.items():
                self._channel.send(protocol.Text(self._id, "".join(pieces), index))
            self._pieces = {}
            self._sent = time.monotonic()

    def _flush_late(self) -> None:
        while True:
            self._waiting.wait()
            time.sleep(MERGE_SECONDS)
            with self._lock:
                if self._waiting.is_set():
                    self._flush()


class Host:
    """Runs orders on the thread that calls `run`, and the reader on its own."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._orders: queue.SimpleQueue[_Order] = queue.SimpleQueue()
        self._text = TextSender(channel)
        self._runtime: Runtime | ReadingRuntime | None = None
        self._cancelled = 0
        self._dropped: frozenset[tuple[int, int]] = frozenset()
        threading.Thread(target=self._read, name="engine-reader", daemon=True).start()

    def run(self) -> None:
        """Carry out orders for ever; the reader ends the process."""
        while True:
            order = self._orders.get()
            try:
                self._carry_out(order)
            except EdgeError as error:
                self._fail(order, error)
            except MemoryError:
                _log.exception("out of memory")
                self._fail(order, OutOfMemory())
            except Exception as error:
                _log.exception("unexpected error in the engine")
                hint = f"The log engine.log has the details ({type(error).__name__})."
                self._fail(order, EdgeError("Something went wrong inside the engine.", hint))

    def _fail(self, order: _Order, error: EdgeError) -> None:
        self._text.finish()
        self._channel.send(protocol.failed(order.id, error))

    def _carry_out(self, order: _Order) -> None:
        if isinstance(order, protocol.Load):
            self._load(order)
        elif isinstance(order, protocol.Generate | protocol.GenerateMany):
            self._generate(order)
        elif isinstance(order, protocol.Read):
            self._read_text(order)
        else:
            self._channel.send(protocol.Counted(order.id, self._writer().count(order.messages)))

    def _load(self, order: protocol.Load) -> None:
        from edgellm.runtimes import registry

        if self._runtime is not None:
            self._runtime.close()
            self._runtime = None
        started = time.monotonic()
        self._runtime = registry.load(Path(os.fsdecode(order.path)), order.placement)
        if order.keep is not None and isinstance(self._runtime, Remembering):
            self._runtime.remember(Path(os.fsdecode(order.keep.folder)), order.keep.room)
        seconds = time.monotonic() - started
        _log.info("loaded in %.2f s", seconds)
        self._channel.send(protocol.Loaded(order.id, self._runtime.info, seconds, peak_memory()))

    def _generate(self, order: protocol.Generate | protocol.GenerateMany) -> None:
        self._text.start(order.id)
        for index, event in self._answers(order):
            if isinstance(event, Chunk):
                self._text.add(event.text, index)
            else:
                self._text.finish()
                finish = dataclasses.replace(event, peak_memory=peak_memory())
                self._channel.send(protocol.Done(order.id, finish, index))

    def _answers(self, order: protocol.Generate | protocol.GenerateMany) -> Iterator[tuple[int, Event]]:
        def cancelled() -> bool:
            return self._cancelled == order.id

        def dropped(index: int) -> bool:
            return (order.id, index) in self._dropped

        if isinstance(order, protocol.GenerateMany):
            return many.answer_all(self._writer(), order.requests, cancelled, dropped)
        return ((0, event) for event in self._writer().generate(order.request, cancelled))

    def _read_text(self, order: protocol.Read) -> None:
        reply = self._reader().read(order.reading, lambda: self._cancelled == order.id)
        self._channel.send(protocol.Understood(order.id, reply))

    def _writer(self) -> Runtime:
        runtime = self._loaded()
        if isinstance(runtime, Generator):
            return runtime
        raise UsageError(f"{runtime.info.name} writes no text.", "Choose a chat or translation model for this.")

    def _reader(self) -> ReadingRuntime:
        runtime = self._loaded()
        if isinstance(runtime, Reader):
            return runtime
        raise UsageError(f"{runtime.info.name} only writes text.", "Choose a model that is made for this task.")

    def _loaded(self) -> Runtime | ReadingRuntime:
        if self._runtime is None:
            raise NoModel
        return self._runtime

    def _read(self) -> None:
        """Take messages until the pipe closes, then end the process, whatever the main thread is doing."""
        code = 0
        try:
            for message in self._channel:
                if isinstance(message, protocol.Ping):
                    self._channel.send(protocol.Pong(message.number, peak_memory()))
                elif isinstance(message, protocol.Cancel):
                    self._cancelled = message.id
                elif isinstance(message, protocol.Drop):
                    here = {pair for pair in self._dropped if pair[0] == message.id}
                    self._dropped = frozenset({*here, (message.id, message.index)})
                elif isinstance(message, _Order):
                    self._orders.put(message)
                else:
                    break
        except (ProtocolError, OSError) as error:
            _log.error("the pipe broke: %s", type(error).__name__)
            code = 1
        finally:
            os._exit(code)


def _private_pipe() -> Channel:
    """Take over standard input and output; from now on they lead nowhere and to standard error."""
    incoming, outgoing = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    os.dup2(2, 1)
    return Channel(incoming, outgoing)


def _crash_file(folder: Path) -> IO[str] | None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / process.crash_name(os.getpid())).open("w", encoding="utf-8")
    except OSError:
        faulthandler.enable()
        return None
    faulthandler.enable(file)
    return file


def main() -> None:
    """Set the process up, say hello, and serve. Arguments: folder of logs, folder of crash reports, parent's id."""
    channel = _private_pipe()
    logs, crash_folder, parent = sys.argv[1:]
    process.settle(int(parent))
    channel.send(protocol.Hello(protocol.VERSION, os.getpid()))
    crash = _crash_file(Path(crash_folder))

    from edgellm import isolation, log
    from edgellm.paths import Paths

    log.setup(Paths.under(Path(logs), Path(logs), Path(logs)), name="engine")
    isolation.forbid_outgoing()
    try:
        Host(channel).run()
    except OSError:
        sys.exit(1)  # the pipe closed while something was being sent
    finally:
        if crash is not None:
            crash.flush()


if __name__ == "__main__":
    main()
