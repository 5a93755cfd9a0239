"""Emoji and code that a sentence is complete without: taken out, and back at their place."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from scripted_generator import Scripted

from edgellm.app import App
from edgellm.tasks import protect, translate, translation_signs
from edgellm.tasks.faithful import Unit
from edgellm.tasks.translate import Translator


def bare(text: str, language: str = "en", borders: tuple[int, ...] = ()) -> translation_signs.Bare | None:
    return translation_signs.bare(Unit(text, protect.find(text), borders), language)


@pytest.mark.parametrize(
    ("text", "asked", "language"),
    [
        ("I drink coffee ☕", "I drink coffee", "en"),
        ("I drink coffee ☕.", "I drink coffee.", "en"),
        ("☕ I drink coffee.", "I drink coffee.", "en"),
        ("🎉🎉 We won! 🏆🏆", "We won!", "en"),
        ("The family 👨‍👩‍👧 is here.", "The family is here.", "en"),
        ("Hi 👋🏽, Anna.", "Hi, Anna.", "en"),
        ("我喝茶🍵。", "我喝茶。", "zh"),
        ("Open the file `a.txt`.", "Open the file.", "en"),
        ("Ouvre l’exemple `a.txt`", "Ouvre l’exemple", "fr"),
        ("Öffne die Datei `a.txt`!", "Öffne die Datei!", "de"),
        ("I love you ❤️", "I love you", "en"),
    ],
)
def test_the_sentence_is_asked_without_and_nothing_is_lost(text: str, asked: str, language: str) -> None:
    found = bare(text, language)
    assert found is not None
    assert found.unit.text == asked
    assert found.whole(found.unit.pieces) == (text,)  # an echo gives the same text


@pytest.mark.parametrize(
    "text",
    [
        "I drink coffee.",
        "`main.py` is a file.",
        "Run `make` now.",
        "She uses `make`.",  # what is used is part of the sentence
        "I ❤️ it.",
        "Monday → Friday",
        "EdgeLLM™ is here.",
        "☕🎉",
        "Take {cup ☕} here.",
    ],
)
def test_other_sentences_are_left_alone(text: str) -> None:
    assert bare(text) is None


def test_borders_of_formatting_stay_borders() -> None:
    text = "☕ The dog is 🐕 very tired 😴."
    borders = (text.index("very"), text.index(" 😴"))
    found = bare(text, borders=borders)
    assert found is not None
    assert found.unit.text == "The dog is very tired."
    assert found.whole(("LE CHIEN EST", " ", "TRÈS FATIGUÉ", ".")) == ("☕ LE CHIEN EST 🐕 ", "TRÈS FATIGUÉ", " 😴.")


def small(reply: Callable[[str], str], text: str) -> tuple[str, list[str]]:
    generator = Scripted(reply, starter=True)
    plan = translate.prepare(generator.info, text, "fr", "en")
    worker = Translator(generator, plan)
    found = "".join(event.text for event in worker.stream(text) if hasattr(event, "text"))
    assert worker.notes == ()
    return found, generator.prompts


def test_a_small_model_is_not_asked_about_them_and_a_general_one_is() -> None:
    found, prompts = small(lambda _: "Je bois.", "I drink ☕.")
    assert found == "Je bois ☕."
    assert prompts == ["Translate from English to French:\nI drink."]
    general = Scripted(lambda _: "Je bois ☕.")
    assert translate.translate(general, "I drink ☕.", "fr", "en").text == "Je bois ☕."
    assert general.prompts == ["Translate from English to French:\nI drink ☕."]


@pytest.mark.parametrize(
    "text", ["I drink ☕" + " " * 20_000 + "x", "I ❤" + " " * 20_000 + "x", "The " + "a" * 20_000 + " `a.txt`."]
)
def test_long_gaps_and_words_cost_nothing(text: str) -> None:
    before = time.thread_time()  # of this thread alone: what else the machine does changes nothing
    found = bare(text)
    assert found is None or found.whole(found.unit.pieces) == (text,)
    assert time.thread_time() - before < 2, "it took minutes"


def test_code_is_no_word_that_the_model_should_know() -> None:
    plan = translate.prepare(Scripted(str, starter=True).info, "The teacher is tired `zyqqle`.", "fr", "en")
    assert plan.unknown == ()


def test_the_starter_invents_nothing(starter: Path) -> None:
    app = App.create({"model": str(starter)})
    wanted = {
        "I drink coffee ☕": "Je bois du café ☕",
        "☕ I drink coffee.": "☕ Je bois du café.",
        "🎉 I have two red books.": "🎉 J'ai deux livres rouges.",
        "The cat is black 🐈.": "Le chat est noir 🐈.",
        "The teacher is tired 😴": "Le professeur est fatigué 😴",
    }
    try:
        engine = app.engine()
        engine.load(starter)
        assert {text: translate.translate(engine, text, "fr", "en").text for text in wanted} == wanted
    finally:
        app.close()


def test_the_work_grows_with_the_number_of_emoji_and_not_with_its_square() -> None:
    def seconds(count: int) -> float:
        unit = Unit("The dog \U0001f600 is 5 km " * count)
        unit = Unit(unit.text, protect.find(unit.text))
        began = time.process_time()
        found = translation_signs.bare(unit, "en")
        took = time.process_time() - began
        assert found is not None
        assert "\U0001f600" not in found.unit.text
        assert all(found.unit.text[one.start : one.end] == one.text for one in found.unit.stretches)
        return took

    small = min(seconds(500) for _ in range(3))
    assert seconds(8000) < 16 * 6 * max(small, 0.001)


def test_signs_with_several_blanks_between_are_taken_out_once() -> None:
    found = bare("\U0001f600  \U0001f389 The 5 dogs sing.")
    assert found is not None
    assert found.unit.text.strip() == "The 5 dogs sing."
    assert [found.unit.text[one.start : one.end] for one in found.unit.stretches] == ["5"]
