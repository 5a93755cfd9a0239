"""Speed of EdgeLLM through its engine, against llama-cpp-python called directly, in one run.

Run: python -m benchmarks.generate [--shape 0.6b] [--rounds 5] [--busy]

Both sides load the same random-weight model with the same CPU library, threads and context, and answer the same
prompts in turn: direct, EdgeLLM, direct, EdgeLLM. Prefill is prompt tokens over the time to the first piece, decode
is tokens after the first over the time that is left until the caller has the last one. Every figure is the median of
the rounds. With --busy the same is measured once more beside one busy process per core.

The last line is `RESULT` and one JSON object: figures, targets, verdicts.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import string
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import random_model
from edgellm.app import App
from edgellm.engine.supervisor import Engine
from edgellm.engine.switch import Switch
from edgellm.runtimes.base import Chunk, Finish, Message, Request
from edgellm.runtimes.build import inspect
from edgellm.runtimes.template import ChatTemplate

RATIO, LATER_MS, KEPT, TIMES = 0.97, 10.0, 0.4, 8.0
_BUSY = (
    "import os, sys, time\n"
    "end, parent = time.monotonic() + float(sys.argv[1]), os.getppid()\n"
    "while time.monotonic() < end and os.getppid() == parent:\n"
    "    sum(range(20000))\n"
)


@dataclass(frozen=True, slots=True)
class Speed:
    """One run: tokens per second of prefill and decode, seconds to the first piece."""

    prefill: float
    decode: float
    first: float

    @classmethod
    def of(cls, prompt: int, new: int, first: float, decode: float) -> Speed:
        """From token counts and seconds."""
        return cls(prompt / first, (new - 1) / decode if decode > 0 else 0.0, first)


def say(text: str) -> None:
    """A line for the person who watches."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def question(tokens: int, number: int) -> tuple[Message, ...]:
    """A message of about `tokens` tokens, another one for each number: nothing is cached, and nothing is guessed.

    Each of its letters is one token. Text that repeats itself would measure guessing, which `speedups` does.
    """
    letters = random.Random(number).choices(string.ascii_uppercase, k=max(tokens - 16, 1))
    return (Message("user", f"{number:06d} " + "".join(letters)),)


