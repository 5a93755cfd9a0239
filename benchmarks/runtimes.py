"""Speed of llama.cpp through EdgeLLM, against llama-cpp-python and other projects on the same GGUF, in one run.

Run: python -m benchmarks.runtimes [--peers PYTHON] [--rounds 5]

The peers (xllamacpp, gpt4all, openvino-genai) stay out of this environment. `--peers` names the interpreter of another:

    python -m venv peers && peers/bin/pip install xllamacpp gpt4all openvino-genai
    python -m benchmarks.runtimes --peers peers/bin/python

All sides load the same model of random weights (llama architecture, Q4_0, about 0.4B parameters), each in a process of
its own, with the same threads and context, and answer the same prompts greedily in turn. Every figure is the median of
the rounds. EdgeLLM and openvino-genai run with other settings too, to see what a gap in prefill comes from: those are
not judged.

The last line is `RESULT` and one JSON object: figures, targets, verdicts. The exit status is 1 when one is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import random_model
from benchmarks.generate import RATIO, Direct, Speed, question, run_engine, say
from benchmarks.peer_process import PEER_VARIANTS, Missing, start_peers
from edgellm.app import App
from edgellm.engine.status import Plan
from edgellm.engine.supervisor import Engine, Planner
from edgellm.engine.switch import Switch
from edgellm.paths import Paths
from edgellm.runtimes.base import Choice, Message, Placement
from edgellm.runtimes.build import inspect

EDGE, DIRECT = "EdgeLLM", "llama-cpp-python"
_SETTLE = 0.3  # seconds between two sides: the threads of the one before may still be turning
_PARTS = ("prefill", "decode", "first")
Side = Callable[[tuple[Message, ...], int], Speed]


@dataclass(frozen=True, slots=True)
class Sides:
    """Who is measured: by name, in the order of the first round. `versions` are those of the peers."""

    runs: Mapping[str, Side]
    versions: Mapping[str, str]
    missing: Mapping[str, str]
    variants: tuple[str, ...]


def variants_of(placement: Placement) -> dict[str, Placement]:
    """EdgeLLM with one setting of llama.cpp turned round, by a name."""
    return {
        f"{EDGE}, {'no ' if placement.repack else ''}repacking": replace(placement, repack=not placement.repack),
        f"{EDGE}, {'no ' if placement.flash else ''}flash attention": replace(placement, flash=not placement.flash),
    }


def start_variants(stack: ExitStack, paths: Paths, model: Path, placement: Placement) -> dict[str, Side]:
    """An engine for each variant. What they remember of a crash goes with the run."""
    scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
    started: dict[str, Side] = {}
    for name, other in variants_of(placement).items():
        engine = Engine(replace(paths, machine=scratch / "machine.toml"), _planner(other))
        stack.callback(engine.close)
        engine.load(model, asked=True)
        started[name] = _side(engine)
    return started


def _planner(placement: Placement) -> Planner:
    plan = Plan((Choice(placement, "compared in a benchmark"),), "a benchmark")
    return lambda _path, _anyway: plan


def _side(engine: Switch | Engine) -> Side:
    return lambda messages, new: run_engine(engine, messages, new)


def warm_up(sides: Sides, prompt: int) -> Sides:
    """One short answer of each side; those that can run it remain."""
    runs, missing = dict(sides.runs), dict(sides.missing)
    for name, run in sides.runs.items():
        try:
            run(question(prompt, int(time.time() * 1000) % 1_000_000), 8)
        except Missing as error:
            say(f"Left out: {error}.")
            missing[name] = str(error)
            del runs[name]
    return replace(sides, runs=runs, missing=missing)


def measure(sides: Mapping[str, Side], prompt: int, new: int, rounds: int) -> dict[str, list[Speed]]:
    """The runs of all sides. Each round starts with another one, so that none always follows the same."""
    found: dict[str, list[Speed]] = {name: [] for name in sides}
    names = list(sides)
    for number in range(rounds):
        messages = question(prompt, int(time.time() * 1000) % 1_000_000)
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            time.sleep(_SETTLE)
            found[name].append(sides[name](messages, new))
        latest = ", ".join(f"{name} {runs[-1].prefill:.0f}/{runs[-1].decode:.1f}" for name, runs in found.items())
        say(f"  round {number + 1} (prefill/decode): {latest}")
    return found


def middle(runs: Sequence[Speed]) -> Speed:
    """The median of each part."""
    return Speed(*(median(getattr(speed, part) for speed in runs) for part in _PARTS))


def figures(runs: Sequence[Speed]) -> dict[str, Any]:
    """Medians, and from where to where the rounds went: on a machine that others use this tells how much to believe."""
    found: dict[str, Any] = {part: round(getattr(middle(runs), part), 4) for part in _PARTS}
    for part in ("prefill", "decode"):
        values = [getattr(speed, part) for speed in runs]
        found[f"{part}_range"] = [round(min(values), 1), round(max(values), 1)]
    return found


def verdicts(speeds: Mapping[str, Speed], sides: Sides) -> list[dict[str, Any]]:
    """Each target: its name, the figure, the bound, and whether it is met."""
    edge = speeds[EDGE]
    others = [name for name in speeds if name != EDGE and name not in sides.variants]
    rows = []
    for name in others:
        # The same library is under both: there a tie is what can be had, and `benchmarks.generate` judges it.
        bound = RATIO if name == DIRECT else 1.0
        value = edge.decode / speeds[name].decode
        rows.append({"target": f"decode, of {name}", "value": round(value, 4), "bound": bound, "met": value >= bound})
    return rows


def gap(speeds: Mapping[str, Speed], sides: Sides) -> dict[str, Any]:
    """How far prefill is behind the fastest, and what single settings change about the speed of each side."""
    fastest = max((name for name in speeds if name not in sides.variants), key=lambda name: speeds[name].prefill)
    of = speeds[EDGE].prefill / speeds[fastest].prefill
    settings = {
        name: round(speeds[name].prefill / speeds[base].prefill, 3)
        for name in sides.variants
        if name in speeds and (base := name.partition(", ")[0]) in speeds
    }
    text = "EdgeLLM is ahead" if fastest == EDGE else f"EdgeLLM reads at {of:.2f} of {fastest}"
    changes = "; ".join(f"{name}: {value:.2f}" for name, value in settings.items())
    text = f"Prefill: {text}. Times the same side's own speed: {changes}."
    return {"fastest": fastest, "of_fastest": round(of, 4), "times_own": settings, "text": text}


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.runtimes", description=__doc__.splitlines()[0])
    here = "the interpreter of an environment that has the peers, not this one's"
    parser.add_argument("--peers", metavar="PYTHON", default="peers/bin/python", help=here)
    parser.add_argument("--shape", default="0.4b-llama", choices=sorted(random_model.SHAPES))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--context", type=int, default=2048)
    parser.add_argument("--prompt", type=int, default=512, help="tokens of the prompt")
    parser.add_argument("--new", type=int, default=64, help="tokens of the answer")
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def start(stack: ExitStack, asked: argparse.Namespace) -> tuple[Sides, Placement]:
    """Load the model on every side."""
    model = random_model.build(asked.shape)
    app = App.create({"threads": asked.threads, "context": asked.context})
    stack.callback(app.close)
    engine = app.engine()
    engine.load(model)
    placement = engine.status().placement
    assert placement is not None
    variant = str(engine.info.metadata.get("cpu_variant", placement.cpu_variant))
    library = inspect().library(variant) if variant else None
    direct = Direct(model, str(library or ""), placement.threads, engine.info.context)
    stack.callback(direct.close)
    order = {"model": str(model), "threads": placement.threads, "context": engine.info.context}
    peers, missing = start_peers(stack, asked.peers, order)
    others = start_variants(stack, app.paths, model, placement)
    runs: dict[str, Side] = {EDGE: _side(engine), DIRECT: direct.run}
    runs |= {side: peer.run for side, peer in peers.items()}
    versions = {peer.name: peer.version for peer in peers.values()}
    variants = (*others, *(side for side in peers if side in PEER_VARIANTS))
    return Sides(runs | others, versions, missing, variants), replace(placement, cpu_variant=variant)


def main() -> int:
    """Measure, say, judge. The exit status is 1 when a target is missed."""
    asked = arguments()
    with ExitStack() as stack:
        sides, placement = start(stack, asked)
        sides = warm_up(sides, asked.prompt)
        before = load_average()
        say(f"{asked.prompt} tokens read, {asked.new} written, load average {before}:")
        try:
            runs = measure(sides.runs, asked.prompt, asked.new, asked.rounds)
        except Missing as error:
            say(f"No result: {error}.")
            return 1
        load = {"before": before, "after": load_average()}
    speeds = {name: middle(rounds) for name, rounds in runs.items()}
    for name, speed in speeds.items():
        named = f"{name} {sides.versions.get(name, '')}"
        say(f"{named:38} prefill {speed.prefill:7.1f}, decode {speed.decode:6.2f} tokens/s")
    judged, behind = verdicts(speeds, sides), gap(speeds, sides)
    for row in judged:
        say(f"{'met' if row['met'] else 'MISSED'}: {row['target']}: {row['value']} (bound {row['bound']})")
    say(behind["text"])
    report: dict[str, Any] = {"figures": {name: figures(rounds) for name, rounds in runs.items()}, "verdicts": judged}
    report |= {"prefill": behind, "versions": sides.versions, "missing": sides.missing, "load_average": load}
    report |= {"shape": asked.shape, "threads": placement.threads, "variant": placement.cpu_variant}
    say("RESULT " + json.dumps(report | {"repack": placement.repack, "flash": placement.flash}))
    return 0 if all(row["met"] for row in judged) else 1


def load_average() -> list[float]:
    """How busy the machine is; empty where the system does not say."""
    return [round(value, 2) for value in os.getloadavg()] if hasattr(os, "getloadavg") else []


if __name__ == "__main__":
    sys.exit(main())
