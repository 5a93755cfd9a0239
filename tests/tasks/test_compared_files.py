"""Files are compared by what a model reads of them, by their sentences without one, and a stopped run goes on."""

from __future__ import annotations

from pathlib import Path

from scripted_generator import Scripted

from edgellm.documents.document import Block, Document, Page
from edgellm.tasks import summary_compare
from edgellm.tasks.options import DEFAULT, Options
from edgellm.tasks.outline import Outline, of_text
from edgellm.tasks.summary_compare import Compared, Keeping, Reading
from edgellm.tasks.summary_styles import Asked

TEXTS = (
    "The old mill by the river was built of stone in 1901. Anna runs the bakery.",
    "The old mill by the river was built of stone in 1907. Anna runs the bakery.",
    "Le marché ouvre le lundi et il ferme le vendredi.",
)


def compared(scripted: Scripted | None, folder: Path, options: Options = DEFAULT) -> tuple[list[Reading], Compared]:
    outlines = [Outline.of(of_text(text)) for text in TEXTS]
    events = list(summary_compare.run(scripted, outlines, Asked("bullets"), Keeping(folder), options))
    assert isinstance(events[-1], Compared)
    return [event for event in events if isinstance(event, Reading)], events[-1]


def test_without_a_model_and_with_the_starter_sentences_are_compared(tmp_path: Path) -> None:
    starter = Scripted(lambda prompt: "x", starter=True)
    for generator in (None, starter):
        reading, done = compared(generator, tmp_path)
        assert (reading, done.by_words, done.small) == ([], True, generator is not None)
        assert [one.text for one in done.result.common[0]] == ["Anna runs the bakery."] * 2
        assert [one.text[-5:] for one in done.result.different[0]] == ["1901.", "1907."]
        assert done.languages == ("en", "fr")
    assert starter.prompts == []


def test_a_model_reads_each_file_and_a_stopped_run_goes_on(tmp_path: Path) -> None:
    seen: list[str] = []

    def reply(prompt: str) -> str:
        seen.append(prompt)
        return "Anna runs the bakery." if "bakery" in prompt else "Le marché ouvre."

    stopped = Options(cancelled=lambda: len(seen) >= 2)
    _, done = compared(Scripted(reply), tmp_path, stopped)
    assert done.finish.reason == "cancelled"
    asked = len(seen)
    reading, done = compared(Scripted(reply), tmp_path)
    assert {one.number for one in reading} == {0, 1, 2}
    assert not done.by_words
    assert [len(group) for group in done.result.common] == [2]
    assert all(one.written for one in done.result.only[2])
    assert len(seen) - asked < len(TEXTS), "what was read before is not asked again"
    assert list(tmp_path.iterdir()) == []


def test_equal_names_are_told_apart() -> None:
    page = Page(0, (Block("paragraph", "x"),))
    documents = [Document(Path(name), "text", "", "", (page,)) for name in ("a/x", "b/x", "")]
    assert summary_compare.names(documents, "standard input") == ("x", "x [2]", "standard input")
