"""Two models for one pair of languages each: who is asked for what, sentence by sentence, and what is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from scripted_generator import Scripted

from edgellm.documents.segment import Segment, Sheet
from edgellm.errors import UsageError
from edgellm.runtimes.base import Cancelled, Event, Request
from edgellm.tasks import special, translate
from edgellm.tasks.memory import Memory
from edgellm.tasks.options import Options
from edgellm.tasks.pivot import Pivot
from edgellm.tasks.translate_file import FileTranslation, Order


class Pair(Scripted):
    """A model for one direction; it refuses any other, as the real ones cannot."""

    def __init__(self, source: str, target: str, reply: Callable[[str], str] | None = None) -> None:
        super().__init__(reply or (lambda text: f"<{target} {text}>"), context=100)
        self.info = replace(
            self.info,
            name=f"opus-mt-{source}-{target}",
            architecture="marian",
            kind="seq2seq",
            languages=(source, target),
        )

    def generate(self, request: Request, cancelled: Cancelled = lambda: False) -> Iterator[Event]:
        """The scripted reply."""
        assert (request.source, request.target) == self.info.languages or self.info.languages[0] == "mul"
        return super().generate(request, cancelled)


def german_to_french() -> tuple[Pivot, Pair, Pair]:
    first, second = Pair("de", "en"), Pair("en", "fr")
    return Pivot(first, second, "en"), first, second


def test_each_sentence_goes_through_both_models() -> None:
    pivot, first, second = german_to_french()
    done = translate.translate(pivot, "Der Hund ist müde. Wo ist Anna?", "fr", "de")
    assert done.text == "<fr <en Der Hund ist müde.>> <fr <en Wo ist Anna?>>"
    assert done.plan.directions == (("de", "en"), ("en", "fr"))
    assert done.plan.by_sentence
    assert first.prompts == ["Der Hund ist müde.", "Wo ist Anna?"]
    assert second.prompts == ["<en Der Hund ist müde.>", "<en Wo ist Anna?>"]
    assert [pair.source for pair in done.pairs] == [(0, 18), (19, 31)]


def test_a_text_in_english_or_for_english_asks_one_of_them() -> None:
    pivot, first, second = german_to_french()
    assert translate.translate(pivot, "The dog.", "fr", "en").text == "<fr The dog.>"
    assert first.prompts == []
    assert translate.translate(pivot, "Der Hund.", "en", "de").text == "<en Der Hund.>"
    assert len(second.prompts) == 1


@pytest.mark.parametrize(("source", "target"), [("es", "fr"), ("de", "it"), ("fr", "de"), ("en", "de")])
def test_other_languages_are_refused_before_anything_is_asked(source: str, target: str) -> None:
    pivot, first, second = german_to_french()
    with pytest.raises(UsageError, match="from German to French only"):
        translate.prepare(pivot.info, "Hola.", target, source)
    assert first.prompts == second.prompts == []


def test_a_model_of_many_languages_can_be_the_first() -> None:
    pivot = Pivot(Pair("mul", "en"), Pair("en", "fr"), "en")
    assert translate.translate(pivot, "Il cane.", "fr", "it").text == "<fr <en Il cane.>>"
    with pytest.raises(UsageError, match="to French only"):
        translate.prepare(pivot.info, "Il cane.", "de", "it")


def test_one_of_many_languages_to_english_translates_from_each_and_to_no_other() -> None:
    info = Pair("mul", "en").info
    special.check_pair(info, "it", "en")
    with pytest.raises(UsageError, match="translates to English only"):
        special.check_pair(info, "it", "fr")


def test_placeholders_survive_both_models() -> None:
    pivot = Pivot(Pair("de", "en", str.upper), Pair("en", "fr", str.upper), "en")
    work = translate.Translator(pivot, translate.prepare(pivot.info, "Hallo {name}.", "fr", "de"))
    assert "{name}" in "".join(work.paragraph(["Hallo {name}, wo ist der Hund?"]))


def test_a_file_goes_on_behind_its_last_paragraph(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "m.db")
    sheet = Sheet("docx", tuple(Segment((f"Das ist Absatz {word}.",), "") for word in ("eins", "zwei", "drei")), ())
    pivot, first, second = german_to_french()
    stopping = Options(cancelled=lambda: len(second.requests) > 1)
    work = FileTranslation(pivot, sheet, Order("fr", "de", options=stopping), memory)
    assert len(list(work.run())) == 1
    assert work.report().stopped
    pivot, first, second = german_to_french()
    work = FileTranslation(pivot, sheet, Order("fr", "de"), memory)
    list(work.run())
    assert (work.report().reused, len(first.prompts), len(second.prompts)) == (1, 2, 2)
    assert work.translated[2] == ("<fr <en Das ist Absatz drei.>>",)
    memory.close()


def test_another_second_model_does_not_get_the_memory_of_this_one() -> None:
    one = german_to_french()[0].info
    assert one.name == "opus-mt-de-en + opus-mt-en-fr"
    assert Pivot(Pair("mul", "en"), Pair("en", "fr"), "en").info.name != one.name
