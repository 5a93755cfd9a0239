"""Tests of places in documents: every offset finds its page and headings, and plain text keeps its own offsets."""

from __future__ import annotations

from pathlib import Path

from edgellm.documents.chunk import whole_text
from edgellm.documents.document import Block, Document, Page
from edgellm.tasks.outline import Outline, Place, of_text


def two() -> tuple[Document, Document]:
    first = (
        Page(1, (Block("heading", "A", 1), Block("heading", "A 1", 2), Block("paragraph", "One."))),
        Page(2, (Block("paragraph", "Two."), Block("heading", "B", 1), Block("list", "Three."))),
    )
    second = (Page(0, (Block("paragraph", "Four."),)),)
    return (
        Document(Path("a.pdf"), "pdf", "", "0", first),
        Document(Path("b.docx"), "docx", "", "1", second),
    )


def test_every_block_knows_its_page_headings_and_place_in_its_own_file() -> None:
    documents = two()
    outline = Outline.of(*documents)
    for text, file, page, headings in (
        ("One.", "a.pdf", 1, ("A", "A 1")), ("Two.", "a.pdf", 2, ("A", "A 1")), ("Three.", "a.pdf", 2, ("B",)),
        ("Four.", "b.docx", 0, ()),
    ):  # fmt: skip
        start = outline.text.index(text)
        place = outline.place(start, start + len(text))
        assert (place.file, place.page, place.headings) == (file, page, headings)
        whole = whole_text(documents[file == "b.docx"])
        assert whole[place.start : place.end] == text


def test_a_stretch_that_begins_with_headings_is_placed_by_its_text() -> None:
    outline = Outline.of(two()[0])
    assert outline.place(0, outline.text.index("One.") + 4).headings == ("A", "A 1")
    assert outline.place(0, 1).headings == ("A",), "nothing but a heading"
    assert outline.place(0, 1).file == ""


def test_sections_begin_at_headings_behind_text_and_at_files() -> None:
    outline = Outline.of(*two())
    starts = [outline.text.index("B\n"), outline.text.index("Four.")]
    assert outline.cuts(True) == tuple(starts)
    assert outline.cuts(False) == (starts[1],)


def test_pages_are_sections_where_there_are_no_headings() -> None:
    pages = tuple(Page(number, (Block("paragraph", f"Page {number}."),)) for number in (1, 2, 3))
    outline = Outline.of(Document(Path("a.pdf"), "pdf", "", "0", pages))
    assert outline.cuts(True) == (outline.text.index("Page 2."), outline.text.index("Page 3."))


def test_the_body_has_the_same_offsets_without_the_headings() -> None:
    outline = Outline.of(*two())
    assert len(outline.body) == len(outline.text)
    assert outline.body.split() == ["One.", "Two.", "Three.", "Four."]


def test_a_plain_text_is_itself() -> None:
    text = "  A line.\n\n\nAnother \ud800 one.\n"
    outline = Outline.of(of_text(text))
    assert outline.text == text
    assert outline.place(4, 9) == Place("", 0, (), 4, 9)
    assert Outline.of(of_text("")).place(0, 0) == Place("", 0, (), 0, 0)
