"""Sentences as people type them become sentences as the starter was taught."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgellm.tasks.typography import as_taught


@pytest.mark.parametrize(
    ("language", "typed", "taught"),
    [
        ("en", "where is the station", "Where is the station?"),
        ("en", "  the dog is tired ", "The dog is tired."),
        ("en", "It’s 9 o’clock.", "It's 9 o'clock."),
        ("fr", "où est la gare?", "Où est la gare ?"),
        ("fr", "Bonjour\u202f!", "Bonjour !"),
        ("fr", "Où est la gare ?", "Où est la gare ?"),
        ("de", "wo ist der Bahnhof", "Wo ist der Bahnhof?"),
        ("es", "dónde está la llave?", "¿Dónde está la llave?"),
        ("es", "¡hola!", "¡Hola!"),
        ("zh", "请问, 最近的药店在哪里", "请问，最近的药店在哪里？"),
        ("zh", "老师很累.", "老师很累。"),
        ("zh", "老师 很累", "老师很累。"),
    ],
)
def test_as_taught(language: str, typed: str, taught: str) -> None:
    assert as_taught(typed, language) == taught


@given(st.text(alphabet="aé ?!.,。你¿¡'’\u00a0:", max_size=30), st.sampled_from(["en", "fr", "de", "es", "zh"]))
def test_a_second_time_changes_nothing(text: str, language: str) -> None:
    once = as_taught(text, language)
    assert as_taught(once, language) == once
