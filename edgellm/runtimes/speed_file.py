"""The table `speed` of `machine.toml`: what was measured here, kept between runs of the program.

It holds for one processor: with another one all of it is forgotten. What a runtime did is forgotten when its version
changes; the self-test then keeps what it found of the processor. The table stays small, and what makes no sense in it
is left out.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, cast, get_args

from edgellm.hardware import machine_file
from edgellm.runtimes import versions
from edgellm.runtimes.speed import Basis, Foresee, Measured, Miss, Sample, SelfTest, Speeds, Tuned, processor_of

RUNS = 9  # of each model; their median counts
SHORTEST = 16  # tokens of an answer whose speed means something
_TABLE = "speed"
_MOST_MODELS = 40
_MOST_MISSES = 30
_MOST_TUNED = 40
_SHORTEST_PROMPT = 64
_LARGEST = 1e15
# Fields that came later, and what rows without them mean: they are of the one runtime that was recorded then
_LATER: Mapping[str, str] = MappingProxyType({"runtime": "llama", "version": "", "precision": "", "does": "writes"})
T = TypeVar("T")


def load(path: Path, machine: str) -> Speeds:
    """What is known of this machine. Never fails."""
    return _speeds(machine_file.read(path, _TABLE), machine)


def keep_test(path: Path, machine: str, test: SelfTest) -> bool:
    """Keep a self-test in place of the one before; False when it could not be written."""

    def change(old: Mapping[str, Any]) -> Mapping[str, Any]:
        return _table(replace(_speeds(old, machine), test=test))

    return machine_file.update(path, _TABLE, change)


def keep_tuned(path: Path, machine: str, tuned: Tuned) -> bool:
    """Keep the fastest settings of a model in place of those before; False when they could not be written."""

    def change(old: Mapping[str, Any]) -> Mapping[str, Any]:
        speeds = _speeds(old, machine)
        others = tuple(one for one in speeds.tuned if one.key != tuned.key)
        return _table(replace(speeds, tuned=(*others, tuned)[-_MOST_TUNED:]))

    return machine_file.update(path, _TABLE, change)


def record(path: Path, machine: str, sample: Sample, foresee: Foresee) -> bool:
    """Add a run; `foresee` says what would have been predicted before it. False when nothing was kept.

    `machine` names the processor and the build of the runtime that ran; what other runtimes did stays.

    An answer of a few tokens is over too soon for its speed to mean anything.
    """
    speed = sample.finish.tokens_per_second
    if sample.finish.new_tokens < SHORTEST or not 0 < speed < _LARGEST or not sample.key:
        return False

    def change(old: Mapping[str, Any]) -> Mapping[str, Any]:
        speeds = _speeds(old, machine if sample.way.runtime == "llama" else _same_machine(old, machine))
        miss = foresee(sample, speeds)
        misses = (*speeds.misses, *([miss] if miss else []))[-_MOST_MISSES:]
        return _table(replace(speeds, models=_with(speeds.models, sample), misses=misses))

    return machine_file.update(path, _TABLE, change)


def _same_machine(table: Mapping[str, Any], machine: str) -> str:
    """The machine of the table, where the processor is the same; else the processor alone."""
    was, processor = table.get("machine"), processor_of(machine)
    return was if isinstance(was, str) and processor_of(was) == processor else processor


def _with(models: tuple[Measured, ...], sample: Sample) -> tuple[Measured, ...]:
    """The models with one more run; the one that ran last comes last, the oldest goes."""
    fresh = Measured(sample.key, version=sample.version, **asdict(sample.way), **asdict(sample.work))
    old = next((one for one in models if (one.key, one.way) == (fresh.key, fresh.way)), fresh)
    finish, new = sample.finish, sample.finish.prompt_tokens - sample.finish.cached_tokens
    prefill = [new / finish.prefill_seconds] if new >= _SHORTEST_PROMPT and finish.prefill_seconds > 0 else []
    changed = replace(
        fresh,
        title=sample.title[:80],
        time=int(time.time()),
        decode=(*old.decode, round(finish.tokens_per_second, 3))[-RUNS:],
        prefill=(*old.prefill, *(round(value, 2) for value in prefill))[-RUNS:],
        words=(*old.words, round(sample.words / finish.new_tokens, 3))[-RUNS:],
    )
    return (*(one for one in models if one is not old), changed)[-_MOST_MODELS:]


def _table(speeds: Speeds) -> Mapping[str, Any]:
    table: dict[str, Any] = {"machine": speeds.machine}
    if speeds.test is not None:
        table["test"] = asdict(speeds.test)
    table["model"] = [_row(one) for one in speeds.models]
    table["miss"] = [_row(miss) for miss in speeds.misses]
    table["tuned"] = [asdict(one) for one in speeds.tuned]
    return table


def _row(one: Measured | Miss) -> dict[str, Any]:
    """A row as plain values; what is so in most rows is left out."""
    values = ((name, value) for name, value in asdict(one).items() if _LATER.get(name) != value)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values}


def _speeds(table: Mapping[str, Any], machine: str) -> Speeds:
    """The table as values; what makes no sense in it, and what another version of a runtime did, is left out."""
    was = table.get("machine")
    if not isinstance(was, str) or processor_of(was) != processor_of(machine):
        return Speeds(machine)
    rows = [one for one in _rows(Measured(), table.get("model")) if one.key and one.decode and one.read and one.weights]
    old = {one.runtime for one in rows if one.runtime != "llama" and one.version != versions.named(one.runtime)}
    if was != machine:
        old.add("llama")
    models = tuple(one for one in rows if one.runtime not in old)
    misses = tuple(
        miss
        for miss in _rows(Miss(), table.get("miss"))
        if miss.measured > 0 and miss.basis in get_args(Basis) and miss.runtime not in old
    )
    test = next(iter(_rows(SelfTest(), [table.get("test")])), None)
    tuned = tuple(one for one in _rows(Tuned(), table.get("tuned")) if _usable(one))
    if "llama" in old:
        test, tuned = test and replace(test, decode=0.0, prefill=0.0), ()
    return Speeds(machine, test, models[-_MOST_MODELS:], misses[-_MOST_MISSES:], tuned[-_MOST_TUNED:])


def _usable(one: Tuned) -> bool:
    return bool(one.key) and 0 < one.threads <= 1024 and 0 < one.batch <= 4096 and one.kv_type in ("f16", "q8_0")


def _rows(blank: T, entries: Any) -> list[T]:
    """Values of the kind of `blank`, of those entries that have its fields with its types and sensible numbers."""
    found: list[T] = []
    for entry in entries if isinstance(entries, list) else ():
        values = {}
        for spec in fields(cast("Any", blank)):
            given = entry.get(spec.name, _LATER.get(spec.name)) if isinstance(entry, dict) else None
            value = _sane(given, getattr(blank, spec.name))
            if value is None:
                break
            values[spec.name] = value
        else:
            found.append(type(blank)(**values))
    return found


def _sane(value: Any, like: Any) -> Any:
    """The value, when it has the type of `like` and its numbers make sense; else None."""
    if isinstance(like, tuple):
        good = isinstance(value, list) and all(_sane(item, 0.0) is not None for item in value)
        return tuple(float(item) for item in value[-RUNS:]) if good else None
    if isinstance(like, float) and type(value) in (int, float):
        return float(value) if math.isfinite(value) and 0 <= value < _LARGEST else None
    if type(value) is not type(like) or (type(value) is int and not 0 <= value < _LARGEST):
        return None
    return value
