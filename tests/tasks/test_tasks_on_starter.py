"""The tasks over the real engine and the model that ships.

The first part holds for any starter, trained or not. The second asserts what it answers, on meanings that its training
never showed, and waits for the trained file: it runs when `assets/starter/CARD.md` is there.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from edgellm import paths
from edgellm.app import App
from edgellm.engine.switch import Switch
from edgellm.runtimes.base import Chunk, Finish
from edgellm.tasks import answer, classify, generate, summarize, translate
from edgellm.tasks.options import Options
from edgellm.tasks.starter import is_starter
from starter.examples.example import Example, Source
from starter.examples.mix import held_out
from starter.grammar import realize
from starter.words import Lexicon

MODEL = paths.starter_model()
pytestmark = pytest.mark.skipif(not MODEL.exists(), reason="there is no starter here yet")
trained = pytest.mark.skipif(not MODEL.with_name("CARD.md").exists(), reason="the trained starter is not here yet")
LEXICON = Lexicon.read()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switch]:
    """The engine with the starter loaded, in a home of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGELLM_HOME", str(tmp_path_factory.mktemp("home")))
        app = App.create()
        try:
            loaded = app.engine()
            loaded.load(MODEL)
            yield loaded
        finally:
            app.close()


def examples(job: str, count: int) -> list[Example]:
    """Held-out examples of one job."""
    made = held_out(LEXICON, random.Random(11), job)
    return [next(made) for _ in range(count)]


def test_the_shipped_model_is_recognized(engine: Switch) -> None:
    assert is_starter(engine.info)


def test_a_pivot_counts_both_generations(engine: Switch) -> None:
    one = translate.translate(engine, "The dog is big.", "fr", "en")
    two = translate.translate(engine, "Der Hund ist groß.", "fr", "de")
    assert one.plan.unknown == two.plan.unknown == ()
    assert two.finish.prompt_tokens > one.finish.prompt_tokens
    assert two.finish.new_tokens >= 2
    assert two.finish.tokens_per_second > 0


def test_a_label_is_always_one_of_the_labels(engine: Switch) -> None:
    found = classify.classify(engine, "The soup was cold.", ("positive", "negative"))
    assert found.label in ("positive", "negative")


def test_a_cancel_stops_the_real_engine(engine: Switch) -> None:
    heard: list[str] = []
    options = Options(max_tokens=400, cancelled=lambda: bool(heard))
    events = []
    for event in generate.run(engine, "Write a short story about Anna and a dog.", options):
        events.append(event)
        if isinstance(event, Chunk):
            heard.append(event.text)
    assert isinstance(events[-1], Finish)
    assert sum(isinstance(event, Finish) for event in events) == 1


@trained
@pytest.mark.parametrize("source", translate.LANGUAGES)
@pytest.mark.parametrize("target", translate.LANGUAGES)
def test_held_out_sentences_in_all_twenty_directions(engine: Switch, source: str, target: str) -> None:
    """The first version's target is 90 % of the eight direct directions; a pivot multiplies two of them."""
    if source == target:
        pytest.skip("not a direction")
    meanings = Source(LEXICON, random.Random(5)).meanings
    texts = [meanings.split(True) for _ in range(15)]
    pairs = [(realize(meaning, source), realize(meaning, target)) for meaning in texts]
    plans = [translate.prepare(engine.info, text, target, source) for text, _ in pairs]
    assert all(plan.unknown == () for plan in plans)
    right = sum(translate.translate(engine, text, target, source).text == wanted for text, wanted in pairs)
    assert right >= (12 if "en" in (source, target) else 10)


@trained
@pytest.mark.parametrize(("job", "least"), [("answer said", 0.9), ("answer open", 0.8)])
def test_held_out_questions(engine: Switch, job: str, least: float) -> None:
    """Through the task, which finds the sentence first; the floors are the targets of the first version or more."""
    asked = [one for one in examples("answer", 160) if one.job == job]
    right = 0
    for one in asked:
        body = one.messages[0].content.split("\nText: ", 1)[1]
        passage, question = body.split("\nQuestion: ")
        right += answer.answer(engine, question, passage).text == one.answer
    assert right / len(asked) >= least


@trained
def test_held_out_summaries_keep_their_facts(engine: Switch) -> None:
    found = []
    for one in examples("summarize", 60):
        text = summarize.summarize(engine, one.messages[0].content.split("\n", 1)[1]).text.casefold()
        found += [fact.casefold() in text for fact in one.facts]
    assert sum(found) / len(found) >= 0.85


@trained
def test_held_out_labels(engine: Switch) -> None:
    right = []
    for one in examples("classify", 80):
        first, text = one.messages[0].content.split("\nText: ", 1)
        labels = first.removeprefix("Classify the text as one of: ").split(", ")
        right.append(classify.classify(engine, text, labels).label == one.answer)
    assert sum(right) / len(right) >= 0.9


@trained
@pytest.mark.parametrize(
    "prompt",
    ["What is the capital of France?", "Write a Python function that adds two numbers.", "Why is the sky blue?"],
)
def test_what_is_outside_its_world_is_refused_with_a_way_out(engine: Switch, prompt: str) -> None:
    assert "larger model" in generate.generate(engine, prompt).text


@trained
def test_a_story_holds_what_was_asked_for(engine: Switch) -> None:
    text = generate.generate(engine, "Write a short story about Anna and a dog.").text
    assert "Anna" in text
    assert "dog" in text
