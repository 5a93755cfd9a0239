"""A small model's sentence is doubted where the text does not say it, and only there."""

from __future__ import annotations

import random

import pytest

from edgellm.tasks.doubt import doubtful, nearest
from starter.examples import summarize
from starter.examples.example import Source
from starter.words import Lexicon

HOUSE = "The house is old. I drink water. We eat bread. The train is late. Where is the station?"


@pytest.mark.parametrize(
    "said",
    [
        "The water is old.",
        "The water is eat bread.",
        "The train is eat water.",
        "T water, please.",
        "Water.",
        "The house is old old.",
        "The house is new.",
        "Is the house old?",
    ],
)
def test_what_the_text_does_not_say_is_doubted(said: str) -> None:
    assert doubtful(said, HOUSE)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("The house is old.", HOUSE),
        ("I drink water.", HOUSE),
        ("The meeting is on Monday at the station.", "The meeting is on Monday. It is at the station."),
        ("Anna gave a dog to Paul in the park.", "Anna bought a dog. Anna gave the dog to Paul in the park."),
        ("We bought bread at the market.", "We were at the market. We bought bread."),
    ],
)
def test_what_sentences_say_together_is_not(said: str, text: str) -> None:
    assert not doubtful(said, text)


def test_the_right_summaries_that_the_starter_was_taught_are_believed() -> None:
    source = Source(Lexicon.read(), random.Random(5))
    taught = [summarize.summary(source) for _ in range(200)]
    assert sum(doubtful(one.answer, one.key) for one in taught) == 0


STORIES = (
    "The farmer goes to the school every morning. He is tired.\n\nMy sister lost a car last week. It was cold there."
)


@pytest.mark.parametrize(
    "said",
    [
        "The school every morning.",  # no verb
        "The farmer lost a car.",  # another's deed
        "My sister lost a car every morning.",  # another's time
        "My sister lost a car there.",  # the weather's place
        "The farmer goes to the car every morning.",
        "Every morning my sister goes to the school.",
        "Car.",
        "",
    ],
)
def test_what_belongs_to_another_matter_is_doubted(said: str) -> None:
    assert doubtful(said, STORIES)


@pytest.mark.parametrize(
    "said", ["The farmer goes to the school every morning.", "My sister lost a car.", "The farmer is tired."]
)
def test_what_one_sentence_says_is_believed(said: str) -> None:
    assert not doubtful(said, STORIES)


def test_the_sentence_behind_a_doubted_one_is_found() -> None:
    assert nearest("The school every morning.", STORIES) == "The farmer goes to the school every morning."
    assert nearest("Volcanoes erupt.", STORIES) == ""
    assert nearest("The school is tired.", "Tom is old. He is tired.\n\nHe sleeps.") == "Tom is old. He is tired."
    assert nearest("The king sleeps there.", "The man is old.\n\nHe sleeps there.") == "He sleeps there."
    assert nearest("", STORIES) == ""


def test_every_verb_that_the_starter_was_taught_is_a_verb_here() -> None:
    for verb in Lexicon.read().verbs:
        for form in verb.en:
            assert not doubtful(f"Anna {form} in the city.", f"Anna {form} in the city today."), form
