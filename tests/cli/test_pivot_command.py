"""German to French with a model for each half of the way, through the real program and two real engines."""

from __future__ import annotations

import pytest
from command_line import CommandLine

from tests import pair_models

NOTE = "Translated through English: opus-mt-de-en, then opus-mt-en-fr."
TEXT = "Der Hund ist müde. Wo ist der Bahnhof?"
PAGE = "<p>Der Hund ist müde.</p>\n<p>Der Hund ist <b>müde</b>.</p>\n"


@pytest.fixture
def home(edgellm: CommandLine) -> CommandLine:
    """A home with both models."""
    pair_models.install(edgellm.home, "de", "en")
    pair_models.install(edgellm.home, "en", "fr")
    return edgellm


def test_a_text_goes_through_two_models_and_that_is_said(home: CommandLine) -> None:
    (home.home / "brief.txt").write_text(TEXT, encoding="utf-8")
    ran = home("translate", "--to", "fr", "--max-tokens", "6", "brief.txt")
    assert NOTE in ran.err
    found = home.here("translate", "--to", "fr", "--max-tokens", "6", "--json", "brief.txt").object
    assert found["text"].strip() == ran.out.strip() != ""
    assert (found["source"], found["target"], found["pivot"]) == ("de", "fr", "en")
    assert found["model"] == "opus-mt-de-en + opus-mt-en-fr"
    limits = ("--max-tokens", "6", "--json")
    english = home.here("translate", "--from", "de", "--to", "en", *limits, "Der Hund ist müde.").object["text"]
    french = home.here("translate", "--from", "en", "--to", "fr", *limits, english).object["text"]
    assert found["sentences"][0]["target"] == french.strip()


def test_a_file_too_and_the_second_time_from_memory(home: CommandLine) -> None:
    (home.home / "a.html").write_text(PAGE, encoding="utf-8")
    line = ("translate", "--to", "fr", "--from", "de", "--json", "a.html")
    first = home.here(*line).object
    assert any(note.startswith(NOTE) for note in first["notes"])
    assert first["files"][0]["translated"] == 2
    text = (home.home / "a.fr.html").read_text(encoding="utf-8")
    assert text.count("<p>") == 2
    assert text != PAGE
    assert home.here(*line, "--force").object["files"][0]["reused"] == 2


def test_a_second_model_that_cannot_be_loaded_costs_a_note_and_not_the_answer(home: CommandLine) -> None:
    words = home.home / "models" / "opus-mt-en-fr" / "tokenizer.json"
    words.write_text("{}".ljust(words.stat().st_size))
    found = home.here("translate", "--to", "fr", "--json", "Der Hund ist müde.").object
    assert any("opus-mt-de-en and opus-mt-en-fr could not be used." in note for note in found["notes"])
    assert found["text"].strip() == "Le chien est fatigué."


def test_a_named_model_wins(home: CommandLine) -> None:
    found = home.here("translate", "--to", "fr", "--json", "--model", "starter", "Der Hund ist müde.").object
    assert found["text"].strip() == "Le chien est fatigué."
    assert not any("through English" in note for note in found["notes"])
