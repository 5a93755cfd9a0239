"""Chunks: exact slices that hold every block, within their size, whole sentences, with their page and headings."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest

from edgellm.documents.chunk import chunks, estimate, whole_text
from edgellm.documents.document import Block, Document, Kind, Page

CHINESE = "我们昨天去了公园看樱花。天气非常好，人也很多！你明天有空吗？"
ENGLISH = "Dr. Smith paid 3.50 for it. The river was high that day! Who would cross it?"


def document(*pages: tuple[Block, ...]) -> Document:
    return Document(Path("a.txt"), "text", "A", "0" * 64, tuple(Page(n, blocks) for n, blocks in enumerate(pages, 1)))


def paragraphs(*texts: str) -> Document:
    return document(tuple(Block("paragraph", text) for text in texts))


def test_headings_lead_to_their_text_and_a_new_page_is_a_new_chunk() -> None:
    made = chunks(
        document(
            (Block("heading", "One", 1), Block("heading", "Sub", 2), Block("paragraph", "text a")),
            (Block("paragraph", "text b"), Block("heading", "Two", 1), Block("paragraph", "text c")),
        )
    )
    assert [(c.text, c.page, c.headings) for c in made] == [
        ("One\n\nSub\n\ntext a", 1, ("One", "Sub")),
        ("text b", 2, ("One", "Sub")),
        ("Two\n\ntext c", 2, ("Two",)),
    ]


@pytest.mark.parametrize("text", [ENGLISH, CHINESE])
def test_sentences_stay_whole(text: str) -> None:
    made = chunks(paragraphs(*[" ".join([text] * 8)]), tokens=30)
    assert len(made) > 3
    for one in made:
        assert one.text[-1] in ".!?。！？", one.text
        assert not one.text.endswith(("Dr.", "3."))


def test_a_long_run_without_any_space_is_cut_but_no_character_is() -> None:
    made = chunks(paragraphs("e\u0301" * 500 + "👩\u200d👩\u200d👧" * 200), tokens=20)
    assert all(estimate(one.text) <= 20 for one in made)
    assert not [one.text for one in made if one.text[0] in "\u0301\u200d" or one.text[-1] == "\u200d"]


def test_a_table_is_cut_between_rows() -> None:
    rows = [f"row {number} | value {number * 7}" for number in range(100)]
    made = chunks(document((Block("table", "\n".join(rows)),)), tokens=60)
    assert len(made) > 3
    assert [line for one in made for line in one.text.split("\n")] == rows


def test_no_chunk_is_left_with_a_few_words() -> None:
    made = chunks(paragraphs(*["Here are some words of a sentence."] * 27), tokens=240)
    assert len(made) == 2
    assert min(estimate(one.text) for one in made) > 80


def test_code_keeps_the_space_at_the_start_of_its_lines() -> None:
    made = chunks(document((Block("code", "\n".join(["def f():", "    return 1"] * 30)),)), tokens=4)
    assert [one.text for one in made] == ["def f():", "    return 1"] * 30


def test_nothing_gives_nothing_and_a_size_of_nothing_is_refused() -> None:
    assert chunks(document()) == chunks(document(())) == ()
    with pytest.raises(ValueError, match="room"):
        chunks(paragraphs("a"), tokens=0)


def test_any_document_is_held_whole_by_chunks_within_their_size() -> None:
    """120 documents of random blocks in five scripts: slices, order, size, and no letter lost."""
    chance = random.Random(5)
    parts = [
        ENGLISH,
        CHINESE,
        "ภาษาไทยไม่มีช่องว่างระหว่างคำ",
        "x" * 300,
        "a\n b\n\n\tc",
        "日本語の文です。",
        "한국어 문장입니다.",
    ]
    kinds: list[Kind] = ["heading", "paragraph", "table", "list", "code"]
    for _ in range(120):
        pages = tuple(
            tuple(
                Block(kind, " ".join(chance.choices(parts, k=chance.randint(1, 12))), chance.randint(1, 4))
                for kind in chance.choices(kinds, k=chance.randint(0, 6))
            )
            for _ in range(chance.randint(1, 4))
        )
        made = document(*pages)
        text, tokens = whole_text(made), chance.choice([1, 5, 40, 240])
        found = chunks(made, tokens)
        assert [one.text for one in found] == [text[one.start : one.stop] for one in found]
        assert all(before.stop <= after.start for before, after in itertools.pairwise(found))
        assert "".join("".join(one.text.split()) for one in found) == "".join(text.split())
        assert max((estimate(one.text) for one in found), default=0) <= tokens
