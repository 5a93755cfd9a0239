"""The middle and the slow end of many times, in milliseconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any


def percentiles(times: Sequence[float]) -> dict[str, float]:
    """The 50th and the 95th percentile of times in milliseconds."""
    ordered = sorted(times)
    return {"p50_ms": round(ordered[len(ordered) // 2], 2), "p95_ms": round(ordered[int(len(ordered) * 0.95)], 2)}


def timed(call: Callable[[str], Any], asked: Sequence[str]) -> dict[str, float]:
    """Those of a call for each text."""
    times = []
    for text in asked:
        started = time.perf_counter()
        call(text)
        times.append((time.perf_counter() - started) * 1000)
    return percentiles(times)
