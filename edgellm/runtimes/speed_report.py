"""What was measured on this computer, and what it means: as plain values and as lines for a person."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from edgellm.runtimes import words
from edgellm.runtimes.prediction import predict
from edgellm.runtimes.speed import SelfTest, Speeds, Way
from edgellm.runtimes.workload import Work

BUSY = 0.25  # share of the processor from which other programs are worth a word
_NEVER = "not measured yet. Run: edgellm doctor --measure (about 20 seconds)"
_MOST_MODELS = 8
# Billions of weights: layers, and bytes of the file at the usual 4 bits
_EXAMPLES: Mapping[int, tuple[int, int]] = MappingProxyType(
    {1: (24, 650_000_000), 4: (36, 2_600_000_000), 8: (36, 5_000_000_000)}
)


def section(speeds: Speeds, threads: int) -> dict[str, Any]:
    """Everything as plain values; `threads` is what a model would get."""
    accuracy = speeds.accuracy()
    return {
        "test": asdict(speeds.test) if speeds.test else None,
        "caveats": list(caveats(speeds.test)) if speeds.test else [],
        "examples": _examples(speeds, threads),
        "models": [
            {
                "name": one.title,
                "file": one.key.rpartition(":")[0],
                "device": one.device,
                "threads": one.threads,
                "runtime": one.runtime,
                "unit": "words read" if one.does == "reads" else "tokens",
                "tokens_per_second": round(one.tokens_per_second, 2),
                "runs": len(one.decode),
            }
            for one in reversed(speeds.models)
        ],
        "tuned": [asdict(one) | {"day": one.day} for one in reversed(speeds.tuned)],
        "predictions": {"error": round(accuracy.error, 3), "runs": accuracy.runs} if accuracy else None,
    }


def _examples(speeds: Speeds, threads: int) -> list[dict[str, Any]]:
    rows = []
    for billions, (layers, size) in _EXAMPLES.items():
        found = predict("", Work(size, billions * 10**9, layers), Way(threads=threads), speeds)
        if found is not None and found.basis != "assumed":
            rows.append(
                {"billions": billions, "bytes": size, "words_per_second": round(found.words_per_second, 1)}
                | {"because": found.because}
            )
    return rows


def caveats(test: SelfTest) -> Iterator[str]:
    """What speaks against the figures of a self-test."""
    if test.busy >= BUSY:
        yield (
            f"Other programs used {test.busy:.0%} of the processor: while they do, a model writes more slowly than "
            "these figures say, and the starter's may be too low; measure again when it is quiet."
        )
    if test.on_battery:
        yield "It ran on battery; plugged in it may be faster."


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """A `section` as lines."""
    test = found["test"]
    if test is None:
        yield f"  self-test   {_NEVER}"
    else:
        yield from _test_lines(SelfTest(**test))
        yield from (f"  note        {note}" for note in found["caveats"])
    for row in found["examples"]:
        speed = row["words_per_second"]
        shown = f"{speed:.1f}" if speed < 10 else f"{speed:,.0f}"
        size = row["bytes"] / 1e9
        yield f"  expected    about {shown} English words/s from {row['billions']} billion weights ({size:.1f} GB)"
    if found["examples"]:
        yield f"              {found['examples'][0]['because']}"
    for row in found["models"][:_MOST_MODELS]:
        runs = f"{row['runs']} run{'s' if row['runs'] != 1 else ''}"
        where = "processor" if row["device"] == "cpu" else row["device"]
        speed = f"{row['tokens_per_second']:,.1f} {row['unit']}/s"
        yield f"  measured    {row['name']}: {speed} on the {where}, over {runs}"
    for row in found["tuned"][:_MOST_MODELS]:
        yield f"  tuned       {row['title']}: {_settings(row)}, measured on {row['day']}"
    if found["predictions"]:
        error, runs = found["predictions"]["error"], found["predictions"]["runs"]
        yield f"  predictions here were {error:.0%} off over {runs} run{'s' if runs != 1 else ''}"


def _settings(row: Mapping[str, Any]) -> str:
    """Tuned settings in a few words."""
    threads = f"{row['threads']} thread{'s' if row['threads'] != 1 else ''}"
    switches = [
        f"{'with' if row['repack'] else 'without'} rearranged weights",
        f"{'with' if row['flash'] else 'without'} flash attention",
    ]
    return ", ".join((threads, *switches, f"{row['batch']} tokens at a time", f"KV cache in {row['kv_type']}"))


def _test_lines(test: SelfTest) -> Iterator[str]:
    day = time.strftime("%Y-%m-%d", time.localtime(test.time))
    yield f"  self-test   of {day}, with {test.threads} thread{'s' if test.threads != 1 else ''}"
    yield (
        f"  memory      reads {test.bandwidth / 1e9:.1f} GB/s ({test.usual_bandwidth / 1e9:.1f} in the median): "
        "decides how fast a model writes"
    )
    yield f"  arithmetic  {test.compute / 1e9:,.0f} GFLOP/s: decides how fast it reads a long text"
    if test.disk:
        seconds = 2.7e9 / test.disk
        yield f"  disk        reads {test.disk / 1e9:.2f} GB/s: a model of 2.7 GB loads in {seconds:.0f} s at best"
    if test.decode:
        writes, reads = test.decode * words.per_token("en"), test.prefill * words.per_token("en")
        yield f"  starter     writes about {writes:,.0f} and reads about {reads:,.0f} words/s"
