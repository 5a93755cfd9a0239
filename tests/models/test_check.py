"""Verifying: what is wrong is named by file and part, and whose fault it is is said."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from edgellm.errors import Stopped
from edgellm.models import catalog
from edgellm.models import manifest as manifests
from edgellm.models.check import BadPart, verify
from edgellm.models.hashing import CHUNK, Work, digest
from edgellm.models.installed import Installed
from edgellm.models.store import ModelStore
from tests import model_files, tiny_gguf

SIZE = 200_000
PART = model_files.CHUNK
DATA = model_files.noise(SIZE)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(model_files.paths_in(tmp_path))


@pytest.fixture
def model(store: ModelStore) -> Installed:
    return model_files.place(store, "tiny", {"x.gguf": DATA, "sub/y.json": b"{}"}, checked="2026-01-02T03:04:05Z")


def flip(path: Path, *positions: int) -> None:
    data = bytearray(path.read_bytes())
    for position in positions:
        data[position] ^= 1
    path.write_bytes(data)


def test_hashes_are_those_of_every_part(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for size in (0, 1, PART - 1, PART, PART + 1, 3 * PART):
        data = DATA[:size]
        path.write_bytes(data)
        found = digest(path, PART, Work())
        parts = [data[at : at + PART] for at in range(0, size, PART)]
        assert (found.size, found.sha256) == (size, model_files.sha256(data))
        assert list(found.chunks) == [model_files.sha256(part) for part in parts]
    path.write_bytes(DATA)
    assert digest(path, CHUNK, Work()).chunks == (model_files.sha256(DATA),)


def test_the_built_in_model_is_the_one_that_the_catalog_pins(store: ModelStore, tmp_path: Path) -> None:
    """After it was trained again its new hash has to stand in models.toml."""
    starter = store.get("starter")
    assert model_files.sha256(starter.path.read_bytes()) == catalog.shipped_hash()
    result = verify(starter)
    assert (result.ok, result.known) == (True, True)
    assert result.sentence == "starter is whole: every byte is as it came with the program."
    copy = tmp_path / "starter.gguf"
    copy.write_bytes(starter.path.read_bytes())
    flip(copy, 1_000_000)
    result = verify(replace(starter, path=copy, folder=tmp_path))
    assert not result.ok and "is damaged" in result.sentence and "Install EdgeLLM again" in result.sentence


def test_a_whole_model(model: Installed, store: ModelStore) -> None:
    steps: list[tuple[int, int]] = []
    result = verify(model, lambda done, total: steps.append((done, total)))
    assert result.ok and result.known and not result.bad and not result.missing and not result.extra
    assert result.sentence == "tiny is whole: every byte is as it came."
    assert steps[-1] == (SIZE + 2, SIZE + 2)
    after = store.get("tiny").manifest
    assert after is not None and after.checked > "2026-01-02T03:04:05Z", "the day is remembered"
    assert after.added == (model.manifest.added if model.manifest else "")


def test_one_hundred_damaged_models(model: Installed) -> None:
    """Every flipped byte is found in its part, and no other part is named."""
    for number in range(100):
        draw = random.Random(number)
        positions = sorted({draw.randrange(SIZE) for _ in range(draw.choice((1, 1, 2, 5)))})
        flip(model.path, *positions)
        result = verify(model)
        parts = sorted({position // PART for position in positions})
        assert result.bad == tuple(BadPart("x.gguf", part * PART, min((part + 1) * PART, SIZE)) for part in parts)
        assert not result.ok and "changed on this disk since it was checked on 2026-01-02" in result.sentence
        model.path.write_bytes(DATA)
    assert verify(model).ok


@pytest.mark.parametrize(
    ("data", "bad"),
    [
        (DATA[: 10 * PART], [(part * PART, min((part + 1) * PART, SIZE)) for part in range(10, 49)]),
        (DATA[: SIZE - 1], [(48 * PART, SIZE)]),
        (DATA + b"more", [(SIZE, SIZE + 4)]),
        (DATA + bytes(PART), [(SIZE, SIZE + PART)]),
        (b"", [(part * PART, min((part + 1) * PART, SIZE)) for part in range(49)]),
        (bytes(SIZE), [(part * PART, min((part + 1) * PART, SIZE)) for part in range(49)]),
    ],
    ids=["cut", "one byte less", "four bytes more", "zeros more", "empty", "zeros"],
)
def test_files_of_another_length(model: Installed, data: bytes, bad: list[tuple[int, int]]) -> None:
    model.path.write_bytes(data)
    assert [(part.start, part.stop) for part in verify(model).bad] == bad


def test_missing_extra_and_linked_files(model: Installed, tmp_path: Path) -> None:
    (model.home / "notes.txt").write_text("mine")
    result = verify(model)
    assert result.ok and result.extra == ("notes.txt",) and "notes.txt" in result.sentence
    (model.home / "sub" / "y.json").unlink()
    result = verify(model)
    assert not result.ok and result.missing == ("sub/y.json",)
    assert "sub/y.json is missing" in result.sentence
    (tmp_path / "y.json").write_bytes(b"{}")
    (model.home / "sub" / "y.json").symlink_to(tmp_path / "y.json")
    assert verify(model).missing == ("sub/y.json",), "a link is not what came"


def test_without_part_hashes_the_whole_file_is_named(model: Installed) -> None:
    assert model.manifest is not None
    bare = replace(model.manifest, files=tuple(replace(file, chunks=()) for file in model.manifest.files), checked="")
    flip(model.path, 5)
    result = verify(replace(model, manifest=bare))
    assert result.bad == (BadPart("x.gguf", 0, SIZE),)
    assert "never checked before" in result.sentence and "changed on this disk" not in result.sentence


def test_a_file_put_there_by_hand_was_never_checked(store: ModelStore, tmp_path: Path) -> None:
    store.ready()
    good = tiny_gguf.make(store.folder / "good.gguf")
    (store.folder / "bad.gguf").write_bytes(good.read_bytes()[:-1_000])
    result = verify(store.get("good"))
    assert result.ok and not result.known and "was never checked" in result.sentence
    result = verify(store.get("bad"))
    assert not result.ok and not result.known and "cut short" in result.sentence
    assert verify(store.get("starter")).ok


def test_cancel_and_read_only(model: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Stopped):
        verify(model, cancelled=lambda: True)

    def refuse(folder: Path, manifest: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(manifests, "write", refuse)
    assert verify(model).ok, "the day is not remembered then"
