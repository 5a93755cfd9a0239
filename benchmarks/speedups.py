"""What the speedups inside llama.cpp gain, each as a ratio against going without, in one run.

Run: python -m benchmarks.speedups [--shape 0.6b] [--rounds 3] [--only many,draft,kept]

- many: requests that share an instruction, one after the other and 8 or 16 at once, through the engine. Tokens/s;
  `parts` has longer prompts and shorter answers, which leaves less to gain: prompts are computed one by one. The model
  recites too, so that no answer runs in a circle, where guessing would make one after the other quicker.
- draft: answers that repeat stretches of their prompt, and one where every guess is wrong, with and without guessing.
  The model recites the alphabet at the cost of a real one, so that what it says is known. Seconds for the whole answer.
- kept: the first token after a long prompt in a process that has just started, with the prompt kept on the disk or not.

Sides take turns; each ratio is the median of the rounds' own ratios. The last line is `RESULT` and one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import random_model
from edgellm.app import App
from edgellm.runtimes.base import Chunk, Finish, Message, Placement, Request
from edgellm.runtimes.llama import LlamaRuntime
from edgellm.runtimes.plans import Situation, ways

MANY, DRAFT, WASTED, KEPT = 2.5, 1.3, 0.95, 5.0


def say(text: str) -> None:
    """A line for the person who watches."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class Work:
    """So many requests, each with so many tokens of its own, for answers of so many."""

    count: int
    part: int
    new: int


WORKS = {"many 8": Work(8, 16, 90), "many 16": Work(16, 16, 90), "parts 16": Work(16, 192, 32)}


def measure_many(app: App, model: Path, work: Work, rounds: int) -> list[float]:
    """How many times the tokens per second of one after the other all at once have, in each round."""
    engine = app.engine()
    engine.load(model)
    instruction = "Say in one sentence what this part of the text is about." + " the" * 32
    ratios = []
    for round_ in range(rounds + 1):
        stamp = int(time.time() * 1000) % 1_000_000
        both = []
        for side in (0, 1):
            requests = tuple(
                Request(
                    (Message("user", f"{stamp + side} {instruction} {number}" + " and" * work.part),),
                    max_tokens=work.new,
                )
                for number in range(work.count)
            )
            started, tokens = time.perf_counter(), 0
            if side:
                ends = [event for _, event in engine.generate_many(requests) if isinstance(event, Finish)]
            else:
                ends = [
                    event for request in requests for event in engine.generate(request) if isinstance(event, Finish)
                ]
            tokens = sum(finish.new_tokens for finish in ends)
            if tokens != work.count * work.new:
                raise RuntimeError(f"not comparable: {tokens} tokens")
            both.append(tokens / (time.perf_counter() - started))
        if round_:  # the first one warms up
            ratios.append(both[1] / both[0])
            say(f"  one by one {both[0]:.1f}, at once {both[1]:.1f} tokens/s: {ratios[-1]:.2f} times, load {load()}")
    return ratios


def recital(stretch: int) -> str:
    """The alphabet in stretches of so many characters, with noise between them."""
    letters = [chr(number) for number in random_model.RECITED[1:]]
    parts = ["".join(letters[at : at + stretch]) for at in range(0, len(letters), stretch)]
    return "  ".join(parts)


def measure_draft(runtime: LlamaRuntime, asked: argparse.Namespace, stretch: int) -> list[float]:
    """How many times faster an answer is with guessing, in each round."""
    new = len(random_model.RECITED) - 2
    request = Request((Message("user", recital(stretch)),), max_tokens=new)
    ratios = []
    for round_ in range(asked.rounds + 1):
        seconds, texts = [], []
        for drafts in (False, True):
            runtime.drafts = drafts
            list(runtime.generate(Request(request.messages, max_tokens=1)))  # the prompt is computed
            started = time.perf_counter()
            events = list(runtime.generate(request))
            seconds.append(time.perf_counter() - started)
            texts.append("".join(event.text for event in events if isinstance(event, Chunk)))
        if texts[0] != texts[1] or not texts[0].startswith("!\"#$%&'()"):
            raise RuntimeError(f"not comparable: {texts}")
        if round_:
            ratios.append(seconds[0] / seconds[1])
    say(f"  stretches of {stretch}: {new / seconds[0]:.1f} and {new / seconds[1]:.1f} tokens/s, load {load()}")
    return ratios


