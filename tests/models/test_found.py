"""Other programs' models: found in the layouts that those programs write, never written to, never followed outside."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from huggingface_hub import scan_cache_dir

from edgellm.errors import UsageError
from edgellm.models import bundle_write, found, signing
from edgellm.models.check import verify
from edgellm.models.found import Place, places
from edgellm.models.rate import Control
from edgellm.models.store import ModelStore
from tests import bundles, model_files

A, B = model_files.noise(1_000, 1), model_files.noise(2_000, 2)
COMMIT, OLDER = "c" * 40, "d" * 40


def write(path: Path, data: bytes = A) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def names(place: Place) -> dict[str, Path]:
    return {model.name: model.path for model in found.find([place])}


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Every name below, with the time it was changed."""
    return {str(path): (path.lstat().st_mtime_ns, path.lstat().st_size) for path in folder.rglob("*")}


def ollama(folder: Path, name: str, data: bytes, *, colon: bool = False, size: int | None = None) -> Path:
    """A model as Ollama keeps it."""
    digest = hashlib.sha256(data).hexdigest()
    layers = [
        {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}", "size": len(data)},
        {"mediaType": "application/vnd.ollama.image.template", "digest": f"sha256:{'e' * 64}", "size": 10},
    ]
    if size is not None:
        layers[0]["size"] = size
    document = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": "sha256:x", "size": 1},
        "layers": layers,
    }
    write(folder / "manifests" / name, json.dumps(document).encode())
    return write(folder / "blobs" / f"sha256{':' if colon else '-'}{digest}", data)


def cached(folder: Path, repository: str, files: Mapping[str, bytes], commit: str = COMMIT, main: bool = True) -> Path:
    """A repository as the Hugging Face libraries keep it."""
    top = folder / f"models--{repository.replace('/', '--')}"
    for path, data in files.items():
        blob = write(top / "blobs" / hashlib.sha256(data).hexdigest(), data)
        link = top / "snapshots" / commit / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
    if main:
        write(top / "refs" / "main", commit.encode())
    return top


def test_lm_studio(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    one = write(folder / "lmstudio-community" / "Qwen3-GGUF" / "Qwen3-Q4_K_M.gguf")
    write(folder / "lmstudio-community" / "Qwen3-GGUF" / "mmproj-Qwen3.gguf")
    write(folder / "lmstudio-community" / "Qwen3-GGUF" / "downloading_x.gguf.part")
    for number in (1, 2):
        write(folder / "big" / "Big-GGUF" / f"big-{number:05}-of-00002.gguf")
    write(folder / "cut" / "Cut-GGUF" / "cut-00001-of-00002.gguf")
    (folder / "cut" / "Cut-GGUF" / "link.gguf").symlink_to(write(tmp_path / "outside.gguf"))
    assert names(Place("lm-studio", folder)) == {
        "lm-studio/lmstudio-community/Qwen3-GGUF/Qwen3-Q4_K_M": one,
        "lm-studio/big/Big-GGUF/big": folder / "big" / "Big-GGUF" / "big-00001-of-00002.gguf",
    }


def test_ollama(tmp_path: Path) -> None:
    one = ollama(tmp_path, "registry.ollama.ai/library/llama3.2/1b", A)
    ollama(tmp_path, "registry.ollama.ai/someone/own/latest", B)
    ollama(tmp_path, "hf.co/owner/name-GGUF/Q4_K_M", b"hf")
    old = ollama(tmp_path, "registry.ollama.ai/library/old/latest", b"old", colon=True)
    assert names(Place("ollama", tmp_path)) == {
        "ollama/llama3.2:1b": one,
        "ollama/someone/own:latest": tmp_path / "blobs" / f"sha256-{hashlib.sha256(B).hexdigest()}",
        "ollama/hf.co/owner/name-GGUF:Q4_K_M": tmp_path / "blobs" / f"sha256-{hashlib.sha256(b'hf').hexdigest()}",
        "ollama/old:latest": old,
    }
    model = next(one for one in found.find([Place("ollama", tmp_path)]) if one.name == "ollama/llama3.2:1b")
    assert verify(model).ok and verify(model).known, "its blob is named by its hash"
    one.write_bytes(b"!" + A[1:])
    assert not verify(model).ok


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"layers": 5}', '{"layers": [5]}', '{"layers": [{"mediaType": 1}]}', "[" * 50_000]
    + [
        json.dumps({"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": digest, "size": 1}]})
        for digest in ("sha256:../../../secret", "sha256:" + "a" * 64, 5, "md5:" + "a" * 64, "sha256-" + "A" * 64)
    ],
)
def test_ollama_manifests_that_cannot_be_used(tmp_path: Path, text: str) -> None:
    write(tmp_path / "secret", b"x")
    write(tmp_path / "manifests" / "registry.ollama.ai" / "library" / "x" / "latest", text.encode())
    ollama(tmp_path, "registry.ollama.ai/library/cut/latest", B, size=len(B) + 5)
    ollama(tmp_path, "registry.ollama.ai/library/good/latest", A)
    assert list(names(Place("ollama", tmp_path))) == ["ollama/good:latest"]


