"""Translation: whole texts for general models; sentences, pivot and the lexicon's guard for the starter."""

from __future__ import annotations

import pytest
from scripted_generator import Scripted

from edgellm.errors import UsageError
from edgellm.runtimes.base import Chunk, Finish
from edgellm.tasks import translate
from edgellm.tasks.lexicon import Lexicon
from edgellm.tasks.options import Options
from edgellm.tasks.result import collect

WORDS = Lexicon(
    {
        "en": ["the", "dog", "is", "tired", "where", "cat", "hello"],
        "fr": ["le", "chien", "est", "fatigué", "où", "chat", "bonjour"],
        "de": ["der", "Hund", "ist", "müde", "wo", "Katze", "hallo"],
        "es": ["el", "perro", "está", "cansado", "dónde", "gato", "hola"],
        "zh": ["狗", "很累", "你好"],
    }
)


def last_line(prompt: str) -> str:
    first, _, text = prompt.partition("\n")
    return f"<{first.split()[-1][:2].lower()} {text}>".replace(":", "")


def through(text: str, target: str, source: str = "", *, starter: bool = True) -> tuple[str, Finish, Scripted]:
    generator = Scripted(last_line, starter=starter)
    plan = translate.prepare(generator.info, text, target, source, WORDS)
    return *collect(translate.run(generator, text, plan)), generator


def test_a_direction_with_english_is_asked_once_in_the_trained_words() -> None:
    text, _, generator = through("The dog is tired.", "fr")
    assert generator.prompts == ["Translate from English to French:\nThe dog is tired."]
    assert text == "<fr The dog is tired.>"


def test_other_directions_go_through_english() -> None:
    text, finish, generator = through("Le chien est fatigué.", "de")
    assert [prompt.split("\n")[0] for prompt in generator.prompts] == [
        "Translate from French to English:",
        "Translate from English to German:",
    ]
    assert text == "<ge <en Le chien est fatigué.>>"
    assert finish.new_tokens == 5 + 6
    assert finish.seconds == 2.0


@pytest.mark.parametrize("source", translate.LANGUAGES)
@pytest.mark.parametrize("target", translate.LANGUAGES)
def test_all_twenty_directions(source: str, target: str) -> None:
    _, _, generator = through("hello", target, source)
    assert len(generator.prompts) == (0 if source == target else 1 if "en" in (source, target) else 2)


def test_sentences_go_one_by_one_and_lines_and_marks_stay() -> None:
    text, _, _ = through("The dog is tired. Hello!\n\n- The cat is tired.\n", "fr")
    assert text == "<fr The dog is tired.> <fr Hello!>\n\n- <fr The cat is tired.>\n"


def test_chinese_gets_and_loses_the_space_between_sentences() -> None:
    assert through("The dog is tired. Hello!", "zh")[0] == "<ch The dog is tired.><ch Hello!>"
    assert through("狗很累。你好。", "en")[0] == "<en 狗很累。> <en 你好。>"


def test_a_general_model_translates_the_whole_text_directly() -> None:
    text, _, generator = through("Le chien est fatigué. Le chat aussi.", "de", starter=False)
    assert generator.prompts == ["Translate from French to German:\nLe chien est fatigué. Le chat aussi."]
    assert text == "<ge Le chien est fatigué. Le chat aussi.>"


def test_a_text_longer_than_the_context_goes_in_pieces_that_fit() -> None:
    text = "\n".join(f"This is sentence number {number}, and it is here." for number in range(40))
    generator = Scripted(last_line, context=100)
    plan = translate.prepare(generator.info, text, "fr")
    result, finish = collect(translate.run(generator, text, plan))
    assert len(generator.prompts) > 5
    assert max(len(prompt.split()) for prompt in generator.prompts) <= 40
    assert all(f"number {number}," in result for number in range(40))
    assert finish.reason == "stop"


def test_unknown_words_are_listed_and_noted() -> None:
    plan = translate.prepare(Scripted(str, starter=True).info, "Where is the volcano?", "fr", lexicon=WORDS)
    assert plan.unknown == ("volcano",)
    assert any("volcano" in note for note in plan.notes)
    general = translate.prepare(Scripted(str).info, "Where is the volcano?", "fr")
    assert general.notes == ()


def test_the_text_may_already_be_in_the_language() -> None:
    text, finish, generator = through("The dog is tired.", "en")
    assert text == "The dog is tired."
    assert generator.prompts == []
    assert finish.device == "none"


def test_the_starter_refuses_languages_it_was_not_taught_by_name() -> None:
    with pytest.raises(UsageError, match="Italian"):
        translate.prepare(Scripted(str, starter=True).info, "hello", "it", lexicon=WORDS)


def test_a_doubtful_language_is_said() -> None:
    plan = translate.prepare(Scripted(str, starter=True).info, "Paul", "fr", lexicon=WORDS)
    assert any("--from" in note for note in plan.notes)


def test_a_cancel_keeps_the_text_so_far_and_asks_no_more() -> None:
    generator = Scripted(last_line, starter=True)
    heard: list[str] = []
    options = Options(cancelled=lambda: len(heard) >= 2)
    plan = translate.prepare(generator.info, "The dog is tired. Hello! The cat.", "fr", "en", WORDS)
    events = []
    for event in translate.run(generator, "The dog is tired. Hello! The cat.", plan, options):
        events.append(event)
        if isinstance(event, Chunk):
            heard.append(event.text)
    assert "".join(heard) == "<fr The"
    assert isinstance(events[-1], Finish)
    assert events[-1].reason == "cancelled"
    assert len(generator.prompts) == 1


def test_text_without_letters_is_passed_on() -> None:
    text, _, generator = through("12:30\n\n---", "fr", "en")
    assert text == "12:30\n\n---"
    assert generator.prompts == []


REFUSAL = "I am only the small built-in model, and this is outside what I know."


@pytest.mark.parametrize(("source", "target"), [("en", "fr"), ("fr", "de")])
def test_a_refusal_of_the_starter_is_no_translation(source: str, target: str) -> None:
    def refuses_cats(prompt: str) -> str:
        text = prompt.partition("\n")[2]
        return REFUSAL if "cat" in text else "I am tired."

    generator = Scripted(refuses_cats, starter=True)
    plan = translate.prepare(generator.info, "x", target, source, WORDS)
    worker = translate.Translator(generator, plan)
    text, finish = collect(worker.stream("The cat  bows. The dog is tired."))
    assert text == "The cat  bows. I am tired."
    assert finish.reason == "stop"
    assert worker.notes[0] == "The built-in model cannot translate these, so they stay as they are: The cat bows."
    assert worker.paragraph(("The cat 7 bows.",)) == ("The cat 7 bows.",)


def test_what_a_general_model_says_of_itself_is_its_translation() -> None:
    generator = Scripted(lambda prompt: REFUSAL, starter=False)
    plan = translate.prepare(generator.info, "Hallo.", "en", "de", WORDS)
    worker = translate.Translator(generator, plan)
    assert collect(worker.stream("Hallo."))[0] == REFUSAL
    assert worker.notes == ()
