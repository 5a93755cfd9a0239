"""What a step of llama.cpp costs by the number of rows: the most that several answers at once could gain.

Run: python -m benchmarks.rows [--shape 0.6b] [--steps 12]

A row is the next token of one answer. Each figure is the median milliseconds of a step: with the logits of every row,
as answers need them, and of one row alone, which leaves the output matrix out for the others; at the beginning of a
text, and after `--after` tokens of each answer, in one cache that all share and in caches of their own.
"at most" is rows x the step of one row / the step of all: the gain if nothing else took time.

The last line is `RESULT` and one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import random_model
from benchmarks.generate import say
from edgellm.app import App
from edgellm.runtimes import llama_library
from edgellm.runtimes.base import Placement

ROWS = (1, 2, 4, 8, 16)
_ROOM, _TOKEN = 256, 100


class Steps:
    """A model, and contexts for it."""

    def __init__(self, model: Path, threads: int, variant: str) -> None:
        self._api, self.variant = llama_library.load(Placement(threads=threads, cpu_variant=variant))
        self._threads = threads
        params = self._api.llama_model_default_params()
        params.n_gpu_layers, params.use_extra_bufts = 0, True
        self._model = self._api.llama_model_load_from_file(os.fsencode(model), params)
        self._batch = self._api.llama_batch_init(_ROOM, 0, 1)

    @contextmanager
    def context(self, rows: int, shared: bool) -> Iterator[Any]:
        """Room for so many answers, in one cache or in one each."""
        params = self._api.llama_context_default_params()
        params.n_seq_max, params.kv_unified, params.n_ctx = rows, shared, rows * (_ROOM + 64)
        params.n_batch = params.n_ubatch = _ROOM
        params.n_threads = params.n_threads_batch = self._threads
        context = self._api.llama_init_from_model(self._model, params)
        try:
            yield context
        finally:
            self._api.llama_free(context)

    def step(self, context: Any, rows: list[tuple[int, int]], logits: int) -> float:
        """Compute one batch of (sequence, position); milliseconds. The logits of the first rows are computed."""
        batch = self._batch
        batch.n_tokens = len(rows)
        for at, (sequence, position) in enumerate(rows):
            batch.token[at], batch.pos[at] = _TOKEN + at + position, position
            batch.seq_id[at][0], batch.n_seq_id[at], batch.logits[at] = sequence, 1, int(at < logits)
        started = time.perf_counter()
        if self._api.llama_decode(context, batch):
            raise RuntimeError("llama.cpp could not compute the batch")
        self._api.llama_synchronize(context)
        return (time.perf_counter() - started) * 1000

    def measure(self, rows: int, after: int, steps: int, logits: int, shared: bool = True) -> float:
        """The median of so many steps of `rows` answers that are `after` tokens long."""
        with self.context(rows, shared) as context:
            for sequence in range(rows if after else 0):
                self.step(context, [(sequence, position) for position in range(after)], 1)
            taken = [
                self.step(context, [(sequence, after + number) for sequence in range(rows)], logits)
                for number in range(steps)
            ]
        return median(taken)


def chosen_variant(model: Path, threads: int) -> str:
    """The CPU library that EdgeLLM chooses on this computer."""
    app = App.create({"threads": threads})
    try:
        app.engine().load(model)
        return str(app.engine().info.metadata.get("cpu_variant", ""))
    finally:
        app.close()


def main() -> int:
    """Measure and say."""
    parser = argparse.ArgumentParser(prog="benchmarks.rows", description=__doc__.splitlines()[0])
    parser.add_argument("--shape", default="0.6b", choices=sorted(random_model.SHAPES))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--after", type=int, default=200, help="tokens of each answer in the longer measure")
    asked = parser.parse_args()
    model = random_model.build(asked.shape)
    steps = Steps(model, asked.threads, chosen_variant(model, asked.threads))
    found: dict[str, dict[str, float]] = {}
    for rows in ROWS:
        line = {
            "all_logits_ms": steps.measure(rows, 0, asked.steps, rows),
            "one_logits_ms": steps.measure(rows, 0, asked.steps, 1),
            "later_shared_ms": steps.measure(rows, asked.after, asked.steps, rows),
            "later_own_ms": steps.measure(rows, asked.after, asked.steps, rows, shared=False),
        }
        one = found.get("1", line)
        line["at_most"] = rows * one["all_logits_ms"] / line["all_logits_ms"]
        found[str(rows)] = {name: round(value, 2) for name, value in line.items()}
        say(f"{rows:2} rows: " + ", ".join(f"{name} {value}" for name, value in found[str(rows)].items()))
    say("RESULT " + json.dumps({"rows": found, "shape": asked.shape, "variant": steps.variant, "after": asked.after}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
