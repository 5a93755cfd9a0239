"""The demo: its texts are whole, its steps cover the six jobs, and with the trained starter its results are right."""

from __future__ import annotations

import pytest
from command_line import CommandLine

from edgellm import paths
from edgellm.cli import demo
from edgellm.tasks.detect import Detector
from edgellm.tasks.languages import NAMES
from edgellm.tasks.lexicon import Lexicon

STEPS = demo.load(paths.assets_dir() / "demo" / "demo.toml")
TRAINED = paths.starter_model().with_name("CARD.md").exists()
WORDS = paths.starter_model().with_name("words.json")
needs_words = pytest.mark.skipif(not WORDS.exists(), reason="the starter's word list is not here yet")


def test_the_steps_cover_all_six_jobs_and_both_ways_without_a_model() -> None:
    assert {step.task for step in STEPS} == set(demo.TASKS)
    answers = [step for step in STEPS if step.task == "answer"]
    assert any("The text does not say." in step.expect for step in answers)
    assert any("The text does not say." not in step.expect for step in answers)


def test_a_translation_goes_through_english() -> None:
    detector = Detector(tuple(NAMES))
    ways = [(detector.detect(step.text).language, step.target) for step in STEPS if step.task == "translate"]
    assert any("en" not in way for way in ways)
    assert len(ways) >= 4


@needs_words
def test_every_word_to_be_translated_was_taught() -> None:
    lexicon = Lexicon.load()
    detector = Detector(("en", "fr", "de", "es", "zh"), lexicon)
    for step in STEPS:
        if step.task == "translate":
            assert lexicon.unknown(step.text, detector.detect(step.text).language) == ()


def test_what_is_right_is_judged() -> None:
    step = demo.Step("chat", "x", expect=("a", "b"), contains=("b",))
    assert step.right(" b\n")
    assert not step.right("a")
    assert not step.right("c")


def test_another_model_is_shown_and_not_judged(edgellm: CommandLine) -> None:
    found = edgellm("demo", "--json", "--model", edgellm.script(reply="Hello.")).object
    assert len(found["steps"]) == len(STEPS)
    judged = [row["task"] for row in found["steps"] if row["right"] is not None]
    assert judged == ["key-sentences", "passages"]
    assert all(row["device"] for row in found["steps"])
    assert found["summary"].startswith(f"{len(STEPS)} steps with Plain")


@pytest.mark.skipif(not TRAINED, reason="the trained starter (with its CARD.md) is not here yet")
def test_the_starter_gets_every_step_right(edgellm: CommandLine) -> None:
    found = edgellm("demo", "--json").object
    wrong = [(row["title"], row["input"], row["text"]) for row in found["steps"] if not row["right"]]
    assert wrong == []
    assert all(row["reason"] for row in found["steps"])
