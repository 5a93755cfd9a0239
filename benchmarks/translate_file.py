"""How much sooner a file is translated when a chat model is asked about several paragraphs at once, as a ratio.

Run: python -m benchmarks.translate_file [--shape 0.3b] [--paragraphs 32] [--rounds 3]

The model has random weights and recites the alphabet, so that both sides must write the same. Both go through the
program's own translation of files and its engine; one of them hides that the engine can answer several at once. Sides
take turns, each paragraph is new to the model, and the ratio is the median of the rounds' own. The last line is
`RESULT` and one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks import random_model
from benchmarks.speedups import load, say
from edgellm.app import App
from edgellm.documents.segment import Segment, Sheet
from edgellm.runtimes.base import Cancelled, Event, Generator, Message, ModelInfo, Request, never
from edgellm.tasks.memory import Memory
from edgellm.tasks.options import Options
from edgellm.tasks.translate_file import FileTranslation, Order

BOUND = 1.3
_WORDS = "the house by the river was sold in spring and nobody knows who lives there now or why they left".split()


class OneByOne:
    """A generator that answers one request at a time, whatever the one behind it can do."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator

    @property
    def info(self) -> ModelInfo:
        """The loaded model."""
        return self._generator.info

    def generate(self, request: Request, cancelled: Cancelled = never) -> Iterator[Event]:
        """One answer."""
        return self._generator.generate(request, cancelled)

    def count(self, messages: tuple[Message, ...]) -> int:
        """Tokens of the prompt."""
        return self._generator.count(messages)


def sheet(paragraphs: int, stamp: str) -> Sheet:
    """Paragraphs of 12 to 60 words, none of which the model has read before; no numbers, which it would lose."""
    texts = []
    for number in range(paragraphs):
        words = (_WORDS * 3)[: 12 + number * 48 // max(paragraphs - 1, 1)]
        name = "".join(chr(ord("a") + int(digit)) for digit in f"{stamp}{number:03}")
        texts.append(f"{name.title()} says that {' '.join(words)}.")
    return Sheet("docx", tuple(Segment((text,), "") for text in texts), ())


def translated(generator: Generator, given: Sheet, tokens: int) -> tuple[float, list[tuple[str, ...]]]:
    """Seconds for the whole sheet, and what its paragraphs became."""
    with tempfile.TemporaryDirectory() as folder:
        memory = Memory(Path(folder) / "memory.db")
        try:
            started = time.perf_counter()
            work = FileTranslation(generator, given, Order("fr", "en", options=Options(max_tokens=tokens)), memory)
            steps = list(work.run())
            seconds = time.perf_counter() - started
        finally:
            memory.close()
    if len(steps) != len(given.segments) or work.report().translated != len(given.segments):
        raise RuntimeError(f"not comparable: {work.report().line}, {work.report().warnings[:1]}")
    return seconds, [work.translated[number] for number in sorted(work.translated)]


def measure(app: App, model: Path, asked: argparse.Namespace) -> list[float]:
    """How many times sooner, in each round; the first one warms up."""
    engine = app.engine()
    engine.load(model)
    ratios = []
    for round_ in range(asked.rounds + 1):
        seconds, texts = [], []
        sides: tuple[Generator, ...] = (OneByOne(engine), engine)
        for side, generator in enumerate(sides):
            given = sheet(asked.paragraphs, f"{round_}{side}")
            took, found = translated(generator, given, asked.tokens)
            seconds.append(took)
            texts.append(found)
        if texts[0] != texts[1]:
            raise RuntimeError("not comparable: the two sides wrote different texts")
        if round_:
            ratios.append(seconds[0] / seconds[1])
            say(f"  one by one {seconds[0]:.2f} s, at once {seconds[1]:.2f} s: {ratios[-1]:.2f} times, load {load()}")
    return ratios


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.translate_file", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shape", default="0.3b", choices=sorted(random_model.SHAPES))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--paragraphs", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=60, help="of each translation")
    return parser.parse_args()


def main() -> int:
    """Measure, say, judge. The exit status is 1 when the target is missed."""
    asked = arguments()
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    model = random_model.build(asked.shape, recites=True)
    with tempfile.TemporaryDirectory() as home:
        os.environ["EDGELLM_HOME"] = home
        app = App.create({"threads": asked.threads, "context": 4096})
        try:
            say(f"{asked.paragraphs} paragraphs:")
            ratios = measure(app, model, asked)
        finally:
            app.close()
    value = median(ratios)
    report = {
        "target": "a file translated at once",
        "value": round(value, 3),
        "bound": BOUND,
        "met": value >= BOUND,
        "rounds": [round(one, 3) for one in ratios],
        "shape": asked.shape,
        "threads": asked.threads,
        "load": load(),
    }
    say("RESULT " + json.dumps(report))
    return 0 if value >= BOUND else 1


if __name__ == "__main__":
    sys.exit(main())
