"""How well the speed of a model is foretold: from the self-test alone, and after one real run of another model.

Run: python -m benchmarks.prediction [--shapes 0.1b 0.3b 0.6b | --onnx] [--runs 3]

In a folder of its own: the self-test, then a prediction for each random-weight model; one run of the first model
through the engine, then new predictions for the others; then several runs of each, whose median is the truth.

What is foretold is a quiet computer: a miss beside other busy programs is shown, but not judged. The last line is
`RESULT` and one JSON object: figures, targets, verdicts.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks import random_model, random_translator
from edgellm.engine import selftest
from edgellm.engine.recorder import Recorder
from edgellm.engine.status import Plan
from edgellm.engine.supervisor import Engine
from edgellm.hardware import probe
from edgellm.models.gguf import read_header
from edgellm.paths import from_environment
from edgellm.runtimes import build, folder_facts, plans, speed_file
from edgellm.runtimes.advice import Here, advise_file
from edgellm.runtimes.base import Message, Placement, Request, Sampling
from edgellm.runtimes.plans import Situation
from edgellm.runtimes.speed import SelfTest, machine_name
from edgellm.runtimes.speed_report import BUSY
from edgellm.settings import Settings

# How many times too fast or too slow a prediction may be, by what it rests on
FACTORS = {"test": 2.0, "scaled": 1.5, "measured": 1.25}
TOKENS = 64
_QUESTION = "Tell me about the weather, the market, the station and the house in the village. "


def say(text: str) -> None:
    """A line for the person who watches."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Neighbors:
    """The share of the processor that programs other than this one and its engine have."""

    def __init__(self, pid: int | None) -> None:
        self._ours = [psutil.Process(), *([psutil.Process(pid)] if pid is not None else [])]
        self._before = self._seconds()

    def share(self) -> float:
        """Since the start."""
        ours, busy, total = (now - then for now, then in zip(self._seconds(), self._before, strict=True))
        return min(max((busy - ours) / max(total, 1e-9), 0.0), 1.0)

    def _seconds(self) -> tuple[float, float, float]:
        times = psutil.cpu_times()
        total = sum(times[:8]) if hasattr(times, "steal") else sum(times)
        ours = sum(sum(process.cpu_times()[:2]) for process in self._ours)
        return ours, total - times.idle - getattr(times, "iowait", 0.0), total


@dataclass(frozen=True, slots=True)
class Forecast:
    """A prediction for one model: tokens per second, and what it rests on."""

    shape: str
    basis: str
    speed: float


