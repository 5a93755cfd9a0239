"""Key sentences and passages of a long text take memory in proportion to its words, not to Python's objects of them."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable

import pytest

from edgellm.tasks import keysentences, passages

_LETTERS = 1_500_000


@pytest.fixture(scope="module")
def book() -> str:
    drawn = random.Random(7)
    words = ["".join(drawn.choices("aeioulnrst", k=drawn.randint(3, 8))) for _ in range(4000)]
    said = [f"{' '.join(drawn.choices(words, k=drawn.randint(5, 20)))}." for _ in range(_LETTERS // 85)]
    return " ".join(one.capitalize() for one in said).replace(". ", ".\n\n")


@pytest.mark.parametrize(
    "work",
    [
        lambda text: keysentences.key_sentences(text, 3, "en"),
        lambda text: passages.find(text[:400], text, 3, "en"),
    ],
    ids=["key sentences", "passages"],
)
def test_a_long_text_takes_memory_in_proportion_to_its_words(book: str, work: Callable[[str], object]) -> None:
    work(book[:1000])  # what is loaded once does not count
    tracemalloc.start()
    try:
        assert work(book)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10 * len(book)
