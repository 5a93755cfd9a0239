"""Removing with undo: nothing is lost before it is discarded, and nothing is left after."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from edgellm.errors import ModelError, ModelNotFound, UsageError
from edgellm.models import bin as bins
from edgellm.models.store import ModelStore
from tests import model_files

A, B = model_files.noise(100_000, 1), model_files.noise(50_000, 2)
DAY = 24 * 3600


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(model_files.paths_in(tmp_path))


def age(store: ModelStore, seconds: float) -> None:
    """Make everything in the bin older."""
    for record in (store.folder / ".bin").glob("*/record.json"):
        document = json.loads(record.read_text())
        record.write_text(json.dumps({**document, "removed": document["removed"] - seconds}))


def names(store: ModelStore) -> list[str]:
    return [model.name for model in store.installed() if not model.builtin]


def test_remove_and_restore(store: ModelStore) -> None:
    model = model_files.place(store, "tiny", {"x.gguf": A, "sub/y": B})
    before = model_files.tree(store.folder)
    removed = store.remove("TINY")
    assert (removed.name, removed.size, removed.folder) == ("tiny", len(A) + len(B), store.folder)
    assert abs(removed.until - time.time() - DAY) < 60
    assert names(store) == []
    assert store.bin() == (removed,)
    assert store.restore("tiny") == model
    assert model_files.tree(store.folder) == before
    assert store.bin() == ()
    with pytest.raises(ModelNotFound, match="not in the bin"):
        store.restore("tiny")


def test_files_put_there_by_hand_can_be_removed_too(store: ModelStore) -> None:
    (store.folder / "deep" / "er").mkdir(parents=True)
    for number in range(1, 4):
        (store.folder / "deep" / "er" / f"x-{number:05}-of-00003.gguf").write_bytes(A)
    (store.folder / "lone.gguf").write_bytes(B)
    store.remove("deep/er/x")
    store.remove("lone")
    assert names(store) == []
    assert not (store.folder / "deep").exists(), "no empty folders are left"
    assert store.restore("deep/er/x").size == 3 * len(A)
    assert store.restore("lone").path.read_bytes() == B
    assert names(store) == ["deep/er/x", "lone"]


def test_nothing_is_left_after_discard(store: ModelStore) -> None:
    model_files.place(store, "tiny", {"x.gguf": A})
    model_files.place(store, "other", {"y.gguf": B})
    store.remove("tiny")
    store.remove("other")
    with pytest.raises(ModelNotFound, match="nothere"):
        store.discard("nothere")
    assert store.discard("tiny") == len(A)
    assert [one.name for one in store.bin()] == ["other"]
    assert store.discard() == len(B)
    assert sum(model_files.tree(store.folder).values()) == 0
    assert list((store.folder / ".bin").iterdir()) == []
    assert store.disk_use().total == 0


def test_after_a_day_it_goes_by_itself(store: ModelStore) -> None:
    model_files.place(store, "old", {"x.gguf": A})
    store.remove("old")
    age(store, DAY - 3600)
    store.tidy()
    assert [one.name for one in store.bin()] == ["old"]
    age(store, 3700)
    model_files.place(store, "new", {"x.gguf": A})
    store.remove("new")
    store.tidy()
    assert [one.name for one in store.bin()] == ["new"]
    age(store, -10 * DAY)  # the clock was set back
    store.tidy()
    assert [one.name for one in store.bin()] == ["new"]


def test_the_same_name_twice_in_the_bin_restores_the_latest(store: ModelStore) -> None:
    model_files.place(store, "tiny", {"x.gguf": A})
    store.remove("tiny")
    age(store, 10)
    model_files.place(store, "tiny", {"x.gguf": B})
    store.remove("tiny")
    assert store.restore("tiny").path.read_bytes() == B
    with pytest.raises(ModelError, match="another tiny"):
        store.restore("tiny")
    store.remove("tiny")
    store.discard("tiny")
    assert store.restore("tiny").path.read_bytes() == A


def test_the_bin_is_emptied_when_space_is_needed(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    model_files.place(store, "tiny", {"x.gguf": A})
    store.remove("tiny")
    assert store.make_room(1_000)
    assert len(store.bin()) == 1
    assert not store.make_room(1 << 60)
    assert store.bin() == ()


def test_what_is_not_ours_is_not_removed(store: ModelStore) -> None:
    with pytest.raises(UsageError, match="part of EdgeLLM"):
        store.remove("starter")
    with pytest.raises(ModelNotFound):
        store.remove("none")


def test_records_of_a_stranger_take_nothing_from_elsewhere(store: ModelStore, tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"1")
    for number, items in enumerate((["../../precious"], ["/etc/passwd"], [5], "x", ["a/../../precious"], [])):
        place = store.folder / ".bin" / str(number)
        place.mkdir(parents=True)
        record = {"name": "sly", "size": 1, "removed": time.time(), "items": items}
        (place / "record.json").write_text(json.dumps(record))
    (store.folder / ".bin" / "file").write_bytes(b"x")
    if hasattr(os, "mkfifo"):
        (store.folder / ".bin" / "pipe").mkdir()
        os.mkfifo(store.folder / ".bin" / "pipe" / "record.json")
    assert {one.items for one in store.bin()} <= {()}
    store.tidy()
    store.discard()
    assert (tmp_path / "precious").exists()
    assert list((store.folder / ".bin").iterdir()) == []


def each(act: Callable[[str], object]) -> None:
    for name in ("tiny", "split"):
        act(name)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked to be killed")
@pytest.mark.parametrize("act", ["remove", "restore", "discard"])
def test_kill_at_every_step_leaves_each_model_here_or_in_the_bin(tmp_path: Path, act: str) -> None:
    for number in itertools.count(1):
        store = ModelStore(model_files.paths_in(tmp_path / str(number)))
        model_files.place(store, "tiny", {"x.gguf": A, "y": B})
        for part in range(1, 4):
            (store.folder / f"split-{part:05}-of-00003.gguf").write_bytes(B)
        if act != "remove":
            store.remove("tiny")
            store.remove("split")

        killed = model_files.killed_at(number, partial(each, getattr(store, act)))
        store.tidy()
        here, away = names(store), [one.name for one in store.bin()]
        if act == "discard":
            assert here == [] and set(away) <= {"tiny", "split"}
        else:
            assert sorted(here + away) == ["split", "tiny"]
        assert not any(model.problem for model in store.installed())
        for name in away:
            store.restore(name)
        if act != "discard" or "split" in away:
            assert store.get("split").size == 3 * len(B)
        if act != "discard" or "tiny" in away:
            assert store.resolve("tiny").read_bytes() == A
        assert list((store.folder / ".bin").glob("*")) == []
        if not killed:
            break
    print(f"{act}: {number} steps")
    assert number > 10


def test_two_that_discard_at_once(store: ModelStore) -> None:
    model_files.place(store, "tiny", {"x.gguf": A})
    removed = store.remove("tiny")
    bins.discard(removed)
    bins.discard(removed)
    assert store.bin() == ()
