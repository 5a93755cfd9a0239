"""How well the speed of a model is foretold: from the self-test alone, and after one real run of another model.

Run: python -m benchmarks.prediction [--shapes 0.1b 0.3b 0.6b] [--runs 3]

In a folder of its own: the self-test, then a prediction for each random-weight model; one run of the first model
through the engine, then new predictions for the others; then several runs of each, whose median is the truth.

The self-test foretells a quiet computer, and a run one that is as busy as it was then. What other programs spoil in
this way is shown, but not judged. The last line is `RESULT` and one JSON object: figures, targets, verdicts.
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

from benchmarks import random_model
from edgellm.engine import selftest
from edgellm.engine.recorder import Recorder
from edgellm.engine.supervisor import Engine
from edgellm.hardware import probe
from edgellm.hardware.measure import busy_share
from edgellm.models.gguf import read_header
from edgellm.paths import from_environment
from edgellm.runtimes import build, speed_file
from edgellm.runtimes.advice import Here, advise_file
from edgellm.runtimes.base import Message, Request, Sampling
from edgellm.runtimes.speed import machine_name
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
        self._engine = Engine(self.bench.paths, self.bench.plan, on_finish=Recorder(self.bench.paths.machine))
        self._asked = 0

    def foretell(self, shape: str, path: Path) -> Forecast:
        """What the advice says now."""
        speeds = speed_file.load(self.bench.paths.machine, self._machine)
        here = Here(self.bench.hardware, self.bench.settings, self.bench.build, speeds)
        found = advise_file(path, here).speed
        return Forecast(shape, found.basis if found else "none", found.tokens_per_second if found else 0.0)

    def run(self, path: Path, count: int) -> None:
        """Answers to questions that begin differently each time."""
        self._engine.load(path, asked=True)
        for _ in range(count):
            self._asked += 1
            message = Message("user", f"{self._asked} {_QUESTION * 4}")
            sampling = Sampling(temperature=0.8, seed=self._asked)
            for _event in self._engine.generate(Request((message,), sampling, max_tokens=TOKENS)):
                continue

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


def measure(shapes: list[str], runs: int) -> tuple[list[Forecast], dict[str, float], dict[str, Any]]:
    """Every prediction, what each model then did, and the figures of the self-test."""
    files = {shape: random_model.build(shape) for shape in shapes}
    desk = Desk()
    try:
        test = selftest.run(desk.bench, lambda step, done: say(f"  {done:4.0%} {step}"), lambda: False)
        assert test is not None
        forecasts = [desk.foretell(shape, path) for shape, path in files.items()]
        desk.run(files[shapes[0]], 1)
        forecasts += [desk.foretell(shape, path) for shape, path in files.items()]
        for path in files.values():
            desk.run(path, runs)
        truth = {shape: desk.measured(path) for shape, path in files.items()}
        say(f"{desk.accuracy()}.")
    finally:
        desk.close()
    busy_after = busy_share()
    figures = {name: round(getattr(test, name), 3) for name in ("bandwidth", "compute", "decode", "prefill", "busy")}
    figures["busy_after"] = round(busy_after, 3)
    return forecasts, truth, figures


def judge(forecasts: list[Forecast], truth: dict[str, float], busy: tuple[float, float]) -> list[dict[str, Any]]:
    """Each prediction beside what was measured; `met` is None where other programs spoil the comparison.

    `busy` is the share of the processor that they had before and after.
    """
    rows = []
    for one in forecasts:
        off = max(one.speed / truth[one.shape], truth[one.shape] / one.speed) if one.speed else float("inf")
        bound = FACTORS.get(one.basis, 1.0)
        spoiled = max(busy) >= BUSY if one.basis == "test" else abs(busy[0] - busy[1]) >= BUSY
        met = None if spoiled and off > bound else off <= bound
        row = {"shape": one.shape, "basis": one.basis, "predicted": round(one.speed, 2)}
        rows.append(
            row | {"measured": round(truth[one.shape], 2), "times_off": round(off, 3), "bound": bound, "met": met}
        )
    return rows


def main() -> int:
    """Foretell, measure, judge; the exit status is 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="benchmarks.prediction", description=__doc__.split("\n")[0])
    parser.add_argument("--shapes", nargs="+", default=["0.3b", "0.1b", "0.6b"], choices=sorted(random_model.SHAPES))
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EDGELLM_HOME"] = folder
        forecasts, truth, test = measure(arguments.shapes, arguments.runs)
    rows = judge(forecasts, truth, (test["busy"], test["busy_after"]))
    words = {True: "met", False: "MISSED", None: "not judged, other programs are busy"}
    for row in rows:
        verdict = words[row["met"]]
        say(
            f"{verdict}: {row['shape']} from {row['basis']}: {row['predicted']} tokens/s foretold, {row['measured']} "
            f"measured, {row['times_off']} times off (at most {row['bound']})"
        )
    sizes = {shape: read_header(random_model.build(shape)).tensor_bytes for shape in arguments.shapes}
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    result = {"benchmark": "prediction", "self_test": test, "bytes": sizes, "load": load, "verdicts": rows}
    say("RESULT " + json.dumps(result))
    return 1 if any(row["met"] is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
