"""A scripted runtime that ships with the program: it answers from a JSON file and misbehaves on order.

For what cannot be provoked with a real model: a process that aborts, hangs, writes into the wrong file, runs out of
memory. A script is a file whose name ends in `.fake.json`; every key may be left out:

    {"name": "fake", "context": 4096, "load_seconds": 0, "seconds_per_token": 0, "repeat": 1,
     "reply": "text for everything else", "replies": {"part of the last message": "its answer"},
     "faults": [{"at": "load" or "generate", "after": 3, "kind": "abort", "when": {"repack": true},
                 "prompt": "part of the last message", "once": true, "error": "ModelDamaged"}]}

Without a reply the last message is repeated. A token is a word with the space before it. A fault strikes after so many
tokens, where every field of `when` is the placement's, and with `once` only in the first process that gets there.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import socket
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from types import MappingProxyType
from typing import Any

from edgellm import errors
from edgellm.errors import ContextOverflow, EdgeError, ModelDamaged, ModelNotFound
from edgellm.models.store import SCRIPT
from edgellm.runtimes.base import (
    Cancelled,
    Chunk,
    Event,
    Finish,
    FinishReason,
    Message,
    ModelInfo,
    Placement,
    Request,
    never,
)

_TOKEN = re.compile(r"\s*\S+|\s+$")


def tokens(text: str) -> list[str]:
    """The tokens of a text: its words, each with the space before it."""
    return _TOKEN.findall(text)


class FakeRuntime:
    """Implements `Runtime` by reading a script."""

    def __init__(self, path: Path, script: Mapping[str, Any], placement: Placement) -> None:
        self._path = path
        self._script = script
        self._placement = placement
        self._cached: tuple[str, ...] = ()
        self._misbehave("load", 0, "")
        time.sleep(float(script.get("load_seconds", 0)))

    @classmethod
    def load(cls, path: Path, placement: Placement) -> FakeRuntime:
        """Read the script at `path`. Raises `ModelNotFound`, `ModelDamaged`, or what the script says."""
        try:
            script = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ModelNotFound(f"There is no file {path.name}.", "Run: edgellm models") from error
        except (OSError, ValueError, RecursionError) as error:
            raise ModelDamaged(f"{path.name} is no script of a fake model.", "Write it as JSON.") from error
        if not isinstance(script, dict):
            raise ModelDamaged(f"{path.name} is no script of a fake model.", "Write it as a JSON object.")
        return cls(path, script, placement)

    @property
    def info(self) -> ModelInfo:
        """The model that the script describes."""
        context = int(self._script.get("context", self._placement.context))
        return ModelInfo(
            name=str(self._script.get("name", self._path.name.removesuffix(SCRIPT))),
            architecture="fake",
            parameters=0,
            quantization="none",
            context=context,
            trained_context=context,
            vocabulary=0,
        )

    def count(self, messages: tuple[Message, ...]) -> int:
        """Words of all messages."""
        return sum(len(tokens(message.content)) for message in messages)

    def generate(self, request: Request, cancelled: Cancelled = never) -> Iterator[Event]:
        """Stream the scripted reply word by word."""
        started = time.perf_counter()
        prompt = tuple(word for message in request.messages for word in tokens(message.content))
        if len(prompt) >= self.info.context:
            raise ContextOverflow(len(prompt), self.info.context)
        common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(prompt, self._cached, strict=False)))
        asked = request.messages[-1].content if request.messages else ""
        reason, made, truncated = "stop", 0, False
        words = self._reply(asked, request)
        limit = min(request.max_tokens or self.info.context, self.info.context - len(prompt))
        pause = float(self._script.get("seconds_per_token", 0))
        first = 0.0
        for word in words:
            if cancelled():
                reason = "cancelled"
                break
            if made >= limit:
                reason, truncated = "length", True
                break
            self._misbehave("generate", made, asked)
            if pause:
                time.sleep(pause)
            first = first or time.perf_counter() - started
            made += 1
            yield Chunk(word)
        else:
            self._misbehave("generate", made, asked)
        self._cached = prompt
        yield self._finish(reason, (len(prompt), common, made), (started, first), truncated)

    def close(self) -> None:
        """Nothing to free."""

    def _reply(self, asked: str, request: Request) -> list[str]:
        replies = self._script.get("replies", {})
        found = next((answer for part, answer in replies.items() if part in asked), None)
        text = str(self._script.get("reply", asked) if found is None else found)
        text *= int(self._script.get("repeat", 1))
        ends = [at for stop in request.stop if stop and (at := text.find(stop)) >= 0]
        return tokens(text[: min(ends)] if ends else text)

    def _finish(
        self, reason: FinishReason | str, counts: tuple[int, int, int], times: tuple[float, float], truncated: bool
    ) -> Finish:
        seconds, first = time.perf_counter() - times[0], times[1]
        kind: FinishReason = "cancelled" if reason == "cancelled" else "length" if reason == "length" else "stop"
        decode = max(seconds - first, 1e-9)
        return Finish(kind, *counts, seconds, counts[2] / decode, self._placement.device, 0, truncated, first)

    def _misbehave(self, at: str, after: int, asked: str) -> None:
        for number, fault in enumerate(self._script.get("faults", ())):
            here = fault.get("at", "generate") == at and int(fault.get("after", 0)) == after
            placed = all(getattr(self._placement, key) == value for key, value in fault.get("when", {}).items())
            if here and placed and fault.get("prompt", "") in asked and self._due(number, fault):
                _FAULTS[fault["kind"]](fault)

    def _due(self, number: int, fault: Mapping[str, Any]) -> bool:
        if not fault.get("once"):
            return True
        mark = self._path.with_name(f"{self._path.name}.{number}.done")
        if mark.exists():
            return False
        mark.touch()
        return True


def _raise(fault: Mapping[str, Any]) -> None:
    kind = getattr(errors, str(fault.get("error")), EdgeError)
    if kind is ContextOverflow:
        raise ContextOverflow(9_000, 4_096)
    raise kind("The script asked for this error.", "Change the script.")


def _memory(_fault: Mapping[str, Any]) -> None:
    raise MemoryError


def _bug(_fault: Mapping[str, Any]) -> None:
    raise ZeroDivisionError("a bug that the script asked for")


def _say_no_memory(_fault: Mapping[str, Any]) -> None:
    os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
    os.abort()


def _hang(_fault: Mapping[str, Any]) -> None:
    while True:
        time.sleep(1)


def _busy(_fault: Mapping[str, Any]) -> None:
    """Native code that does not come back, with the interpreter free to run other threads."""
    ctypes.CDLL(None).sleep(3600)


def _deaf(_fault: Mapping[str, Any]) -> None:
    """Native code that does not come back and holds the interpreter."""
    ctypes.PyDLL(None).sleep(3600)


def _network(_fault: Mapping[str, Any]) -> None:
    """Try to reach an address that is reserved for documentation."""
    socket.create_connection(("192.0.2.1", 9), 1.0).close()


def _chatter(_fault: Mapping[str, Any]) -> None:
    os.write(1, b"a native library says hello on standard output\n" * 3)
    sys.stdout.write("and so does Python\n")
    sys.stdout.flush()


def _garbage(_fault: Mapping[str, Any]) -> None:
    """Write into every pipe this process can write to, as a library with a wrong descriptor would."""
    for descriptor in range(3, 64):
        try:
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                os.write(descriptor, b"\x00\x00\x00\x08garbage!")
        except OSError:
            continue
    time.sleep(60)


_FAULTS: Mapping[str, Callable[[Mapping[str, Any]], None]] = MappingProxyType(
    {
        "abort": lambda _fault: os.abort(),
        "segfault": lambda _fault: os.kill(os.getpid(), signal.SIGSEGV),
        "illegal": lambda _fault: os.kill(os.getpid(), signal.SIGILL),
        "kill": lambda _fault: os.kill(os.getpid(), signal.SIGKILL),
        "exit": lambda fault: os._exit(int(fault.get("code", 1))),
        "stop": lambda _fault: os.kill(os.getpid(), signal.SIGSTOP),
        "leave": lambda _fault: sys.exit(3),
        "hang": _hang,
        "busy": _busy,
        "deaf": _deaf,
        "garbage": _garbage,
        "chatter": _chatter,
        "network": _network,
        "memory": _memory,
        "no memory": _say_no_memory,
        "bug": _bug,
        "error": _raise,
    }
)