class Direct:
    """llama-cpp-python in its child process."""

    def __init__(self, model: Path, library: str, threads: int, context: int) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.direct"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._order(model=str(model), library=library, threads=threads, context=context)

    def _order(self, **order: Any) -> dict[str, Any]:
        assert self._child.stdin and self._child.stdout
        self._child.stdin.write(json.dumps(order) + "\n")
        self._child.stdin.flush()
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError(f"the direct side ended with status {self._child.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def run(self, messages: tuple[Message, ...], new: int) -> Speed:
        """One answer, measured."""
        got = self._order(prompt=ChatTemplate("").render(messages), new=new)
        return Speed.of(got["prompt"], got["new"], got["first"], got["decode"])

    def close(self) -> None:
        """End the child."""
        if self._child.stdin:
            self._child.stdin.close()
        self._child.wait(timeout=30)


def run_engine(engine: Switch | Engine, messages: tuple[Message, ...], new: int) -> Speed:
    """One answer of EdgeLLM, measured where its caller stands."""
    started = time.perf_counter()
    first = last = 0.0
    finish: Finish | None = None
    for event in engine.generate(Request(messages, max_tokens=new)):
        if isinstance(event, Chunk):
            last = time.perf_counter() - started
            first = first or last
        else:
            finish = event
    assert finish is not None
    if finish.cached_tokens > 16 or finish.new_tokens != new:
        raise RuntimeError(f"not comparable: {finish}")
    # Pieces may travel together: what the caller waited after the engine had its first token is the decoding.
    return Speed.of(finish.prompt_tokens, finish.new_tokens, first, last - finish.prefill_seconds)


@contextmanager
def busy(count: int, seconds: float) -> Iterator[None]:
    """`count` processes that do nothing but compute; they end by themselves, at the latest after `seconds`."""
    children = [subprocess.Popen([sys.executable, "-c", _BUSY, str(seconds)]) for _ in range(count)]
    try:
        time.sleep(0.5)
        yield
    finally:
        for child in children:
            child.kill()
            child.wait()


def measure(direct: Direct, engine: Switch, prompt: int, new: int, rounds: int) -> tuple[Speed, Speed]:
    """Medians of both sides over rounds that take turns."""
    sides: tuple[list[Speed], list[Speed]] = ([], [])
    for number in range(rounds):
        messages = question(prompt, int(time.time() * 1000) % 1_000_000)
        sides[0].append(direct.run(messages, new))
        sides[1].append(run_engine(engine, messages, new))
        say(f"  round {number + 1}: direct {_words(sides[0][-1])} | EdgeLLM {_words(sides[1][-1])}")
    first, second = (
        Speed(*(median(getattr(speed, name) for speed in side) for name in ("prefill", "decode", "first")))
        for side in sides
    )
    return first, second


def _words(speed: Speed) -> str:
    return f"prefill {speed.prefill:.1f}, decode {speed.decode:.2f} tokens/s, first piece {speed.first * 1000:.0f} ms"


def verdicts(quiet: tuple[Speed, Speed], short: tuple[Speed, Speed], loaded: tuple[Speed, Speed] | None) -> list[Any]:
    """Each target: its name, the figure, the bound, and whether it is met."""
    direct, edge = quiet
    rows = [
        ("decode, of direct", edge.decode / direct.decode, RATIO, True),
        ("prefill, of direct", edge.prefill / direct.prefill, RATIO, True),
        ("first piece of a short prompt, ms later", (short[1].first - short[0].first) * 1000, LATER_MS, False),
    ]
    if loaded:
        rows.append(("busy decode, of its own quiet", loaded[1].decode / edge.decode, KEPT, True))
        kept = loaded[0].decode / direct.decode
        rows.append(("busy: share kept, times direct's", loaded[1].decode / edge.decode / kept, TIMES, True))
    return [
        {"target": name, "value": round(value, 4), "bound": bound, "met": value >= bound if least else value <= bound}
        for name, value, bound, least in rows
    ]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.generate", description=__doc__.splitlines()[0])
    parser.add_argument("--shape", default="0.6b", choices=sorted(random_model.SHAPES))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--context", type=int, default=2048)
    parser.add_argument("--prompt", type=int, default=512, help="tokens of the prompt")
    parser.add_argument("--new", type=int, default=64, help="tokens of the answer")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--busy", action="store_true", help="measure beside busy processes too")
    parser.add_argument("--busy-new", type=int, default=24, help="tokens of an answer on the busy machine")
    return parser.parse_args()


def main() -> int:
    """Measure, say, judge. The exit status is 1 when a target is missed."""
    asked = arguments()
    model = random_model.build(asked.shape)
    app = App.create({"threads": asked.threads, "context": asked.context})
    engine = app.engine()
    try:
        engine.load(model)
        placement = engine.status().placement
        assert placement is not None
        variant = str(engine.info.metadata.get("cpu_variant", placement.cpu_variant))
        library = inspect().library(variant) if variant else None
        direct = Direct(model, str(library or ""), placement.threads, engine.info.context)
        try:
            report = compare(asked, direct, engine)
        finally:
            direct.close()
    finally:
        app.close()
    report |= {"shape": asked.shape, "variant": variant, "threads": placement.threads, "repack": placement.repack}
    say("RESULT " + json.dumps(report))
    return 0 if all(row["met"] for row in report["verdicts"]) else 1


def compare(asked: argparse.Namespace, direct: Direct, engine: Switch) -> dict[str, Any]:
    """All measurements, with a warm-up of both sides before them."""
    measure(direct, engine, 32, 4, 1)
    say("Quiet machine:")
    quiet = measure(direct, engine, asked.prompt, asked.new, asked.rounds)
    say("Short prompts:")
    short = measure(direct, engine, 32, 4, max(asked.rounds, 3))
    loaded = None
    if asked.busy:
        cores = os.cpu_count() or 1
        say(f"Beside {cores} busy processes:")
        with busy(cores, 900):
            loaded = measure(direct, engine, 32, asked.busy_new, asked.rounds)
    judged = verdicts(quiet, short, loaded)
    for row in judged:
        say(f"{'met' if row['met'] else 'MISSED'}: {row['target']}: {row['value']} (bound {row['bound']})")
    named = {"quiet": quiet, "short": short, "busy": loaded}
    figures = {
        f"{name}_{side}": {key: round(getattr(speed, key), 4) for key in ("prefill", "decode", "first")}
        for name, both in named.items()
        for side, speed in zip(("direct", "edgellm"), both or (), strict=False)
    }
    return {"figures": figures, "verdicts": judged}


if __name__ == "__main__":
    sys.exit(main())