class Desk:
    """An engine that records into a folder of its own, and the advice that comes of it."""

    def __init__(self) -> None:
        library = build.inspect()
        hardware = probe.probe(library.library_dir)
        self.bench = selftest.Bench(from_environment(), hardware, Settings(), library)
        self._machine = machine_name(hardware, library)
        self._engine = Engine(self.bench.paths, self._plan, on_finish=Recorder(self.bench.paths.machine))
        self._asked = 0

    def _plan(self, path: Path, anyway: bool) -> Plan:
        found = plans.ways(path, Situation(self.bench.hardware, self.bench.settings, anyway))
        return Plan(found.rungs, found.machine)

    def foretell(self, shape: str, path: Path) -> Forecast:
        """What the advice says now."""
        speeds = speed_file.load(self.bench.paths.machine, self._machine)
        here = Here(self.bench.hardware, self.bench.settings, self.bench.build, speeds)
        found = advise_file(path, here).speed
        return Forecast(shape, found.basis if found else "none", found.tokens_per_second if found else 0.0)

    def run(self, path: Path, count: int) -> float:
        """Answers to questions that begin differently each time; the share that other programs had meanwhile."""
        self._engine.load(path, asked=True)
        neighbors = Neighbors(self._engine.status().pid)
        for _ in range(count):
            self._asked += 1
            message = Message("user", f"{self._asked} {_QUESTION * 4}")
            sampling = Sampling(temperature=0.8, seed=self._asked)
            for _event in self._engine.generate(Request((message,), sampling, max_tokens=TOKENS)):
                continue
        return neighbors.share()

    def measured(self, path: Path) -> float:
        """The median of a model's runs."""
        name = path.name
        models = speed_file.load(self.bench.paths.machine, self._machine).models
        return next(one.tokens_per_second for one in models if one.key.startswith(f"{name}:"))

    def accuracy(self) -> str:
        """What the program would say of its predictions."""
        return str(speed_file.load(self.bench.paths.machine, self._machine).accuracy() or "no prediction yet")

    def close(self) -> None:
        """End the engine."""
        self._engine.close()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it all: predictions, the truth and how busy other programs were in it, by model, the self-test."""

    forecasts: list[Forecast]
    truth: dict[str, float]
    busy: dict[str, float]
    busy_first: float
    test: SelfTest
    accuracy: str


def measure(files: dict[str, Path], runs: int) -> Outcome:
    """Foretell, run the first model once, foretell again, and run them all."""
    desk = Desk()
    try:
        test = selftest.run(desk.bench, lambda step, done: say(f"  {done:4.0%} {step}"), lambda: False)
        assert test is not None
        forecasts = [desk.foretell(shape, path) for shape, path in files.items()]
        first = desk.run(next(iter(files.values())), 1)
        forecasts += [desk.foretell(shape, path) for shape, path in files.items()]
        busy = {shape: desk.run(path, runs) for shape, path in files.items()}
        truth = {shape: desk.measured(path) for shape, path in files.items()}
        return Outcome(forecasts, truth, busy, first, test, desk.accuracy())
    finally:
        desk.close()


def judge(found: Outcome) -> list[dict[str, Any]]:
    """Each prediction beside what was measured; `met` is None where other programs spoil the comparison."""
    rows = []
    for one in found.forecasts:
        truth, busy = found.truth[one.shape], found.busy[one.shape]
        off = max(one.speed / truth, truth / one.speed) if one.speed else float("inf")
        bound = FACTORS.get(one.basis, 1.0)
        spoiled = max(busy, found.busy_first) >= BUSY
        met = None if spoiled and off > bound else off <= bound
        row = {"shape": one.shape, "basis": one.basis, "predicted": round(one.speed, 2), "measured": round(truth, 2)}
        rows.append(row | {"times_off": round(off, 3), "bound": bound, "others": round(busy, 2), "met": met})
    return rows


def _bytes(path: Path) -> int:
    """Of the weights that a token reads."""
    return folder_facts.facts(path, Placement("onnx")).work.read if path.is_dir() else read_header(path).tensor_bytes


def main() -> int:
    """Foretell, measure, judge; the exit status is 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="benchmarks.prediction", description=__doc__.split("\n")[0])
    parser.add_argument("--shapes", nargs="+", default=["0.3b", "0.1b", "0.6b"], choices=sorted(random_model.SHAPES))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--onnx", action="store_true", help="Translators on ONNX Runtime, in place of GGUF models.")
    arguments = parser.parse_args()
    if arguments.onnx:
        files = {name: random_translator.build(name) for name in random_translator.NAMES}
    else:
        files = {shape: random_model.build(shape) for shape in arguments.shapes}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EDGELLM_HOME"] = folder
        found = measure(files, arguments.runs)
    say(f"{found.accuracy}.")
    rows = judge(found)
    words = {True: "met", False: "MISSED", None: "not judged, for its neighbors"}
    for row in rows:
        verdict = words[row["met"]]
        say(
            f"{verdict}: {row['shape']} from {row['basis']}: {row['predicted']} tokens/s foretold, {row['measured']} "
            f"measured, {row['times_off']} times off (at most {row['bound']}); other programs had {row['others']:.0%}"
        )
    sizes = {shape: _bytes(path) for shape, path in files.items()}
    names = ("bandwidth", "compute", "decode", "prefill", "busy")
    figures = {name: round(getattr(found.test, name), 3) for name in names}
    result = {"benchmark": "prediction", "self_test": figures, "bytes": sizes, "verdicts": rows}
    say("RESULT " + json.dumps(result))
    return 1 if any(row["met"] is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
