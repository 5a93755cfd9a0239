"""Tests of the probabilities of answers: they are those that the model itself draws with, and sum to 1."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from edgellm.errors import ContextOverflow, UsageError
from edgellm.paths import starter_model
from edgellm.runtimes.base import WEIGHS, Chunk, Message, Placement, Reading, Request, Sampling
from edgellm.runtimes.llama import LlamaRuntime

LABELS = ("positive", "negative", "neutral")
TEXTS = ("The soup was cold.", "I love this garden.", "The train is late again.", "She reads a book.")


@pytest.fixture(scope="module")
def model() -> Iterator[LlamaRuntime]:
    runtime = LlamaRuntime.load(starter_model(), Placement(context=512, batch=64, threads=1, cpu_variant="haswell"))
    yield runtime
    runtime.close()


def asked(text: str, labels: tuple[str, ...] = LABELS) -> tuple[Message, ...]:
    return (Message("user", f"Classify the text as one of: {', '.join(labels)}\nText: {text}"),)


def weigh(model: LlamaRuntime, text: str, labels: tuple[str, ...] = LABELS) -> dict[str, float]:
    scores = model.read(Reading("decoder", texts=labels, messages=asked(text, labels))).scores
    assert scores is not None
    return dict(zip(scores.labels, scores.values, strict=True))


def written(model: LlamaRuntime, text: str, labels: tuple[str, ...], sampling: Sampling) -> str:
    events = model.generate(Request(asked(text, labels), sampling, 20))
    return "".join(event.text for event in events if isinstance(event, Chunk))


def test_the_likeliest_is_what_the_model_answers(model: LlamaRuntime) -> None:
    assert model.info.metadata[WEIGHS] is True
    for text in TEXTS:
        found = weigh(model, text)
        assert sum(found.values()) == pytest.approx(1)
        answer = written(model, text, LABELS, Sampling())
        assert answer in LABELS
        assert max(found, key=lambda label: found[label]) == answer


def test_they_are_the_shares_of_what_it_draws(model: LlamaRuntime) -> None:
    text, labels = "I love this hotel.", ("work", "travel", "food", "weather")
    whole = {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0}
    drawn = [written(model, text, labels, Sampling(**whole, seed=seed)) for seed in range(800)]  # type: ignore[arg-type]
    kept = [label for label in drawn if label in labels]
    assert len(kept) > 100
    expected = weigh(model, text, labels)
    for label in labels:
        share = kept.count(label) / len(kept)
        assert share == pytest.approx(expected[label], abs=4 * (0.25 / len(kept)) ** 0.5), (label, share)


def test_neither_order_nor_company_changes_what_is_in_the_same_prompt(model: LlamaRuntime) -> None:
    prompt = asked("The soup was cold.")
    many = (*LABELS, *("".join(word) for word in itertools.product("abcd", "efgh", "ij")))  # more than sequences
    alone = model.read(Reading("decoder", texts=LABELS, messages=prompt)).scores
    all_of_them = model.read(Reading("decoder", texts=many, messages=prompt)).scores
    assert alone is not None
    assert all_of_them is not None
    assert len(all_of_them.values) == len(many)
    assert sum(all_of_them.values) == pytest.approx(1)
    first = all_of_them.values[: len(LABELS)]
    assert [value / sum(first) for value in first] == pytest.approx(alone.values, rel=0.02, abs=1e-6)


def test_a_label_that_another_begins_with_is_told_by_its_end(model: LlamaRuntime) -> None:
    found = weigh(model, "The soup was cold.", ("negative", "negative and late", "positive"))
    assert found["negative"] > 0.5
    assert found["negative and late"] < found["negative"]


def test_an_answer_is_the_same_after_weighing(model: LlamaRuntime) -> None:
    before = written(model, TEXTS[1], LABELS, Sampling())
    events = model.generate(Request((Message("user", "Write a short story about Anna and a dog."),)))
    next(events)
    weigh(model, TEXTS[0])
    assert written(model, TEXTS[1], LABELS, Sampling()) == before


def test_what_cannot_be_weighed_is_said(model: LlamaRuntime) -> None:
    with pytest.raises(ContextOverflow):
        weigh(model, "word " * 2000)
    with pytest.raises(UsageError, match="too long"):
        weigh(model, "x", ("positive", "late and cold " * 40))
    with pytest.raises(UsageError):
        model.read(Reading("embed", texts=("a",)))
    with pytest.raises(UsageError):
        model.read(Reading("decoder", messages=asked("x")))


def test_a_cancel_leaves_no_scores(model: LlamaRuntime) -> None:
    reply = model.read(Reading("decoder", texts=LABELS, messages=asked("A cold soup. " * 20)), lambda: True)
    assert reply.scores is not None
    assert reply.scores.values == ()
    assert sum(weigh(model, TEXTS[0]).values()) == pytest.approx(1)
