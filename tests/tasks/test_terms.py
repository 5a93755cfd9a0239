"""Terms bring forms of a word together, leave out what says nothing, and cut characters where words are not spaced."""

from __future__ import annotations

import pytest

from edgellm.tasks.function_words import likely
from edgellm.tasks.terms import Terms, stem


@pytest.mark.parametrize(
    "forms",
    [
        ("buy", "bought"),
        ("wash", "washed", "washing", "washes"),
        ("study", "studied", "studies"),
        ("box", "boxes"),
        ("glass", "glasses"),
        ("child", "children"),
        ("hôpital", "hôpitaux", "Hôpital"),
        ("comprar", "compró", "compra"),
        ("kaufen", "kaufe"),
        ("manger", "mangé", "mange"),
    ],
)
def test_forms_of_a_word_are_one_term(forms: tuple[str, ...]) -> None:
    assert len({tuple(Terms().of(form)) for form in forms}) == 1


def test_short_words_are_not_cut_to_nothing() -> None:
    assert [stem(word) for word in ("red", "bus", "sing", "is")] == ["red", "bus", "sing", "is"]


def test_function_and_question_words_are_left_out() -> None:
    assert Terms("en").of("The dog is in the park") == ["dog", "park"]
    assert Terms("en", question=True).of("Where does the dog sleep?") == ["dog", "sleep"]
    assert Terms("fr", question=True).of("Où est le train ?") == ["train"]


def test_numbers_stay_whole() -> None:
    assert Terms().of("at 10:30, 3.5 euros") == ["10:30", "3.5", "euro"]


def test_unspaced_scripts_become_pairs_of_characters() -> None:
    assert Terms("zh").of("安娜的面包") == ["安娜", "面包"]
    assert Terms().of("東京タワー") == ["東京", "京タ", "タワ", "ワー"]
    assert "狗" in Terms("zh", single=True).of("一只狗")


def test_mixed_text_keeps_both_kinds() -> None:
    assert Terms().of("用Python学习") == ["用", "pytho", "学习"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The hat is on the table.", "en"),
        ("Er hat den Zug nicht gesehen.", "de"),
        ("Le chapeau est sur la table.", "fr"),
        ("El sombrero no está en la mesa.", "es"),
        ("帽子在桌子上。", "zh"),
        ("Kapelusz leży na stole.", ""),
        ("", ""),
    ],
)
def test_the_function_words_tell_the_language(text: str, language: str) -> None:
    assert likely(text) == language
