"""Quotations: found in any spelling of the same characters, refused in any other, whatever way the text arrives."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgellm.tasks.quotes import Folded, Guard

TEXT = "The rent is 1,940 euros — it isn’t refundable.\nAnna said: “Come at 14:30…” Die  Straße ist groß."
TEXT += "\n会议在星\n期一开始。"


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("the rent is 1,940 euros", "The rent is 1,940 euros"),
        ("“it isn't refundable.”", "it isn’t refundable"),
        ("1,940 EUROS - it", "1,940 euros — it"),
        ('refundable. Anna said: "Come at 14:30', "refundable.\nAnna said: “Come at 14:30"),
        ("Die Strasse ist gross", "Die  Straße ist groß"),
        ("gro\u00df", "groß"),
        ("会议在星期一开始", "会议在星\n期一开始"),
        ("refund\u00adable", "refundable"),
    ],
)
def test_spelling_does_not_matter(quote: str, found: str) -> None:
    place = Folded.of(TEXT).find(quote)
    assert place is not None
    assert TEXT[slice(*place)] == found


@pytest.mark.parametrize(
    "quote",
    [
        "The rent is 1,940 dollars",
        "rent is 1",
        "940 euros",
        "The rent is 1,94",
        "it is",
        "fundable",
        "refund",
        "at 14",
        "Come ... groß",
        "The rent is refundable",
        "rent the is",
        "",
        "“”",
        "...",
        "会议在火山",
    ],
)
def test_other_words_and_cut_words_are_not_found(quote: str) -> None:
    assert Folded.of(TEXT).find(quote) is None


@pytest.mark.parametrize("marks", ["｢｣", "﹁﹂", "﹃﹄", "❮❯", "❛❜", "❝❞", "〝〟"])
def test_rare_quotation_marks_are_checked_as_well(marks: str) -> None:
    source = Folded.of(TEXT)

    def own(quote: str) -> str | None:
        place = source.find(quote)
        return TEXT[slice(*place)] if place else None

    guard = Guard(own)
    said = guard.feed(f"It says {marks[0]}Die Straße ist klein{marks[1]} and {marks[0]}Come at 14:30{marks[1]}.")
    said += guard.end()
    assert said == f"It says Die Straße ist klein and {marks[0]}Come at 14:30{marks[1]}."
    assert source.find(f"{marks[0]}Come at 14:30{marks[1]}") is not None


def test_a_sign_without_its_mark_is_another_one() -> None:
    source = Folded.of("これば 本が 한국 cafe\u0301")
    for quote in ("これは", "本か", "하", "cafe"):
        assert source.find(quote) is None, quote
    for quote in ("これば", "本か\u3099", "한국", "café"):
        assert source.find(quote) is not None, quote


def test_accents_are_found_composed_and_decomposed() -> None:
    assert Folded.of("l'ho\u0302pital est ici").find("l’h\u00f4pital") == (0, 10)
    assert Folded.of("l'h\u00f4pital est ici").find("l'ho\u0302pital") == (0, 9)
    assert Folded.of("un caf\u00e9").find("un cafe") is None


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("He says “key” and “lock”.", "He says “key” and lock."),
        ("„key“ «lock» ‘key’ 'lock' 「key」 『lock』", "„key“ lock ‘key’ lock 「key」 lock"),
        ('"lock" and "key"', 'lock and "key"'),
        ("“a lock “key” here”", "a lock key here"),
        ("“a lock ‘key’ here”", "a lock ‘key’ here"),
        ("Anna's and the boys' room isn’t", "Anna's and the boys' room isn’t"),
        ("> lock\n> key\nrest", "lock\n“key”\nrest"),
        ("- > lock", "- lock"),
        ('2 > 1 and "open', "2 > 1 and open"),
        ("say 'it's a lock' now", "say it's a lock now"),
        ("“KEY”", "“key”"),
        ("&quot;lock&quot; &#8220;lock&#x201d; &ldquo;key&rdquo; &amp; &lt; &", "lock lock “key” &amp; &lt; &"),
        ("&gt; lock ❝lock❞", "lock lock"),
    ],
)
def test_only_what_is_in_the_source_keeps_its_marks(answer: str, shown: str) -> None:
    guard = Guard(lambda quote: "key" if quote.strip().casefold() == "key" else None)
    assert guard.feed(answer) + guard.end() == shown


def test_a_quotation_waits_until_it_is_checked() -> None:
    guard = Guard(lambda quote: None)
    assert guard.feed("He said “the") == "He said "
    assert guard.feed(" lock") == ""
    assert guard.feed("” then") == "the lock then"
    assert guard.dropped == 1
    assert len(guard.feed("“" + "x" * 1_200)) > 1_000  # one that never ends does not hold the answer back


PIECES = st.lists(st.sampled_from([*"“”„«»\"'’‘「」>\n -", "key", "lock", "&quot;", "it's ", " a "]), max_size=14)


@given(PIECES, st.integers(1, 5))
def test_the_pieces_in_which_it_arrives_do_not_matter(pieces: list[str], size: int) -> None:
    def verify(quote: str) -> str | None:
        return "key" if quote.strip() == "key" else None

    text = "".join(pieces)
    whole, parts = Guard(verify), Guard(verify)
    shown = whole.feed(text) + whole.end()
    assert "".join(parts.feed(text[at : at + size]) for at in range(0, len(text), size)) + parts.end() == shown
    for quote in re.findall('“([^”]+)”|„([^“]+)“|«([^»]+)»|"([^"]+)"|‘([^’]+)’|^ *>(.+)', shown, re.MULTILINE):
        assert "".join(quote).strip() == "key"
