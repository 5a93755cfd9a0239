"""Importing: by link or copy, checked and hashed, the original untouched, and nothing left of what is refused."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import gguf
import pytest

from edgellm.errors import (
    EdgeError,
    ModelDamaged,
    ModelError,
    ModelNotFound,
    ModelUnsupported,
    Stopped,
    StorageError,
    UntrustedName,
    UsageError,
)
from edgellm.models import disk
from edgellm.models.check import verify
from edgellm.models.importing import import_model
from edgellm.models.store import ModelStore
from tests import model_files, tiny_gguf


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(model_files.paths_in(tmp_path / "own"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "Downloads").mkdir()
    return tiny_gguf.make(
        tmp_path / "Downloads" / "My Model (Q4).gguf", template="x", metadata={"general.license": "apache-2.0"}
    )


def split_set(folder: Path, name: str = "big") -> list[Path]:
    """A model in three files, as llama-gguf-split makes them: the first has the metadata and no weights."""
    whole = tiny_gguf.make(folder / "whole.gguf")
    reader = gguf.GGUFReader(whole)
    paths = [folder / f"{name}-{number:05}-of-00003.gguf" for number in (1, 2, 3)]
    half = len(reader.tensors) // 2
    for number, path in enumerate(paths):
        tensors = [[], reader.tensors[:half], reader.tensors[half:]][number]
        writer = gguf.GGUFWriter(path, "llama") if number else _like(reader, path)
        writer.add_uint16("split.no", number)
        writer.add_uint16("split.count", 3)
        writer.add_int32("split.tensors.count", len(reader.tensors))
        for tensor in tensors:
            writer.add_tensor(tensor.name, tensor.data)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    whole.unlink()
    return paths


def _like(reader: gguf.GGUFReader, path: Path) -> gguf.GGUFWriter:
    """A writer with the metadata of another file."""
    writer = gguf.GGUFWriter(path, "llama")
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        kind = field.types[0]
        if kind == gguf.GGUFValueType.ARRAY:
            writer.add_array(name, field.contents())
        else:
            writer.add_key_value(name, field.contents(), kind)
    return writer


def test_a_file_is_linked_where_that_can_be(store: ModelStore, source: Path) -> None:
    before = source.stat()
    steps: list[tuple[int, int]] = []
    taken = import_model(store, source, progress=lambda done, total: steps.append((done, total)))
    model = taken.model
    assert taken.linked and not taken.left_out
    assert model.name == "my-model-q4" and model.path == store.folder / "my-model-q4" / "my-model-q4.gguf"
    assert os.path.samefile(model.path, source)
    assert (source.stat().st_mtime_ns, source.stat().st_size) == (before.st_mtime_ns, before.st_size)
    assert steps[-1] == (before.st_size, before.st_size)
    manifest = model.manifest
    assert manifest is not None
    assert (manifest.title, manifest.license, manifest.architecture) == ("Tiny", "apache-2.0", "llama")
    assert manifest.context == tiny_gguf.CONTEXT and manifest.quantization == "F32" and manifest.parameters
    assert manifest.files[0].sha256 == model_files.sha256(source.read_bytes())
    assert manifest.source == f"imported from {source}" and manifest.added
    assert verify(model).ok
    store.remove(model.name)
    store.discard()
    assert source.read_bytes()[:4] == b"GGUF", "the original stays"


@pytest.mark.parametrize("why", ["asked", "no links"])
def test_a_file_is_copied(store: ModelStore, source: Path, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if why == "no links":
        monkeypatch.setattr(disk, "link", lambda source, target: False)
        with pytest.raises(StorageError, match="cannot be linked"):
            import_model(store, source, how="link")
        assert model_files.tree(store.folder) == {}
    taken = import_model(store, source, "mine", "copy" if why == "asked" else "auto")
    assert not taken.linked and taken.model.name == "mine"
    assert not os.path.samefile(taken.model.path, source)
    assert verify(taken.model).ok and taken.model.path.read_bytes() == source.read_bytes()


def test_a_link_to_a_file_imports_the_file(store: ModelStore, source: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.gguf"
    link.symlink_to(source)
    model = import_model(store, link).model
    assert not model.path.is_symlink() and os.path.samefile(model.path, source)


def test_names(store: ModelStore, source: Path, tmp_path: Path) -> None:
    first = import_model(store, source, "mine")
    assert import_model(store, source, "mine").model == first.model, "the same again is only returned"
    other = tiny_gguf.make(tmp_path / "mine.gguf", seed=5)
    with pytest.raises(ModelError, match="already"):
        import_model(store, other, "mine")
    assert import_model(store, other).model.name == "mine-2"
    third = tiny_gguf.make(tmp_path / "Mine.gguf", seed=6)
    assert import_model(store, third).model.name == "mine-3"
    for name in ("../x", "A B", "con", "x" * 300, "a/b"):
        with pytest.raises(UntrustedName):
            import_model(store, source, name)
    strange = tiny_gguf.make(tmp_path / "Größe — 模型‮.gguf", seed=7)
    assert import_model(store, strange).model.name == "größe-模型"
    assert len(store.installed()) == 5


def test_a_set_of_files_is_taken_in_together(store: ModelStore, tmp_path: Path) -> None:
    paths = split_set(tmp_path)
    model = import_model(store, paths[1]).model
    assert model.name == "big" and model.manifest is not None
    assert [file.path for file in model.manifest.files] == [path.name for path in paths]
    assert model.path.name == paths[0].name
    assert model.size == sum(path.stat().st_size for path in paths)
    assert model.manifest.parameters and model.manifest.architecture == "llama"
    assert verify(model).ok
    paths[2].rename(tmp_path / "away")
    with pytest.raises(ModelDamaged, match=r"big-00003-of-00003\.gguf is missing"):
        import_model(store, paths[0], "again")
    shutil.copy(paths[1], paths[2])
    with pytest.raises(ModelDamaged, match="not part 3 of 3"):
        import_model(store, paths[0], "again")


def onnx_folder(folder: Path) -> Path:
    (folder / "onnx").mkdir(parents=True)
    (folder / ".git").mkdir()
    for name in ("config.json", "tokenizer.json", "onnx/model.onnx", "onnx/model.onnx_data", ".git/config"):
        (folder / name).write_bytes(name.encode())
    for name in ("modeling.py", "pytorch_model.bin", "optimizer.pt"):
        (folder / name).write_bytes(b"code")
    return folder


def test_a_folder_of_an_onnx_model(store: ModelStore, tmp_path: Path) -> None:
    folder = onnx_folder(tmp_path / "My-Whisper")
    (tmp_path / "secret").write_bytes(b"s")
    (folder / "link.json").symlink_to(tmp_path / "secret")
    (folder / "away").symlink_to(tmp_path, target_is_directory=True)
    taken = import_model(store, folder)
    assert taken.model.name == "my-whisper" and taken.model.path == store.folder / "my-whisper"
    assert taken.model.manifest is not None and taken.model.manifest.format == "onnx"
    inside = [file.path for file in taken.model.manifest.files]
    assert inside == ["config.json", "tokenizer.json", "onnx/model.onnx", "onnx/model.onnx_data"]
    assert set(taken.left_out) == {"link.json", "modeling.py", "optimizer.pt", "pytorch_model.bin"}
    assert verify(taken.model).ok
    assert store.resolve("my-whisper") == taken.model.path


def test_a_folder_with_one_gguf_model(store: ModelStore, source: Path, tmp_path: Path) -> None:
    assert import_model(store, source.parent).model.name == "my-model-q4"
    tiny_gguf.make(source.parent / "second.gguf")
    with pytest.raises(UsageError, match="holds 2 models"):
        import_model(store, source.parent)
    split_set(tmp_path / "Downloads", "z")
    for name in ("My Model (Q4).gguf", "second.gguf"):
        (source.parent / name).unlink()
    assert import_model(store, source.parent).model.name == "z"


def _cut(folder: Path, source: Path) -> Path:
    (folder / "cut.gguf").write_bytes(source.read_bytes()[:-5_000])
    return folder / "cut.gguf"


def _text(folder: Path, _source: Path) -> Path:
    (folder / "text.gguf").write_text("no model at all, only words that go on and on")
    return folder / "text.gguf"


def _empty(folder: Path, _source: Path) -> Path:
    (folder / "empty.gguf").touch()
    return folder / "empty.gguf"


def _pipe(folder: Path, _source: Path) -> Path:
    os.mkfifo(folder / "pipe.gguf")
    return folder / "pipe.gguf"


def _weights(folder: Path, _source: Path) -> Path:
    (folder / "model.onnx").write_bytes(b"1")
    return folder / "model.onnx"


def _bare_folder(folder: Path, _source: Path) -> Path:
    (folder / "bare").mkdir()
    (folder / "bare" / "model.safetensors").write_bytes(b"1")
    return folder / "bare"


def _pickles(folder: Path, _source: Path) -> Path:
    (folder / "pickles").mkdir()
    (folder / "pickles" / "config.json").write_bytes(b"{}")
    (folder / "pickles" / "pytorch_model.bin").write_bytes(b"1")
    return folder / "pickles"


def _many(folder: Path, _source: Path) -> Path:
    (folder / "many").mkdir()
    for number in range(2_100):
        (folder / "many" / f"{number}.json").touch()
    return folder / "many"


def _nothing(folder: Path, _source: Path) -> Path:
    return folder / "nothing.gguf"


def _device(_folder: Path, _source: Path) -> Path:
    return Path("/dev/zero")


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (_cut, ModelDamaged),
        (_text, ModelDamaged),
        (_empty, ModelDamaged),
        (_pipe, ModelUnsupported),
        (_device, ModelUnsupported),
        (_weights, ModelUnsupported),
        (_bare_folder, ModelUnsupported),
        (_pickles, ModelUnsupported),
        (_many, ModelUnsupported),
        (_nothing, ModelNotFound),
    ],
)
def test_what_is_refused_leaves_nothing(
    store: ModelStore, source: Path, tmp_path: Path, make: Callable[[Path, Path], Path], error: type[EdgeError]
) -> None:
    with pytest.raises(error) as caught:
        import_model(store, make(tmp_path, source))
    assert caught.value.hint
    assert model_files.tree(store.folder) == {}


def test_cancel_and_full_disk_leave_nothing(store: ModelStore, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Stopped):
        import_model(store, source, how="copy", cancelled=lambda: True)
    assert model_files.tree(store.folder) == {}
    monkeypatch.setattr(disk, "room", lambda folder: 10)
    with pytest.raises(StorageError, match="10 bytes free"):
        import_model(store, source, how="copy")
    assert model_files.tree(store.folder) == {}
    assert import_model(store, source).linked, "a link needs no room"


def test_a_file_that_is_written_to_meanwhile_is_refused(store: ModelStore, source: Path) -> None:
    def grow(done: int, total: int) -> None:
        with source.open("ab") as file:
            file.write(b"x")

    with pytest.raises(ModelDamaged, match="changed while it was read"):
        import_model(store, source, progress=grow)
    assert model_files.tree(store.folder) == {}


def test_what_is_in_a_models_folder_is_there_already(store: ModelStore, source: Path) -> None:
    store.ready()
    shutil.copy(source, store.folder / "here.gguf")
    with pytest.raises(UsageError, match="already"):
        import_model(store, store.folder / "here.gguf")
    with pytest.raises(UsageError, match="already"):
        import_model(store, store.folder)


def test_a_model_of_ollama_is_imported_by_its_blob(store: ModelStore, source: Path, tmp_path: Path) -> None:
    blob = tmp_path / f"sha256-{'a' * 64}"
    shutil.copy(source, blob)
    model = import_model(store, blob, "llama3.2").model
    assert model.path.name.endswith(".gguf") and verify(model).ok
