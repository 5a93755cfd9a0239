"""Examples as padded batches of a few fixed shapes, with the loss on the answers only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from starter.examples.example import Example
from starter.tokenizer import END, PAD, render

LENGTHS = (28, 32, 36, 40, 44, 48, 56, 64, 80, 96, 128, 160)


@dataclass(frozen=True)
class Encoded:
    """Token ids of an example; the answer begins at `start` and ends with the end token."""

    ids: list[int]
    start: int


@dataclass(frozen=True)
class Batch:
    """Padded `tokens` [rows, length] and, per answer token, the flat position that predicts it, itself, its weight."""

    tokens: Tensor
    positions: Tensor
    targets: Tensor
    weights: Tensor
    size: int


def encode(tokenizer: Tokenizer, example: Example) -> Encoded:
    """Prompt and answer tokenized apart, as at inference."""
    prompt = tokenizer.encode(render(example.messages)).ids
    answer = tokenizer.encode(example.answer).ids
    return Encoded([*prompt, *answer, tokenizer.token_to_id(END)], len(prompt))


def collate(rows: list[Encoded], length: int, pad: int, round_to: int = 64) -> Batch:
    """One batch; answer positions are padded to a multiple of `round_to` with weight 0, so that few shapes occur."""
    tokens = np.full((len(rows), length), pad, dtype=np.int64)
    positions: list[int] = []
    targets: list[int] = []
    weights: list[float] = []
    for row, item in enumerate(rows):
        tokens[row, : len(item.ids)] = item.ids
        answer = item.ids[item.start :]
        positions.extend(range(row * length + item.start - 1, row * length + len(item.ids) - 1))
        targets.extend(answer)
        weights.extend([len(answer) ** -0.5] * len(answer))
    missing = -len(targets) % round_to
    return Batch(
        torch.from_numpy(tokens),
        torch.tensor(positions + [0] * missing),
        torch.tensor(targets + [0] * missing),
        torch.tensor(weights + [0.0] * missing),
        sum(len(item.ids) for item in rows),
    )


class Batches:
    """Batches of about `budget` tokens, each of one length, from a stream of examples."""

    def __init__(self, source: Iterator[Example], tokenizer: Tokenizer, budget: int) -> None:
        self._source, self._tokenizer, self._budget = source, tokenizer, budget
        self._pad = tokenizer.token_to_id(PAD)
        self._waiting: dict[int, list[Encoded]] = {length: [] for length in LENGTHS}

    def __iter__(self) -> Iterator[Batch]:
        for example in self._source:
            item = encode(self._tokenizer, example)
            length = next((length for length in LENGTHS if len(item.ids) <= length), 0)
            if not length:
                continue
            rows = self._waiting[length]
            rows.append(item)
            if len(rows) >= self._budget // length:
                self._waiting[length] = []
                yield collate(rows, length, self._pad)
