"""Tests of summaries in every style: points know their page, what no sentence supports is said, and runs go on."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from scripted_generator import Scripted

from edgellm.documents.document import Block, Document, Page
from edgellm.errors import EngineError, UsageError
from edgellm.runtimes.base import Chunk
from edgellm.tasks import kept, summary, summary_job, summary_styles
from edgellm.tasks.kept import Kept
from edgellm.tasks.options import Options
from edgellm.tasks.outline import Outline, of_text
from edgellm.tasks.summary_events import Begun, Draft, Item, Progress, Summary
from edgellm.tasks.summary_styles import STYLES, Asked

FACTS = ("The mill burned in {0}.", "Its owner rebuilt it with {0} workers.", "The river turns {0} wheels there.")


def report(chapters: int) -> Document:
    """A chapter on each page, below a heading; chapter 7 speaks of 1007, 1107 and so on."""
    pages = []
    for number in range(1, chapters + 1):
        text = " ".join(fact.format(1000 + number + 100 * at) for at, fact in enumerate(FACTS))
        pages.append(Page(number, (Block("heading", f"Chapter {number}", 1), Block("paragraph", text))))
    return Document(Path("report.pdf"), "pdf", "Report", "0" * 64, tuple(pages))


def quoting(prompt: str) -> str:
    """Answers as a good model would, from the text that it was given."""
    text = prompt.split("\n", 1)[1].removeprefix("Text:").strip()
    if "question" in prompt.split("\n", 1)[0]:
        years = re.findall(r"burned in (\d+)", text)
        return "\n".join(f"Did the mill burn in {year}?" for year in years)
    if prompt.startswith("Answer from the text"):
        return f"in {prompt.rsplit('burn in ', 1)[1].rstrip('?')}"
    sentences = re.findall(r"The mill burned in \d+\.", text)
    return "\n".join(sentences[: 1 if prompt.startswith("Summarize in one") else None]) or "A summary."


def collected(scripted: Scripted, document: Document, asked: Asked, **more: object) -> tuple[list[object], Summary]:
    events = list(summary.run(scripted, Outline.of(document), asked, **more))  # type: ignore[arg-type]
    assert isinstance(events[-1], Summary)
    assert not any(isinstance(event, Summary) for event in events[:-1])
    return list(events), events[-1]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("length", summary_styles.LENGTHS)
@pytest.mark.parametrize("starter", [True, False])
def test_every_style_ends_in_one_summary_that_says_what_was_read(style: str, length: str, starter: bool) -> None:
    scripted = Scripted(quoting, context=400, starter=starter)
    events, done = collected(scripted, report(30), summary_styles.asked(style, length))
    assert done.text.strip()
    assert done.finish.reason == "stop"
    assert done.read == done.sections >= 1
    assert any("of the text were" in note or "at once" in note or "sentences" in note for note in done.notes)
    assert [event for event in events if isinstance(event, Item)] == list(done.items) or style in ("line", "paragraph")
    streamed = "".join(event.text for event in events if isinstance(event, Chunk))
    assert streamed == (done.text if style in ("line", "paragraph") else "")


@pytest.mark.parametrize(("length", "count"), [("short", 5), ("medium", 10)])
def test_bullets_are_as_many_as_asked_for_and_each_knows_its_page(length: str, count: int) -> None:
    document = report(40)
    text = Outline.of(document).text
    _, done = collected(Scripted(quoting, context=400), document, summary_styles.asked("bullets", length))
    assert len(done.items) == count
    for item in done.items:
        year = int(re.findall(r"\d+", item.text)[0])
        assert item.place.page == year - 1000
        assert item.place.headings == (f"Chapter {year - 1000}",)
        assert item.quote is not None
        assert text[item.quote.start : item.quote.end] == item.quote.text == item.text
        assert item.place.start <= item.quote.start < item.quote.end <= item.place.end
    assert any("--length long" in note for note in done.notes)
    assert done.read == done.sections > count


@pytest.mark.parametrize(("style", "length"), [("bullets", "short"), ("sections", "long"), ("line", "long")])
def test_what_is_read_is_shown_before_the_points_are_chosen(style: str, length: str) -> None:
    events, done = collected(Scripted(quoting, context=400), report(20), summary_styles.asked(style, length))
    drafts = [event.item for event in events if isinstance(event, Draft)]
    assert len(drafts) >= done.sections >= 8
    assert [item.place.page for item in drafts] == sorted(item.place.page for item in drafts)
    assert all(item.quote is not None and item.quote.text == item.text for item in drafts)
    last = max(at for at, event in enumerate(events) if isinstance(event, Draft))
    assert not any(isinstance(event, Item | Chunk) for event in events[:last])


def test_a_mark_of_a_list_is_one_only_where_a_line_begins() -> None:
    written = "- The mill - a ruin - burned in 1001.\n2. It was > 3 m high."
    _, done = collected(Scripted(lambda _: written), report(2), summary_styles.asked("bullets", "long"))
    assert [item.text for item in done.items] == ["The mill - a ruin - burned in 1001.", "It was > 3 m high."]


def test_sections_are_the_headings_and_every_heading_has_its_points() -> None:
    document = report(12)
    _, done = collected(Scripted(quoting, context=2_000), document, Asked("sections", "short"))
    assert [item.place.headings for item in done.items] == [(f"Chapter {number}",) for number in range(1, 13)]
    assert done.sections == 12


def test_pages_are_the_sections_of_a_document_without_headings() -> None:
    pages = tuple(Page(number, (Block("paragraph", f"The mill burned in {1000 + number}."),)) for number in (1, 2, 3))
    document = Document(Path("a.pdf"), "pdf", "", "0" * 64, pages)
    _, done = collected(Scripted(quoting), document, Asked("sections"))
    assert [item.place.page for item in done.items] == [1, 2, 3]


def test_questions_are_answered_from_the_text_or_left_out() -> None:
    def reply(prompt: str) -> str:
        if prompt.startswith("Write"):
            return "1. When did the mill burn?\n2. Who is the king?\n3) no question\n4. What is there?"
        if "king" in prompt:
            return "The text does not say."
        return "Volcanoes of Iceland." if "What is" in prompt else "in 1001"

    document = report(1)
    _, done = collected(Scripted(reply), document, Asked("questions"))
    text = Outline.of(document).text
    assert [(item.question, item.text, item.place.page) for item in done.items] == [
        ("When did the mill burn?", "in 1001", 1)
    ]
    assert done.items[0].quote is not None
    assert done.items[0].quote.text == "The mill burned in 1001."
    assert done.items[0].quote.text in text
    assert any(note.startswith("3 questions were left out") for note in done.notes)


def test_a_model_that_takes_no_instruction_asks_about_words_and_quotes() -> None:
    document = report(4)
    scripted = Scripted(lambda prompt: "an invention", starter=True)
    _, done = collected(scripted, document, Asked("questions", "short"))
    assert scripted.prompts == []
    text = Outline.of(document).text
    assert len({item.question for item in done.items}) == 3
    assert all(item.text in text and not item.written for item in done.items)


def test_what_the_text_does_not_support_is_said() -> None:
    _, done = collected(Scripted(lambda prompt: "Volcanoes erupt."), report(6), Asked("bullets", "long"))
    assert all(item.quote is None for item in done.items)
    assert any("hardly a word" in note for note in done.notes)


@pytest.mark.parametrize(
    "said", ["The king sleeps.", "The mill, the owner.", "The mill burned in 1999.", "Mill mill.", "Did the mill burn?"]
)
def test_the_starters_doubtful_sentence_is_not_shown(said: str) -> None:
    text = "The mill is open. The mill burned in 1907. Its owner is old."
    scripted = Scripted(lambda prompt: said, starter=True)
    for style in ("line", "paragraph", "bullets", "sections"):
        done = summary.collected(summary.run(scripted, Outline.of(of_text(text)), summary_styles.asked(style)))
        assert all(line.removeprefix("- ").strip("“”") in text for line in done.text.splitlines())
        if style == "sections":
            assert [item.quoted for item in done.items] == [True] * len(done.items)


SHORT = "The boat leaves at noon. The captain is old. He has a small dog. Anna sells bread. The market is in the city."


@pytest.mark.parametrize("starter", [True, False])
@pytest.mark.parametrize("style", ["paragraph", "bullets", "sections"])
def test_a_longer_summary_of_a_short_text_says_more(style: str, starter: bool) -> None:
    def reply(prompt: str) -> str:
        wanted = re.search(r"the (\d) most|about (\d) sent", prompt)
        return "\n".join(re.findall(r"[A-Z][^.]*\.", SHORT)[: int(wanted.group(1) or wanted.group(2)) if wanted else 1])

    scripted, outline = Scripted(reply, starter=starter), Outline.of(of_text(SHORT))
    texts = [
        summary.collected(summary.run(scripted, outline, summary_styles.asked(style, length))).text
        for length in summary_styles.LENGTHS
    ]
    assert [len(re.findall(r"\.", text)) for text in texts] in ([2, 3, 4], [1, 2, 4], [3, 5, 5])


def test_key_sentences_and_a_long_line_of_a_short_text() -> None:
    outline = Outline.of(of_text(SHORT))
    assert [len(summary_job.keys(outline, length)) for length in summary_styles.LENGTHS] == [2, 3, 4]
    assert [len(summary_job.keys(Outline.of(of_text("One.")), length)) for length in summary_styles.LENGTHS] == [1] * 3
    scripted = Scripted(lambda prompt: "The captain is old.", starter=True)
    long = summary.collected(summary.run(scripted, outline, Asked("line", "long")))
    assert long.text.startswith("The captain is old. “")
    assert long.items[0].text in SHORT


def test_a_sentence_of_the_text_among_a_models_is_in_quotation_marks() -> None:
    text = "\n\n".join(f"The mill {number} is open. The owner {number} is old. It is there." for number in range(4))
    scripted = Scripted(lambda prompt: "The king sleeps." if "2" in prompt else "The owner is old.", starter=True)
    done = summary.collected(summary.run(scripted, Outline.of(of_text(text)), Asked("bullets", "short")))
    assert {item.quoted for item in done.items} <= {True, False}
    for item, line in zip(done.items, done.text.splitlines(), strict=True):
        assert item.quoted is not item.written
        assert line == (f"- “{item.text}”" if item.quoted else f"- {item.text}")
        assert item.written or item.text in text


def test_a_language_is_asked_for_and_what_comes_in_another_is_translated() -> None:
    def reply(prompt: str) -> str:
        if prompt.startswith("Translate"):
            assert prompt.startswith("Translate from English to French:")
            return "Le moulin a brûlé."
        return (
            "The mill burned and the owner was there with it." if "1001" in prompt else "Le moulin est dans la ville."
        )

    scripted = Scripted(reply, context=400)
    _, done = collected(scripted, report(40), Asked("bullets", "long", "fr"))
    assert any("in French" in prompt for prompt in scripted.prompts)
    assert done.items[0].text == "Le moulin a brûlé."
    assert {item.text for item in done.items[1:]} == {"Le moulin est dans la ville."}
    assert any("translated into French" in note for note in done.notes)


def test_the_starter_translates_only_what_comes_back_as_the_same() -> None:
    def reply(prompt: str) -> str:
        if prompt.startswith("Translate from English"):
            return "Le chien est grand." if "dog" in prompt else "Le chat."
        return "The dog is big." if "chien" in prompt else "The cat."

    text = "The dog is big.\n\nIt is Monday.\n\nThe cat is in the garden."
    scripted = Scripted(reply, starter=True)
    done = summary.collected(summary.run(scripted, Outline.of(of_text(text)), Asked("line", "medium", "fr")))
    assert done.text in ("Le chien est grand.", "It is Monday.", "The cat is in the garden.")
    with pytest.raises(UsageError, match="does not know Italian"):
        summary.run(scripted, Outline.of(of_text(text)), Asked("line", "medium", "it"))


def test_a_run_that_was_killed_goes_on_and_asks_nothing_twice(tmp_path: Path) -> None:
    document, asked = report(60), Asked("bullets", "long")
    outline = Outline.of(document)
    failing = Scripted(_fails_after(25), context=400)
    name = kept.name(outline.text, failing.info, asked)
    with pytest.raises(EngineError):
        list(summary.run(failing, outline, asked, Kept(tmp_path, name)))
    held = Kept(tmp_path, name)
    assert len(held) == 25
    again = Scripted(quoting, context=400)
    events = list(summary.run(again, outline, asked, held))
    begun = next(event for event in events if isinstance(event, Begun))
    assert begun.kept == 25
    assert len(again.prompts) == begun.sections - 25
    whole = summary.collected(summary.run(Scripted(quoting, context=400), outline, asked))
    assert isinstance(events[-1], Summary)
    assert [item.text for item in events[-1].items] == [item.text for item in whole.items]
    assert list(tmp_path.iterdir()) == [], "a finished summary is forgotten"


def _fails_after(count: int) -> Callable[[str], str]:
    asked: list[str] = []

    def reply(prompt: str) -> str:
        asked.append(prompt)
        if len(asked) > count:
            raise EngineError("It ended.", "")
        return quoting(prompt)

    return reply


@pytest.mark.parametrize("style", ["line", "paragraph", "bullets", "sections", "questions"])
def test_cancelling_keeps_what_is_there(style: str, tmp_path: Path) -> None:
    seen: list[object] = []
    options = Options(cancelled=lambda: sum(isinstance(event, Progress) for event in seen) >= 2)
    held = Kept(tmp_path, "a")
    outline = Outline.of(report(60))
    seen += summary.run(Scripted(quoting, context=400), outline, summary_styles.asked(style), held, options)
    done = seen[-1]
    assert isinstance(done, Summary)
    assert done.finish.reason == "cancelled"
    assert 2 <= done.read < done.sections
    assert len(Kept(tmp_path, "a")) >= 2


def test_nothing_to_summarize_and_a_model_that_cannot() -> None:
    with pytest.raises(UsageError, match="nothing"):
        summary.run(Scripted(quoting), Outline.of(of_text(" \n")), Asked())
    with pytest.raises(UsageError, match="style"):
        summary_styles.asked("poem")
    with pytest.raises(UsageError, match="language"):
        summary_styles.asked("line", "", "Klingon")
    assert summary_styles.asked("points") == Asked("bullets", "long")
    assert summary_styles.asked("sentence") == Asked("line", "medium")


@pytest.mark.parametrize("style", STYLES)
def test_a_document_of_headings_alone(style: str) -> None:
    blocks = tuple(Block("heading", f"The mill of {number}", 1) for number in range(3))
    document = Document(Path("a.md"), "markdown", "", "0" * 64, (Page(0, blocks),))
    for starter in (True, False):
        _, done = collected(Scripted(quoting, starter=starter), document, summary_styles.asked(style))
        assert done.finish.reason == "stop"
