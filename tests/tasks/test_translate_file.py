"""Sheets of files: every paragraph once, in as many pieces as it has, and on with what is there after a stop."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from py3langid import langid
from scripted_generator import Scripted

from edgellm.documents.segment import Segment, Sheet
from edgellm.errors import UsageError
from edgellm.tasks import translate_file
from edgellm.tasks.detect import Detector
from edgellm.tasks.glossary import Glossary, Term
from edgellm.tasks.languages import NAMES
from edgellm.tasks.memory import Memory
from edgellm.tasks.options import Options
from edgellm.tasks.translate_file import FileTranslation, Order


def upper(prompt: str) -> str:
    return prompt.partition("\n")[2].upper()


def sheet(*texts: str | tuple[str, ...], language: str = "") -> Sheet:
    pieces = [(text,) if isinstance(text, str) else text for text in texts]
    return Sheet("docx", tuple(Segment(one, f"slide {at}") for at, one in enumerate(pieces, 1)), (), language)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    opened = Memory(tmp_path / "m.db")
    yield opened
    opened.close()


def done(generator: Scripted, given: Sheet, memory: Memory, order: Order | None = None) -> FileTranslation:
    work = FileTranslation(generator, given, order or Order("fr", "en"), memory)
    steps = list(work.run())
    assert [step.done for step in steps] == list(range(1, len(steps) + 1))
    return work


def test_each_paragraph_once_and_repeated_ones_from_memory(memory: Memory) -> None:
    generator = Scripted(upper)
    given = sheet("The dog is here.", "12:30", ("The ", "cat", " is tired."), "The dog is here.", "")
    work = done(generator, given, memory)
    assert work.translated == {0: ("THE DOG IS HERE.",), 2: ("THE ", "CAT", " IS TIRED."), 3: ("THE DOG IS HERE.",)}
    report = work.report()
    assert (report.paragraphs, report.translated, report.reused) == (5, 2, 1)
    again = done(generator, given, memory)
    assert again.translated == work.translated
    assert (again.report().translated, again.report().reused) == (0, 3)


def test_what_was_translated_with_other_terms_is_not_used(memory: Memory) -> None:
    generator, given = Scripted(upper), sheet("The dog is here.")
    done(generator, given, memory)
    order = Order("fr", "en", Glossary((Term("dog", "CHIEN"),)))
    work = done(generator, given, memory, order)
    assert work.translated == {0: ("THE CHIEN IS HERE.",)}
    assert (work.report().translated, work.report().kept) == (1, 1)


def test_a_stop_keeps_what_is_done_and_the_next_run_goes_on(memory: Memory) -> None:
    texts = [f"This is paragraph {word}." for word in ("one", "two", "three", "four", "five")]
    generator, asked = Scripted(upper), itertools.count()
    stopping = Options(cancelled=lambda: len(generator.requests) > 2 and next(asked) >= 0)
    work = done(generator, sheet(*texts), memory, Order("fr", "en", options=stopping))
    assert work.report().stopped
    assert len(work.translated) == 2
    other = Scripted(upper)
    finished = done(other, sheet(*texts), memory)
    assert len(other.prompts) == 3
    assert [finished.translated[at][0] for at in range(5)] == [text.upper() for text in texts]


def test_a_paragraph_without_a_translation_stays_with_a_warning_that_names_its_place(memory: Memory) -> None:
    generator = Scripted(lambda prompt: "" if "cat" in prompt else upper(prompt))
    work = done(generator, sheet("The dog is here.", "The cat."), memory)
    assert work.translated == {0: ("THE DOG IS HERE.",)}
    assert work.report().warnings == ("slide 2: left as it is, because the model gave no translation of: The cat.",)
    assert memory.count() == 1


def test_a_sentence_that_does_not_fit_stays_with_a_warning(memory: Memory) -> None:
    class Small(Scripted):
        def generate(self, request, cancelled=lambda: False):  # type: ignore[no-untyped-def]
            from edgellm.errors import ContextOverflow

            if "long" in request.messages[-1].content:
                raise ContextOverflow(900, 100)
            return super().generate(request, cancelled)

    work = done(Small(upper), sheet("A long one.", "A dog."), memory)
    assert work.translated == {1: ("A DOG.",)}
    assert "slide 1: left as it is. The text is 900 tokens" in work.report().warnings[0]


def test_placeholders_are_kept_and_the_rest_is_warned_about(memory: Memory) -> None:
    generator = Scripted(lambda prompt: "rien" if "{" in prompt or "<x" in prompt else upper(prompt))
    work = done(generator, sheet("Hello {name}, welcome."), memory)
    assert work.translated == {0: ("HELLO {name}, WELCOME.",)}
    assert work.report().kept == 1
    assert work.report().warnings[0].startswith("slide 1: translated in parts")


def test_words_the_starter_was_not_taught_are_named_by_place(memory: Memory) -> None:
    work = done(Scripted(upper, starter=True), sheet("The dog is tired.", "The volcano {zyx} is tired."), memory)
    assert work.report().warnings[-1] == "slide 2: the built-in model was not taught volcano."


def test_what_the_starter_left_or_made_up_is_named_by_place_also_from_memory(memory: Memory) -> None:
    refusal = "I am only the small built-in model: I cannot translate this."
    answers = {"Good morning.": "Bonne matinée ! L'huiée matin.", "The dog sings.": refusal, "Good night.": "Bonsoir !"}
    generator = Scripted(lambda prompt: answers[prompt.partition("\n")[2].strip()], starter=True)
    given = sheet("Good night.", "Good morning.", "The dog sings.")
    for reused in (0, 3):
        report = done(generator, given, memory).report()
        assert report.reused == reused
        assert report.warnings == (
            "slide 2: the built-in model made something up in the translation of: Good morning.",
            "slide 3: left as it is, because the built-in model cannot translate: The dog sings.",
        )


def test_the_language_is_found_in_the_whole_file_or_taken_from_what_it_says(memory: Memory) -> None:
    french = sheet(*(["Anna"] * 50), *(["Le chien dort sous la table de la cuisine, et il est content."] * 40))
    assert translate_file.likely(french) == "fr"
    assert done(Scripted(upper), french, memory, Order("de")).plan.source == "fr"
    doubtful = sheet("Paul", language="de-AT")
    work = FileTranslation(Scripted(upper, starter=True), doubtful, Order("fr"), memory)
    assert work.plan.source == "de"


def test_one_detector_serves_many_files(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    detector, given = Detector(tuple(NAMES)), sheet("Xilofon kreslo vantuz parohod.")
    source = detector.detect(given.segments[0].text).language  # loads the model

    def again(*_: object, **__: object) -> None:
        raise AssertionError("the model of the detector was loaded again")

    monkeypatch.setattr(langid.LanguageIdentifier, "from_model_file", again)
    for _ in range(2):
        assert FileTranslation(Scripted(upper), given, Order("fr"), memory, detector).plan.source == source
    with pytest.raises(AssertionError, match="loaded again"):
        FileTranslation(Scripted(upper), given, Order("fr"), memory)


def test_a_file_in_the_language_already_is_left_alone(memory: Memory) -> None:
    generator = Scripted(upper)
    work = done(generator, sheet("The dog is here."), memory, Order("en", "en"))
    assert (work.translated, generator.prompts) == ({}, [])
    assert "left as it is" in work.plan.notes[0]


def test_a_language_that_the_model_cannot_do_is_refused_before_the_work(memory: Memory) -> None:
    with pytest.raises(UsageError, match="Italian"):
        FileTranslation(Scripted(upper, starter=True), sheet("Hello."), Order("it"), memory)


def test_formatted_paragraphs_in_chinese_and_back(memory: Memory) -> None:
    generator = Scripted(lambda prompt: "狗很累。" if "dog" in prompt else upper(prompt), starter=True)
    work = done(generator, sheet(("The ", "dog", " is tired. "), "Hello."), memory, Order("zh", "en"))
    assert len(work.translated[0]) == 3
    assert "".join(work.translated[0]).strip() == "狗很累。"
