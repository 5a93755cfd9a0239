"""Tests of the recommendation: a table of computers and what they should get from the catalog that ships."""

from __future__ import annotations

from dataclasses import replace

import pytest
from machines import CUDA, EVERY, computer, nvidia

from edgellm.hardware.probe import Hardware, Power
from edgellm.models import catalog
from edgellm.models.catalog import CardFile, ModelCard
from edgellm.paths import from_environment
from edgellm.runtimes.advice import Here
from edgellm.runtimes.build import Build
from edgellm.runtimes.ranking import speaks
from edgellm.runtimes.recommend import FLOORS, Recommendation, recommend
from edgellm.runtimes.speed import SelfTest, Speeds
from edgellm.settings import Settings

CARDS = catalog.load(from_environment()).cards
SLOW = SelfTest(1, 4, 20e9, 18e9, 150e9, 1e9, 2000.0, 9000.0, 9_000_000, 4_700_000, 4)
USUAL = SelfTest(1, 4, 45e9, 40e9, 450e9, 1e9, 3300.0, 19_000.0, 9_000_000, 4_700_000, 4)


def ask(
    hardware: Hardware, task: str = "chat", test: SelfTest | None = USUAL, build: Build = EVERY, language: str = ""
) -> Recommendation:
    """What a computer gets."""
    return recommend(CARDS, task, Here(hardware, Settings(), build, Speeds("m", test)), language)


def name(found: Recommendation) -> str:
    """The name of the choice."""
    return found.choice.value.name if found.choice.value else ""


@pytest.mark.parametrize(
    ("total", "free", "test", "expected"),
    [
        (4, 0.3, USUAL, "starter"),
        (4, 2.2, None, "qwen3.5-0.8b-q4"),
        (4, 2.2, USUAL, "qwen3.5-0.8b-q4"),
        (8, 3.0, USUAL, "qwen3.5-2b-q4"),
        (8, 5.5, None, "qwen3.5-4b-q4"),  # assumed to be an inexpensive laptop with four cores
        (8, 5.5, USUAL, "qwen3.5-4b-q4"),
        (16, 2.2, USUAL, "qwen3.5-0.8b-q4"),  # free memory counts, not the class of the computer
        (16, 12.0, None, "qwen3.5-4b-q4"),  # what was not measured is not assumed to be fast
        (16, 12.0, USUAL, "qwen3.5-9b-q4"),
        (16, 12.0, SLOW, "qwen3.5-4b-q4"),  # it fits, but would be slower than reading aloud
        (32, 26.0, USUAL, "gemma-4-26b-a4b-qat-q4"),
        (64, 58.0, USUAL, "gemma-4-26b-a4b-qat-q4"),
    ],
)
def test_chat_by_memory_and_speed(total: float, free: float, test: SelfTest | None, expected: str) -> None:
    found = ask(computer(total, free), test=test)
    assert name(found) == expected
    assert found.advice is not None
    assert found.advice.fit == ("fits" if expected != "starter" else "tight")


@pytest.mark.parametrize(("cores", "expected"), [(2, "lfm2.5-8b-a1b-q4"), (4, "qwen3.5-4b-q4"), (16, "qwen3.5-4b-q4")])
def test_before_measuring_plenty_of_memory_is_no_reason_for_a_slow_model(cores: int, expected: str) -> None:
    found = ask(computer(32, 26, cores=cores), test=None)
    assert name(found) == expected
    assert "assumed as for an ordinary laptop, until edgellm doctor --measure has run" in found.choice.reason
    others = {one.card.name: one.reason for one in (*found.runners_up, *found.passed_over)}
    assert others["qwen3-14b-q4"].startswith("too slow on an ordinary laptop (about ")
    assert others["qwen3-14b-q4"].endswith("; not measured here")
    large = others["gemma-4-26b-a4b-qat-q4"]
    assert "on an ordinary laptop" in large or large.endswith(
        " too large to try before edgellm doctor --measure has run"
    )
    assert name(ask(computer(32, 26, cores=cores))) == "gemma-4-26b-a4b-qat-q4", "measured, it is the one to have"


@pytest.mark.parametrize(
    ("card", "free", "main", "expected"),
    [
        (4, 3.6, 12, "qwen3.5-4b-q4"),
        (6, 5.6, 12, "qwen3.5-4b-q4"),
        (8, 7.6, 12, "qwen3.5-9b-q4"),
        (12, 11.6, 24, "qwen3.5-9b-q4"),
        (16, 15.6, 24, "gemma-4-26b-a4b-qat-q4"),
    ],
)
def test_with_a_gpu_it_lies_there_as_a_whole(card: float, free: float, main: float, expected: str) -> None:
    found = ask(computer(main * 1.3, main, nvidia(card, free)), build=CUDA)
    assert name(found) == expected
    assert found.advice is not None
    assert found.advice.all_on_gpu
    assert "on the GPU" in found.choice.reason


def test_a_gpu_that_cannot_be_used_does_not_count() -> None:
    assert name(ask(computer(16, 12, nvidia(8)), build=EVERY)) == name(ask(computer(16, 12)))


@pytest.mark.parametrize(
    ("free", "task", "expected"),
    [
        (5.5, "translate", "hy-mt2-1.8b-q4"),
        (12.0, "translate", "hy-mt2-7b-q4"),
        (5.5, "summarize", "qwen3.5-4b-q4"),
        (5.5, "answer", "qwen3.5-4b-q4"),
        (5.5, "classify", "qwen3.5-4b-q4"),
        (5.5, "generate", "qwen3.5-4b-q4"),
    ],
)
def test_each_task_has_its_own(free: float, task: str, expected: str) -> None:
    assert name(ask(computer(16, free), task)) == expected


