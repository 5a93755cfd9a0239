"""Pictures of the pages of tasks: Summarize, Documents, Classify and Translate, each with files of its own."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.studio import PATIENCE, Studio, wait
from edgellm.ui.classify_page import ClassifyPage
from edgellm.ui.documents_page import DocumentsPage
from edgellm.ui.summarize_page import SummarizePage
from edgellm.ui.translate_page import TranslatePage
from tests.document_files import Line, pdf

_ISLAND: tuple[tuple[Line, ...], ...] = tuple(
    ((20, title), (12, ""), *((12, text) for text in lines))
    for title, *lines in (
        (
            "A week on the island",
            "The boat to the island leaves at noon. It waits for the train from the city.",
            "The captain is old and kind, and he has a small brown dog.",
        ),
        (
            "The market",
            "The farmer sells bread, apples and cheese at the market.",
            "The market opens on Monday and closes on Friday.",
        ),
        (
            "The garden",
            "Anna works in the garden in the evening. She is tired, but she is happy.",
        ),
        (
            "The way back",
            "The last boat leaves on Sunday evening. The ticket costs eight euros.",
            "The weather was cold and the sea was gray.",
        ),
    )
)
_NOTES = {
    "garden.md": "# Garden\n\n## Every week\n\nMy sister waters the flowers on Monday. "
    "The dog sleeps in the garden.\n\n## Summer\n\nThe children eat the red apples under the old tree.\n",
    "kitchen.md": "# Kitchen\n\nThe milk is in the kitchen. The key is on the table. My mother makes the soup.\n",
    "neighbors.txt": "The neighbor has a small brown dog. His son plays the piano in the evening.\n",
    "travel.md": "# Trips\n\n## Harbor\n\nThe boat leaves on Monday. We eat fish in the small restaurant.\n",
}


def summarize(studio: Studio) -> None:
    """A PDF of four pages on the Summarize page, with links to its pages."""
    page = studio.window.open_key("summarize")
    assert isinstance(page, SummarizePage)
    path = Path(os.environ["EDGELLM_HOME"], "island.pdf")
    path.write_bytes(pdf(_ISLAND))
    page.box.take([path])
    page.choices.style.setCurrentIndex(page.choices.style.findData("sections"))
    wait(PATIENCE, lambda: not page.box.reading)
    wait(0.3)
    page.run()
    wait(PATIENCE, lambda: not page.runner.busy)
    wait(0.5)
    studio.picture(f"summarize{studio.suffix}")


def documents(studio: Studio) -> None:
    """The Documents page: a folder that is read, with one file that cannot be, and answers with their quotes."""
    window = studio.window
    page = window.open_key("documents")
    assert isinstance(page, DocumentsPage)
    folder = notes(Path(studio.app.paths.work).parent / "Our house")
    page.documents.take([folder])
    wait(PATIENCE, lambda: sum(file.read is not None for file in page.work.shelf.files()) == len(_NOTES) + 2)
    for question in ("Who waters the flowers?", "What is the price of gold?", "Where does the dog sleep?"):
        page.answers.question.setText(question)
        page.run()
        wait(PATIENCE, lambda: not page.runner.busy)
        wait(0.3)
    page.answers.question.clear()
    wait(0.6)
    studio.picture(f"documents{studio.suffix}")


def notes(folder: Path) -> Path:
    """A folder with a few notes, a PDF of four pages and one file that is damaged."""
    folder.mkdir(parents=True)
    for name, text in _NOTES.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "island.pdf").write_bytes(pdf(_ISLAND, "A week on the island"))
    (folder / "old letter.pdf").write_bytes(b"%PDF-1.7 and then nothing")
    return folder


def classify(studio: Studio) -> None:
    """The Classify page: a table of opinions with its labels, and one text with the share of every label."""
    page = studio.window.open_key("classify")
    assert isinstance(page, ClassifyPage)
    path = Path(os.environ["EDGELLM_HOME"], "opinions.csv")
    lines = [f'{number},2026-05-{number:02},"{text}"' for number, text in enumerate(_OPINIONS, 1)]
    path.write_text("\n".join(("number,day,opinion", *lines, "")), encoding="utf-8")
    page.unsure.setValue(75)
    page.given.box.take([path])
    wait(PATIENCE, lambda: page.given.ready)
    page.run()
    wait(PATIENCE, lambda: not page.runner.busy)
    page.pane.table.selectRow(1)
    wait(0.5)
    studio.picture(f"classify{studio.suffix}")


_OPINIONS = (
    "The food was great. We loved it.",
    "The train is late and I am angry.",
    "The book is on the table.",
    "The room is dirty and the bed is broken.",
    "The teacher is kind.",
    "The soup is cold.",
    "The doctor works in the hospital.",
    "",
    "This garden is beautiful!",
    "The coffee is bad.",
    "The shop opens at nine.",
    "I am happy with the new phone.",
    "The hotel is terrible.",
)


def translate(studio: Studio) -> None:
    """The Translate page: a text with its sentences side by side, and files with what came of them."""
    window = studio.window
    page = window.open_key("translate")
    assert isinstance(page, TranslatePage)
    page.box.text.setFocus()
    page.box.text.setPlainText(_TO_TRANSLATE)
    wait(PATIENCE, lambda: page.made is not None and not page.runner.busy)
    cursor = page.box.text.textCursor()
    cursor.setPosition(_TO_TRANSLATE.index("Where"))
    page.box.text.setTextCursor(cursor)
    wait(0.5)
    studio.picture(f"translate{studio.suffix}")
    folder = notes(Path(os.environ["EDGELLM_HOME"], "letters"))
    page.choices.options.setChecked(True)
    page.desk.take([folder / name for name in ("garden.md", "island.pdf", "old letter.pdf")])
    wait(PATIENCE, lambda: not page.desk.placing)
    page.run()
    wait(PATIENCE, lambda: not page.runner.busy)
    wait(0.5)
    studio.picture(f"translate-files{studio.suffix}")


_TO_TRANSLATE = """Good morning! The teacher is tired. I have two red books.

Where is the station? The train is late, and the doctor is angry.

The soup is cold. My sister lives in a small house near the sea.
"""
