"""Repairing: over loopback, only bad parts are fetched where their hashes are known, and the model is whole after."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edgellm.errors import EdgeError, ModelDamaged, ModelError, OfflineError, Stopped, UsageError
from edgellm.models.check import verify
from edgellm.models.installed import Installed
from edgellm.models.manifest import Manifest, ManifestFile
from edgellm.models.rate import Control
from edgellm.models.repair import Repaired, Source, repair
from edgellm.models.store import ModelStore
from tests import fetching, model_files
from tests.loopback_hub import Fault, Hub

SIZE, PART = 200_000, model_files.CHUNK
DATA, SMALL = model_files.noise(SIZE), b'{"small": true}'
REPO = "owner/name"
TUNING = replace(fetching.QUICK, chunk=PART)


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub({REPO: {"x.gguf": DATA, "sub/y.json": SMALL}}) as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(model_files.paths_in(tmp_path))


@pytest.fixture
def model(store: ModelStore) -> Installed:
    return model_files.place(store, "tiny", {"x.gguf": DATA, "sub/y.json": SMALL}, repo=REPO)


@pytest.fixture
def source(hub: Hub, tmp_path: Path) -> Source:
    def addresses(manifest: Manifest, file: ManifestFile) -> tuple[str, ...]:
        return (hub.url(manifest.repo, file.path),) if manifest.repo else ()

    return Source(addresses, fetching.connector(tmp_path), TUNING)


def damage(path: Path, draw: random.Random) -> set[int]:
    """Flip bytes; the numbers of the parts that are wrong now."""
    data = bytearray(DATA)
    positions = {draw.randrange(SIZE) for _ in range(draw.choice((1, 1, 2, 4)))}
    for position in positions:
        data[position] ^= 1
    path.write_bytes(data)
    return {position // PART for position in positions}


def sizes(parts: set[int]) -> int:
    return sum(min(PART, SIZE - part * PART) for part in parts)


def test_one_hundred_repairs_fetch_only_the_bad_parts(hub: Hub, model: Installed, source: Source) -> None:
    fetched = needed = 0
    for number in range(100):
        parts = damage(model.path, random.Random(number))
        before = hub.sent
        result = repair(model, source, Control())
        assert result.now.ok and not result.before.ok
        assert model.path.read_bytes() == DATA
        fetched += hub.sent - before
        needed += sizes(parts)
        assert result.received == sizes(parts)
    print(f"100 of 100 whole again; {fetched:,} bytes fetched for {needed:,} bad ones, of {100 * SIZE:,}")
    assert fetched <= 1.1 * needed


@pytest.mark.parametrize("data", [DATA[:PART], DATA[: SIZE - 1], DATA + b"more", b"", DATA + bytes(PART)])
def test_files_of_another_length(hub: Hub, model: Installed, source: Source, data: bytes) -> None:
    model.path.write_bytes(data)
    assert repair(model, source, Control()).now.ok
    assert model.path.read_bytes() == DATA
    assert hub.sent <= SIZE - len(data) // PART * PART + PART


def test_missing_and_linked_files(model: Installed, source: Source, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"mine")
    (model.home / "sub" / "y.json").unlink()
    (model.home / "sub").rmdir()
    model.path.unlink()
    model.path.symlink_to(secret)
    result = repair(model, source, Control())
    assert result.now.ok and result.received == SIZE + len(SMALL)
    assert not model.path.is_symlink() and secret.read_bytes() == b"mine"
    assert sorted(model_files.tree(model.folder)) == ["tiny/edgellm-model.json", "tiny/sub/y.json", "tiny/x.gguf"]


def test_without_part_hashes_the_file_is_fetched(hub: Hub, model: Installed, source: Source) -> None:
    assert model.manifest is not None
    files = tuple(replace(file, chunks=()) for file in model.manifest.files)
    bare = replace(model, manifest=replace(model.manifest, files=files))
    damage(model.path, random.Random(1))
    assert repair(bare, source, Control()).received == SIZE
    assert model.path.read_bytes() == DATA


def test_a_whole_model_needs_no_network(hub: Hub, model: Installed, source: Source) -> None:
    result = repair(model, source, Control())
    assert isinstance(result, Repaired) and result.before.ok and result.received == 0
    assert hub.log == []


def test_a_hub_that_sends_something_else(hub: Hub, model: Installed, source: Source) -> None:
    hub.replace(REPO, "x.gguf", model_files.noise(SIZE, 9))
    damage(model.path, random.Random(1))
    bad = model.path.read_bytes()
    with pytest.raises(EdgeError):
        repair(model, source, Control())
    assert model.path.read_bytes() == bad, "wrong bytes are not written"


def test_a_cut_repair_goes_on(tmp_path: Path, model: Installed, source: Source) -> None:
    with Hub({REPO: {"x.gguf": DATA}}, faults=[Fault("cut", at=1_000, times=3)]) as hub:
        here = replace(source, addresses=lambda _manifest, file: (hub.url(REPO, file.path),))
        damage(model.path, random.Random(2))
        assert repair(model, here, Control()).now.ok


def test_what_cannot_be_repaired(store: ModelStore, model: Installed, source: Source, tmp_path: Path) -> None:
    damage(model.path, random.Random(1))
    with pytest.raises(Stopped):
        repair(model, source, Control(cancelled=lambda: True))
    nowhere = replace(source, addresses=lambda _manifest, _file: ())
    with pytest.raises(ModelError, match="not known where"):
        repair(model, nowhere, Control())
    locked = Source(lambda _manifest, _file: ("https://hub.invalid/x",), fetching.connector(tmp_path), TUNING)
    with pytest.raises(OfflineError):
        repair(model, locked, Control())
    with pytest.raises(UsageError, match="no recorded hashes"):
        repair(store.get("starter"), source, Control())
    (store.folder / "bad").mkdir()
    (store.folder / "bad" / "edgellm-model.json").write_text("{")
    with pytest.raises(UsageError, match="manifest of bad"):
        repair(store.get("bad"), source, Control())


def test_files_that_are_shared_by_two_models_are_repaired_for_both(store: ModelStore, source: Source, hub: Hub) -> None:
    data = model_files.noise(1_200_000, 4)
    hub.replace(REPO, "x.gguf", data)
    one = model_files.place(store, "one", {"x.gguf": data}, repo=REPO)
    two = model_files.place(store, "two", {"x.gguf": data}, repo=REPO)
    assert os.path.samefile(one.path, two.path)
    with one.path.open("r+b") as file:
        file.write(b"damage")
    assert not verify(two).ok
    assert repair(one, source, Control()).received == PART
    assert verify(two).ok and os.path.samefile(one.path, two.path)


def test_a_disk_that_fails_is_said(model: Installed, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    damage(model.path, random.Random(1))
    monkeypatch.setattr("edgellm.models.repair.fetch_ranges", lambda *_: 0)
    with pytest.raises(ModelDamaged, match="damaged still") as caught:
        repair(model, source, Control())
    assert "disk" in caught.value.hint
