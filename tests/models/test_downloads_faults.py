"""Hubs and networks that lie, at the level of a whole model: nothing wrong is installed, and what was right is kept.

What one transfer makes of each fault is tested in test_transfer; here it is many models with several files each.
EDGELLM_CASES sets how many (40 when it is not set).
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from edgellm import paths
from edgellm.errors import EdgeError, ModelDamaged, ModelError, NetworkError
from edgellm.models.catalog import CardFile, ModelCard
from edgellm.models.check import verify
from edgellm.models.download_files import amount_in
from edgellm.models.downloads import FOLDER
from tests import download_child
from tests.download_child import QUICK, Setting
from tests.loopback_hub import Fault, Hub

KB = 1000
CASES = int(os.environ.get("EDGELLM_CASES", "40"))
FILES = {
    "onnx/model.onnx": random.Random(1).randbytes(150 * KB),
    "onnx/model.onnx_data": random.Random(2).randbytes(100 * KB),
    "config.json": b'{"model_type": "bert"}',
    "tokenizer.json": random.Random(3).randbytes(10 * KB),
}
PASSING = ("cut", "reset", "wrong_byte", "zeros", "swapped_prefix", "short", "lying_range", "lying_body", "416", "503",
           "no_range", "etag", "429", "500", "refuse")  # fmt: skip
LYING = ("wrong_byte", "zeros", "swapped_prefix", "short", "portal")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with one ONNX model."""
    with Hub({"maker/onnx": FILES}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        yield server


def models() -> Path:
    """The folder for models."""
    return paths.from_environment().models


def visible() -> list[str]:
    """Everything in the folder for models that a person or a runtime would see."""
    return (
        sorted(path.name for path in models().iterdir() if not path.name.startswith(".")) if models().exists() else []
    )


def random_faults(chance: random.Random) -> list[Fault]:
    """A few faults that pass."""
    paths_of = [path for path, data in FILES.items() if len(data) > KB]
    found = []
    for _ in range(chance.randint(1, 4)):
        path, kind = chance.choice(paths_of), chance.choice(PASSING)
        on = "resolve" if kind in ("503", "429", "500", "refuse") and chance.random() < 0.5 else "file"
        value = {"etag": '"another"', "429": "0"}.get(kind, "")
        at = chance.randint(0, len(FILES[path]))
        at = chance.randint(1, 5 * KB) if kind.startswith("lying") else at
        found.append(Fault(kind, at=at, times=chance.randint(1, 2), on=on, value=value, path=path))
    return found


def test_whatever_passes_every_byte_is_right_in_the_end(hub: Hub, home: Path) -> None:
    """A model of four files, again and again, each time with other faults."""
    for case in range(CASES):
        chance = random.Random(case)
        hub.faults[:] = random_faults(chance)
        told = [(fault.kind, fault.path, fault.at, fault.times) for fault in hub.faults]
        tuning = replace(QUICK, patience=5.0, first_wait=0.01, longest_wait=0.05)
        downloads, api, _ = download_child.build(paths.from_environment(), Setting(), tuning)
        card = replace(api.card("maker/onnx"), name=f"case-{case}")
        for _ in range(5):
            with suppress(NetworkError, ModelDamaged):
                downloads.pull(card)
                break
            assert f"case-{case}" not in visible(), told
        model = downloads.pull(card)
        assert {path: (model.home / path).read_bytes() for path in FILES} == FILES, told
        assert verify(model).ok
        model_store = download_child.build(paths.from_environment(), Setting())[2]
        model_store.remove(model.name)  # or the next case would link its content
        model_store.discard()
        hidden = [one for one in models().rglob("*") if one.is_file() and one.name != ".lock"]
        assert hidden == [], told


@pytest.mark.parametrize("kind", LYING)
@pytest.mark.parametrize("path", ["onnx/model.onnx_data", "tokenizer.json"])
def test_a_hub_that_always_lies_never_gets_a_model_installed(hub: Hub, kind: str, path: str) -> None:
    downloads, api, store = download_child.build(paths.from_environment(), Setting())
    card = replace(api.card("maker/onnx"), name="onnx")
    hub.faults.append(Fault(kind, at=5 * KB, times=-1, path=path))
    with pytest.raises((ModelError, NetworkError)) as caught:
        downloads.pull(card)
    assert path in caught.value.message
    assert visible() == []
    assert [one.name for one in store.installed() if not one.builtin] == []
    hub.faults.clear()
    sent, total, kept = hub.sent, sum(map(len, FILES.values())), amount_in(models() / FOLDER / "onnx.parts")
    assert downloads.pull(card).size == total
    assert hub.sent - sent == total - kept, "what was right is not fetched again"


def test_what_is_damaged_for_good_is_not_tried_again_by_itself(hub: Hub) -> None:
    downloads, api, _ = download_child.build(paths.from_environment(), Setting())
    hub.faults.append(Fault("wrong_byte", at=5 * KB, times=-1, path="onnx/model.onnx"))
    with pytest.raises(ModelDamaged):
        downloads.pull(replace(api.card("maker/onnx"), name="onnx"))
    later = download_child.build(paths.from_environment(), Setting())[0]
    assert later.resume_all() == ()
    (record,) = later.unfinished()
    assert record.final
    assert record.message


def test_a_mirror_that_lies_is_passed_over(hub: Hub) -> None:
    api = download_child.build(paths.from_environment(), Setting())[1]
    card = replace(api.card("maker/onnx"), name="onnx")
    with Hub({"maker/onnx": FILES}, [Fault("wrong_byte", at=7, times=-1)]) as liar:
        setting = Setting(mirror=liar.endpoint, further_mirrors=hub.endpoint)
        model = download_child.build(paths.from_environment(), setting)[0].pull(card)
    assert {path: (model.home / path).read_bytes() for path in FILES} == FILES


def test_a_hub_with_other_content_than_the_catalog_pins_is_refused(hub: Hub) -> None:
    files = tuple(CardFile(path, len(data), "ab" * 32) for path, data in FILES.items() if path.startswith("onnx"))
    card = ModelCard("pinned", "", "", files, repo="maker/onnx", format="onnx")
    with pytest.raises(ModelDamaged):
        download_child.build(paths.from_environment(), Setting())[0].pull(card)
    assert visible() == []
    assert hub.sent == 0


@pytest.mark.parametrize(
    "name", ["../../evil.gguf", "/etc/evil.gguf", "C:\\evil.gguf", "nul.gguf", "a\u202e.gguf", "x" * 500]
)
def test_hostile_names_from_a_hub_never_reach_the_disk(hub: Hub, home: Path, tmp_path: Path, name: str) -> None:
    hub.extra["maker/onnx"] = {"siblings": [{"rfilename": name, "size": 5, "lfs": {"sha256": "ab" * 32, "size": 5}}]}
    downloads, api, _ = download_child.build(paths.from_environment(), Setting())
    before = sorted(path for path in tmp_path.rglob("*") if home not in (path, *path.parents))
    with pytest.raises(EdgeError):
        downloads.pull(api.card("maker/onnx"))
    with pytest.raises(EdgeError):
        downloads.pull(ModelCard("evil", "", "", (CardFile(name, 5, "ab" * 32),), repo="maker/onnx"))
    assert visible() == []
    assert sorted(path for path in tmp_path.rglob("*") if home not in (path, *path.parents)) == before
