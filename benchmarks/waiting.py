"""What it costs that llama.cpp's threads wait for each other long, or briefly, on a quiet machine and on a busy one.

Run: python -m benchmarks.waiting [--shape 0.6b] [--rounds 3]

One process and one model; the way of waiting is changed between answers, as `edgellm/runtimes/llama_spin.py` does it,
and does not steer itself meanwhile. Each figure is the median over the rounds of the milliseconds a token took, after a
prompt of 512 tokens; "queue" is the share of the time that threads stood in the kernel's run queue, by which a busy
machine is known.

The last line is `RESULT` and one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from statistics import median

from benchmarks import random_model
from benchmarks.generate import busy, question, say
from benchmarks.rows import chosen_variant
from edgellm.runtimes import llama_spin
from edgellm.runtimes.base import Chunk, Placement, Request
from edgellm.runtimes.llama import LlamaRuntime

_BUSY_SECONDS = 120.0


class Waiting:
    """A model whose threads wait as they are told."""

    def __init__(self, runtime: LlamaRuntime, threads: int) -> None:
        self._runtime = runtime
        self._threads = threads
        self._spin = runtime._spin
        self._number = 0

    def answer(self, brief: bool, new: int) -> tuple[float, float]:
        """Milliseconds from token to token, and the share of the time in the run queue."""
        if brief and not self._spin.brief:
            self._spin._hold()
            time.sleep(0.1)
        elif not brief:
            self._spin.close()
            time.sleep(0.1)
        self._spin.look = lambda _now: None  # type: ignore[method-assign,assignment]
        self._number += 1
        waited, started, times = llama_spin._delay() or 0.0, time.perf_counter(), list[float]()
        for event in self._runtime.generate(Request(question(512, self._number), max_tokens=new)):
            if isinstance(event, Chunk):
                times.append(time.perf_counter())
        share = ((llama_spin._delay() or 0.0) - waited) / (time.perf_counter() - started) / self._threads
        return (times[-1] - times[0]) / (len(times) - 1) * 1000, share


def measure(waiting: Waiting, rounds: int, new: int) -> dict[str, float]:
    """Both ways in turn."""
    found: dict[str, list[tuple[float, float]]] = {"brief": [], "long": []}
    for _ in range(rounds):
        for name, taken in found.items():
            taken.append(waiting.answer(name == "brief", new))
    figures = {f"{name}_ms": median(ms for ms, _ in taken) for name, taken in found.items()}
    figures |= {f"{name}_queue": median(share for _, share in taken) for name, taken in found.items()}
    return {name: round(value, 3) for name, value in figures.items()}


def main() -> int:
    """Measure and say."""
    parser = argparse.ArgumentParser(prog="benchmarks.waiting", description=__doc__.splitlines()[0])
    parser.add_argument("--shape", default="0.6b", choices=sorted(random_model.SHAPES))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    os.environ["GOMP_SPINCOUNT"] = llama_spin.BRIEF
    model = random_model.build(asked.shape)
    variant = chosen_variant(model, asked.threads)
    runtime = LlamaRuntime.load(model, Placement(context=2048, threads=asked.threads, cpu_variant=variant))
    try:
        waiting = Waiting(runtime, asked.threads)
        waiting.answer(False, 8)
        result: dict[str, object] = {"quiet": measure(waiting, asked.rounds, 54)}
        say(f"quiet: {result['quiet']}")
        with busy(len(os.sched_getaffinity(0)), _BUSY_SECONDS):
            result["busy"] = measure(waiting, asked.rounds, 24)
        say(f"busy: {result['busy']}")
    finally:
        runtime.close()
    say("RESULT " + json.dumps({**result, "shape": asked.shape, "variant": variant, "threads": asked.threads}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
