"""What happened on this machine before: which way of running a model works here, which crashed, which model is marked.

Kept in `machine.toml`, under `engine`; other tables of that file are left as they are. A fact holds for one model
file, one machine and one build of the model library: when any of them changes it is forgotten. Running out of memory
is not kept, because it depends on what else was running. A broken file counts as empty.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from edgellm.hardware import machine_file
from edgellm.runtimes.base import Placement

_TABLE = "engine"
_MOST_FACTS = 100
_MARK_SECONDS = 7 * 24 * 3600
Result = Literal["proven", "crashed", "marked"]


def model_key(path: Path) -> str:
    """Which file this is: name, size and time of its last change. Empty when it cannot be seen."""
    try:
        info = path.stat()
    except OSError:
        return ""
    name = os.fsencode(path.name).decode("utf-8", "backslashreplace")  # the file system's bytes may be no characters
    return f"{name}:{info.st_size}:{info.st_mtime_ns}"


def placement_key(placement: Placement) -> str:
    """The parts of a placement that decide which native code runs; sizes and thread counts do not."""
    parts = (
        placement.runtime,
        placement.device,
        f"{placement.gpu_layers} layers" if placement.gpu_layers else "",
        placement.cpu_variant,
        "" if placement.repack else "no repack",
        "" if placement.kv_type == "f16" else placement.kv_type,
        placement.precision,
        "" if placement.flash else "no flash",
    )
    return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that was seen. `placement` is empty for a mark; `time` is Unix seconds."""

    model: str
    machine: str
    placement: str
    result: Result
    what: str
    time: int


class Memory:
    """Reads and writes the facts. `machine` names this machine and build; facts of another are dropped."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock

    def crashed(self, model: str, machine: str) -> Mapping[str, str]:
        """Placement keys that crashed, and how."""
        return {fact.placement: fact.what for fact in self._facts(model, machine) if fact.result == "crashed"}

    def proven(self, model: str, machine: str) -> frozenset[str]:
        """Placement keys that have answered at least once."""
        return frozenset(fact.placement for fact in self._facts(model, machine) if fact.result == "proven")

    def marked(self, model: str, machine: str) -> str:
        """Why the model must not be loaded unasked, or an empty text."""
        since = self._clock() - _MARK_SECONDS
        marks = [fact.what for fact in self._facts(model, machine) if fact.result == "marked" and fact.time > since]
        return marks[-1] if marks else ""

    def note(self, model: str, machine: str, placement: str, result: Result, what: str = "") -> None:
        """Remember; a later fact replaces an earlier one about the same placement. A full disk is no reason to fail."""
        new = Fact(model, machine, placement, result, what[:300], int(self._clock()))
        kept = [fact for fact in self._read() if (fact.model, fact.placement) != (model, placement)]
        kept = [fact for fact in kept if fact.machine == machine]
        self._write([*kept[-_MOST_FACTS + 1 :], new])

    def unmark(self, model: str) -> None:
        """The person asked for this model again."""
        facts = self._read()
        kept = [fact for fact in facts if fact.model != model or fact.result != "marked"]
        if len(kept) < len(facts):
            self._write(kept)

    def _facts(self, model: str, machine: str) -> list[Fact]:
        return [fact for fact in self._read() if (fact.model, fact.machine) == (model, machine)]

    def _read(self) -> list[Fact]:
        entries = machine_file.read(self._path, _TABLE).get("fact")
        return [fact for entry in entries if (fact := _fact(entry))] if isinstance(entries, list) else []

    def _write(self, facts: list[Fact]) -> None:
        rows = [{name: getattr(fact, name) for name in Fact.__slots__} for fact in facts]
        machine_file.update(self._path, _TABLE, lambda _old: {"fact": rows})


def _fact(entry: Any) -> Fact | None:
    blank = Fact("", "", "", "proven", "", 0)
    if not isinstance(entry, dict) or entry.get("result") not in ("proven", "crashed", "marked"):
        return None
    values: dict[str, Any] = {name: entry.get(name) for name in Fact.__slots__}
    if any(type(value) is not type(getattr(blank, name)) for name, value in values.items()):
        return None
    return replace(blank, **values)
