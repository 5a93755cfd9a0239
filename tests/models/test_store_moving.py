"""Moving models between folders and disks: whole in one of the two at every moment, whatever happens."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from edgellm.errors import ModelDamaged, ModelError, Stopped, StorageError, UsageError
from edgellm.models import disk
from edgellm.models.store import ModelStore
from tests import model_files

A, B = model_files.noise(3_000_000, 1), model_files.noise(50_000, 2)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """A store with the folders `models` (where the models are) and `stick`."""
    (tmp_path / "stick").mkdir()
    (tmp_path / "own" / "models").mkdir(parents=True)
    paths = model_files.paths_in(tmp_path / "own")
    return ModelStore(paths, (paths.models, tmp_path / "stick"))


@pytest.fixture
def other_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "same_disk", lambda one, other: False)


@pytest.fixture
def memory_disk() -> Iterator[Path]:
    """A folder that really is on another disk."""
    if not os.access("/dev/shm", os.W_OK) or disk.same_disk(Path("/dev/shm"), Path(tempfile.gettempdir())):
        pytest.skip("there is no second disk here")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        yield Path(name)


def split(folder: Path, name: str = "split") -> None:
    for number in range(1, 4):
        (folder / f"{name}-{number:05}-of-00003.gguf").write_bytes(B)


def where(store: ModelStore) -> dict[str, str]:
    return {model.name: model.folder.name for model in store.installed() if not model.builtin}


@pytest.mark.parametrize("disks", ["same", "other"])
def test_move_one(store: ModelStore, disks: str, request: pytest.FixtureRequest) -> None:
    if disks == "other":
        request.getfixturevalue("other_disk")
    model_files.place(store, "tiny", {"x.gguf": A, "sub/y": B})
    (store.folder / "tiny" / "notes.txt").write_text("mine")
    steps: list[tuple[int, int]] = []
    moved = store.move("tiny", store.folders[1], lambda done, total: steps.append((done, total)))
    assert (moved.name, moved.folder, moved.path.read_bytes()) == ("tiny", store.folders[1], A)
    assert (moved.home / "notes.txt").read_text() == "mine"
    assert steps[-1] == (len(A) + len(B), len(A) + len(B)) and sorted(steps) == steps
    assert where(store) == {"tiny": "stick"}
    assert model_files.tree(store.folders[0]) == {}
    assert sorted(model_files.tree(store.folders[1])) == [
        "tiny/edgellm-model.json",
        "tiny/notes.txt",
        "tiny/sub/y",
        "tiny/x.gguf",
    ]
    assert store.move("tiny", store.folders[1]) == moved, "it is there already"
    assert store.move("tiny", store.folders[0]).folder == store.folders[0]


@pytest.mark.parametrize("disks", ["same", "other"])
def test_move_everything(store: ModelStore, disks: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    if disks == "other":
        request.getfixturevalue("other_disk")
    top = store.folders[0]
    model_files.place(store, "tiny", {"x.gguf": A})
    split(top)
    (top / "deep").mkdir()
    (top / "deep" / "lone.gguf").write_bytes(B)
    (tmp_path / "away.gguf").write_bytes(B)
    (top / "linked.gguf").symlink_to("../../away.gguf")
    steps: list[tuple[int, int]] = []
    moved = store.move_all(store.folders[1], lambda done, total: steps.append((done, total)))
    total = len(A) + 5 * len(B)
    assert sorted(model.name for model in moved) == ["deep/lone", "linked", "split", "tiny"]
    assert steps[-1] == (total, total)
    assert set(where(store).values()) == {"stick"}
    assert not any(model.problem for model in store.installed())
    assert model_files.tree(top) == {} and not (top / "deep").exists()
    assert store.resolve("linked").read_bytes() == B and not store.resolve("linked").is_symlink()
    assert (tmp_path / "away.gguf").read_bytes() == B


def test_a_real_second_disk(store: ModelStore, memory_disk: Path, tmp_path: Path) -> None:
    paths = model_files.paths_in(tmp_path / "own")
    wide = ModelStore(paths, (paths.models, memory_disk))
    model_files.place(wide, "tiny", {"x.gguf": A})
    assert wide.move("tiny", memory_disk).path.read_bytes() == A
    assert wide.move("tiny", paths.models).path.read_bytes() == A
    assert model_files.tree(memory_disk) == {}


def test_cancel_leaves_it_where_it_was(store: ModelStore, other_disk: None) -> None:
    model_files.place(store, "tiny", {"x.gguf": A})
    before = model_files.tree(store.folders[0])
    done = 0

    def progress(count: int, total: int) -> None:
        nonlocal done
        done = count

    with pytest.raises(Stopped):
        store.move("tiny", store.folders[1], progress, lambda: done > 1_000_000)
    assert 0 < done < len(A)
    assert model_files.tree(store.folders[0]) == before
    assert model_files.tree(store.folders[1]) == {}
    assert where(store) == {"tiny": "models"}


def test_what_cannot_be_moved(store: ModelStore, tmp_path: Path, other_disk: None) -> None:
    model_files.place(store, "tiny", {"x.gguf": A})
    with pytest.raises(UsageError, match="no folder for models") as caught:
        store.move("tiny", tmp_path / "elsewhere")
    assert "model_folders" in caught.value.hint
    with pytest.raises(UsageError, match="built-in"):
        store.move("starter", store.folders[1])
    (store.folders[1] / "TINY.gguf").write_bytes(B)
    with pytest.raises(ModelError, match="already"):
        store.move("tiny", store.folders[1])
    assert store.get("tiny").folder == store.folders[0]
    assert sorted(model_files.tree(store.folders[1])) == ["TINY.gguf"]


def test_a_damaged_model_is_not_spread(store: ModelStore, other_disk: None) -> None:
    model = model_files.place(store, "tiny", {"x.gguf": A})
    model.path.write_bytes(A[:-1] + b"!")
    with pytest.raises(ModelDamaged, match="has changed") as caught:
        store.move("tiny", store.folders[1])
    assert "repair" in caught.value.hint
    assert where(store) == {"tiny": "models"}
    assert model_files.tree(store.folders[1]) == {}


def test_too_little_room_is_said_before(store: ModelStore, other_disk: None, monkeypatch: pytest.MonkeyPatch) -> None:
    model_files.place(store, "tiny", {"x.gguf": A})
    monkeypatch.setattr(disk, "room", lambda folder: 1_000_000)
    with pytest.raises(StorageError, match=r"needs 3\.\d MB.* has 1\.\d MB free"):
        store.move("tiny", store.folders[1])
    assert model_files.tree(store.folders[1]) == {}


def test_a_folder_that_is_unplugged(tmp_path: Path) -> None:
    paths = model_files.paths_in(tmp_path / "own")
    store = ModelStore(paths, (paths.models, tmp_path / "media" / "stick"))
    model_files.place(store, "tiny", {"x.gguf": B})
    with pytest.raises(StorageError, match="plugged in"):
        store.move("tiny", store.folders[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked to be killed")
@pytest.mark.parametrize("disks", ["same", "other"])
def test_kill_at_every_step(tmp_path: Path, disks: str, request: pytest.FixtureRequest) -> None:
    """Each model is whole in a folder right after the kill, and after `tidy` in one only, with nothing left over."""
    if disks == "other":
        request.getfixturevalue("other_disk")
    ended = {"models": 0, "stick": 0}
    for number in itertools.count(1):
        home = tmp_path / str(number)
        (home / "stick").mkdir(parents=True)
        paths = model_files.paths_in(home / "own")
        store = ModelStore(paths, (paths.models, home / "stick"))
        model_files.place(store, "tiny", {"x.gguf": A[:10_000], "y": B})
        split(store.folder)
        killed = model_files.killed_at(number, partial(store.move_all, store.folders[1]))
        whole = {model.name.partition("@")[0] for model in store.installed() if not model.problem}
        assert whole == {"starter", "tiny", "split"}, where(store)
        store.tidy()
        assert sorted(where(store)) == ["split", "tiny"]
        assert not any(model.problem for model in store.installed())
        assert store.resolve("tiny").read_bytes() == A[:10_000]
        assert store.get("split").size == 3 * len(B)
        everything = [path for folder in store.folders for path in model_files.tree(folder)]
        assert len(everything) == 6, everything
        ended[where(store)["tiny"]] += 1
        if not killed:
            break
    print(f"{number} steps: {ended}")
    assert min(ended.values()) > 3


def test_notes_on_a_stick_move_nothing(store: ModelStore, tmp_path: Path) -> None:
    """A move is finished by notes in the program's own folder only."""
    (tmp_path / "precious").write_bytes(b"1")
    (store.folders[1] / "goal").write_bytes(b"1")
    for place in (store.folders[1] / ".moves", store.folders[1] / ".incoming"):
        place.mkdir()
        steps = [[str(tmp_path / "precious"), str(place / "x"), str(store.folders[1] / "goal")]]
        note = {"source": str(tmp_path), "staged": str(place / "x"), "steps": steps, "moving": steps}
        (place / "x.json").write_text(json.dumps(note))
    store.tidy()
    assert (tmp_path / "precious").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"steps": 5}', '{"steps": [[1]], "source": ""}'])
def test_damaged_notes_are_dropped(store: ModelStore, text: str) -> None:
    journal = store.folder / ".moves"
    journal.mkdir()
    (journal / "x.json").write_text(text)
    store.tidy()
    assert model_files.tree(store.folder) == {}


def test_a_move_to_a_disk_that_is_unplugged_now_is_finished_later(store: ModelStore, tmp_path: Path) -> None:
    model_files.place(store, "tiny", {"x.gguf": B})
    journal, stick = store.folder / ".moves", store.folders[1]
    item, copy, goal = store.folder / "tiny", stick / ".incoming" / "t", stick / "tiny"
    (stick / ".incoming").mkdir()
    shutil.copytree(item, goal)
    journal.mkdir()
    note = {"source": str(store.folder), "staged": str(copy), "steps": [[str(item), str(copy), str(goal)]]}
    (journal / "t.json").write_text(json.dumps(note))
    stick.rename(tmp_path / "away")
    store.tidy()
    assert where(store) == {"tiny": "models"}
    (tmp_path / "away").rename(stick)
    store.tidy()
    assert where(store) == {"tiny": "stick"}
    assert model_files.tree(store.folder) == {}
