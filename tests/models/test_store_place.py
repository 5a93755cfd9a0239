"""Putting models in place: whole or not at all, with kill -9 in the middle, two processes, and awkward names."""

from __future__ import annotations

import itertools
import os
from functools import partial
from pathlib import Path

import pytest

from edgellm.errors import ModelDamaged, ModelError, StorageError, UntrustedName
from edgellm.models import disk
from edgellm.models.staging import Staging
from edgellm.models.store import ModelStore
from tests import model_files

A, B = model_files.noise(200_000, 1), model_files.noise(2_000_000, 2)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(model_files.paths_in(tmp_path))


@pytest.fixture
def no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system such as exFAT, where a file has one name."""
    monkeypatch.setattr(disk, "link", lambda source, target: False)


def test_a_model_is_placed_with_its_manifest(store: ModelStore) -> None:
    model = model_files.place(store, "tiny", {"tiny.gguf": A, "extra/readme.md": b"hello"}, license="mit")
    assert model.path == store.folder / "tiny" / "tiny.gguf"
    assert model.path.read_bytes() == A
    assert (model.size, model.origin, model.folder, model.problem) == (len(A) + 5, "own", store.folder, "")
    assert model.manifest is not None
    assert model.manifest.license == "mit"
    assert model.manifest.added == model.manifest.checked != ""
    assert store.resolve("tiny") == store.resolve("TINY") == store.resolve("tiny.gguf") == model.path
    assert store.get("tiny") == model
    left = set(model_files.tree(store.folder)) - {"tiny/tiny.gguf", "tiny/extra/readme.md", "tiny/edgellm-model.json"}
    assert left == set()


def test_the_same_without_links(store: ModelStore, no_links: None) -> None:
    model = model_files.place(store, "tiny", {"tiny.gguf": A})
    assert model.path.read_bytes() == A
    assert set(model_files.tree(store.folder)) == {"tiny/tiny.gguf", "tiny/edgellm-model.json"}


def test_sources_can_be_kept(store: ModelStore, tmp_path: Path) -> None:
    source = tmp_path / "mine.gguf"
    source.write_bytes(A)
    model = store.place(model_files.draft("tiny", {"x.gguf": A}), {"x.gguf": source}, keep=True)
    assert source.read_bytes() == model.path.read_bytes() == A


def test_the_same_model_placed_again_is_only_returned(store: ModelStore) -> None:
    first = model_files.place(store, "tiny", {"x.gguf": A})
    assert model_files.place(store, "tiny", {"x.gguf": A}) == first
    assert set(model_files.tree(store.folder)) == {"tiny/x.gguf", "tiny/edgellm-model.json"}


@pytest.mark.parametrize("name", ["tiny", "TINY.gguf"])
def test_another_model_of_the_name_stays(store: ModelStore, name: str) -> None:
    if name == "tiny":
        model_files.place(store, "tiny", {"x.gguf": A})
    else:
        store.folder.mkdir(parents=True)
        (store.folder / name).write_bytes(A)
    before = store.installed()
    with pytest.raises(ModelError, match="already is a model tiny"):
        model_files.place(store, "tiny", {"x.gguf": B})
    assert store.installed() == before
    waiting = store.folder / ".downloads" / "tiny.parts" / "0.part"
    assert waiting.read_bytes() == B, "what was fetched is not lost"


def test_another_model_of_the_name_can_go_to_the_bin(store: ModelStore) -> None:
    model_files.place(store, "tiny", {"x.gguf": A})
    source = store.folder / "new.part"
    source.write_bytes(B)
    model = store.place(model_files.draft("tiny", {"x.gguf": B}), {"x.gguf": source}, replace_old=True)
    assert model.path.read_bytes() == B
    assert [(one.name, one.size) for one in store.bin()] == [("tiny", len(A))]


@pytest.mark.parametrize("name", ["../x", "a/b", "A", "con", "x ", ".x", "", "x" * 300, "a\u202eb"])
def test_a_name_that_not_every_system_has_is_refused_before_any_write(store: ModelStore, name: str) -> None:
    with pytest.raises(UntrustedName):
        store.place(model_files.draft(name, {"x.gguf": A}), {})
    assert model_files.tree(store.folder) == {}


def test_names_of_other_languages(store: ModelStore) -> None:
    for name in ("größe-7b", "模型", "модель-2", "ё"):
        model_files.place(store, name, {f"{name}.gguf": A})
        assert store.resolve(name).read_bytes() == A
    assert len(store.installed()) == 5


def test_a_source_that_is_not_what_it_should_be(store: ModelStore, tmp_path: Path) -> None:
    source = tmp_path / "short.part"
    source.write_bytes(A[:-1])
    with pytest.raises(ModelDamaged):
        store.place(model_files.draft("tiny", {"x.gguf": A}), {"x.gguf": source})
    assert [model.name for model in store.installed()] == ["starter"]
    assert source.exists() and model_files.tree(store.folder) == {}
    with pytest.raises(StorageError):
        store.place(model_files.draft("tiny", {"x.gguf": A}), {"x.gguf": tmp_path / "none"})


def test_equal_files_of_two_models_take_their_space_once(store: ModelStore) -> None:
    one = model_files.place(store, "one", {"one.gguf": B, "small": A})
    damaged = one.path
    damaged.write_bytes(B[:-1] + bytes([B[-1] ^ 1]))
    two = model_files.place(store, "two", {"two.gguf": B, "small": A})
    assert os.path.samefile(one.path, two.path)
    assert one.path.read_bytes() == B, "the new one, just checked, took the place of the damaged one"
    use = store.disk_use()
    assert dict(use.models)["one"] == dict(use.models)["two"] > len(B)
    assert use.total < sum(size for _, size in use.models) - len(B) + 1
    store.remove("two")
    store.discard()
    assert store.resolve("one").read_bytes() == B


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked to be killed")
@pytest.mark.parametrize("links", ["links", "no links"])
def test_kill_at_every_step_loses_nothing_and_leaves_nothing(
    tmp_path: Path, links: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After it and `tidy`, either the model is whole, or every part is where it was."""
    if links == "no links":
        monkeypatch.setattr(disk, "link", lambda source, target: False)
    files, ended = {"a.gguf": A, "b": A[:5_000], "c/d": b"x"}, {True: 0, False: 0}
    for number in itertools.count(1):
        store = ModelStore(model_files.paths_in(tmp_path / str(number)))
        waiting = store.folder / ".downloads" / "tiny.parts"
        waiting.mkdir(parents=True)
        sources = {path: waiting / str(part) for part, path in enumerate(files)}
        for path, data in files.items():
            sources[path].write_bytes(data)
        draft = model_files.draft("tiny", files)
        killed = model_files.killed_at(number, partial(store.place, draft, sources))
        store.tidy()
        models = [model for model in store.installed() if not model.builtin]
        assert not any(model.problem for model in models)
        if models:
            assert {path: (store.folder / "tiny" / path).read_bytes() for path in files} == files
        else:
            assert {path: source.read_bytes() for path, source in sources.items()} == files
        ended[bool(models)] += 1
        assert store.place(draft, sources).problem == ""
        left = set(model_files.tree(store.folder)) - {f"tiny/{path}" for path in files}
        assert left == {"tiny/edgellm-model.json"}
        if not killed:
            break
    print(f"{number} steps: {ended[False]} before the model was there, {ended[True]} after")
    assert min(ended.values()) > 3


