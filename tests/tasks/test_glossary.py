"""Glossaries: what is read, what is refused by line, and what of a text a term means."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgellm.errors import StorageError, UsageError
from edgellm.tasks import glossary
from edgellm.tasks.glossary import Glossary, Term


def said(terms: tuple[Term, ...], text: str, source: str = "en", target: str = "fr") -> list[tuple[str, str]]:
    found = Glossary(terms).stretches(text, source, target)
    return [(text[one.start : one.end], one.text) for one in found]


def written(folder: Path, text: str | bytes, name: str = "terms.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_the_longest_term_counts_and_whole_words_only() -> None:
    terms = (Term("dog", "chien"), Term("guide dog", "chien d'aveugle"))
    assert said(terms, "A guide  dog, dogs and a dog.") == [("guide  dog", "chien d'aveugle"), ("dog", "chien")]


def test_the_case_of_a_word_goes_over() -> None:
    terms = (Term("dog", "chien"), Term("Apple", "Pomme SA"))
    found = said(terms, "Dog DOG dog apple Apple")
    assert sorted(found) == [("Apple", "Pomme SA"), ("DOG", "CHIEN"), ("Dog", "Chien"), ("dog", "chien")]
    assert said((Term("hund", "Dog"),), "HUND Hund") == [("HUND", "Dog"), ("Hund", "Dog")]


def test_chinese_words_need_no_spaces_around_them() -> None:
    assert said((Term("车站", "Hauptbahnhof"),), "火车站在哪里？", "zh", "de") == [("车站", "Hauptbahnhof")]
    assert said((Term("EdgeLLM"),), "使用EdgeLLM翻译 EdgeLLMs", "zh", "de") == [("EdgeLLM", "EdgeLLM")]


def test_terms_of_other_languages_are_not_used() -> None:
    terms = (Term("chat", "Katze", "fr", "de"), Term("chat", "cat", "fr", "en"))
    assert said(terms, "le chat", "fr", "en") == [("chat", "cat")]
    assert said(terms, "a chat", "en", "fr") == []


def test_a_file_is_read_with_its_header_and_languages(tmp_path: Path) -> None:
    text = 'source,target,source language,target language\n"dog, small",toutou,English,fr\n\nEdgeLLM,\n'
    assert glossary.read(written(tmp_path, text)) == (Term("dog, small", "toutou", "en", "fr"), Term("EdgeLLM"))


@pytest.mark.parametrize("text", ["dog\tchien\n", "dog;chien\n", "\ufeffdog,chien\r\n"])
def test_other_separators_and_a_mark_of_byte_order(tmp_path: Path, text: str) -> None:
    assert glossary.read(written(tmp_path, text)) == (Term("dog", "chien"),)
    assert glossary.read(written(tmp_path, text.encode("utf-16"))) == (Term("dog", "chien"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dog,chien\n,chat\n", "line 2: it has no term"),
        ("dog,chien,klingon\n", "line 1: There is no language called klingon"),
        ("dog,chien\na,b,c,d,e\n", "line 2: it has 5 columns"),
        ("dog,chien\ndog,toutou\n", "line 2: dog has another translation"),
        ('dog,"chien\n', "line 1: "),
        ("\n\n", "holds no terms"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=r"terms\.csv") as caught:
        glossary.read(written(tmp_path, text))
    assert said in caught.value.message
    assert "source,target" in caught.value.hint


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="There is no glossary"):
        glossary.read(tmp_path / "none.csv")
    with pytest.raises(StorageError, match=r"not UTF-8 \(line 2\)"):
        glossary.read(written(tmp_path, b"dog,chien\ncaf\xe9,coffee\n"))
    with pytest.raises(StorageError, match="cannot be read"):
        glossary.read(tmp_path)


def test_the_fingerprint_follows_the_terms() -> None:
    one, other = Glossary((Term("a", "b"),)), Glossary((Term("a", "c"),))
    assert one.fingerprint != other.fingerprint
    assert Glossary().fingerprint == ""
    assert Glossary(glossary.kept(" EdgeLLM, ,Qt ")).terms == (Term("EdgeLLM"), Term("Qt"))
