"""Tests of prompts kept on the disk through real engine processes and the settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgellm.app import App
from edgellm.engine import keep
from edgellm.engine.protocol import Keep
from edgellm.paths import Paths
from edgellm.runtimes.base import Finish, Message, Request
from edgellm.settings import Settings
from tests import tiny_gguf

TEXT = "the model reads the text and writes what is there; " * 110


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tiny_gguf.make(tmp_path / "random.gguf")


def cached(model: Path, **settings: object) -> int:
    """Prompt tokens of a long text that a new engine did not have to read."""
    app = App.create({"context": 4096, "threads": 1, **settings})
    try:
        app.engine().load(model)
        *_, finish = app.engine().generate(Request((Message("user", TEXT),), max_tokens=3))
    finally:
        app.close()
    assert isinstance(finish, Finish)
    return finish.cached_tokens


def test_nothing_is_kept_unless_asked_for(model: Path, home: Path) -> None:
    cached(model)
    assert cached(model) < 100
    assert not (home / "prompts").exists()


def test_a_document_is_read_once_and_forgotten_when_switched_off(model: Path, home: Path) -> None:
    assert cached(model, prompt_cache=100) < 100
    assert cached(model, prompt_cache=100) > 1000
    assert list((home / "prompts").iterdir())
    assert cached(model, prompt_cache=0) < 100
    assert not (home / "prompts").exists()


def test_what_the_settings_ask_for(tmp_path: Path) -> None:
    paths = Paths.under(tmp_path, tmp_path, tmp_path)
    assert keep.chosen(paths, Settings()) is None
    assert keep.chosen(paths, Settings(prompt_cache=3)) == Keep(os.fsencode(tmp_path / "prompts"), 3 << 20)
