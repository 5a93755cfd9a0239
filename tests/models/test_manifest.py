"""Manifests: what was written is read again, and what a stranger wrote is refused with a sentence."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from edgellm.errors import EdgeError, ModelDamaged, ModelUnsupported, StorageError
from edgellm.models import manifest as manifests
from edgellm.models.manifest import FILE_NAME, Manifest, ManifestFile
from edgellm.models.store import ModelStore
from tests import model_files

HASH = "a" * 64
FILE = {"path": "model.gguf", "size": 10, "sha256": HASH, "chunks": [HASH]}
DOCUMENT = {"version": 1, "name": "tiny", "files": [FILE]}


def write(folder: Path, document: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    (folder / FILE_NAME).write_bytes(text)
    return folder


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    manifest = Manifest(
        name="größe-7b",
        files=(ManifestFile("a/ö.gguf", 3, HASH, (HASH,)), ManifestFile("b", 0, "b" * 64)),
        title="Größe 7B 模型",
        repo="owner/name",
        license="apache-2.0",
        tasks=("chat", "translate"),
        languages=("en", "fr"),
        context=4096,
        added="2026-01-02T03:04:05Z",
        chunk_size=1024,
    )
    manifests.write(tmp_path, manifest)
    assert manifests.read(tmp_path) == manifest
    assert manifest.size == 3
    assert manifest.file("b") == manifest.files[1] and manifest.file("c") is None


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "a/../../x",
        "/etc/passwd",
        "C:/x",
        "C:x",
        "\\\\host\\x",
        "a\\b",
        "CON",
        "a/NUL.gguf",
        "x.",
        "x ",
        "a//b",
        "",
        ".",
        "~/x",
        "a\u202eb",
        "a\0b",
        "x" * 5_000,
        "edgellm-model.json",
        "EdgeLLM-Model.JSON",
        7,
        None,
        ["x"],
    ],
)
def test_a_file_name_that_leads_elsewhere_is_refused(tmp_path: Path, path: Any) -> None:
    write(tmp_path, {**DOCUMENT, "files": [{**FILE, "path": path}]})
    with pytest.raises(ModelDamaged) as caught:
        manifests.read(tmp_path)
    assert "\u202e" not in str(caught.value) and "\0" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": 5},
        {"name": "x" * 3_000},
        {"files": []},
        {"files": {}},
        {"files": "x"},
        {"files": [5]},
        {"files": [FILE] * 20_000},
        {"files": [FILE, {**FILE, "path": "MODEL.gguf"}]},
        {"files": [FILE, {**FILE, "path": "model.gguf/inside"}]},
        {"files": [{**FILE, "size": -1}]},
        {"files": [{**FILE, "size": True}]},
        {"files": [{**FILE, "size": 1.5}]},
        {"files": [{**FILE, "size": 1 << 60}]},
        {"files": [{**FILE, "sha256": "a" * 40}]},
        {"files": [{**FILE, "sha256": "z" * 64}]},
        {"files": [{**FILE, "sha256": "../../../x"}]},
        {"files": [{**FILE, "chunks": [HASH, HASH]}]},
        {"files": [{**FILE, "chunks": ["no"]}]},
        {"files": [{**FILE, "chunks": 7}]},
        {"chunk_size": 0},
        {"chunk_size": "big"},
        {"context": -5},
        {"tasks": "chat"},
        {"tasks": [1]},
        {"languages": ["x"] * 20_000},
        {"title": None},
        {"version": "1"},
        {"version": 0},
        {"version": None},
    ],
    ids=lambda change: str(change)[:60],
)
def test_values_that_cannot_be_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    write(tmp_path, {**DOCUMENT, **change})
    with pytest.raises(ModelDamaged) as caught:
        manifests.read(tmp_path)
    assert "edgellm models remove" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"version": 1' + b"0" * 5_000 + b"}",
        b'{"version": 1, "name": "\\ud800", "files": 1}',
        json.dumps(DOCUMENT).encode()[:-20],
    ],
    ids=range(9),
)
def test_damaged_text_is_refused(tmp_path: Path, text: bytes) -> None:
    with pytest.raises((ModelDamaged, ModelUnsupported)):
        manifests.read(write(tmp_path, text))


def test_a_newer_version_says_to_update(tmp_path: Path) -> None:
    with pytest.raises(ModelUnsupported, match="newer EdgeLLM"):
        manifests.read(write(tmp_path, {**DOCUMENT, "version": 2, "files": "something else"}))


def test_what_a_later_version_added_is_passed_over(tmp_path: Path) -> None:
    assert manifests.read(write(tmp_path, {**DOCUMENT, "color": "red"})).name == "tiny"


def test_hidden_characters_of_a_title_do_not_reach_a_person(tmp_path: Path) -> None:
    found = manifests.read(write(tmp_path, {**DOCUMENT, "title": "a\u202eb\u200bc\n\x1b[31md"}))
    assert found.title == "abc[31md"


def test_huge_pipe_link_and_folder_are_refused_at_once(tmp_path: Path) -> None:
    huge = tmp_path / "huge"
    huge.mkdir()
    with (huge / FILE_NAME).open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ModelDamaged, match="too large"):
        manifests.read(huge)
    (tmp_path / "folder" / FILE_NAME).mkdir(parents=True)
    with pytest.raises((ModelDamaged, StorageError)):
        manifests.read(tmp_path / "folder")
    if hasattr(os, "mkfifo"):
        (tmp_path / "pipe").mkdir()
        os.mkfifo(tmp_path / "pipe" / FILE_NAME)
        with pytest.raises(ModelDamaged, match="no file"):
            manifests.read(tmp_path / "pipe")
    real = write(tmp_path / "real", DOCUMENT)
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / FILE_NAME).symlink_to(real / FILE_NAME)
    with pytest.raises(ModelDamaged, match="link"):
        manifests.read(tmp_path / "link")
    with pytest.raises(StorageError):
        manifests.read(tmp_path / "none")


def test_damaged_manifests_are_shown_and_do_not_hide_the_others(tmp_path: Path) -> None:
    store = ModelStore(model_files.paths_in(tmp_path))
    model_files.place(store, "good", {"good.gguf": b"123"})
    write(store.folder / "bad", {**DOCUMENT, "files": [{**FILE, "path": "../good/good.gguf"}]})
    write(store.folder / "new", {**DOCUMENT, "version": 9})
    (store.folder / "cut").mkdir()
    (store.folder / "cut" / FILE_NAME).write_bytes(b"{")
    problems = {model.name: model.problem for model in store.installed() if not model.builtin}
    assert sorted(problems) == ["bad", "cut", "good", "new"]
    assert not problems["good"]
    assert "bad" in problems["bad"] and "not allowed" in problems["bad"]
    assert "Update EdgeLLM" in problems["new"]
    for name in ("bad", "new", "cut"):
        with pytest.raises(EdgeError) as caught:
            store.resolve(name)
        assert caught.value.message == problems[name]
        store.remove(name)  # the way out that the sentence names
    assert [model.name for model in store.installed()] == ["starter", "good"]


def test_a_listed_file_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    store = ModelStore(model_files.paths_in(tmp_path))
    secret = tmp_path / "secret.gguf"
    secret.write_bytes(b"0123456789")
    folder = write(store.folder / "sly", DOCUMENT)
    (folder / "model.gguf").symlink_to(secret)
    deep = write(store.folder / "deep", {**DOCUMENT, "files": [{**FILE, "path": "sub/secret.gguf"}]})
    (deep / "sub").symlink_to(tmp_path, target_is_directory=True)
    for name in ("sly", "deep"):
        with pytest.raises(ModelDamaged, match="link"):
            store.resolve(name)
