"""Tests of counting words, and of how many a token is worth."""

from __future__ import annotations

import pytest

from edgellm.runtimes import words


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Good morning, Anna.", 3), ("火车站在哪里？", 6), ("Où est l'école", 4), ("", 0), ("中文 and English", 4),
        ("snake_case 3.5", 4), ("ひらがな", 4), ("...!?", 0),
    ],
)  # fmt: skip
def test_words_are_counted(text: str, count: int) -> None:
    assert words.count(text) == count


@pytest.mark.parametrize(
    ("tag", "rate"), [("en", 0.75), ("EN-us", 0.75), ("zh-Hant", 1.4), ("fi", words.OTHER_LANGUAGE), ("", 0.45)]
)
def test_a_token_is_worth_words_of_its_language(tag: str, rate: float) -> None:
    assert words.per_token(tag) == rate
