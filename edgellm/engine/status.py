"""What the supervisor is given and what it tells: the plan for a model, and the state of the engine."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from edgellm.runtimes.base import Choice, Finish, Placement

_log = logging.getLogger(__name__)
_MOST_STEPS = 20
State = Literal["empty", "starting", "loading", "ready", "generating", "stopped"]


@dataclass(frozen=True, slots=True)
class Plan:
    """The ways to run one model on this machine, best first, each with its reason.

    `machine` names the processor and the build of the model library: what crashed with another one does not count.
    """

    rungs: tuple[Choice[Placement], ...]
    machine: str = ""


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """How the engine stands. `reason` says why the model runs where it runs, or why it does not; `steps` is what was
    tried on the way, a sentence each; `peak_memory` is bytes."""

    state: State = "empty"
    model: str = ""
    path: Path | None = None
    device: str = ""
    reason: str = ""
    pid: int | None = None
    placement: Placement | None = None
    steps: tuple[str, ...] = ()
    peak_memory: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """An answer that came to its end: which file gave it (`model` is its key), on which machine and build, placed how,
    with which facts, and of how many words it consists. Of what only `reads` the words read count as its tokens."""

    path: Path
    model: str
    machine: str
    placement: Placement
    finish: Finish
    words: int
    reads: bool = False


class Board:
    """The status, for one thread to change and any to read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._status = EngineStatus()

    @property
    def status(self) -> EngineStatus:
        """The status now."""
        return self._status

    def set(self, **changes: Any) -> None:
        """Change fields of it."""
        with self._lock:
            self._status = replace(self._status, **changes)

    def say(self, sentence: str) -> None:
        """Add a step."""
        _log.info("%s", sentence)
        with self._lock:
            self._status = replace(self._status, steps=(*self._status.steps, sentence)[-_MOST_STEPS:])

    def clear(self) -> None:
        """Back to the beginning."""
        with self._lock:
            self._status = EngineStatus()


def device_label(placement: Placement) -> str:
    """Where a placement runs, for a person: `CPU`, `GPU (CUDA)`."""
    kind = placement.device.split(":", 1)[0]
    if kind == "cpu" or placement.gpu_layers == 0:
        return "CPU"
    return f"GPU ({ {'cuda': 'CUDA', 'metal': 'Metal', 'vulkan': 'Vulkan'}.get(kind, kind) })"


def describe(placement: Placement) -> str:
    """A placement in a few words: `CPU, haswell, no repacking, 2k context`."""
    words = [device_label(placement)]
    if words[0] != "CPU":
        words.append(f"{placement.gpu_layers} layers" if placement.gpu_layers > 0 else "all layers")
    elif placement.cpu_variant:
        words.append(placement.cpu_variant)
    if words[0] == "CPU" and not placement.repack and not placement.precision:
        words.append("no repacking")
    if placement.precision:
        words.append(placement.precision)
    size = placement.context
    words.append(f"{size // 1024}k context" if size >= 1024 else f"context of {size}")
    return ", ".join(words)
