"""Tests of summaries of long texts: nothing is left out, points know their place, cancelling keeps what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from scripted_generator import Scripted

from edgellm.errors import UsageError
from edgellm.paths import starter_model
from edgellm.runtimes.base import Chunk, Message, Placement
from edgellm.runtimes.llama import LlamaRuntime
from edgellm.tasks import digest
from edgellm.tasks.options import Options
from edgellm.tasks.result import collect
from tests import tiny_gguf

PARAGRAPH = "The report of section {0} names {0} persons. They met on day {0}. Nothing else was said about it."


def book(sections: int) -> str:
    return "\n\n".join(PARAGRAPH.format(number) for number in range(1, sections + 1))


def first_sentence(prompt: str) -> str:
    return prompt.split("\n", 1)[1].split(".")[0] + "."


@pytest.mark.parametrize("context", [90, 300, 4096])
@pytest.mark.parametrize(
    "text", [book(60), "word " * 3_000, "无空格的文字。" * 500, "x" * 5_000, "One. " * 900], ids=lambda text: text[:5]
)
def test_parts_hold_every_character_in_order(text: str, context: int) -> None:
    scripted = Scripted(first_sentence, context=context)
    found = digest.parts(scripted, text)
    at = 0
    for part in found:
        assert text[part.start : part.end] == part.text
        assert not text[at : part.start].strip(), "something was left out"
        assert part.start >= at
        at = part.end
    assert not text[at:].strip()
    assert all(len(part.text.split()) < context for part in found)


def test_sixty_sections_are_read_and_become_one_sentence() -> None:
    scripted = Scripted(first_sentence, context=300)
    chosen = digest.parts(scripted, book(60))
    found = tuple(digest.points(scripted, chosen))
    assert [point.part for point in found] == list(chosen)
    assert digest.coverage(found, chosen) == f"{len(chosen)} of {len(chosen)} sections of the text were read."
    read = "\n".join(scripted.prompts)
    assert all(f"section {number} names" in read for number in range(1, 61))
    text, finish = collect(digest.overall(scripted, found))
    assert text == "The report of section 1 names 1 persons."
    whole = digest.facts(found, finish)
    assert whole.new_tokens == sum(point.finish.new_tokens for point in found) + finish.new_tokens
    assert not whole.truncated


def test_more_points_than_fit_are_summarized_again() -> None:
    scripted = Scripted(first_sentence, context=150)
    found = tuple(digest.points(scripted, digest.parts(scripted, book(120))))
    assert sum(len(point.text.split()) for point in found) > 150
    text, _ = collect(digest.overall(scripted, found))
    assert text == "The report of section 1 names 1 persons."


def test_a_model_that_says_nothing_shorter_does_not_run_forever() -> None:
    scripted = Scripted(lambda prompt: prompt.split("\n", 1)[1], context=150)
    found = tuple(digest.points(scripted, digest.parts(scripted, book(40))))
    text, _ = collect(digest.overall(scripted, found))
    assert text and text in " ".join(book(40).split())


def test_silence_becomes_a_sentence_of_the_text() -> None:
    scripted = Scripted(lambda prompt: "", context=300)
    chosen = digest.parts(scripted, book(20))
    found = tuple(digest.points(scripted, chosen))
    assert len(found) == len(chosen) and not any(point.written for point in found)
    assert all(point.text in point.part.text for point in found)
    assert "model was no help" in digest.coverage(found, chosen)


def test_nothing_to_summarize() -> None:
    scripted = Scripted(first_sentence)
    assert digest.parts(scripted, " \n\n ") == ()
    with pytest.raises(UsageError):
        digest.overall(scripted, ())


def test_cancelling_keeps_the_points_so_far() -> None:
    scripted, seen = Scripted(first_sentence, context=300), list[digest.Point]()
    chosen = digest.parts(scripted, book(60))
    for point in digest.points(scripted, chosen, Options(cancelled=lambda: len(seen) >= 3)):
        seen.append(point)
    assert 3 <= len(seen) < len(chosen)
    assert [point.part for point in seen] == list(chosen[: len(seen)])


def test_several_at_once_on_the_real_runtime(tmp_path: Path) -> None:
    runtime = LlamaRuntime.load(
        tiny_gguf.make(tmp_path / "speaker.gguf", says="Fox."),
        Placement(context=4096, batch=128, threads=1, cpu_variant="haswell"),
    )
    try:
        chosen = digest.parts(runtime, book(40))
        found = tuple(digest.points(runtime, chosen))
        assert len(chosen) > 5
        assert [point.text for point in found] == ["Fox."] * len(chosen)
        assert "".join(e.text for e in digest.overall(runtime, found) if isinstance(e, Chunk)) == "Fox."
    finally:
        runtime.close()


def test_the_starter_reads_what_it_was_taught_and_quotes_the_rest() -> None:
    runtime = LlamaRuntime.load(starter_model(), Placement(context=1024, threads=1, cpu_variant="haswell"))
    strange = "Renormalization removes infinities from perturbative amplitudes of gluons."
    text = "The meeting is on Monday at the school. It starts at ten o'clock. Please be on time.\n\n" + strange
    try:
        chosen = digest.parts(runtime, text)
        found = tuple(digest.points(runtime, chosen))
    finally:
        runtime.close()
    assert [point.written for point in found] == [True, False]
    assert re.search(r"\bmeeting\b", found[0].text)
    assert found[1].text == strange


def test_a_book_is_cut_without_a_prompt_that_holds_all_of_it() -> None:
    asked: list[int] = []

    class Counting(Scripted):
        def count(self, messages: tuple[Message, ...]) -> int:
            asked.append(len(messages[0].content))
            return super().count(messages)

    text = book(3000)
    scripted = Counting(lambda prompt: "A point.", context=300)
    chosen = digest.parts(scripted, text)
    assert not digest.fits(scripted, text)
    assert max(asked) < len(text) / 2
    assert chosen[-1].text.strip() == text[chosen[-1].start :].strip()
