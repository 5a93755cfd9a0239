"""The loop that every `benchmarks.peer_*` process runs: one JSON order a line in, one JSON answer a line out.

It imports only the standard library: it runs in an environment that has the peer, and not EdgeLLM. The first order
loads a model (`model`, `threads`, `context`), each further one asks for a completion (`prompt`, `new`).
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

Order = dict[str, Any]
Run = Callable[[str, int, "Clock"], tuple[int, int]]


class Clock:
    """When the pieces of one answer came."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def tick(self) -> None:
        """One piece is here."""
        self.times.append(time.perf_counter())


def serve(load: Callable[[Order], tuple[str, Run]]) -> None:
    """Answer orders until standard input ends. What `load` gives: the library's version, and what completes a prompt.

    That tells how many tokens it read, and how many it wrote.
    """
    answers = _own_output()
    run: Run | None = None
    for line in sys.stdin:
        order: Order = json.loads(line)
        try:
            if run is None:
                version, run = load(order)
                answer: dict[str, Any] = {"ready": True, "version": version}
            else:
                answer = _timed(run, order)
        except Exception as error:  # the process boundary: the parent names the peer and goes on without it
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _own_output() -> TextIO:
    """Standard output for the answers alone: what a library writes there goes to standard error."""
    kept = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return kept


def _timed(run: Run, order: Order) -> dict[str, Any]:
    clock = Clock()
    started = time.perf_counter()
    prompt, new = run(order["prompt"], order["new"], clock)
    if new != order["new"]:
        raise RuntimeError(f"the answer has {new} tokens, and not {order['new']}")
    first, last = clock.times[0], clock.times[-1]
    return {"first": first - started, "decode": last - first, "new": new, "prompt": prompt}
