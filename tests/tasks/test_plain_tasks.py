"""Generate, summarize, classify, and the history of a chat, over a scripted model."""

from __future__ import annotations

import json

import pytest
from scripted_generator import Scripted

from edgellm.errors import ContextOverflow, UsageError
from edgellm.runtimes.base import Chunk, Finish, Message, Sampling
from edgellm.tasks import classify, generate, history, summarize
from edgellm.tasks.options import Options
from edgellm.tasks.result import collect, combined, without_model
from edgellm.tasks.starter import is_starter, words_note


def test_generate_streams_chunks_and_one_finish_last() -> None:
    events = list(generate.run(Scripted(lambda prompt: "a b c"), "Write."))
    assert [event.text for event in events if isinstance(event, Chunk)] == ["a", " b", " c"]
    assert [isinstance(event, Finish) for event in events] == [False, False, False, True]


def test_options_reach_the_request() -> None:
    generator = Scripted(str)
    options = Options(Sampling(temperature=0.5, seed=3), 7, ("END",), '{"type": "object"}', "Be brief.")
    generate.generate(generator, "Write.", options)
    request = generator.requests[0]
    assert request.messages == (Message("system", "Be brief."), Message("user", "Write."))
    assert (request.sampling.seed, request.max_tokens, request.stop) == (3, 7, ("END",))
    assert request.schema == '{"type": "object"}'


def test_another_version_is_drawn_more_freely_and_nothing_else_changes() -> None:
    options = Options(Sampling(temperature=0.0, seed=3), 7, system="Be brief.")
    assert options.varied() == Options(Sampling(temperature=0.7, seed=3), 7, system="Be brief.")
    assert Options(Sampling(temperature=1.5)).varied().sampling.temperature == 1.5


def test_a_conversation_keeps_its_own_system_prompt() -> None:
    generator = Scripted(str)
    conversation = (Message("system", "Own."), Message("user", "Hi"))
    generate.generate(generator, conversation, Options(system="Other."))
    assert generator.requests[0].messages == conversation


def test_summarize_uses_the_trained_prompt() -> None:
    generator = Scripted(lambda prompt: "Short.")
    assert summarize.summarize(generator, " A long text. \n").text == "Short."
    assert generator.prompts == ["Summarize in one sentence:\nA long text."]


def test_summarize_refuses_what_does_not_fit_before_asking() -> None:
    generator = Scripted(str, context=20)
    with pytest.raises(ContextOverflow):
        summarize.summarize(generator, "word " * 50)
    assert generator.prompts == []


@pytest.mark.parametrize(
    "text",
    [
        "Anna is here. The dog of Anna is big. " * 5,
        "Le chien est grand. Le chien est dans le jardin.",
        "狗很大。狗在花园里。",
    ],
)
def test_the_starter_is_not_asked_about_a_text_it_cannot_read(text: str) -> None:
    generator = Scripted(lambda prompt: "an invention", starter=True)
    found = summarize.summarize(generator, text)
    assert generator.prompts == []
    assert found.text in text
    assert found.text.strip()
    assert found.notes
    assert summarize.summarize(Scripted(lambda prompt: "A summary."), text).text == "A summary."


def test_classify_holds_a_general_model_to_the_labels() -> None:
    generator = Scripted(lambda prompt: '"negative"')
    found = classify.classify(generator, "It is broken.", ("positive", "negative"))
    assert (found.label, found.exact, found.notes) == ("negative", True, ())
    schema = json.loads(generator.requests[0].schema or "")
    assert schema["enum"] == ["positive", "negative"]


def test_classify_matches_the_bare_answer_of_the_starter() -> None:
    generator = Scripted(lambda prompt: "negative", starter=True)
    found = classify.classify(generator, "It is broken.", [" positive", "negative ", "negative"])
    assert generator.prompts == ["Classify the text as one of: positive, negative\nText: It is broken."]
    assert generator.requests[0].schema is None
    assert (found.label, found.exact) == ("negative", True)


@pytest.mark.parametrize(
    ("answer", "label", "exact"),
    [
        ("work", "work", True),
        (" work.\n", "work", True),
        ("Work", "work", False),
        ("I think it is about work", "work", False),
        ("wrok", "work", False),
        ("homework", "homework", True),
    ],
)
def test_the_nearest_label_is_taken_and_said(answer: str, label: str, exact: bool) -> None:
    assert classify.match(answer, ("work", "homework", "travel")) == (label, exact)
    found = classify.classify(Scripted(lambda prompt: answer, starter=True), "x", ("work", "homework", "travel"))
    assert bool(found.notes) is not exact


@pytest.mark.parametrize("labels", [(), ("one",), ("one", " one "), ("", " ")])
def test_two_labels_are_needed(labels: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        classify.checked(labels)


def test_classify_streams_the_label_alone() -> None:
    text, finish = collect(classify.run(Scripted(lambda prompt: "A!", starter=True), "x", ("a", "b")))
    assert (text, finish.reason) == ("a", "stop")


def test_history_leaves_out_the_oldest_turns_and_says_how_many() -> None:
    generator = Scripted(str, context=40)
    turns = tuple(Message("user" if n % 2 == 0 else "assistant", f"{n} w w w w w w w w w") for n in range(5))
    fitted = history.fit(generator, (Message("system", "Be brief."), *turns))
    assert fitted.messages[0].role == "system"
    assert [message.content[0] for message in fitted.messages[1:]] == ["4"]
    assert fitted.left_out == 4
    assert history.fit(generator, turns[:2]).left_out == 0


def test_history_refuses_a_message_that_never_fits() -> None:
    with pytest.raises(ContextOverflow):
        history.fit(Scripted(str, context=10), (Message("user", "w " * 30),))


def test_facts_of_several_generations_add_up() -> None:
    one = Finish("stop", 10, 5, 20, 2.0, 10.0, "cpu", 100, False, 0.5)
    two = Finish("length", 10, 0, 30, 1.0, 30.0, "cpu", 300, True, 0.1)
    both = combined([one, two])
    assert (both.prompt_tokens, both.cached_tokens, both.new_tokens, both.seconds) == (20, 5, 50, 3.0)
    assert both.tokens_per_second == pytest.approx(50 / 3)
    assert (both.reason, both.truncated, both.peak_memory, both.prefill_seconds) == ("length", True, 300, 0.5)
    assert combined([]) == without_model()


def test_the_starter_is_known_by_its_name() -> None:
    assert is_starter(Scripted(str, starter=True).info)
    assert not is_starter(Scripted(str).info)
    assert words_note(()) == ""
    assert "and 2 more" in words_note(tuple("abcdefghij"))


def test_history_of_a_long_chat_is_counted_a_few_times_only() -> None:
    generator = Scripted(str, context=400)
    turns = tuple(Message("user" if n % 2 == 0 else "assistant", "w " * 10) for n in range(1001))
    fitted = history.fit(generator, turns)
    assert len(fitted.messages) == 29  # 290 of 300 words, and the first is the person's
    assert fitted.left_out == 1001 - 29
    assert generator.counted <= 12
