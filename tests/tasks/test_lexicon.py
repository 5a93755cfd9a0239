"""The starter's lexicon tells known words from unknown ones in every script."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgellm.errors import StorageError
from edgellm.tasks.lexicon import Lexicon

FORMS = {
    "en": ["where", "is", "the", "nearest", "pharmacy", "please", "Anna", "swimming pool", "o'clock"],
    "fr": ["où", "est", "hôpital", "il", "pleut", "grand-mère", "s'il vous plaît"],
    "de": ["Straße", "der"],
    "zh": ["安娜", "昨天", "买", "了", "面包", "面包店", "天气"],
}
LEXICON = Lexicon(FORMS)


@pytest.mark.parametrize(
    ("language", "text", "unknown"),
    [
        ("en", "Where is the nearest pharmacy, please?", ()),
        ("en", "Where is the nearest volcano, Anna's VOLCANO 7 volcano?", ("volcano", "VOLCANO")),
        ("en", "the swimming pool at 5 o’clock", ("at",)),
        ("fr", "Où est l'hôpital, s'il vous plaît ?", ()),
        ("fr", "L’hôpital d'Ottawa", ("d'Ottawa",)),
        ("fr", "Où est la grand-mère ?", ("la",)),
        ("de", "DER STRASSE", ()),
        ("zh", "安娜昨天买了面包。", ()),
        ("zh", "安娜昨天买了电视机和面包", ("电视机和",)),
        ("zh", "安娜买了iPhone", ("iPhone",)),
        ("ru", "Привет", ("Привет",)),
        ("en", "12 - 7 !", ()),
    ],
)
def test_unknown_words_are_listed_once_in_order(language: str, text: str, unknown: tuple[str, ...]) -> None:
    assert LEXICON.unknown(text, language) == unknown


def test_chinese_takes_the_segmentation_that_covers_most() -> None:
    """Taking the longest word first would take "ab" and leave "cd"-less "c" unknown."""
    lexicon = Lexicon({"zh": ["天气", "气很", "很好", "今天"]})
    assert lexicon.unknown("今天天气很好", "zh") == ()


def test_letters_written_in_two_ways_are_the_same() -> None:
    assert LEXICON.unknown("ho\u0302pital", "fr") == ()


def test_the_share_of_known_words() -> None:
    assert LEXICON.share("where is Paul", "en") == pytest.approx(2 / 3)
    assert LEXICON.share("买了车", "zh") == pytest.approx(2 / 3)
    assert LEXICON.share("123", "en") == 0.0


def test_a_missing_or_damaged_file_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        Lexicon.load(tmp_path / "words.json")
    (tmp_path / "words.json").write_text("{")
    with pytest.raises(StorageError):
        Lexicon.load(tmp_path / "words.json")