def test_two_processes_that_install_the_same_model(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from edgellm.errors import ModelError
from edgellm.models.store import ModelStore
from tests import model_files
store = ModelStore(model_files.paths_in(Path(sys.argv[1])))
source = Path(sys.argv[1], sys.argv[2] + ".part")
data = model_files.noise(200_000, 1)
source.write_bytes(data)
print("ready", flush=True)
try:
    store.place(model_files.draft("tiny", {"x.gguf": data}), {"x.gguf": source})
except ModelError as error:
    assert "already" in str(error), error
"""
    processes = [model_files.child(script, str(tmp_path), str(number)) for number in range(4)]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()
    store = ModelStore(model_files.paths_in(tmp_path))
    assert [model.name for model in store.installed()] == ["starter", "tiny"]
    assert store.resolve("tiny").read_bytes() == A
    assert set(model_files.tree(store.folder)) == {"tiny/x.gguf", "tiny/edgellm-model.json"}


def test_tidy_leaves_alone_what_a_living_process_prepares(store: ModelStore) -> None:
    store.ready()
    with Staging(store.folder) as staging:
        (staging.folder / "half").write_bytes(A)
        store.tidy()
        assert (staging.folder / "half").read_bytes() == A
    assert model_files.tree(store.folder) == {}


def test_a_note_of_a_stranger_moves_nothing_out(store: ModelStore, tmp_path: Path) -> None:
    """A stick may bring a folder of preparations that nobody here made."""
    incoming = store.folder / ".incoming"
    (incoming / "x").mkdir(parents=True)
    (incoming / "x" / "evil").write_bytes(b"evil")
    (incoming / "x.json").write_text('{"taken": {"evil": "../../stolen", "../../../y": "z"}}')
    (incoming / "y").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "precious").write_bytes(b"1")
    store.tidy()
    assert not (tmp_path / "stolen").exists()
    assert (tmp_path / "precious").exists()
    assert model_files.tree(store.folder) == {}


def test_a_full_disk_is_said_and_leaves_nothing(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Staging, name: str, source: Path, *, keep: bool) -> None:
        (self.folder / name).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Staging, "take", full)
    with pytest.raises(StorageError, match="full") as caught:
        model_files.place(store, "tiny", {"x.gguf": A})
    assert "edgellm models remove" in caught.value.hint
    assert set(model_files.tree(store.folder)) == {".downloads/tiny.parts/0.part"}


def test_our_own_folders_are_never_links(store: ModelStore, tmp_path: Path) -> None:
    """A stranger's stick could name any folder of this person as the place for what may be erased."""
    papers = tmp_path / "papers"
    papers.mkdir()
    (papers / "letter").write_bytes(b"1")
    store.ready()
    for name in (".incoming", ".bin"):
        (store.folder / name).symlink_to(papers, target_is_directory=True)
    store.tidy()
    assert store.bin() == ()
    with pytest.raises(StorageError, match="link"):
        model_files.place(store, "tiny", {"x.gguf": A})
    assert [path.name for path in papers.iterdir()] == ["letter"]
