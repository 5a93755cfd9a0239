"""Reads files in a child process with memory and time limits: whatever a file does, this process goes on.

One child serves many files; it is started when the first comes, and again after a file that ended it.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from typing import Any

from edgellm import errors, paths, settings
from edgellm.documents import child
from edgellm.documents.document import Document
from edgellm.documents.source import MIB, Limits, check
from edgellm.errors import (
    DocumentCrashed,
    DocumentDamaged,
    DocumentEmpty,
    DocumentEncrypted,
    DocumentError,
    DocumentMissing,
    DocumentTimeout,
    DocumentTooLarge,
    DocumentUnsupported,
)
from edgellm.runtimes.base import never

_TICK = 0.1
_LONGEST_TICK = 1.0  # more has passed only when this process itself stood still: that is not the file's fault
_LAST_WORDS = 10.0
_PASSED = (
    "PATH",
    "PYTHON",
    "LANG",
    "LC_",
    "LD_LIBRARY",
    "DYLD_",
    "SYSTEMROOT",
    "WINDIR",
    "TEMP",
    "TMP",
    "TESSDATA_PREFIX",
)
_KINDS: dict[str, type[DocumentError]] = {
    kind.__name__: kind
    for kind in (
        DocumentMissing,
        DocumentEmpty,
        DocumentEncrypted,
        DocumentDamaged,
        DocumentUnsupported,
        DocumentTooLarge,
    )
}
_SKIP = "The other files are not affected."


def load(path: Path, limits: Limits | None = None, cancelled: Callable[[], bool] = never) -> Document:
    """One file, in a process of its own. For many files keep a `Loader`. Raises what `Loader.load` raises."""
    with Loader(limits) as loader:
        return loader.load(path, cancelled)


def usual_limits() -> Limits:
    """What reading may cost where nobody says otherwise, as the person's settings have it."""
    return Limits(ocr=settings.load(paths.from_environment().settings)[0].ocr)


class Loader:
    """Reads one file after the other in a child process. For one thread; close it, or use it with `with`."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or usual_limits()
        self._child: subprocess.Popen[bytes] | None = None
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._listener: threading.Thread | None = None

    def __enter__(self) -> Loader:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def load(self, path: Path, cancelled: Callable[[], bool] = never) -> Document:
        """The document in a file.

        Raises a `DocumentError` that names the file and the reason, and `Stopped` soon after `cancelled` says so.
        """
        return child.unflat(path, self.ask("read", path, (), cancelled)[1:])

    def ask(self, verb: str, path: Path, more: tuple[Any, ...], cancelled: Callable[[], bool]) -> list[Any]:
        """What the child answers to one of its verbs, when that is no error. Raises what `load` raises."""
        check(path, self._limits)
        match self._ask((verb, os.fsencode(path.absolute()), astuple(self._limits), *more), path, cancelled):
            case ["error", kind, reason, hint]:
                raise _KINDS[kind](path.name, reason, hint)
            case ["memory"]:
                self.close()
                raise self._too_much(path)
            case ["crash", kind]:
                raise DocumentDamaged(path.name, f"the file is damaged ({kind})", "Get the file again, or repair it.")
            case [*answer]:
                return answer
            case _:
                raise DocumentCrashed(path.name, f"reading it ended with {self._end()}", _SKIP)

    def close(self) -> None:
        """End the child, and what it has started. Safe to call twice."""
        if self._child is None:
            return
        _end_all(self._child)
        if self._listener is not None:
            self._listener.join()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()
        self._child = None

    def _ask(self, order: tuple[Any, ...], path: Path, cancelled: Callable[[], bool]) -> Any:
        try:
            process = self._child if self._child is not None and self._child.poll() is None else self._start()
        except OSError as error:
            reason = f"the process that reads files cannot be started ({error.strerror})"
            raise DocumentCrashed(path.name, reason, "Close other programs, and try again.") from error
        limits, waited, before = self._limits, 0.0, time.monotonic()
        assert process.stdin is not None
        try:
            process.stdin.write(child.pack(order))
            process.stdin.flush()
        except OSError:
            return None
        while True:
            try:
                return self._answers.get(timeout=_TICK)
            except queue.Empty:
                pass
            if cancelled():
                self.close()
                raise errors.Stopped()
            now = time.monotonic()
            waited, before = waited + min(now - before, _LONGEST_TICK), now
            if waited > limits.seconds:
                self.close()
                reason = f"reading it took longer than {limits.seconds:g} seconds"
                raise DocumentTimeout(path.name, reason, "Split it into smaller files.")
            if _resident(process.pid) > limits.memory:
                self.close()
                raise self._too_much(path)

    def _start(self) -> subprocess.Popen[bytes]:
        self.close()
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", child.__name__, str(self._limits.memory), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            start_new_session=True,  # a group of its own, which ends with it
        )
        self._answers = queue.SimpleQueue()
        parts = (self._child, self._answers)
        self._listener = threading.Thread(target=_listen, args=parts, name="documents", daemon=True)
        self._listener.start()
        return self._child

    def _end(self) -> str:
        try:
            code = self._child.wait(_LAST_WORDS) if self._child is not None else 0
        except subprocess.TimeoutExpired:
            code = 0
        self.close()
        return f"signal {-code}" if code < 0 else f"status {code}"

    def _too_much(self, path: Path) -> DocumentTooLarge:
        reason = f"reading it needs more than {self._limits.memory // MIB} MiB of memory"
        return DocumentTooLarge(path.name, reason, "Split it into smaller files.")


def _end_all(process: subprocess.Popen[bytes]) -> None:
    """Kill the child with its group, or what is known of it: the program that reads pictures may be at work."""
    if sys.platform == "win32":
        import psutil

        with suppress(psutil.Error):
            for one in psutil.Process(process.pid).children(recursive=True):
                one.kill()
    else:
        with suppress(ProcessLookupError, PermissionError):  # all of it has ended
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _listen(process: subprocess.Popen[bytes], answers: queue.SimpleQueue[Any]) -> None:
    """Runs in a thread for as long as the child speaks; None says that it ended."""
    assert process.stdout is not None
    answer: Any = True
    while answer is not None:
        try:
            answer = child.receive(process.stdout)
        except (OSError, ValueError):
            answer = None  # closed from this side, or no message
        answers.put(answer)


def _resident(pid: int) -> int:
    """Bytes of memory that a process holds: the limit where the system enforces none itself."""
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _environment() -> dict[str, str]:
    """Only what Python needs to start, so that a file finds no token there; this package is found again."""
    package = Path(__file__).resolve().parents[2]
    inner = {name: value for name, value in os.environ.items() if name.upper().startswith(_PASSED)}
    if package.name not in ("site-packages", "dist-packages"):
        inner["PYTHONPATH"] = os.pathsep.join(filter(None, (str(package), inner.get("PYTHONPATH", ""))))
    return inner
