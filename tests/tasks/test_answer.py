"""Answers: the supporting sentence is found first, quotes are the source's own words, and silence is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_generator import Scripted

from edgellm.tasks import answer
from edgellm.tasks.answer import NOT_SAID
from edgellm.tasks.result import without_model

PASSAGE = (
    "Anna bought bread at the market yesterday. Paul saw a dog in the park.\n"
    "The meeting starts on Monday at nine o'clock. The bread is fresh."
)


def test_the_starter_reads_only_the_best_sentence() -> None:
    generator = Scripted(lambda prompt: "at the market", starter=True)
    found = answer.answer(generator, "Where did Anna buy the bread?", PASSAGE)
    assert generator.prompts == [
        f"Answer from the text, or reply: {NOT_SAID}\nText: Anna bought bread at the market yesterday.\n"
        "Question: Where did Anna buy the bread?"
    ]
    assert found.said
    assert found.quote is not None
    assert found.quote.text == "Anna bought bread at the market yesterday."
    assert PASSAGE[found.quote.start : found.quote.end] == found.quote.text


def test_two_sentences_when_they_are_close() -> None:
    generator = Scripted(lambda prompt: NOT_SAID, starter=True)
    answer.answer(generator, "Is the dog near the bread?", "The dog is near us. The bread is near you. It is cold.")
    assert "Text: The dog is near us. The bread is near you.\n" in generator.prompts[0]


def test_a_question_that_shares_nothing_is_not_asked() -> None:
    generator = Scripted(lambda prompt: "an invention", starter=True)
    found = answer.answer(generator, "How much does the umbrella cost?", PASSAGE)
    assert generator.prompts == []
    assert (found.text, found.said, found.quote, found.finish) == (NOT_SAID, False, None, without_model())


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("What did Paul buy?", True),
        ("What did Anna sell?", False),
        ("Where did the singer buy the bread?", True),
        ("What did Anna forget in the hospital?", False),
    ],
)
def test_half_of_the_question_is_not_enough_unless_two_sentences_share_it(question: str, asked: bool) -> None:
    generator = Scripted(lambda prompt: "x", starter=True)
    answer.answer(generator, question, "Anna bought bread at the market. Paul saw a dog.")
    assert bool(generator.prompts) is asked


def test_a_general_model_reads_the_whole_passage() -> None:
    generator = Scripted(lambda prompt: "Monday")
    found = answer.answer(generator, "When does it start?", PASSAGE)
    assert f"Text: {PASSAGE}\n" in generator.prompts[0]
    assert found.quote is not None
    assert found.quote.text.startswith("The meeting")
    assert found.notes == ()


def test_what_is_narrow_can_be_chosen() -> None:
    starter, general = Scripted(lambda prompt: "x", starter=True), Scripted(lambda prompt: "x")
    answer.answer(starter, "Where is the dog?", PASSAGE, narrow=False)
    answer.answer(general, "Where is the dog?", PASSAGE, narrow=True)
    assert "Anna" in starter.prompts[0]
    assert "Anna" not in general.prompts[0]


def test_a_long_passage_is_cut_to_its_nearest_sentences_and_that_is_said() -> None:
    passage = " ".join(f"Shelf {number} holds books about history." for number in range(100))
    generator = Scripted(lambda prompt: "history", context=120)
    found = answer.answer(generator, "What is on shelf 42?", passage)
    assert "Shelf 42 holds" in generator.prompts[0]
    assert len(generator.prompts[0].split()) <= 84
    assert answer.READ_IN_PART in found.notes


@pytest.mark.parametrize("text", [NOT_SAID, "the text does not say", " The text does not say.\n", ""])
def test_a_refusal_is_recognized(text: str) -> None:
    found = answer.answer(Scripted(lambda prompt: text), "Where is the dog?", PASSAGE)
    assert not found.said
    assert found.quote is None
    assert found.near[0].text == "Paul saw a dog in the park."


def test_an_answer_that_no_sentence_supports_is_marked() -> None:
    found = answer.answer(Scripted(lambda prompt: "volcano"), "Where is the dog?", PASSAGE)
    assert found.quote is None
    assert answer.UNSUPPORTED in found.notes


def test_among_equal_sentences_the_one_that_fits_the_question_is_quoted() -> None:
    passage = "Paul lives in Paris. Anna works in Paris. Tom was in Paris."
    found = answer.answer(Scripted(lambda prompt: "Paris"), "Where does Anna work?", passage)
    assert found.quote is not None
    assert found.quote.text == "Anna works in Paris."


def test_chinese() -> None:
    passage = "安娜昨天在市场买了面包。保罗在公园看见了一只狗。"
    generator = Scripted(lambda prompt: "在公园")
    found = answer.answer(generator, "保罗在哪里看见了狗？", passage, narrow=True)
    assert "Text: 保罗在公园看见了一只狗。\n" in generator.prompts[0]
    assert found.quote is not None
    assert found.quote.text == "保罗在公园看见了一只狗。"


def test_the_starter_quotes_a_sentence_that_it_cannot_read() -> None:
    passage = "La gare est près de l'hôpital. Le chien est dans le jardin."
    generator = Scripted(lambda prompt: "an invention", starter=True)
    found = answer.answer(generator, "Où est la gare ?", passage)
    assert generator.prompts == []
    assert found.text == "La gare est près de l'hôpital."
    assert found.quote is not None
    assert "French" in found.notes[0]


def test_a_quotation_that_is_not_there_loses_its_marks() -> None:
    reply = "“The bread is fresh” and “the bread is old”"
    assert answer.answer(Scripted(lambda prompt: reply), "Is it fresh?", PASSAGE).text == (
        "“The bread is fresh” and the bread is old"
    )


@given(st.text(max_size=200), st.text(max_size=40), st.text(max_size=20))
def test_whatever_is_quoted_is_in_the_source(passage: str, question: str, reply: str) -> None:
    found = answer.answer(Scripted(lambda prompt: reply), question, passage)
    if found.quote is not None:
        assert passage[found.quote.start : found.quote.end] == found.quote.text
    assert all(passage[near.start : near.end] == near.text for near in found.near)
