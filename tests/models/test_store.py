"""Tests of what is installed and of the meaning of a model's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgellm.errors import ModelNotFound, ModelUnsupported
from edgellm.models import store
from edgellm.models.store import ModelStore
from edgellm.paths import Paths


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.setattr(store, "starter_model", lambda: tmp_path / "starter.gguf")
    (tmp_path / "starter.gguf").write_bytes(b"1" * 10)
    models = tmp_path / "models"
    (models / "qwen").mkdir(parents=True)
    (models / ".hidden").mkdir()
    for name in ("Mini-1B.gguf", "qwen/qwen3-0.6b.GGUF", "qwen/x.part", ".gguf", ".hidden/h.gguf", "notes.txt"):
        (models / name).write_bytes(b"22")
    (models / "folder.gguf").mkdir()
    (models / "dangling.gguf").symlink_to(tmp_path / "nothing")
    return Paths.under(tmp_path, tmp_path, tmp_path / "logs")


def test_lists_the_built_in_model_first(paths: Paths) -> None:
    found = ModelStore(paths).installed()
    assert [(model.name, model.size, model.builtin) for model in found] == [
        ("starter", 10, True),
        ("Mini-1B", 2, False),
        ("qwen/qwen3-0.6b", 2, False),
    ]
    assert all(model.path.is_file() for model in found)


def test_no_folder_is_no_error(tmp_path: Path, paths: Paths) -> None:
    nowhere = Paths.under(tmp_path / "no", tmp_path / "no", tmp_path / "no")
    assert [model.name for model in ModelStore(nowhere).installed()] == ["starter"]


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("", "starter.gguf"),
        (" Starter ", "starter.gguf"),
        ("Mini-1B", "models/Mini-1B.gguf"),
        ("mini-1b", "models/Mini-1B.gguf"),
        ("mini-1b.gguf", "models/Mini-1B.gguf"),
        ("qwen/qwen3-0.6b", "models/qwen/qwen3-0.6b.GGUF"),
        ("qwen3-0.6B", "models/qwen/qwen3-0.6b.GGUF"),
    ],
)
def test_names(paths: Paths, tmp_path: Path, name: str, file: str) -> None:
    assert ModelStore(paths).resolve(name) == tmp_path / file


def test_paths_and_scripts(paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "m.fake.json"
    script.write_text("{}")
    assert ModelStore(paths).resolve(str(script)) == script
    monkeypatch.chdir(tmp_path)
    assert ModelStore(paths).resolve("starter.gguf") == tmp_path / "starter.gguf"
    assert ModelStore(paths).resolve("models/Mini-1B.gguf") == tmp_path / "models" / "Mini-1B.gguf"


def test_what_is_not_there_is_said_with_the_nearest_names(paths: Paths, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound) as caught:
        ModelStore(paths).resolve("mini-2b")
    assert caught.value.message == "Model 'mini-2b' is not installed."
    assert caught.value.hint.startswith("Did you mean Mini-1B?")
    assert caught.value.hint.endswith("edgellm models")
    with pytest.raises(ModelNotFound) as caught:
        ModelStore(paths).resolve("zzzzzz")
    assert "edgellm models" in caught.value.hint
    with pytest.raises(ModelNotFound, match="no model file"):
        ModelStore(paths).resolve(str(tmp_path / "none.gguf"))
    with pytest.raises(ModelUnsupported):
        ModelStore(paths).resolve(str(tmp_path / "models" / "notes.txt"))
    (tmp_path / "models" / "qwen" / "mini-1b.gguf").write_bytes(b"3")
    (tmp_path / "models" / "Mini-1B.gguf").unlink()
    (tmp_path / "models" / "other").mkdir()
    (tmp_path / "models" / "other" / "mini-1b.gguf").write_bytes(b"3")
    with pytest.raises(ModelNotFound, match="several") as caught:
        ModelStore(paths).resolve("mini-1b")
    assert "other/mini-1b" in caught.value.hint


@pytest.mark.parametrize("name", ["~nobody-of-this-name/model.gguf", "~nobody-of-this-name", "x" * 5_000, "a\0b.gguf"])
def test_a_name_that_no_file_can_have_is_only_not_found(paths: Paths, name: str) -> None:
    with pytest.raises(ModelNotFound):
        ModelStore(paths).resolve(name)


def test_a_missing_built_in_model_is_said(paths: Paths, tmp_path: Path) -> None:
    (tmp_path / "starter.gguf").unlink()
    with pytest.raises(ModelNotFound, match="built-in"):
        ModelStore(paths).resolve("")
