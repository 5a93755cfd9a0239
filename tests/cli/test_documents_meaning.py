"""Search by meaning through the real program: tiny models of random weights, in engines of their own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from command_line import CommandLine

from edgellm.models import manifest
from edgellm.models.manifest import Manifest, ManifestFile
from tests import tiny_onnx

pytestmark = pytest.mark.filterwarnings("ignore")


def install(edgellm: CommandLine, name: str, task: str) -> Path:
    """A tiny model as if it came from the catalog."""
    labels = ("relevant",) if task == "rerank" else ()
    source, _ = tiny_onnx.encoder("bert", "labels" if labels else "embed", labels)
    folder = edgellm.home / "models" / name
    shutil.copytree(source, folder)
    files = tuple(
        ManifestFile(path.relative_to(folder).as_posix(), path.stat().st_size, "0" * 64)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    )
    manifest.write(folder, Manifest(name=name, files=files, format="onnx", tasks=(task,)))
    return folder


def spoil(folder: Path) -> None:
    """A model that is there and does not load."""
    words = folder / "tokenizer.json"
    words.write_text("{}".ljust(words.stat().st_size))


@pytest.fixture
def home(edgellm: CommandLine, tmp_path: Path) -> CommandLine:
    """A home with documents that were read before any model was there."""
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "lease.txt").write_text("The rent is 940 euros a month.", encoding="utf-8")
    (folder / "boat.txt").write_text("The boat lies at the pier.", encoding="utf-8")
    assert edgellm("documents", "add", str(folder), "--json").object["embedded"] == {}
    return edgellm


def notes(edgellm: CommandLine, *more: str, status: int = 0) -> str:
    return edgellm("documents", "search", "rent", *more, status=status).err


def test_an_installed_model_embeds_and_the_search_says_so(home: CommandLine) -> None:
    assert notes(home) == ""
    install(home, "tiny-embed", "embed")
    assert "2 passages embedded by tiny-embed" in home("documents", "update").out
    found = home("documents", "search", "xylophone", "--json").object
    assert found["searched"] == "by words and by meaning (tiny-embed)"
    assert len(found["passages"]) == 2
    assert home("documents", "search", "xylophone", "--words-only", status=1).out == "No document has these words.\n"
    install(home, "tiny-rank", "rerank")
    assert "Searched by words and by meaning (tiny-embed), put in order by tiny-rank." in notes(home)
    model = home.script(reply="940 euros")
    asked = home("ask", "What is the rent?", "--documents", "--json", "--model", model).object
    assert asked["quotes"][0]["text"] == "The rent is 940 euros a month."


def test_another_model_embeds_anew_only_when_it_is_asked_for(home: CommandLine) -> None:
    install(home, "tiny-b", "embed")
    assert "2 passages embedded by tiny-b" in home("documents", "update").out
    folder = install(home, "tiny-a", "embed")
    assert home("documents", "update", "--json").object["embedded"] == {}
    assert "2 passages embedded by tiny-a" in home("documents", "update", "--embedder", "tiny-a").out
    shutil.rmtree(folder)
    assert "2 passages embedded by tiny-b" in home("documents", "update").out


def test_a_model_that_cannot_embed_is_refused_and_nothing_is_lost(home: CommandLine) -> None:
    assert "is not installed" in home("documents", "update", "--embedder", "nosuch", status=1).err
    install(home, "tiny-rank", "rerank")
    assert "tiny-rank cannot embed" in home("documents", "update", "--embedder", "tiny-rank", status=2).err
    assert "Searched by words, put in order by tiny-rank." in notes(home)
    spoil(install(home, "tiny-embed", "embed"))
    ran = home("documents", "update")
    assert "The passages were not embedded." in ran.err
    assert "The rent is 940 euros" in home("documents", "search", "rent").out


@pytest.mark.parametrize("harm", ["zeros", "cut", "gone"])
def test_a_damaged_model_is_said_in_one_sentence_and_words_are_searched(home: CommandLine, harm: str) -> None:
    weights = install(home, "tiny-embed", "embed") / "model.onnx"
    size = weights.stat().st_size
    weights.unlink()
    if harm != "gone":
        weights.write_bytes(bytes(size if harm == "zeros" else 100))
    ran = home("documents", "update", "--json").object
    (note,) = ran["notes"]
    assert note.startswith("The passages were not embedded") and "tiny-embed" in note, note
    assert "The rent is 940 euros" in home("documents", "search", "rent").out
