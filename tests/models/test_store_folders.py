"""Folders for models that are not there, closed or read-only, and names that two of them have."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from edgellm.errors import ModelNotFound, StorageError
from edgellm.models.store import ModelStore
from tests import model_files

A, B = model_files.noise(200_000, 1), model_files.noise(2_000_000, 2)


def test_folders_that_are_not_there_or_closed_are_named(tmp_path: Path) -> None:
    stick, own = tmp_path / "media" / "stick" / "models", model_files.paths_in(tmp_path / "own")
    store = ModelStore(own, (stick,))
    assert [model.name for model in store.installed()] == ["starter"]
    looked = {folder.path: folder for folder in store.looked()}
    assert looked[stick].state == "missing" and str(stick) in looked[stick].sentence
    assert looked[own.models].state == "new" and not looked[own.models].sentence
    with pytest.raises(StorageError, match="stick") as caught:
        store.place(model_files.draft("tiny", {"x.gguf": A}), {})
    assert "Plug in" in caught.value.hint
    assert not stick.exists(), "nothing is written where a disk should be"
    stick.mkdir(parents=True)
    model_files.place(store, "tiny", {"x.gguf": A})
    assert store.resolve("tiny").is_relative_to(stick)
    (tmp_path / "file").write_bytes(b"x")
    assert ModelStore(own, (tmp_path / "file",)).looked()[0].state == "missing"


_READ_ONLY = """
import os, sys
import filelock  # before the rights are given up, which may be needed to read it
from pathlib import Path
from edgellm.errors import EdgeError
from edgellm.models.store import ModelStore
from tests import model_files
if hasattr(os, "setuid") and os.getuid() == 0:
    os.setuid(65534)  # the administrator may write everywhere
store = ModelStore(model_files.paths_in(Path(sys.argv[1])))
print(store.looked()[0].state)
print(len(store.resolve("tiny").read_bytes()))
store.tidy()
source = Path(sys.argv[2])
draft = model_files.draft("new", {"x": b"1"})
for act in (lambda: store.remove("tiny"), lambda: store.place(draft, {"x": source}, keep=True)):
    try:
        act()
        print("done")
    except EdgeError as error:
        print(error)
"""


_CLOSED = """
import os, sys
import filelock
from pathlib import Path
from edgellm.models.found import Place
from edgellm.models.store import ModelStore
from tests import model_files
if os.getuid() == 0:
    os.setuid(65534)
home = Path(sys.argv[1])
folders = (home / "listed", home / "closed", home / "closed" / "inside")
others = [Place(origin, folder) for origin in ("lm-studio", "ollama", "gpt4all", "hf-cache") for folder in folders]
store = ModelStore(model_files.paths_in(home), folders, tuple(others))
print([model.name for model in store.installed() if not model.builtin and not model.problem])
print([folder.state for folder in store.looked()])
store.disk_use()
store.tidy()
"""


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_folders_that_cannot_be_looked_into_hide_only_themselves(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        home.chmod(0o755)
        model_files.place(ModelStore(model_files.paths_in(home)), "tiny", {"x.gguf": A})
        for folder, mode in (("listed", 0o744), ("closed", 0o700)):  # names without files, and nothing at all
            for inside in ("inside", "models--a--b/snapshots", "manifests/a/b/c", "blobs", "managed"):
                (home / folder / inside).mkdir(parents=True)
            for file in ("x.gguf", "config.json", "managed/edgellm-model.json", "manifests/a/b/c/d", "inside/y.gguf"):
                (home / folder / file).write_bytes(b"{}")
            (home / folder).chmod(mode)
        process = model_files.child(_CLOSED, str(home))
        lines, errors = process.communicate(timeout=60)
        for folder in ("listed", "closed"):
            (home / folder).chmod(0o755)
        assert process.returncode == 0, errors.decode()
        models, states = lines.decode().splitlines()
        assert models == "['tiny']"
        assert states == "['read-only', 'read-only', 'missing', 'read-only']"


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_read_only_folder_is_named_and_still_used(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        home.chmod(0o755)
        store = ModelStore(model_files.paths_in(home))
        model_files.place(store, "tiny", {"x.gguf": A})
        source = home / "source"
        source.write_bytes(b"1")
        before = model_files.tree(home)
        (store.folder / ".incoming" / ".lock").chmod(0o444)
        for folder in (store.folder, store.folder / ".incoming", home):
            folder.chmod(0o555)
        process = model_files.child(_READ_ONLY, str(home), str(source))
        lines, errors = process.communicate(timeout=60)
        for folder in (home, store.folder, store.folder / ".incoming"):
            folder.chmod(0o755)
        assert process.returncode == 0, errors.decode()
        state, size, removed, placed = lines.decode().splitlines()
        assert (state, size) == ("read-only", str(len(A)))
        for sentence in (removed, placed):
            assert str(store.folder) in sentence and "permissions" in sentence
        assert model_files.tree(home) == before


def test_names_in_two_folders_and_names_that_differ_by_case(tmp_path: Path) -> None:
    paths = model_files.paths_in(tmp_path / "own")
    stick = tmp_path / "stick"
    stick.mkdir()
    store = ModelStore(paths, (stick,))
    model_files.place(store, "tiny", {"x.gguf": A})
    model_files.place(ModelStore(paths), "tiny", {"x.gguf": B})
    assert [model.name for model in store.installed()] == ["starter", "tiny", "tiny@models"]
    assert store.resolve("tiny").read_bytes() == A
    assert store.resolve("tiny@models").read_bytes() == B
    (stick / "Tiny.gguf").write_bytes(b"1")
    assert store.resolve("tiny").read_bytes() == A
    assert store.resolve("Tiny").read_bytes() == b"1"
    with pytest.raises(ModelNotFound, match="several"):
        store.resolve("TINY")
    assert store.remove("tiny@models").folder == paths.models
    assert [model.name for model in store.installed()] == ["starter", "Tiny", "tiny"]
