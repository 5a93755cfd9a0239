"""Repair of installed models: only what is wrong is fetched, counted by the hub, and a repair never makes it worse."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edgellm import network, paths
from edgellm.errors import ModelDamaged, ModelError, NetworkError, OfflineError, Stopped, StorageError, UsageError
from edgellm.models.check import verify
from edgellm.models.download_records import FOLDER, Records
from edgellm.models.hub import address
from edgellm.models.installed import Installed
from edgellm.models.manifest import Manifest, ManifestFile
from edgellm.models.rate import Control
from edgellm.models.repair import Repaired, Source, addresses_of, repair
from edgellm.models.store import ModelStore
from tests import download_child
from tests.download_child import CHUNK, QUICK, Setting
from tests.loopback_hub import Fault, Hub

BIG = 20 * CHUNK + 1234
FILES = {
    "onnx/model.onnx": random.Random(1).randbytes(BIG),
    "config.json": b'{"model_type": "bert"}',
    "tokenizer.json": random.Random(3).randbytes(10_000),
}
MODEL = "onnx/model.onnx"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with one model."""
    with Hub({"maker/onnx": FILES}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        yield server


@pytest.fixture
def model(hub: Hub) -> Installed:
    """The model, installed from there."""
    downloads, api, _ = download_child.build(paths.from_environment(), Setting())
    found = downloads.pull(replace(api.card("maker/onnx"), name="onnx"))
    hub.sent = 0
    return found


def source(setting: Setting | None = None) -> Source:
    """Where files can be had, as the program says it."""
    now = setting or Setting()

    def addresses(manifest: Manifest, file: ManifestFile) -> tuple[str, ...]:
        ends = network.endpoints(now()) if manifest.repo else ()
        return tuple(address(end, manifest.repo, manifest.revision, file.path) for end in ends)

    def connect(purpose: str) -> network.Client:
        return network.client(now(), paths.from_environment().ledger, purpose)

    return Source(addresses, connect, QUICK)


def mend(name: str = "onnx") -> Repaired:
    """Repair the model as it is now."""
    return repair(ModelStore(paths.from_environment()).get(name), source(), Control())


def flip(path: Path, *places: int) -> None:
    """Damage single bytes of a file where it lies."""
    with path.open("r+b") as file:
        for place in places:
            file.seek(place)
            byte = file.read(1)
            file.seek(place)
            file.write(bytes([byte[0] ^ 1]))


def is_right(home: Path) -> bool:
    """Whether every file has every byte, and no other file is there."""
    found = {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()}
    same = all((home / path).read_bytes() == data for path, data in FILES.items() if (home / path).is_file())
    return same and found == {*FILES, "edgellm-model.json"}


def leftovers() -> list[str]:
    """What lies hidden in the folder for models, but for locks."""
    folder = paths.from_environment().models
    found = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return [path.as_posix() for path in found if path.parts[0].startswith(".") and path.name != ".lock"]


def test_a_whole_model_is_left_alone(hub: Hub, model: Installed) -> None:
    seen = len(hub.requests())
    found = mend()
    assert found.before.ok
    assert found.received == hub.sent == 0
    assert len(hub.requests()) == seen


@pytest.mark.parametrize(
    ("places", "chunks"),
    [
        ((5,), 1),
        ((CHUNK - 1, CHUNK), 2),
        ((3 * CHUNK, 3 * CHUNK + 9, 9 * CHUNK), 2),
        ((BIG - 1,), 1234 / CHUNK),
        (tuple(number * CHUNK for number in range(20)), 20),
    ],
)
def test_only_the_bad_parts_are_fetched(hub: Hub, model: Installed, places: tuple[int, ...], chunks: float) -> None:
    before = (model.home / MODEL).stat().st_ino
    flip(model.home / MODEL, *places)
    found = mend()
    assert not found.before.ok
    assert found.now.ok
    assert found.received == hub.sent == chunks * CHUNK
    assert is_right(model.home)
    assert (model.home / MODEL).stat().st_ino == before, "it was mended where it lies"
    assert leftovers() == []


@pytest.mark.parametrize("size", [0, 7, CHUNK, 10 * CHUNK + 5, BIG - 1])
def test_a_file_cut_short_gets_its_end_back(hub: Hub, model: Installed, size: int) -> None:
    os.truncate(model.home / MODEL, size)
    found = mend()
    assert found.now.ok
    assert hub.sent == BIG - size // CHUNK * CHUNK
    assert is_right(model.home)
    assert leftovers() == []


def test_a_file_that_grew_is_cut_and_nothing_is_fetched(hub: Hub, model: Installed) -> None:
    with (model.home / MODEL).open("ab") as file:
        file.write(b"more")
    found = mend()
    assert found.now.ok
    assert hub.sent == 0
    assert is_right(model.home)


def test_missing_and_damaged_files_together(hub: Hub, model: Installed) -> None:
    (model.home / "config.json").unlink()
    (model.home / "tokenizer.json").write_bytes(b"x" * 10_000)
    flip(model.home / MODEL, 7 * CHUNK)
    found = mend()
    assert found.before.missing == ("config.json",)
    assert hub.sent == found.received == CHUNK + 10_000 + len(FILES["config.json"])
    assert is_right(model.home)


def test_a_hub_that_lies_leaves_the_model_as_it_was(hub: Hub, model: Installed) -> None:
    flip(model.home / MODEL, 5)
    damaged = (model.home / MODEL).read_bytes()
    hub.faults.append(Fault("zeros", times=-1))
    with pytest.raises(ModelDamaged):
        mend()
    assert (model.home / MODEL).read_bytes() == damaged
    assert leftovers() == []
    hub.faults.clear()
    assert mend().now.ok


def test_a_failed_repair_of_a_short_file_leaves_it_short(hub: Hub, model: Installed) -> None:
    """A file with the right length and a hole in it would pass the quick look before a model is loaded."""
    os.truncate(model.home / MODEL, CHUNK)
    hub.faults.append(Fault("503", times=-1, on="resolve"))
    with pytest.raises(NetworkError):
        mend()
    assert (model.home / MODEL).stat().st_size == CHUNK
    with pytest.raises(ModelDamaged):
        ModelStore(paths.from_environment()).resolve("onnx")
    assert leftovers() == []


def test_a_cut_connection_is_gone_on_with(hub: Hub, model: Installed) -> None:
    flip(model.home / MODEL, *(number * CHUNK for number in range(8)))
    hub.faults.append(Fault("cut", at=3 * CHUNK + 100))
    assert mend().now.ok
    assert hub.sent <= 8 * CHUNK + 2 * CHUNK


def test_the_offline_lock_is_one_sentence_and_changes_nothing(model: Installed) -> None:
    flip(model.home / MODEL, 5)
    damaged = (model.home / MODEL).read_bytes()
    far = source(Setting(mirror="https://models.example"))
    with pytest.raises(OfflineError, match="offline lock is on"):
        repair(model, far, Control())
    assert (model.home / MODEL).read_bytes() == damaged


def test_a_second_name_elsewhere_is_not_written_through(hub: Hub, model: Installed, tmp_path: Path) -> None:
    """The person's own file, taken in by link, is theirs: only our name for it gets the right content."""
    flip(model.home / MODEL, 5)
    theirs = tmp_path / "mine.onnx"
    os.link(model.home / MODEL, theirs)
    damaged = theirs.read_bytes()
    assert mend().now.ok
    assert hub.sent == CHUNK
    assert theirs.read_bytes() == damaged
    assert is_right(model.home)
    assert leftovers() == []


def test_models_that_share_a_damaged_file_are_whole_again_together(hub: Hub, model: Installed) -> None:
    downloads, api, store = download_child.build(paths.from_environment(), Setting())
    twin = downloads.pull(replace(api.card("maker/onnx"), name="twin"))
    assert (twin.home / MODEL).samefile(model.home / MODEL)
    hub.sent = 0
    flip(model.home / MODEL, 5)
    assert mend().now.ok
    assert hub.sent == CHUNK
    assert verify(store.get("twin")).ok
    assert (twin.home / MODEL).samefile(model.home / MODEL), "and the space is still taken once"


def test_one_repair_at_a_time(model: Installed) -> None:
    claim = Records(model.folder / FOLDER).claim("onnx")
    assert claim is not None
    with pytest.raises(StorageError, match="at work on onnx"):
        mend()
    claim.release()
    assert mend().before.ok


def test_a_repair_can_be_stopped(hub: Hub, model: Installed) -> None:
    flip(model.home / MODEL, 5, 12 * CHUNK)
    hub.faults.append(Fault("stall", at=100, times=-1))
    began = time.monotonic()
    with pytest.raises(Stopped):
        repair(model, source(), Control(cancelled=lambda: hub.sent > 0))
    took = time.monotonic() - began
    print(f"stopped after {took:.2f} s, in the middle of a stall")
    assert took < 3
    assert leftovers() == []
    hub.faults.clear()
    assert mend().now.ok


def test_what_cannot_be_repaired_says_why(hub: Hub, model: Installed, tmp_path: Path) -> None:
    store = ModelStore(paths.from_environment())
    with pytest.raises(UsageError, match="part of EdgeLLM"):
        repair(store.get("starter"), source(), Control())
    (store.folder / "loose.gguf").write_bytes(b"GGUF")
    with pytest.raises(UsageError, match="no recorded hashes"):
        repair(store.get("loose"), source(), Control())
    with pytest.raises(UsageError, match="belongs to Ollama"):
        repair(replace(model, origin="ollama"), source(), Control())
    flip(model.home / MODEL, 5)
    assert model.manifest is not None
    with pytest.raises(ModelError, match=r"not known where onnx/model\.onnx"):
        repair(replace(model, manifest=replace(model.manifest, repo="")), source(), Control())


_REPAIR = "from tests.models import test_repair; test_repair.mend()"


@pytest.mark.parametrize("short", [False, True])
def test_killed_again_and_again_it_never_gets_worse(hub: Hub, model: Installed, short: bool) -> None:
    """kill -9 of a process that repairs: what was bad gets less, what was right stays, and the last one is whole."""
    chance = random.Random(short)
    flip(model.home / MODEL, *(number * CHUNK for number in range(10)))
    if short:
        os.truncate(model.home / MODEL, 15 * CHUNK)
    hub.faults.append(Fault("slow", times=-1, seconds=0.01))
    store, bad = ModelStore(paths.from_environment()), 99
    env = {**os.environ, "PYTHONPATH": str(download_child.ROOT)}
    for kill in range(5):
        process = subprocess.Popen([sys.executable, "-c", _REPAIR], env=env, cwd=download_child.ROOT)
        seen = hub.sent
        while hub.sent == seen and process.poll() is None:
            time.sleep(0.01)
        time.sleep(chance.uniform(0.0, 0.3) if kill < 4 else 60 * (process.wait(60) is None))
        process.kill()
        process.wait()
        found = verify(store.get("onnx"))
        assert len(found.bad) <= bad
        bad = len(found.bad)
    assert bad == 0
    store.tidy()
    assert is_right(model.home)
    assert leftovers() == []


@pytest.mark.parametrize(
    ("repo", "source", "expected"),
    [
        ("who/x", "", ("https://hub/who/x/resolve/main/a.gguf", "https://mirror/who/x/resolve/main/a.gguf")),
        ("", "https://example.org/a.gguf", ("https://example.org/a.gguf",)),
        ("", "http://127.0.0.1:8000/a.gguf", ("http://127.0.0.1:8000/a.gguf",)),
        ("../../api/whoami?x=", "", ()),
        ("", "http://192.168.0.1/reboot", ()),
        ("", "https://user:secret@example.org/a.gguf", ()),
        ("", "http://[", ()),
        ("", "a bundle signed by 0000", ()),
    ],
)
def test_a_strange_manifest_leads_only_where_a_person_could_pull_from(
    repo: str, source: str, expected: tuple[str, ...]
) -> None:
    file = ManifestFile("a.gguf", 1, "ab" * 32)
    manifest = Manifest(name="x", files=(file,), repo=repo, source=source)
    assert addresses_of(manifest, file, ("https://hub", "https://mirror")) == expected