@pytest.mark.parametrize("task", sorted(FLOORS))
@pytest.mark.parametrize("free", [0.2, 0.9, 2.2, 5.5, 12.0, 26.0])
@pytest.mark.parametrize("test", [None, SLOW, USUAL])
def test_the_choice_is_never_one_that_cannot_be_used(task: str, free: float, test: SelfTest | None) -> None:
    found = ask(computer(max(free * 1.4, 2), free), task, test)
    card = found.choice.value
    assert card is not None, "the starter is always there"
    assert found.advice is not None
    assert found.advice.fit in ("fits", "tight")
    assert card.license_line.rstrip(".") in found.choice.reason
    others = [one.card.name for one in (*found.runners_up, *found.passed_over, *found.later)]
    assert card.name not in others
    assert len(others) == len(set(others))
    assert all(one.reason for one in (*found.runners_up, *found.passed_over, *found.later))
    speed = found.advice.words_per_second
    if speed is not None and speed < FLOORS[task]:
        assert "None reaches" in found.choice.reason


def test_the_reason_names_memory_speed_and_license() -> None:
    found = ask(computer(8, 5.5))
    assert found.choice.reason.startswith("The most capable one that fits well into the 5.50 GB that are free; about ")
    assert found.choice.reason.endswith("estimated from the self-test of this computer. License: Apache-2.0.")


def test_others_say_why_they_are_not_first() -> None:
    found = ask(computer(16, 12))
    reasons = {one.card.name: one.reason for one in (*found.runners_up, *found.passed_over)}
    assert reasons["gemma-4-26b-a4b-qat-q4"].startswith("it needs about 13")
    assert "faster (about" in reasons["qwen3.5-4b-q4"]
    assert reasons["qwen3-14b-q4"].startswith("too slow here (about")
    assert reasons["deepseek-r1-distill-qwen-7b-q4"] == "it always thinks aloud before it answers"


def test_what_thinks_aloud_is_never_a_default() -> None:
    for total in (4, 8, 16, 32):
        card = ask(computer(total, total * 0.7)).choice.value
        assert card is not None
        assert "thinks" not in card.template


def test_a_model_that_embeds_is_recommended_as_onnx() -> None:
    found = ask(computer(8, 5.5), "embed")
    assert found.choice.value is not None
    assert found.choice.value.format == "onnx"
    passed = {one.card.name: one.reason for one in found.passed_over}
    assert "run as ONNX files" in passed["qwen3-embedding-0.6b-q8"]
    ranks = ask(computer(32, 26), "rerank")
    assert name(ranks) == "ms-marco-minilm-l6"
    assert "head lies outside" in {one.card.name: one.reason for one in ranks.later}["ettin-reranker-68m"]


def test_a_language_that_it_does_not_speak_counts() -> None:
    found = ask(computer(8, 5.5), "translate", language="fi")
    assert found.choice.value is not None
    assert speaks(found.choice.value, "fi")
    english = next(card for card in CARDS if card.languages == ("en",))
    assert (speaks(english, "en-GB"), speaks(english, "de")) == (True, False)
    assert speaks(replace(english, languages=()), "de")
    assert speaks(replace(english, languages=("mul", "en")), "ko")


def test_on_a_nearly_empty_battery_speed_counts_twice() -> None:
    full = ask(computer(16, 12, power=Power(True, 90.0)))
    empty = ask(computer(16, 12, power=Power(True, 12.0)))
    plugged = ask(computer(16, 12, power=Power(False, 12.0)))
    assert name(full) == name(plugged) == "qwen3.5-9b-q4"
    assert name(empty) != name(full)
    assert "battery is nearly empty" in empty.choice.reason
    assert empty.advice is not None
    assert empty.advice.words_per_second is not None
    assert empty.advice.words_per_second >= 2 * FLOORS["chat"]


def test_where_everything_is_slow_the_fastest_is_named_as_such() -> None:
    crawling = SelfTest(1, 4, 0.4e9, 0.3e9, 3e9, 1e9, 100.0, 900.0, 9_000_000, 4_700_000, 4)
    cards = [card for card in CARDS if not card.builtin]
    found = recommend(cards, "chat", Here(computer(8, 5.5), Settings(), EVERY, Speeds("m", crawling)))
    assert found.choice.value is not None
    assert found.choice.value.name == "lfm2.5-230m-q4"
    assert found.choice.reason.startswith("None reaches 3 words/s here, and this is the fastest")


def test_when_nothing_fits_that_is_said() -> None:
    cards = [card for card in CARDS if not card.builtin]
    found = recommend(cards, "chat", Here(computer(2, 0.1), Settings(), EVERY, Speeds("m", USUAL)))
    assert found.choice.value is None
    assert found.advice is None
    assert found.choice.reason == "Nothing that is for this fits into the 102 MB that are free."
    assert len(found.passed_over) > 20


def test_a_license_with_conditions_loses_against_a_free_one_of_the_same_kind() -> None:
    def card(name: str, license: str) -> ModelCard:
        files = (CardFile(f"{name}.gguf", 1_280_000_000),)
        return ModelCard(name, name, "", files, parameters="2B", license=license, tasks=("chat",), architecture="llama")

    for first, second in ((0, 1), (1, 0)):
        cards = (card("free", "Apache-2.0"), card("bound", "LFM Open License v1.0"))
        found = recommend(
            (cards[first], cards[second]), "chat", Here(computer(8, 6), Settings(), EVERY, Speeds("m", USUAL))
        )
        assert name(found) == "free"
