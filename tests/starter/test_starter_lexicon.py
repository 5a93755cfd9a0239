"""The lexicon maps one to one, so that exact match has no ceiling."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from starter.grammar import realize
from starter.grammar.meanings import Meanings
from starter.words import LANGUAGES, Lexicon, english_plural, french_plural, spanish_plural

LEXICON = Lexicon.read()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_noun_and_no_phrase_twice(language: str) -> None:
    for forms in (
        [noun.forms[language][0] for noun in LEXICON.nouns],
        [phrase.forms[language] for phrase in LEXICON.phrases],
        [entry.forms[language] for entry in LEXICON.words],
    ):
        assert not [form for form, count in Counter(forms).items() if count > 1]


def test_every_sentence_has_one_english_sentence() -> None:
    meanings = Meanings(LEXICON, random.Random(3))
    english: dict[tuple[str, str], str] = {}
    for _ in range(15_000):
        meaning = meanings.draw()
        sentence = realize(meaning, "en")
        for language in LANGUAGES:
            other = realize(meaning, language)
            assert english.setdefault((language, other), sentence) == sentence, other
            assert english.setdefault((f"en-{language}", sentence), other) == other, sentence


def test_first_stage_is_a_small_part() -> None:
    small = LEXICON.first_stage()
    assert 20 <= len(small.nouns) <= 40
    assert set(small.nouns) < set(LEXICON.nouns)
    assert {"person", "family", "place", "food", "thing"} <= set(small.by_class)


def test_at_least_250_content_words() -> None:
    assert len(LEXICON.nouns) + len(LEXICON.verbs) + len(LEXICON.adjectives) >= 250


def test_regular_plurals() -> None:
    assert [english_plural(word) for word in ("box", "party", "key")] == ["boxes", "parties", "keys"]
    assert [french_plural(word) for word in ("gâteau", "bus", "livre")] == ["gâteaux", "bus", "livres"]
    assert [spanish_plural(word) for word in ("flor", "estación", "mesa", "luz")] == [
        "flores",
        "estaciones",
        "mesas",
        "luces",
    ]
