"""Language detection: real texts of 36 languages by statistics, short ones by script, lexicon and function words."""

from __future__ import annotations

import pytest

from edgellm.errors import UsageError
from edgellm.tasks.detect import Detector
from edgellm.tasks.languages import NAMES, code_of, english_name
from edgellm.tasks.lexicon import Lexicon

FIVE = ("en", "fr", "de", "es", "zh")
ALL = Detector(tuple(NAMES))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The library opens on Monday and closes early in the evening."),
        ("fr", "La bibliothèque ouvre le lundi et ferme tôt le soir."),
        ("de", "Die Bibliothek öffnet am Montag und schließt früh am Abend."),
        ("es", "La biblioteca abre el lunes y cierra temprano por la tarde."),
        ("zh", "图书馆星期一开门，晚上很早关门。"),
        ("ja", "図書館は月曜日に開いて、夕方早く閉まります。"),
        ("ko", "도서관은 월요일에 열고 저녁 일찍 닫습니다."),
        ("it", "La biblioteca apre il lunedì e chiude presto la sera."),
        ("ru", "Библиотека открывается в понедельник и закрывается рано вечером."),
        ("pt", "A biblioteca abre na segunda-feira e fecha cedo à noite."),
    ],
)
def test_a_sentence_of_each_language(language: str, text: str) -> None:
    found = ALL.detect(text)
    assert found.language == language
    assert found.confidence > 0.5


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "Where is it?"), ("fr", "Où est-ce ?"), ("de", "Wo ist das?"), ("es", "¿Dónde está?"), ("zh", "你好")],
)
def test_short_texts_of_function_words_need_no_statistics(language: str, text: str) -> None:
    found = Detector(FIVE).detect(text)
    assert found.language == language
    assert found.how != "its letters look like it"


def test_a_known_word_decides_a_single_word() -> None:
    lexicon = Lexicon({"en": ["bread"], "fr": ["pain"], "de": ["Brot"], "es": ["pan"]})
    assert Detector(FIVE, lexicon).detect("pan").language == "es"
    assert Detector(FIVE, lexicon).detect("pain").language == "fr"


def test_a_word_that_two_languages_know_is_not_decided_by_them() -> None:
    lexicon = Lexicon({"en": ["Paul"], "fr": ["Paul"], "de": ["Paul"], "es": ["Paul"]})
    assert Detector(FIVE, lexicon).detect("Paul").confidence < 0.5


def test_statistics_decide_among_the_languages_that_know_the_words() -> None:
    lexicon = Lexicon({"en": ["Paul", "no"], "fr": ["Paul"], "de": ["Paul"], "es": ["Paul", "no"]})
    assert Detector(FIVE, lexicon).detect("Paul, no").language in ("en", "es")
    assert Detector(FIVE, lexicon).detect("Paul").language == "en"


def test_nothing_to_detect_has_no_confidence() -> None:
    assert Detector(FIVE).detect("12 : 30").confidence == 0.0


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("fr", "fr"),
        ("FR", "fr"),
        ("French", "fr"),
        ("Français", "fr"),
        ("francais", "fr"),
        ("中文", "zh"),
        ("zh_CN", "zh"),
    ],
)
def test_a_language_has_many_names(name: str, code: str) -> None:
    assert code_of(name) == code


def test_a_misspelled_language_names_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        code_of("Frensh")
    assert "French" in caught.value.hint
    assert english_name("fr") == "French"
