"""Disk use: the bin, what waits, and files with two names counted once."""

from __future__ import annotations

import os
from pathlib import Path

from edgellm.models.store import ModelStore
from tests import model_files

A, B = model_files.noise(100_000, 1), model_files.noise(30_000, 2)


def manifest_size(store: ModelStore, name: str) -> int:
    return (store.folder / name / "edgellm-model.json").stat().st_size


def test_every_byte_is_counted_once(tmp_path: Path) -> None:
    paths = model_files.paths_in(tmp_path)
    store = ModelStore(paths)
    model_files.place(store, "one", {"x.gguf": A})
    model_files.place(store, "two", {"y.gguf": B})
    os.link(store.folder / "one" / "x.gguf", store.folder / "also.gguf")
    (store.folder / ".downloads").mkdir(exist_ok=True)
    (store.folder / ".downloads" / "z.part").write_bytes(B)
    use = store.disk_use()
    sizes = dict(use.models)
    assert sizes == {
        "also": len(A),
        "one": len(A) + manifest_size(store, "one"),
        "two": len(B) + manifest_size(store, "two"),
    }
    assert (use.bin, use.waiting) == (0, len(B))
    assert use.total == sizes["one"] + sizes["two"] + len(B)
    assert use.folders[0].state == "ready" and use.folders[0].free
    everything = {path.stat().st_ino: path.stat().st_size for path in store.folder.rglob("*") if path.is_file()}
    assert use.total == sum(everything.values()), "what the disk says"


def test_removed_models_count_until_they_are_discarded(tmp_path: Path) -> None:
    store = ModelStore(model_files.paths_in(tmp_path))
    model_files.place(store, "one", {"x.gguf": A})
    before = store.disk_use().total
    store.remove("one")
    use = store.disk_use()
    assert use.models == () and use.bin >= len(A) and use.total >= before
    store.discard()
    use = store.disk_use()
    assert (use.bin, use.total) == (0, 0)


def test_other_programs_and_the_built_in_model_do_not_count(tmp_path: Path) -> None:
    store = ModelStore(model_files.paths_in(tmp_path))
    assert store.disk_use().models == () and store.disk_use().total == 0
