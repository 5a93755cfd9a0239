"""Details for a person: from the header, the manifest, and the little that a folder says; never an error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgellm.models.details import details, weights
from edgellm.models.gguf import read_header
from edgellm.models.importing import import_model
from edgellm.models.store import ModelStore
from tests import model_files, tiny_gguf


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    made = ModelStore(model_files.paths_in(tmp_path / "own"))
    made.ready()
    return made


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, ""), (999, "999"), (88_000, "88K"), (596_049_920, "596M"), (1_720_574_976, "1.7B"), (70_000_000_000, "70B")],
)
def test_numbers_of_weights(count: int, text: str) -> None:
    assert weights(count) == text


def test_a_file_put_there_by_hand(store: ModelStore) -> None:
    path = tiny_gguf.make(store.folder / "hand.gguf", template="{{ x }}", metadata={"general.license": "mit"})
    found = details(store.get("hand"))
    header = read_header(path)
    assert (found.title, found.format, found.architecture, found.quantization) == ("Tiny", "gguf", "llama", "F32")
    assert (found.context, found.template, found.license) == (tiny_gguf.CONTEXT, True, "mit")
    assert found.parameters == weights(header.parameters)
    assert (found.source, found.sha256, found.problem) == ("put there by hand", "", "")
    assert found.files == ("hand.gguf",) and found.size == path.stat().st_size
    tiny_gguf.make(store.folder / "base.gguf")
    assert details(store.get("base")).template is False


def test_an_installed_model(store: ModelStore, tmp_path: Path) -> None:
    data = tiny_gguf.make(tmp_path / "x.gguf").read_bytes()
    model_files.place(
        store,
        "tiny",
        {"x.gguf": data, "LICENSE": b"..."},
        title="Tiny the First",
        license="apache-2.0",
        tasks=("chat",),
        languages=("en", "fr"),
        repo="owner/name",
    )
    found = details(store.get("tiny"))
    assert (found.title, found.license, found.tasks) == ("Tiny the First", "apache-2.0", ("chat",))
    assert (found.languages, found.source) == (("en", "fr"), "owner/name")
    assert found.sha256 == model_files.sha256(data) and found.added
    assert found.files == ("x.gguf", "LICENSE")


def test_the_built_in_model(store: ModelStore) -> None:
    found = details(store.get(""))
    assert found.source == "part of EdgeLLM" and found.architecture and not found.problem


def test_an_onnx_folder(store: ModelStore, tmp_path: Path) -> None:
    folder = tmp_path / "m2m"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"architectures": ["M2M100"], "max_position_embeddings": 1024}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": "x"}))
    (folder / "model.onnx").write_bytes(b"1")
    found = details(import_model(store, folder).model)
    assert (found.format, found.architecture, found.context, found.template) == ("onnx", "M2M100", 1024, True)
    assert found.source == f"imported from {folder}"


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 50_000, '{"architectures": 5, "max_position_embeddings": -1}'])
def test_an_onnx_folder_that_says_nonsense(store: ModelStore, text: str) -> None:
    folder = store.folder / "m2m"
    folder.mkdir()
    (folder / "config.json").write_text(text)
    (folder / "model.safetensors").write_bytes(b"1")
    found = details(store.get("m2m"))
    assert (found.format, found.architecture, found.context, found.template) == ("safetensors", "", 0, False)


def test_damaged_models_say_what_is_wrong(store: ModelStore) -> None:
    (store.folder / "cut.gguf").write_bytes(b"GGUF")
    assert "damaged" in details(store.get("cut")).problem
    (store.folder / "bad").mkdir()
    (store.folder / "bad" / "edgellm-model.json").write_text("{")
    assert "manifest of bad" in details(store.get("bad")).problem
    model = model_files.place(store, "gone", {"x.gguf": b"1"})
    model.path.unlink()
    assert "lacks the file x.gguf" in details(store.get("gone")).problem


def test_hidden_characters_of_a_header_do_not_reach_a_person(store: ModelStore) -> None:
    tiny_gguf.make(store.folder / "sly.gguf", metadata={"general.license": "mit\x1b[2J\u202e" + "x" * 5_000})
    found = details(store.get("sly"))
    assert found.license.startswith("mit[2J") and len(found.license) <= 200 and "\u202e" not in found.license
