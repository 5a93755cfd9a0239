"""Tasks without a named model, through the real program: an installed one is taken, and the person can overrule it."""

from __future__ import annotations

import shutil

import pytest
from command_line import CommandLine

from edgellm.models import manifest
from edgellm.models.manifest import Manifest, ManifestFile
from tests import tiny_onnx

NOTE = "opus-mt-en-fr is used, because it was made to translate between just these languages."


@pytest.fixture
def home(edgellm: CommandLine) -> CommandLine:
    """A home with a tiny model for English to French in it, as if it came from the catalog."""
    source, _ = tiny_onnx.seq2seq("marian")
    folder = edgellm.home / "models" / "opus-mt-en-fr"
    shutil.copytree(source, folder)
    files = tuple(
        ManifestFile(path.relative_to(folder).as_posix(), path.stat().st_size, "0" * 64)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    )
    manifest.write(
        folder,
        Manifest(name="opus-mt-en-fr", files=files, format="onnx", tasks=("translate",), languages=("en", "fr")),
    )
    return edgellm


def translate(edgellm: CommandLine, *more: str) -> list[str]:
    """The notes of a translation of an English sentence."""
    found = edgellm("translate", "--json", "--max-tokens", "4", *more, "The weather is nice today.").object
    notes = found["notes"]
    assert isinstance(notes, list)
    return notes


def test_the_model_for_the_very_pair_is_taken_by_itself(home: CommandLine) -> None:
    assert any(note.startswith(NOTE) for note in translate(home, "--to", "fr"))
    assert any(note.startswith(NOTE) for note in translate(home, "--to", "French", "--from", "English"))
    notes = translate(home, "--to", "de")
    assert not any("opus-mt" in note for note in notes)
    assert any("built-in model" in note for note in notes)


def test_a_named_model_and_the_setting_win(home: CommandLine) -> None:
    assert not any("is used, because" in note for note in translate(home, "--to", "fr", "--model", "starter"))
    script = home.script(reply="Il fait beau.")
    home.settings(model=script)
    assert home("translate", "--to", "fr", "The weather is nice.").out == "Il fait beau.\n"


def test_a_damaged_one_costs_a_note_and_not_the_answer(home: CommandLine) -> None:
    words = home.home / "models" / "opus-mt-en-fr" / "tokenizer.json"
    words.write_text("{}".ljust(words.stat().st_size))
    notes = translate(home, "--to", "fr")
    assert any("could not be used, so the built-in model answers." in note for note in notes), notes
