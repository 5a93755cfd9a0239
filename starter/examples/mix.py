"""The mixture of jobs that the model is trained on, with the share of each."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from starter.examples.answer import answering
from starter.examples.chat import chat, refusal
from starter.examples.classify import classification
from starter.examples.example import Example, Source
from starter.examples.stories import reply, story
from starter.examples.summarize import summary
from starter.examples.translate import DIRECTIONS, translation
from starter.words import Lexicon


def near_answering(source: Source) -> Example:
    """Questions as the task asks them, after its retrieval."""
    return answering(source, near=True)


MAKERS: dict[str, Callable[[Source], Example]] = {
    "translate": translation,
    "answer": near_answering,
    "summarize": summary,
    "classify": classification,
    "story": story,
    "reply": reply,
    "chat": chat,
    "refusal": refusal,
}
ONE_DIRECTION = {f"translate {first}-{second}": (first, second) for first, second in DIRECTIONS}
SHARES: dict[str, float] = {
    "translate": 46,
    "answer": 22,
    "summarize": 8,
    "classify": 10,
    "story": 2,
    "reply": 2,
    "chat": 5,
    "refusal": 5,
}
LAST_SHARES: dict[str, float] = {
    "translate": 55,
    "answer": 21,
    "summarize": 6,
    "classify": 4,
    "story": 1,
    "reply": 1,
    "chat": 5,
    "refusal": 7,
}
ALWAYS_TRAINED = ("chat", "refusal")  # closed lists: their tests are separate lists


def examples(lexicon: Lexicon, rng: random.Random, shares: dict[str, float] = SHARES) -> Iterator[Example]:
    """Training examples without end; held-out ones are left out."""
    source = Source(lexicon, rng)
    jobs, weights = list(shares), list(shares.values())
    while True:
        job = rng.choices(jobs, weights)[0]
        if job in ONE_DIRECTION:
            yield translation(source, direction=ONE_DIRECTION[job])
            continue
        example = MAKERS[job](source)
        if job in ALWAYS_TRAINED or job == "translate" or not example.held_out:
            yield example


def held_out(lexicon: Lexicon, rng: random.Random, job: str) -> Iterator[Example]:
    """Examples of one job that training never shows."""
    source = Source(lexicon, rng)
    while True:
        example = translation(source, held=True) if job == "translate" else MAKERS[job](source)
        if job in ALWAYS_TRAINED or job == "translate" or example.held_out:
            yield example
