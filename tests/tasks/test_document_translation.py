"""The way of a document from reading to writing: what every face of the program is told, and where the file goes."""

from __future__ import annotations

from pathlib import Path

from scripted_generator import Scripted

from edgellm.documents.load import Loader
from edgellm.tasks import document_translation
from edgellm.tasks.document_translation import Desk, Note
from edgellm.tasks.memory import Memory
from edgellm.tasks.translate_file import Order, Report, Step
from edgellm.tasks.translation_plan import Plan


def upper(prompt: str) -> str:
    """A translation."""
    return prompt.partition("\n")[2].upper()


def test_the_last_place_is_asked_for_when_the_file_is_written(tmp_path: Path) -> None:
    path, out = tmp_path / "a.md", tmp_path / "a.fr.md"
    path.write_text("The dog is here.\n", encoding="utf-8")
    memory = Memory(tmp_path / "m.db")
    seen: list[str] = []

    def settle(place: Path) -> Path:
        seen.append("place")
        assert place == out
        return tmp_path / "a.fr (2).md"

    with Loader() as loader:
        desk = Desk(lambda source: Scripted(upper), memory, tmp_path / "unfinished", loader, settle=settle)
        for event in document_translation.run(path, out, Order("fr", "en"), desk):
            if isinstance(event, Step):
                out.write_text("mine", encoding="utf-8")  # somebody writes there meanwhile
            seen.append(type(event).__name__)
    memory.close()
    assert [one for one in seen if one != Note.__name__] == [Plan.__name__, Step.__name__, "place", Report.__name__]
    assert out.read_text(encoding="utf-8") == "mine"
    assert (tmp_path / "a.fr (2).md").read_text(encoding="utf-8") == "THE DOG IS HERE.\n"
