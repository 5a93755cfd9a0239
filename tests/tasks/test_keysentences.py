"""LexRank picks the central sentences of a text in any language, in the order of the text."""

from __future__ import annotations

import numpy as np
import pytest

from edgellm.tasks import keysentences
from edgellm.tasks.keysentences import in_a_line, key_sentences

ENGLISH = (
    "The library opens on Monday. The new library has many books for children. My shoes are brown. "
    "Children can read the books in the library every day. A plane flew over. The library lends books to children."
)
CHINESE = "图书馆星期一开门。新图书馆有很多儿童图书。我的鞋是棕色的。儿童每天可以在图书馆看图书。一架飞机飞过。"


def test_the_central_sentences_are_chosen_and_keep_their_order() -> None:
    found = key_sentences(ENGLISH, 3)
    assert len(found) == 3
    assert all("library" in one.text for one in found)
    assert [one.start for one in found] == sorted(one.start for one in found)
    assert all(ENGLISH[one.start : one.end] == one.text for one in found)
    assert max(one.score for one in found) == 1.0


def test_chinese_works_without_spaces_between_words() -> None:
    found = key_sentences(CHINESE, 2)
    assert [one.text for one in found] == ["新图书馆有很多儿童图书。", "儿童每天可以在图书馆看图书。"]


def test_a_repeated_sentence_is_shown_once() -> None:
    text = "The bridge is closed today. The bridge is closed today. The bridge opens again on Friday."
    assert [one.text for one in key_sentences(text, 2)] == [
        "The bridge is closed today.",
        "The bridge opens again on Friday.",
    ]


def test_a_word_or_two_come_behind_the_sentences() -> None:
    text = "Monday.\n\nWe leave for Bern from platform four.\n\nTuesday.\n\nDinner is at seven."
    assert [one.text for one in key_sentences(text, 2)] == [
        "We leave for Bern from platform four.",
        "Dinner is at seven.",
    ]
    assert len(key_sentences(text, 4)) == 4, "they are not lost"


def test_the_walk_is_the_stationary_distribution_of_the_paper() -> None:
    """Against the eigenvector of the damped transition matrix, which the power iteration should reach."""
    documents = ["a b c", "b c d", "c d", "a d e e", "", "b"]
    vectors = keysentences._tf_idf([document.split() for document in documents])
    similarity = np.array([[keysentences.cosine(one, other) for other in vectors] for one in vectors])
    sums = similarity.sum(axis=1, keepdims=True)
    transition = 0.15 / 6 + 0.85 * np.where(sums > 0, similarity / np.where(sums > 0, sums, 1), 1 / 6)
    values, eigenvectors = np.linalg.eig(transition.T)
    expected = np.real(eigenvectors[:, np.argmax(np.real(values))])
    graph = keysentences._Graph(document.split() for document in documents)
    assert graph.salience() == pytest.approx(expected / expected.sum(), abs=1e-5)


def test_a_book_needs_no_matrix_of_its_sentences() -> None:
    text = " ".join(
        f"Page {number % 997} tells of bridge {number % 13} and river {number % 7}." for number in range(20_000)
    )
    assert len(key_sentences(text, 5, "en")) == 5


@pytest.mark.parametrize("text", ["", "   \n", "...", "One sentence only."])
def test_a_text_with_little_in_it(text: str) -> None:
    assert "".join(one.text for one in key_sentences(text, 3)) == text.strip()


def test_asking_for_none_gives_none() -> None:
    assert key_sentences(ENGLISH, 0) == ()


def test_a_letters_head_and_greeting_come_behind_and_marks_are_left_out() -> None:
    head = "From: Anna <anna@example.org>\nHi Paul,\n\n"
    text = f"{head}The plan is ready.\n\nOn Sunday Paul wrote:\n> The lawyer has it."
    assert [one.text for one in key_sentences(text, 2)] == ["The plan is ready.", "> The lawyer has it."]
    assert in_a_line("> The lawyer\nhas it.") == "The lawyer has it."
    assert in_a_line("2. Buy bread.") == "Buy bread."
    assert in_a_line("- ") == "-"
    assert in_a_line("3.5 million came.") == "3.5 million came."
