"""Trains the starter: `python -m starter.train --out FOLDER [--resume] [--minutes N] [--threads N] [--micro]`.

Progress is the share of the budget used, in tokens, or in training minutes (counted over resumes) where that is asked
for, so that the learning rate always ends its decay. The small lexicon comes first, then the full one; the last stage
has more translation. A checkpoint is written every two minutes; `--resume` goes on from it, with another number of
threads if wished.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch
from tokenizers import Tokenizer

from starter import tokenizer as tokenizers
from starter.batches import Batch, Batches
from starter.examples.mix import LAST_SHARES, SHARES, examples
from starter.model import Shape, Starter
from starter.optimizer import Optimizer
from starter.words import Lexicon

CHECKPOINT_SECONDS = 120
LOG_STEPS = 50


@dataclass(frozen=True)
class Recipe:
    """What a run is: sizes, rates, budget and mixture; saved beside the checkpoint."""

    minutes: float = 0.0
    tokens: int = 48_000_000
    seed: int = 1
    batch: int = 4096
    muon: float = 0.02
    adam: float = 3e-3
    first_stage: float = 0.2
    last_stage: float = 0.83
    decay: float = 0.62
    warmup: float = 0.01
    vocabulary: int = 5120
    width: int = 256
    layers: int = 4
    heads: int = 4
    inner: int = 768
    shares: dict[str, float] = dataclasses.field(default_factory=lambda: dict(SHARES))
    last_shares: dict[str, float] = dataclasses.field(default_factory=lambda: dict(LAST_SHARES))

    def shape(self, vocabulary: int) -> Shape:
        return Shape(vocabulary, self.width, self.layers, self.heads, self.inner)


MICRO = Recipe(
    minutes=1.0,
    tokens=0,
    vocabulary=1536,
    width=128,
    layers=2,
    inner=256,
    batch=2048,
    first_stage=1.0,
    last_stage=1.0,
    shares={"translate en-de": 40, "translate de-en": 40, "classify": 20},
)


def schedule(progress: float, recipe: Recipe) -> float:
    """The factor on the learning rates: short warmup, flat, then linear to nearly nothing."""
    if progress < recipe.warmup:
        return 0.1 + 0.9 * progress / recipe.warmup
    if progress < 1 - recipe.decay:
        return 1.0
    return max(0.01, (1 - progress) / recipe.decay)


class Training:
    """A run in its folder."""

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        self.folder, self.recipe = folder, recipe
        self.lexicon = Lexicon.read()
        self.step, self.seen, self.elapsed = 0, 0, 0.0
        self.tokenizer = self._tokenizer()
        torch.manual_seed(recipe.seed)
        self.model = Starter(recipe.shape(self.tokenizer.get_vocab_size()))
        self.optimizer = Optimizer(
            self.model.matrices(), [self.model.embedding, self.model.norms], recipe.muon, recipe.adam
        )

    def _tokenizer(self) -> Tokenizer:
        path = self.folder / "tokenizer.json"
        if not path.exists():
            small = self.recipe.first_stage >= 1
            lexicon = self.lexicon.first_stage() if small else self.lexicon
            tokenizers.train(lexicon, self.recipe.vocabulary, size=8_000 if small else 120_000).save(str(path))
        return tokenizers.load(path)

    @property
    def progress(self) -> float:
        """The share of the budget that is used."""
        if self.recipe.tokens:
            return self.seen / self.recipe.tokens
        return self.elapsed / (60 * self.recipe.minutes)

    def save(self) -> None:
        """Write the checkpoint whole, then put it in place."""
        state = {
            "recipe": dataclasses.asdict(self.recipe),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seen": self.seen,
            "elapsed": self.elapsed,
        }
        torch.save(state, self.folder / "checkpoint.tmp")
        (self.folder / "checkpoint.tmp").replace(self.folder / "checkpoint.pt")

    def load(self) -> None:
        """Go on from the checkpoint; its budget and mixture may have been changed since."""
        state: dict[str, Any] = torch.load(self.folder / "checkpoint.pt", weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seen, self.elapsed = state["step"], state["seen"], state["elapsed"]

    @property
    def stage(self) -> str:
        """Which lexicon and mixture this progress has."""
        if self.progress < self.recipe.first_stage:
            return "small"
        return "full" if self.progress < self.recipe.last_stage else "last"

    def _stream(self, stage: str) -> Iterator[Batch]:
        lexicon = self.lexicon.first_stage() if stage == "small" else self.lexicon
        shares = self.recipe.last_shares if stage == "last" else self.recipe.shares
        rng = random.Random(f"{self.recipe.seed} {self.step} {stage}")
        return iter(Batches(examples(lexicon, rng, shares), self.tokenizer, self.recipe.batch))

    def run(self, log: TextIO, limit: float = float("inf")) -> None:
        """Train until the budget, or `limit` of this process's seconds, is used."""
        started = saved = last = time.perf_counter()
        stage = self.stage
        stream = self._stream(stage)
        losses: list[float] = []
        seen = self.seen
        while self.progress < 1 and last - started < limit:
            if stage != self.stage:
                stage = self.stage
                stream = self._stream(stage)
            losses.append(self._step(next(stream)))
            now = time.perf_counter()
            self.elapsed += now - last
            if self.step % LOG_STEPS == 0:
                rate = (self.seen - seen) / (now - started)
                loss = sum(losses) / len(losses)
                row = f"{self.step} {self.seen / 1e6:.2f}M {100 * self.progress:.1f}% loss {loss:.4f}"
                log.write(f"{row} {rate:.0f} tok/s {stage}\n")
                log.flush()
                losses.clear()
            last = now
            if now - saved > CHECKPOINT_SECONDS:
                self.save()
                saved = now
        self.save()

    def _step(self, batch: Batch) -> float:
        with torch.autocast("cpu", torch.bfloat16):
            loss = self.model.loss(batch.tokens, batch.positions, batch.targets, batch.weights)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step(schedule(self.progress, self.recipe))
        self.step += 1
        self.seen += batch.size
        return float(loss.detach())


def main(argv: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m starter.train", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--micro", action="store_true", help="a small model on the first-stage lexicon")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=JSON", help="change a field of the recipe")
    parser.add_argument("--minutes", type=float, help="a budget of time, in the place of one of tokens")
    parser.add_argument("--tokens", type=int)
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    changes: dict[str, Any] = {name: json.loads(value) for name, _, value in (s.partition("=") for s in args.set)}
    for name, other in (("minutes", "tokens"), ("tokens", "minutes")):
        if getattr(args, name) is not None:
            changes.update({name: getattr(args, name), other: 0})
    saved = args.out / "recipe.json"
    recipe = MICRO if args.micro else Recipe()
    if args.resume and saved.exists():
        recipe = Recipe(**json.loads(saved.read_text(encoding="utf-8")))
    recipe = dataclasses.replace(recipe, **changes)
    saved.write_text(json.dumps(dataclasses.asdict(recipe), indent=2), encoding="utf-8")
    training = Training(args.out, recipe)
    if args.resume and (args.out / "checkpoint.pt").exists():
        training.load()
    training.run(sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
