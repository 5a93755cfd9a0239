"""Quoted passages: the sentence that shares the question's words comes first, and nothing is quoted for nothing."""

from __future__ import annotations

import time

import pytest

from edgellm.tasks.passages import find

TEXT = (
    "Anna bought bread at the market yesterday. Paul saw a dog in the park. The meeting starts on Monday at nine "
    "o'clock. La gare est près de l'hôpital. Der Zug fährt am Montag nach Berlin. María compró dos libros. "
    "安娜昨天在市场买了面包。会议在星期一开始。"
)


@pytest.mark.parametrize(
    ("question", "start"),
    [
        ("What did Anna buy?", "Anna bought"),
        ("Who saw the dog?", "Paul saw"),
        ("When does the meeting start?", "The meeting"),
        ("Où est la gare ?", "La gare"),
        ("Wohin fährt der Zug?", "Der Zug"),
        ("¿Qué compró María?", "María compró"),
        ("安娜买了什么？", "安娜"),
        ("会议什么时候开始？", "会议"),
    ],
)
def test_the_supporting_sentence_is_first(question: str, start: str) -> None:
    best = find(question, TEXT)[0]
    assert best.text.startswith(start)
    assert TEXT[best.start : best.end] == best.text
    assert best.coverage > 0.5


@pytest.mark.parametrize("question", ["How much does the umbrella cost?", "火车票多少钱？", "Where is it?", "???", ""])
def test_a_question_about_something_else_finds_nothing(question: str) -> None:
    assert find(question, TEXT) == ()


def test_the_number_of_passages_is_kept_and_the_best_come_first() -> None:
    found = find("Did Paul or Anna see the market?", TEXT, 2)
    assert len(found) == 2
    assert found[0].score >= found[1].score


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    text = "The red key is here. The red bag is there. The red car is here. The blue umbrella is old."
    assert find("Is the umbrella red?", text)[0].text == "The blue umbrella is old."


def test_the_work_grows_with_the_text_and_not_with_its_square() -> None:
    def seconds(count: int) -> float:
        text = " ".join(f"Anna bought the red thing number {number}." for number in range(count))
        began = time.process_time()
        assert find("Who bought thing number 14?", text, 1)[0].text.endswith(" 14.")
        return time.process_time() - began

    few, many = (min(seconds(count) for _ in range(3)) for count in (1_000, 8_000))
    assert many < 40 * few  # in proportion: 8 times; by the square: 64
