"""Word search over real files in SQLite: every script, any query text, and the fusion of rankings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edgellm.documents import words
from edgellm.documents.index import Indexer
from edgellm.documents.library import Library
from edgellm.documents.retrieve import Passage, fuse, search
from tests import index_child

TEXTS = {
    "en": "# River\n\n## Birds\n\nThe heron waits in the reeds. Summaries of crossings are kept.",
    "de": "Der Läufer läuft über die Brücke.\fAuf Seite zwei steht ein Fährmann.",
    "zh": "北京大学的图书馆在山上，每天开放。",
    "ja": "東京都の図書館は毎日開いています。カタカナもあります。",
    "ko": "도서관에서 책을 읽었습니다.",
    "th": "ห้องสมุดเปิดทุกวัน",
    "hi": "पुस्तकालय हर दिन खुला रहता है",
    "ru": "Библиотека открыта каждый день.",
    "code": 'call foo.bar(x) AND NOT "quoted" in C++ 100%',
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("retrieve")
    made = Library(folder / "library.db")
    made.create("all")
    for name, text in TEXTS.items():
        file = folder / "files" / f"{name}.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    made.add_source("all", folder / "files")
    Indexer(made, index_child.read).update("all")
    yield made
    made.close()


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("Where does the heron wait?", "en"), ("summary", "en"), ("crossing", "en"), ("RIVER birds", "en"),
        ("lauft", "de"), ("BRÜCKE", "de"), ("bru\u0308cke", "de"), ("Fährmann", "de"),
        ("大学", "zh"), ("图书馆几点开放？", "zh"), ("山", "zh"), ("馆", "zh"),
        ("図書館", "ja"), ("都", "ja"), ("ｶﾀｶﾅ", "ja"), ("東京の図書館", "ja"),
        ("도서관", "ko"), ("ห้องสมุด", "th"), ("पुस्तकालय", "hi"), ("БИБЛИОТЕКА", "ru"),
        ("foo.bar", "code"), ("Ｆｏｏ", "code"), ('"quoted"', "code"), ("100%", "code"),
    ],
)  # fmt: skip
def test_the_file_that_has_the_words_comes_first(library: Library, query: str, best: str) -> None:
    assert search(library, query)[0].path.stem == best


def test_a_passage_says_where_it_stands(library: Library) -> None:
    (one,) = search(library, "Fährmann")
    assert (one.page, one.title, one.headings) == (2, "de", ())
    assert one.text == "Auf Seite zwei steht ein Fährmann."
    assert (one.start, one.stop) == (35, 69)
    assert search(library, "heron")[0].headings == ("River", "Birds")


@pytest.mark.parametrize(
    "query",
    [
        "", "   ", "\0", '"', '""', "'", "*", "^", "-", "(", ")", "AND", "OR NOT", "NEAR(a b, 2)", "text:", "{a}:x",
        "a" * 99_999, "heron\0otter", "\ud800", "heron\ud800", "; DROP TABLE passage; --", "%", "_", "\\", "😀",
        "\u200d", 'x" OR "y', "NEAR/3", "+", "a + b", ":", "\u0301", "東*", '東"', "\u202e", "?1", "@p", "\n", "ก็", "์",
    ],
)  # fmt: skip
def test_any_text_is_only_text(library: Library, query: str) -> None:
    assert all(isinstance(one, Passage) for one in search(library, query))
    assert search(library, "heron")


def test_operators_are_looked_for_as_words(library: Library) -> None:
    assert [one.path.stem for one in search(library, "NOT")] == ["code"]
    assert search(library, "context:heron") == ()
    assert search(library, "hero*") == ()


def test_the_limit_holds_and_the_best_come_first(library: Library) -> None:
    found = search(library, "the heron der Brücke 图书馆 day", limit=3)
    assert len(found) == 3
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert search(library, "heron", limit=0) == search(library, "zebra") == ()


def test_runs_without_spaces_are_pairs() -> None:
    assert words.indexed("在東京都x").split() == ["在東", "東京", "京都", "都", "x"]
    assert words.terms("東京都 東京 a") == ('"東京"', '"京都"', '"a"')


@pytest.mark.parametrize(
    ("question", "left"),
    [
        ("How do I get rid of the lime?", "get rid lime"),
        ("Où est la clé du gardien ?", "clé gardien"),
        ("Wann wird der Müll geholt?", "Müll geholt"),
        ("¿Dónde está la llave?", "llave"),
        ("On which day is it?", "day"),
        ("a hat", "hat"),
        ("the NOT", "the NOT"),
        ("What is it?", "What is it?"),
        ("E17", "E17"),
        ("图书馆几点开放？", "图书馆几点开放？"),
        ("", ""),
        ("\ud800", "\ud800"),
    ],
)
def test_what_a_question_is_about(question: str, left: str) -> None:
    found = words.without_function_words(question)
    assert found == left or found.translate(str.maketrans("?¿", "  ")).split() == left.split()


def test_a_text_that_only_asks_alike_is_not_the_answer(tmp_path: Path) -> None:
    made = Library(tmp_path / "library.db")
    made.create("all")
    (tmp_path / "guide.txt").write_text("How do I do what I do? Here is how I do it.")
    (tmp_path / "lime.txt").write_text("Against lime citric acid helps.")
    for name in ("guide.txt", "lime.txt"):
        made.add_source("all", tmp_path / name)
    Indexer(made, index_child.read).update("all")
    assert [one.path.stem for one in search(made, "How do I remove lime?")] == ["lime"]
    assert [one.path.stem for one in search(made, "How do I?")] == ["guide"]
    made.close()


def test_the_shares_of_rankings_count() -> None:
    assert fuse([["a"], ["b"]], weights=(1.0, 1.5))[0][0] == "b"
    key, score = fuse([["a", "c"], ["b", "c"]], constant=5, weights=(1.0, 1.5))[0]
    assert key == "c"
    assert score == pytest.approx(2.5 / 7)


def test_fusion_prefers_what_several_rankings_hold() -> None:
    fused = fuse([["a", "b", "c"], ["c", "d"], []], limit=3)
    assert [key for key, _ in fused] == ["c", "a", "b"]
    assert fused[0][1] == pytest.approx(1 / 63 + 1 / 61)
    assert fuse([["a", "a", "b"], ["b"]])[0][0] == "b"
    assert fuse([]) == ()
