"""The engine process itself, held from outside: its pipes, its end, and nothing left of it afterwards.

Three threads serve it: one starts the process and reads its messages until it is gone, one writes (a stopped engine
must not block the program), one keeps the last lines of its standard error. The reader starts the process because on
Linux a child that asked to die with its parent dies with the thread that started it.
"""

from __future__ import annotations

import logging
import os
import queue
import subprocess
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path

from edgellm.engine import process, protocol
from edgellm.engine.channel import Channel
from edgellm.engine.outcome import Killed
from edgellm.engine.wire import ProtocolError

_log = logging.getLogger(__name__)
_TAIL = 4_000


class Child:
    """One process. Every method and attribute is for any thread.

    `inbox` holds its messages and a None after the last. `heard` counts them, pongs included.
    """

    def __init__(self, logs: Path, crash: Path) -> None:
        self.inbox: queue.SimpleQueue[protocol.Envelope | None] = queue.SimpleQueue()
        self.pid: int | None = None
        self.code: int | None = None
        self.killed: Killed = ""
        self.heard = 0
        self.peak_memory = 0
        self.gone = threading.Event()
        self._command = process.command(logs, crash)
        self._crash = crash
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._stderr: deque[bytes] = deque(maxlen=16)
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="engine-client", daemon=True)
        self._thread.start()

    @property
    def stderr(self) -> str:
        """The last it wrote to standard error."""
        return b"".join(self._stderr).decode("utf-8", "replace")[-_TAIL:]

    def send(self, message: protocol.Envelope) -> None:
        """Queue a message. Raises `ProtocolError` for one that cannot travel; a dead process takes it silently."""
        self._outbox.put(protocol.encode(message))

    def kill(self, why: Killed) -> None:
        """End the process at once; the first reason given stays."""
        with self._lock:
            self.killed = self.killed or why
            if self._process is not None:
                self._process.kill()

    def close(self, seconds: float) -> None:
        """Ask it to end, kill it after `seconds`, and wait until it, its pipes and its threads are gone."""
        if not self.gone.is_set() and not self.killed:
            self.killed = "closed"
            self.send(protocol.Shutdown())
            self.gone.wait(seconds)
        self.kill("closed")
        self._thread.join(seconds + 4.0)

    def _run(self) -> None:
        """The life of the process."""
        try:
            child = self._start()
        except OSError as error:
            self._stderr.append(str(error.strerror).encode())
            self.code = 127
            self.gone.set()
            self.inbox.put(None)
            return
        helpers = (
            threading.Thread(target=self._write, args=(child,), name="engine-writer", daemon=True),
            threading.Thread(target=self._listen, args=(child,), name="engine-stderr", daemon=True),
        )
        for helper in helpers:
            helper.start()
        try:
            self._read(child)
        finally:
            self._bury(child, helpers)

    def _start(self) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=process.environment(os.environ),
            bufsize=0,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        with self._lock:
            self._process, self.pid = child, child.pid
            if self.killed:
                child.kill()
        return child

    def _read(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout is not None
        try:
            for message in Channel(child.stdout.fileno(), -1):
                self.heard += 1
                if isinstance(message, protocol.Pong):
                    self.peak_memory = max(self.peak_memory, message.peak_memory)
                else:
                    self.inbox.put(message)
        except (ProtocolError, OSError) as error:
            _log.warning("the engine sent garbage: %s", error)
            self.kill("garbage")

    def _bury(self, child: subprocess.Popen[bytes], helpers: tuple[threading.Thread, ...]) -> None:
        try:
            code = child.wait(2.0)
        except subprocess.TimeoutExpired:
            self.kill("garbage")  # it closed its pipe and lives on
            code = child.wait()
        self._outbox.put(None)
        for helper in helpers:
            helper.join(2.0)
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._drop_empty_report(child.pid)
        with self._lock:
            self.code, self._process = code, None
        self.gone.set()
        self.inbox.put(None)

    def _drop_empty_report(self, pid: int) -> None:
        with suppress(OSError):
            report = self._crash / process.crash_name(pid)
            if not report.stat().st_size:
                report.unlink()

    def _write(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdin is not None
        pipe = Channel(-1, child.stdin.fileno())
        with suppress(OSError):
            while (frame := self._outbox.get()) is not None:
                pipe.write(frame)

    def _listen(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stderr is not None
        with suppress(OSError):
            while data := os.read(child.stderr.fileno(), _TAIL):
                self._stderr.append(data)
