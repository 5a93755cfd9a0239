"""The shipped model on a fixed held-out sample, with floors a little under the figures of its card."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgellm.runtimes.base import Generator, Message, Placement
from edgellm.runtimes.registry import load_writer
from starter.measures import ask, measures, refused

ASSETS = Path(__file__).parents[2] / "assets" / "starter"
COUNT = 25
FLOORS = {
    "translate": 0.92,
    "summarize": 0.84,
    "classify": 0.94,
    "answer said": 0.88,
    "answer open": 0.76,
    "story": 0.95,
    "reply": 0.95,
    "chat": 0.80,
    "refusal": 0.91,
}


@pytest.fixture(scope="module")
def starter() -> Iterator[Generator]:
    runtime = load_writer(ASSETS / "starter.gguf", Placement(threads=2, context=1024))
    yield runtime
    runtime.close()


@pytest.fixture(scope="module")
def found(starter: Generator) -> dict[str, float]:
    return {outcome.name: outcome.share for outcome in measures(starter, COUNT)}


@pytest.mark.parametrize("name", FLOORS)
def test_measure(name: str, found: dict[str, float]) -> None:
    assert found[name] >= FLOORS[name]


def test_size(starter: Generator) -> None:
    assert (ASSETS / "starter.gguf").stat().st_size <= 12 * 1024 * 1024
    assert 3_000_000 < starter.info.parameters < 10_000_000


def test_the_card_states_every_measure() -> None:
    card = (ASSETS / "CARD.md").read_text(encoding="utf-8")
    assert all(name in card for name in FLOORS)


def test_word_list_covers_the_lexicon() -> None:
    words = json.loads((ASSETS / "words.json").read_text(encoding="utf-8"))
    assert set(words) == {"en", "fr", "de", "es", "zh"}
    assert {"pharmacy", "bought"} <= set(words["en"])
    assert {"pharmacie", "acheté"} <= set(words["fr"])
    assert {"apotheke", "gekauft"} <= set(words["de"])
    assert {"farmacia", "compró"} <= set(words["es"])
    assert {"药店", "买", "了"} <= set(words["zh"])


def test_the_same_question_gives_the_same_answer(starter: Generator) -> None:
    prompt = (Message("user", "Explain string theory."),)
    first = ask(starter, prompt)
    assert refused(first)
    assert ask(starter, prompt) == first
