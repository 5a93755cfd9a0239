"""Sentences know their place, and line breaks end them only where they should."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgellm.tasks import sentences


def texts(text: str, language: str = "en") -> list[str]:
    found = sentences.split(text, language)
    assert all(text[one.start : one.end] == one.text for one in found)
    return [one.text for one in found]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Dr. Smith came at 3.30 p.m. He sat down.", ["Dr. Smith came at 3.30 p.m.", "He sat down."]),
        ("fr", "Où est la gare ? Elle est là.", ["Où est la gare ?", "Elle est là."]),
        ("de", "Am 3. Mai kam er. Er blieb.", ["Am 3. Mai kam er.", "Er blieb."]),
        ("es", "¡Hola! ¿Cómo está usted?", ["¡Hola!", "¿Cómo está usted?"]),
        ("zh", "你好。安娜买了面包！他说：“好。”", ["你好。", "安娜买了面包！", "他说：“好。”"]),
        ("ja", "今日は雨です。明日は晴れます。", ["今日は雨です。", "明日は晴れます。"]),
    ],
)
def test_splits_in_each_language(language: str, text: str, expected: list[str]) -> None:
    assert texts(text, language) == expected


def test_a_blank_line_a_list_mark_and_a_heading_end_a_sentence() -> None:
    text = "Shopping\n\n- milk\n- bread and butter\n1. Go out\nNotes\nAnna is here"
    expected = ["Shopping", "- milk", "- bread and butter", "1. Go out", "Notes", "Anna is here"]
    assert texts(text) == expected


def test_a_text_wrapped_at_the_margin_keeps_its_sentences_whole() -> None:
    wrapped = "The committee met on Monday in the large hall of the school\nand chose Anna. She thanked everybody."
    assert texts(wrapped) == [wrapped[: wrapped.index(" She")], "She thanked everybody."]


def test_the_mark_of_a_list_is_no_part_of_the_words() -> None:
    text = "  - Anna has a dog."
    (one,) = sentences.split(text)
    assert text[sentences.after_mark(one) : one.end] == "Anna has a dog."


def test_windows_line_breaks_count_as_one() -> None:
    assert list(sentences.lines("a\r\nb\rc\nd")) == [("a", "\r\n"), ("b", "\r"), ("c", "\n"), ("d", "")]


@given(st.text(alphabet="aB .!?。，你好\n\r\t-1\"'»", max_size=60))
def test_nothing_but_white_space_is_lost(text: str) -> None:
    found = sentences.split(text)
    assert "".join("".join(one.text.split()) for one in found) == "".join(text.split())
    assert all(text[one.start : one.end] == one.text and one.text == one.text.strip() for one in found)
    assert all(first.end <= second.start for first, second in itertools.pairwise(found))
