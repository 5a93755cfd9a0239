"""Tests of comparing documents: common, different and single statements, each with its document and page."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgellm.documents.document import Block, Document, Page
from edgellm.tasks import compare
from edgellm.tasks.compare import Comparison
from edgellm.tasks.outline import Outline, of_text


def texts(*found: str, most: int = 0) -> Comparison:
    outlines = [Outline.of(of_text(text)) for text in found]
    return compare.compare(compare.statements(outlines), len(outlines), most)


def said(groups: tuple[tuple[compare.Statement, ...], ...]) -> list[list[str]]:
    return [[one.text for one in group] for group in groups]


def test_two_leases() -> None:
    result = texts(
        "The rent is 940 euros. The flat has two rooms. Dogs are not allowed in the flat. The lease ends in May.",
        "The flat has two rooms. The rent is 900 euros. Heating costs extra. Dogs are allowed in the flat.",
    )
    assert said(result.common) == [["The flat has two rooms.", "The flat has two rooms."]]
    assert sorted(said(result.different)) == [
        ["Dogs are not allowed in the flat.", "Dogs are allowed in the flat."],
        ["The rent is 940 euros.", "The rent is 900 euros."],
    ]
    assert said(result.only) == [["The lease ends in May."], ["Heating costs extra."]]


def test_three_documents_share_one_group_and_nobody_is_in_two() -> None:
    same = "The bridge over the river is closed."
    result = texts(f"{same} Anna lives near the station.", f"The school opens on Monday. {same}", f"{same} {same}")
    assert said(result.common) == [[same] * 3]
    assert [one.document for one in result.common[0]] == [0, 1, 2]
    assert said(result.only) == [["Anna lives near the station."], ["The school opens on Monday."], []]
    places = [one for group in (*result.common, *result.different, *result.only) for one in group]
    assert len({(one.document, one.place.start) for one in places}) == len(places) == result.compared


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Das Haus am See ist verkauft.", "Das Haus am See ist nicht verkauft."),
        ("La maison du lac est vendue.", "La maison du lac n'est pas vendue."),
        ("La casa del lago está vendida.", "La casa del lago no está vendida."),
        ("湖边的房子卖掉了。", "湖边的房子没卖掉。"),
        ("The house at the lake is sold.", "The house at the lake isn't sold."),
        ("The house at the lake costs 1,200 euros.", "The house at the lake costs 1,300 euros."),
    ],
)
def test_a_denial_and_another_number_are_not_common(one: str, other: str) -> None:
    result = texts(one, other)
    assert said(result.common) == []
    assert said(result.different) == [[one, other]]


def test_a_number_that_only_one_names_is_no_contradiction() -> None:
    result = texts("The old bridge was closed in 1990.", "The old bridge was closed.")
    assert len(result.common) == 1


def test_statements_know_page_and_headings_are_none() -> None:
    pages = tuple(
        Page(number, (Block("heading", "The mill", 1), Block("paragraph", f"Mill {word} stands here.")))
        for number, word in ((3, "Adam"), (4, "Eva"))
    )
    outline = Outline.of(Document(Path("a.pdf"), "pdf", "", "0", pages))
    found = compare.statements([outline])
    assert [(one.text, one.place.page) for one in found] == [
        ("Mill Adam stands here.", 3),
        ("Mill Eva stands here.", 4),
    ]
    assert all(outline.text[one.place.start : one.place.end] == one.text for one in found)


def test_at_most_as_many_as_asked_for() -> None:
    first = " ".join(
        f"Village {name} has a church of stone." for name in ("Ada", "Bern", "Celle", "Dorf", "Esch", "Forst")
    )
    result = texts(first, "Nothing of that is here today.", most=2)
    assert len(result.only[0]) == 2
    assert result.compared == 7


@pytest.mark.parametrize("text", ["", "...", "1 2 3"])
def test_nothing_to_compare(text: str) -> None:
    result = texts(text, text)
    assert (result.common, result.different, result.only) == ((), (), ((), ()))


def test_a_book_is_compared_with_itself() -> None:
    book = " ".join(f"Page {number} tells of bridge {number * 7} and of the river." for number in range(3_000))
    result = texts(book, book)
    assert len(result.common) == 3_000
    assert not result.different