def test_ollama_blobs_that_are_links_are_not_followed(tmp_path: Path) -> None:
    blob = ollama(tmp_path / "models", "registry.ollama.ai/library/x/latest", A)
    blob.rename(tmp_path / "away")
    blob.symlink_to(tmp_path / "away")
    assert names(Place("ollama", tmp_path / "models")) == {}


def test_what_ollama_and_the_cache_hold_can_be_carried_to_another_computer(tmp_path: Path) -> None:
    """Ollama's file gets a name to be known by, and of a repository the files that have no known hash come along."""
    ollama(tmp_path / "ollama", "registry.ollama.ai/library/llama3.2/1b", A)
    folder = cached(tmp_path / "hub", "onnx/model", {"config.json": b"{}", "onnx/model.onnx": B})
    (folder / "blobs" / hashlib.sha256(b"{}").hexdigest()).rename(folder / "blobs" / COMMIT)  # small files: git's hash
    config = folder / "snapshots" / COMMIT / "config.json"
    config.unlink()
    config.symlink_to(f"../../blobs/{COMMIT}")
    found_here = found.find([Place("ollama", tmp_path / "ollama"), Place("hf-cache", tmp_path / "hub")])
    out, key = tmp_path / "x.edgellm", signing.own_key(tmp_path / "key")
    bundle_write.write(found_here, [], out, key, Control())
    graph, chat = bundles.add(out, tmp_path / "there").models
    assert (chat.name, chat.problem, chat.path.name) == ("ollama-llama3.2-1b", "", "ollama-llama3.2-1b.gguf")
    assert chat.path.read_bytes() == A
    assert (graph.name, graph.problem) == ("hf-onnx-model", "")
    assert (graph.path / "config.json").read_bytes() == b"{}" and (graph.path / "onnx/model.onnx").read_bytes() == B


def test_gpt4all(tmp_path: Path) -> None:
    one = write(tmp_path / "Meta-Llama-3-8B-Instruct.Q4_0.gguf")
    write(tmp_path / "incomplete-orca.gguf")
    write(tmp_path / "localdocs_v3.db")
    assert names(Place("gpt4all", tmp_path)) == {"gpt4all/Meta-Llama-3-8B-Instruct.Q4_0": one}


def test_hugging_face_cache(tmp_path: Path) -> None:
    cached(tmp_path, "owner/name-GGUF", {"a-Q4.gguf": A, "b/b-Q8.gguf": B, "README.md": b"#"})
    cached(tmp_path, "owner/name-GGUF", {"older.gguf": b"old"}, OLDER, main=False)
    cached(tmp_path, "onnx/model", {"config.json": b"{}", "onnx/model.onnx": B, "onnx/model.onnx_data": A})
    cached(tmp_path, "plain", {"config.json": b"[]", "model.safetensors": b"st"}, main=False)
    cached(tmp_path, "pickle/model", {"config.json": b"1", "pytorch_model.bin": b"p"})
    write(tmp_path / "datasets--x--y" / "refs" / "main", COMMIT.encode())
    known = {repo.repo_id for repo in scan_cache_dir(tmp_path).repos if repo.repo_type == "model"}
    assert known == {"owner/name-GGUF", "onnx/model", "plain", "pickle/model"}, "the layout is the real one"
    top = tmp_path / "models--owner--name-GGUF" / "snapshots" / COMMIT
    assert names(Place("hf-cache", tmp_path)) == {
        "hf/owner/name-GGUF/a-Q4": top / "a-Q4.gguf",
        "hf/owner/name-GGUF/b-Q8": top / "b" / "b-Q8.gguf",
        "hf/onnx/model": tmp_path / "models--onnx--model" / "snapshots" / COMMIT,
        "hf/plain": tmp_path / "models--plain" / "snapshots" / COMMIT,
    }
    models = {model.name: model for model in found.find([Place("hf-cache", tmp_path)])}
    onnx = models["hf/onnx/model"]
    assert onnx.manifest is not None
    assert (onnx.manifest.format, onnx.manifest.repo, onnx.manifest.revision) == ("onnx", "onnx/model", COMMIT)
    assert onnx.size == len(A) + len(B) + 2
    assert verify(onnx).ok and verify(onnx).known
    (tmp_path / "models--onnx--model" / "blobs" / hashlib.sha256(B).hexdigest()).write_bytes(B[:-1])
    assert not verify(onnx).ok


def test_hugging_face_cache_without_links(tmp_path: Path) -> None:
    """As it is on a Windows that does not allow them."""
    top = tmp_path / "models--owner--name"
    one = write(top / "snapshots" / COMMIT / "x.gguf")
    write(top / "refs" / "main", COMMIT.encode())
    assert names(Place("hf-cache", tmp_path)) == {"hf/owner/name/x": one}


