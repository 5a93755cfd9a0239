"""Why an engine process ended, as a sentence and a hint. What to do about it is left to the supervisor."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from edgellm.errors import EngineError

Doing = Literal["starting", "loading", "testing", "generating", "waiting"]
Killed = Literal["", "closed", "cancelled", "silent", "stopped", "stuck", "slow", "garbage"]
Kind = Literal["crash", "memory", "silent", "garbage", "stuck", "ended", "closed"]

_MEMORY_WORDS = ("out of memory", "bad_alloc", "memoryerror", "failed to allocate", "cannot allocate memory", "enomem")
_WINDOWS = MappingProxyType(
    {
        0xC0000005: signal.SIGSEGV,
        0xC000001D: signal.SIGILL,
        0xC0000094: signal.SIGFPE,
        0xC0000409: signal.SIGABRT,
    }
)
_WINDOWS_NO_MEMORY = (0xC0000017, 0xC000012D)


def _causes() -> Mapping[int, str]:
    causes: dict[int, str] = {
        signal.SIGSEGV: "the model library touched memory that is not its own",
        signal.SIGABRT: "the model library gave up",
        signal.SIGILL: "the model library used an instruction that this processor does not have",
        signal.SIGFPE: "the model library made an impossible calculation",
    }
    if sys.platform != "win32":
        causes[signal.SIGBUS] = "the model file could not be read any more"
    return MappingProxyType(causes)


_CAUSES = _causes()
_WHILE: Mapping[Doing, str] = MappingProxyType(
    {
        "starting": "while starting",
        "loading": "while loading",
        "testing": "at its first token",
        "generating": "while answering",
        "waiting": "while waiting",
    }
)


@dataclass(frozen=True, slots=True)
class Exit:
    """What is known of an end: the exit status as `subprocess` gives it, what it was doing, who killed it and why,
    the last it wrote to standard error, whether the kernel killed for memory or memory was nearly used up."""

    code: int | None
    doing: Doing
    killed: Killed = ""
    stderr: str = ""
    memory_short: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """Why it ended: `kind` for the supervisor, `sentence` and `hint` for a person."""

    kind: Kind
    sentence: str
    hint: str = ""

    @property
    def counts(self) -> bool:
        """Whether the model or its placement is to blame, so that another way should be tried."""
        return self.kind in ("crash", "memory", "silent", "garbage")


class EngineEnded(EngineError):
    """The engine process is gone; `outcome` says why."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.sentence, outcome.hint)
        self.outcome = outcome


def explain(end: Exit) -> Outcome:
    """The outcome of an end."""
    during = _WHILE[end.doing]
    if end.killed in ("closed", "cancelled"):
        return Outcome("closed", "The engine was closed.", "Load a model to start it again.")
    if end.killed == "silent":
        return Outcome("silent", f"The engine stopped answering {during}.", "Try again: it starts by itself.")
    if end.killed == "stopped":
        hint = "Try again: it starts by itself."
        return Outcome("ended", f"The engine stopped answering {during}: it was halted from outside.", hint)
    if end.killed == "stuck":
        return Outcome("stuck", "The engine did not stop when it was asked to.", "Try again: it starts by itself.")
    if end.killed == "slow":
        return Outcome("silent", f"The engine took too long {during}.", "Try a smaller model or a smaller context.")
    if end.killed == "garbage":
        return Outcome("garbage", f"The engine stopped: it sent garbage {during}.", "Try again, or load the model.")
    if _no_memory(end):
        hint = "Try a 2k context." if end.doing in ("loading", "testing") else "Try a smaller context."
        return Outcome("memory", f"The engine stopped: out of memory {during}.", hint)
    return _by_status(end, during)


def _no_memory(end: Exit) -> bool:
    if end.code is not None and end.code & 0xFFFFFFFF in _WINDOWS_NO_MEMORY:
        return True
    if end.code is not None and end.code == -getattr(signal, "SIGKILL", 9) and end.memory_short:
        return True
    text = end.stderr.lower()
    return end.code != 0 and any(word in text for word in _MEMORY_WORDS)


def _by_status(end: Exit, during: str) -> Outcome:
    code = end.code or 0
    number = _WINDOWS.get(code & 0xFFFFFFFF, max(-code, 0))
    cause = _CAUSES.get(number, "")
    if cause:
        name = signal.Signals(number).name
        hint = "Load the model again; if it happens again, download its file again or choose another."
        return Outcome("crash", f"The engine stopped {during}: {cause} ({name}).", hint)
    if number and not cause:
        try:
            name = signal.Signals(number).name
        except ValueError:
            name = f"signal {number}"
        return Outcome("ended", f"The engine was ended from outside {during} ({name}).", "Try again.")
    if end.doing == "starting":
        return Outcome("crash", "The engine could not start.", _last_line(end.stderr) or "Install EdgeLLM again.")
    hint = _last_line(end.stderr) or "Load the model again."
    return Outcome("crash", f"The engine stopped {during}, with status {code}.", hint)


def _last_line(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return f"It said: {lines[-1][:160]}" if lines else ""
