"""Where a line may end: between words, and not before a French mark that stands off from its word."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgellm.documents import rewrite
from edgellm.documents.line_breaks import filled, parted


def lines(text: str, count: int) -> list[str]:
    """The text in about so many lines."""
    found, at = [], 0
    for start, end in parted(text, count):
        found.append(text[at:start])
        at = end
    return [*found, text[at:]]


@pytest.mark.parametrize(
    ("text", "count", "expected"),
    [
        ("Où est la gare ?", 2, ["Où est la", "gare ?"]),
        ("gare ?", 2, ["gare ?"]),
        ("Non ! Si !", 4, ["Non !", "Si !"]),
        ("Il dit : « Bonjour »", 2, ["Il dit :", "« Bonjour »"]),
        ("« Oui » ; non", 9, ["« Oui » ;", "non"]),
        ("gare\u00a0? Là", 3, ["gare\u00a0?", "Là"]),
        ("gare\u202f? Là", 3, ["gare\u202f?", "Là"]),
        ("where  ?  Here", 3, ["where  ?", "Here"]),
        ("Where is it? Here!", 4, ["Where", "is", "it?", "Here!"]),
    ],
)
def test_a_mark_stays_with_its_word(text: str, count: int, expected: list[str]) -> None:
    assert lines(text, count) == expected


def test_filled_lines_keep_it_too() -> None:
    assert filled("Où est la gare ?", 14) == ["Où est la", "gare ?"]
    assert filled("Où est la gare ?", 3) == ["Où", "est", "la", "gare ?"]


def test_a_translated_cue_of_two_lines(tmp_path: Path) -> None:
    source, out = tmp_path / "a.srt", tmp_path / "b.srt"
    source.write_text("1\n00:00:01,000 --> 00:00:02,000\nWhere is\nthe station?\n\n", encoding="utf-8")
    sheet = rewrite.segments(source)
    for said, expected in (("gare ?", "gare ?"), ("Où est la gare ?", "Où est la\ngare ?")):
        rewrite.write(source, out, {0: (said,)}, "fr", sheet.sha256)
        assert out.read_text(encoding="utf-8").split("\n", 2)[2].strip() == expected
        out.unlink()
