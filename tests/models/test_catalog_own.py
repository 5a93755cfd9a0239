"""Cards that are added to the person's own catalog: nothing that is there changes."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from edgellm.errors import StorageError
from edgellm.models import catalog
from edgellm.models.catalog import CardFile, ModelCard
from edgellm.models.catalog_own import remember
from edgellm.paths import Paths

FILES = (CardFile("a.gguf", 5, "ab" * 32), CardFile("b.gguf", None, git_oid="cd" * 20))
CARD = ModelCard("carried", 'A "quoted" one', "It came on a stick.", FILES, repo="who/x", languages=("en", "zh"))
MINE = """# My own list.
schema = 1  # the first

[[model]]  # kept
name = "mine"
title = "Mine"
summary = "For me."
format = "gguf"
tasks = []
repo = "me/mine"
file = [{ path = "mine.gguf" }]  # one file
"""


@pytest.fixture
def own(tmp_path: Path) -> Paths:
    """The paths of a person without a catalog of their own."""
    return Paths.under(tmp_path / "config", tmp_path / "data", tmp_path / "logs")


def written(own: Paths, text: str) -> Paths:
    """The same, with one."""
    own.catalog.parent.mkdir(parents=True)
    own.catalog.write_text(text, encoding="utf-8")
    return own


def test_the_first_card_makes_the_file(own: Paths) -> None:
    assert remember(own, [CARD]) == ("carried",)
    loaded = catalog.load(own)
    assert loaded.notice == "" and loaded.get("carried") == replace(CARD, own=True)


def test_what_is_there_stays_to_the_letter(own: Paths) -> None:
    written(own, MINE)
    assert remember(own, [CARD, replace(CARD, name="second", files=FILES[:1])]) == ("carried", "second")
    assert own.catalog.read_text(encoding="utf-8").startswith(MINE)
    loaded = catalog.load(own)
    assert loaded.notice == "" and loaded.get("mine").title == "Mine"
    assert loaded.get("carried").files == FILES and loaded.get("second").files == FILES[:1]
    before = own.catalog.read_bytes()
    assert remember(own, [CARD]) == () and own.catalog.read_bytes() == before


def test_a_list_in_one_value_is_added_to_as_well(own: Paths) -> None:
    written(own, 'schema = 1\nmodel = [{ name = "mine" }]\n')
    assert remember(own, [CARD]) == ("carried",)
    assert catalog.load(own).get("carried").files == FILES


def test_no_entry_is_replaced_and_nothing_that_the_schema_refuses_gets_in(own: Paths) -> None:
    written(own, MINE.replace('format = "gguf"', 'format = "broken"'))
    before = own.catalog.read_bytes()
    others = [replace(CARD, name=name) for name in ("mine", "starter", "qwen3-0.6b-q4", "../x", "Big")]
    others += [replace(CARD, builtin=True), replace(CARD, files=(CardFile("../x", 5),)), replace(CARD, title="a\nb")]
    assert remember(own, others) == ()
    assert own.catalog.read_bytes() == before, "not even a broken entry of that name"


@pytest.mark.parametrize("text", ["[[model", "schema = 2", "schema = 1\nmodel = 3", "a = 1", "[" * 5_000])
def test_a_file_that_cannot_be_used_stays_and_is_named(own: Paths, text: str) -> None:
    written(own, text)
    with pytest.raises(StorageError, match=r"Your own catalog models\.toml was not changed") as error:
        remember(own, [CARD])
    assert str(own.catalog) in error.value.hint and own.catalog.read_text() == text


def test_a_link_stays_a_link(own: Paths, tmp_path: Path) -> None:
    written(own, MINE)
    own.catalog.rename(tmp_path / "dotfiles.toml")
    own.catalog.symlink_to(tmp_path / "dotfiles.toml")
    assert remember(own, [CARD]) == ("carried",)
    assert os.path.islink(own.catalog) and "carried" in (tmp_path / "dotfiles.toml").read_text()


def test_what_cannot_be_written_is_a_sentence(own: Paths) -> None:
    own.catalog.parent.parent.mkdir(exist_ok=True)
    own.catalog.parent.write_text("a file")
    with pytest.raises(StorageError, match="was not changed"):
        remember(own, [CARD])
