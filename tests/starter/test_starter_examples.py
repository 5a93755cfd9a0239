"""The examples of the six jobs: right answers, and nothing held out in the training stream."""

from __future__ import annotations

import random
from itertools import islice

from edgellm.tasks.answer import NOT_SAID
from edgellm.tasks.classify import messages as classify_messages
from starter.examples.answer import answering
from starter.examples.classify import classification
from starter.examples.example import Source
from starter.examples.mix import MAKERS, examples, held_out
from starter.examples.refusals import HELD_OUT, request
from starter.examples.stories import reply, story
from starter.examples.summarize import summary
from starter.examples.translate import DIRECTIONS
from starter.words import Lexicon

LEXICON = Lexicon.read()


def source(seed: int = 1) -> Source:
    return Source(LEXICON, random.Random(seed))


def test_no_held_out_meaning_is_trained() -> None:
    trained = list(islice(examples(LEXICON, random.Random(2)), 20_000))
    translated = {example.key for example in trained if example.job.startswith("translate")}
    asked = {example.key for example in trained if example.job.startswith("answer")}
    test = {example.key for example in islice(held_out(LEXICON, random.Random(3), "translate"), 3000)}
    assert len(test) > 2000
    assert not test & translated
    assert not {example.key for example in islice(held_out(LEXICON, random.Random(3), "answer"), 2000)} & asked


def test_all_jobs_and_directions_are_heard() -> None:
    jobs = {example.job for example in islice(examples(LEXICON, random.Random(4)), 6000)}
    assert {f"translate {first}-{second}" for first, second in DIRECTIONS} <= jobs
    assert {"answer said", "answer open", "summarize", "refusal", "generate story", "generate reply"} <= jobs


def test_the_same_seed_gives_the_same_examples() -> None:
    first, second = (list(islice(examples(LEXICON, random.Random(9)), 200)) for _ in range(2))
    assert first == second


def test_answers_are_spans_or_not_said() -> None:
    spring = source()
    for _ in range(3000):
        example = answering(spring)
        passage = example.messages[0].content.split("\nText: ")[1].split("\nQuestion: ")[0]
        if example.job == "answer said":
            assert example.answer.casefold() in passage.casefold()
        else:
            assert example.answer == NOT_SAID


def test_labels_are_in_the_prompt_and_change_their_order() -> None:
    spring, first = source(), set()
    for _ in range(800):
        example = classification(spring, "sentiment")
        labels = example.messages[0].content.split("one of: ")[1].split("\n")[0].split(", ")
        assert example.answer in labels
        first.add(labels[0].lower())
        text = example.messages[0].content.split("\nText: ", 1)[1]
        assert example.messages == classify_messages(text, tuple(labels))
    assert {"positive", "negative", "neutral"} <= first


def test_summaries_stories_and_replies_hold_their_facts() -> None:
    spring = source()
    for maker in (summary, story, reply):
        for _ in range(500):
            example = maker(spring)
            assert all(fact.casefold() in example.answer.casefold() for fact in example.facts), example


def test_the_natural_refusal_list_is_never_trained() -> None:
    rng = random.Random(8)
    asked = {request(rng) for _ in range(20_000)}
    assert len(HELD_OUT) >= 60
    assert len(asked) > 2000
    assert not asked & set(HELD_OUT)


def test_every_maker_works_on_the_small_lexicon() -> None:
    spring = Source(LEXICON.first_stage(), random.Random(1))
    for maker in MAKERS.values():
        for _ in range(200):
            assert maker(spring).answer