@pytest.mark.parametrize("main", ["../../..", "x" * 40, "", "\0", COMMIT + "\n"])
def test_links_out_of_the_cache_are_not_followed(tmp_path: Path, main: str) -> None:
    secret = write(tmp_path / "secret.gguf")
    cache = tmp_path / "hub"
    top = cached(cache, "owner/name", {"good.gguf": A})
    (top / "snapshots" / COMMIT / "sly.gguf").symlink_to(secret)
    (top / "snapshots" / COMMIT / "up").symlink_to(tmp_path, target_is_directory=True)
    (top / "blobs" / "link").symlink_to(secret)
    (top / "snapshots" / COMMIT / "double.gguf").symlink_to("../../blobs/link")
    (top / "snapshots" / COMMIT / "gone.gguf").symlink_to("../../blobs/none")
    (cache / "models--linked--repository").symlink_to(top, target_is_directory=True)
    (top / "refs" / "main").write_text(main)
    assert list(names(Place("hf-cache", cache))) == ["hf/owner/name/good"]


def test_nothing_is_written_and_nothing_is_removed(tmp_path: Path) -> None:
    cached(tmp_path / "hub", "owner/name", {"x.gguf": A})
    ollama(tmp_path / "ollama", "registry.ollama.ai/library/y/latest", B)
    write(tmp_path / "gpt4all" / "z.gguf")
    write(tmp_path / "lm" / "a" / "b" / "c.gguf")
    others = (
        Place("hf-cache", tmp_path / "hub"),
        Place("ollama", tmp_path / "ollama"),
        Place("gpt4all", tmp_path / "gpt4all"),
        Place("lm-studio", tmp_path / "lm"),
        Place("lm-studio", tmp_path / "none"),
        Place("ollama", write(tmp_path / "a file")),
    )
    before = snapshot(tmp_path)
    store = ModelStore(model_files.paths_in(tmp_path / "own"), (), others)
    models = [model for model in store.installed() if model.foreign]
    assert [model.name for model in models] == ["gpt4all/z", "hf/owner/name/x", "lm-studio/a/b/c", "ollama/y:latest"]
    assert store.resolve("ollama/y:latest").read_bytes() == B
    assert store.resolve("z").read_bytes() == A, "the last part of the name will do"
    for model in models:
        verify(model)
        with pytest.raises(UsageError, match=model.foreign):
            store.remove(model.name)
        with pytest.raises(UsageError, match=model.foreign):
            store.move(model.name, store.folder)
    assert snapshot(tmp_path) == before
    assert not any(model.foreign for model in store.installed(others=False))
    assert store.disk_use().total == 0


def test_walking_is_bounded(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(30):
        deep = deep / "d"
    write(deep / "x.gguf")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    for origin in ("lm-studio", "gpt4all", "ollama", "hf-cache"):
        assert names(Place(origin, tmp_path)) == {}


def test_where_the_programs_keep_their_models(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    usual = {(place.origin, place.folder) for place in places(home, "linux")}
    assert {
        ("lm-studio", tmp_path / ".lmstudio" / "models"),
        ("lm-studio", tmp_path / ".cache" / "lm-studio" / "models"),
        ("ollama", tmp_path / ".ollama" / "models"),
        ("gpt4all", tmp_path / ".local" / "share" / "nomic.ai" / "GPT4All"),
        ("hf-cache", tmp_path / ".cache" / "huggingface" / "hub"),
    } <= usual
    mac = {place.folder for place in places(home, "darwin")}
    assert tmp_path / "Library" / "Application Support" / "nomic.ai" / "GPT4All" in mac
    windows = {"USERPROFILE": str(tmp_path), "LOCALAPPDATA": str(tmp_path / "AppData" / "Local")}
    assert tmp_path / "AppData" / "Local" / "nomic.ai" / "GPT4All" in {one.folder for one in places(windows, "win32")}
    moved = {place.folder for place in places({**home, "OLLAMA_MODELS": "/o", "HF_HUB_CACHE": "/h"}, "linux")}
    assert {Path("/o"), Path("/h")} <= moved
    assert Path("/hf/hub") in {place.folder for place in places({**home, "HF_HOME": "/hf"}, "linux")}
    assert Path("/c/huggingface/hub") in {one.folder for one in places({**home, "XDG_CACHE_HOME": "/c"}, "linux")}
    write(tmp_path / ".lmstudio-home-pointer", str(tmp_path / "lm").encode())
    write(tmp_path / "lm" / "settings.json", json.dumps({"downloadsFolder": str(tmp_path / "big")}).encode())
    chosen = {place.folder for place in places(home, "linux")}
    assert {tmp_path / "big", tmp_path / "lm" / "models"} <= chosen