def measure_kept(create: Callable[..., App], model: Path, asked: argparse.Namespace) -> list[float]:
    """How many times sooner the first token comes, in each round; the process is fresh each time."""
    ratios = []
    for _ in range(max(asked.rounds - 1, 1)):
        request = Request((Message("user", f"{time.time():.3f}" + " the" * asked.long),), max_tokens=2)
        first, _end = first_token(create(prompt_cache=4096), model, request)
        again, end = first_token(create(prompt_cache=4096), model, request)
        if end.cached_tokens < 0.95 * end.prompt_tokens:
            raise RuntimeError(f"nothing was kept: {end}")
        ratios.append(first / again)
        say(f"  {end.prompt_tokens} tokens: first {first:.2f} s, again {again:.2f} s, load {load()}")
    return ratios


def first_token(app: App, model: Path, request: Request) -> tuple[float, Finish]:
    """Seconds to the first token in a new process, and the facts."""
    try:
        app.engine().load(model)
        started, seconds = time.perf_counter(), 0.0
        for event in app.engine().generate(request):
            seconds = seconds or time.perf_counter() - started
            if isinstance(event, Finish):
                return seconds, event
    finally:
        app.close()
    raise RuntimeError("the answer has no end")


def load() -> str:
    """How busy the machine is, of which this takes up to two."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.speedups", description=__doc__.splitlines()[0])
    parser.add_argument("--shape", default="0.6b", choices=sorted(random_model.SHAPES))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--long", type=int, default=3000, help="tokens of the long prompt")
    parser.add_argument("--only", default="many,draft,kept")
    return parser.parse_args()


def best(app: App, model: Path) -> Placement:
    """How the program itself would run the model."""
    return ways(model, Situation(app.hardware(), app.settings)).rungs[0].value


def draft_figures(app: App, asked: argparse.Namespace) -> dict[str, list[float]]:
    """With the answer in the prompt as a whole, in stretches, and so that every guess is wrong."""
    model = random_model.build(asked.shape, recites=True)
    runtime = LlamaRuntime.load(model, best(app, model))
    try:
        return {f"draft {stretch}": measure_draft(runtime, asked, stretch) for stretch in (94, 24, 8, 3)}
    finally:
        runtime.close()


def verdicts(figures: dict[str, list[float]]) -> list[dict[str, Any]]:
    """Each target: its name, the figure, the bound, and whether it is met."""
    bounds = {"many 8": MANY, "many 16": MANY, "parts 16": 1.0, "draft 94": DRAFT, "draft 24": DRAFT, "draft 8": WASTED}
    bounds |= {"draft 3": WASTED, "kept": KEPT}
    return [
        {"target": name, "value": round(median(found), 3), "bound": bounds[name], "met": median(found) >= bounds[name]}
        for name, found in figures.items()
    ]


def main() -> int:
    """Measure, say, judge. The exit status is 1 when a target is missed."""
    asked = arguments()
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    figures: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as home:
        os.environ["EDGELLM_HOME"] = home

        def create(**settings: Any) -> App:
            return App.create({"threads": asked.threads, "context": 4096, **settings})

        model, app = random_model.build(asked.shape), create()
        try:
            if "many" in asked.only:
                say("Several requests at once:")
                reciting = random_model.build(asked.shape, recites=True)
                figures |= {name: measure_many(app, reciting, work, asked.rounds) for name, work in WORKS.items()}
                app.engine().unload()
            if "draft" in asked.only:
                say("Guessing ahead:")
                figures |= draft_figures(app, asked)
        finally:
            app.close()
        if "kept" in asked.only:
            say("A long prompt again, after a new start:")
            figures["kept"] = measure_kept(create, model, asked)
    judged = verdicts(figures)
    report = {"verdicts": judged, "rounds": figures, "shape": asked.shape, "threads": asked.threads, "load": load()}
    say("RESULT " + json.dumps(report))
    return 0 if all(row["met"] for row in judged) else 1


if __name__ == "__main__":
    sys.exit(main())
