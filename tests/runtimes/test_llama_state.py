"""Tests of prompts kept on the disk: the same answer with less reading, and only misses when something is off."""

from __future__ import annotations

import json
import os
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from edgellm.runtimes import llama_state
from edgellm.runtimes.base import Chunk, Finish, Message, Placement, Remembering, Request
from edgellm.runtimes.build import inspect
from edgellm.runtimes.llama import LlamaRuntime
from tests import tiny_gguf

PLACEMENT = Placement(context=4096, batch=256, threads=1, cpu_variant="haswell")
ROOM = 64 << 20
TEXT = "the model reads the text and writes what is there; " * 110


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gguf.make(tmp_path_factory.mktemp("models") / "random.gguf")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "prompts"


@pytest.fixture
def first(file: Path, folder: Path) -> tuple[str, Finish]:
    """The answer that was kept."""
    return once(file, folder, TEXT)


def once(file: Path, folder: Path, text: str, placement: Placement = PLACEMENT, room: int = ROOM) -> tuple[str, Finish]:
    """One answer in a model that was just loaded."""
    runtime = LlamaRuntime.load(file, placement)
    try:
        assert isinstance(runtime, Remembering)
        runtime.remember(folder, room)
        return ask(runtime, text)
    finally:
        runtime.close()


def ask(runtime: LlamaRuntime, text: str, **rest: object) -> tuple[str, Finish]:
    events = list(runtime.generate(Request((Message("user", text),), max_tokens=12, **rest)))  # type: ignore[arg-type]
    assert isinstance(events[-1], Finish)
    return "".join(event.text for event in events if isinstance(event, Chunk)), events[-1]


def states(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.state"))


def test_a_document_is_read_once(file: Path, folder: Path, first: tuple[str, Finish]) -> None:
    assert first[1].cached_tokens == 0
    assert first[1].prompt_tokens > llama_state.SHORTEST
    again = once(file, folder, TEXT)
    assert again[0] == first[0]
    assert again[1].cached_tokens == again[1].prompt_tokens - 1
    other = once(file, folder, TEXT + "and now another question?")
    assert other[1].cached_tokens > 0.95 * first[1].prompt_tokens
    assert len(states(folder)) == 1
    assert once(file, folder, TEXT, replace(PLACEMENT, threads=2, context=3584))[1].cached_tokens > 1000


def test_a_longer_one_takes_the_place_of_its_beginning(file: Path, folder: Path) -> None:
    runtime = LlamaRuntime.load(file, PLACEMENT)
    runtime.remember(folder, ROOM)
    said, _ = ask(runtime, TEXT)
    (before,) = states(folder)
    long = Request(
        (Message("user", TEXT), Message("assistant", said), Message("user", TEXT[:1500])),
        max_tokens=3,
    )
    list(runtime.generate(long))
    (after,) = states(folder)
    assert after != before
    runtime.close()
    assert once(file, folder, TEXT)[1].cached_tokens > 1000


def test_short_prompts_and_abandoned_answers_are_not_kept(file: Path, folder: Path) -> None:
    once(file, folder, "short")
    runtime = LlamaRuntime.load(file, PLACEMENT)
    runtime.remember(folder, ROOM)
    events = runtime.generate(Request((Message("user", TEXT),)))
    next(events)
    ask(runtime, "another")
    del events
    runtime.close()
    assert states(folder) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no such permissions there")
def test_only_the_owner_may_read(folder: Path, first: tuple[str, Finish]) -> None:
    assert first
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert {file.suffix for file in folder.iterdir()} == {".state", ".json"}


@pytest.mark.parametrize(
    "damage",
    [
        "a byte in the middle",
        "cut short",
        "empty",
        "longer",
        "no header",
        "header of another",
        "tokens of another",
        "gone",
    ],
)
def test_what_is_damaged_is_ignored_and_removed(
    file: Path, folder: Path, first: tuple[str, Finish], damage: str
) -> None:
    (state,), header = states(folder), next(folder.glob("*.json"))
    data, facts = bytearray(state.read_bytes()), json.loads(header.read_text())
    if damage == "a byte in the middle":
        data[len(data) // 2] ^= 1
        state.write_bytes(data)
    elif damage in ("cut short", "empty", "longer"):
        state.write_bytes({"cut short": bytes(data[:-100]), "empty": b"", "longer": bytes(data) + b"x"}[damage])
    elif damage == "no header":
        header.write_text("{")
    elif damage == "header of another":
        header.write_text(json.dumps({"tokens": ["x"], "size": -1, "checksum": None}))
    elif damage == "tokens of another":
        header.write_text(json.dumps(facts | {"tokens": [*facts["tokens"][:-1], 5]}))
    else:
        state.unlink()
    text, finish = once(file, folder, TEXT)
    assert (text, finish.cached_tokens) == (first[0], 0)
    assert len(states(folder)) == 1, "it was not written again"
    assert once(file, folder, TEXT)[1].cached_tokens > 1000
    assert {left.suffix for left in folder.iterdir()} == {".state", ".json"}


def test_a_state_with_a_right_checksum_and_wrong_contents_is_refused(
    file: Path, folder: Path, first: tuple[str, Finish]
) -> None:
    (state,), header = states(folder), next(folder.glob("*.json"))
    state.write_bytes(state.read_bytes()[:5000])
    facts = json.loads(header.read_text()) | {"size": 5000, "checksum": llama_state._checksum(state)}
    header.write_text(json.dumps(facts))
    text, finish = once(file, folder, TEXT)
    assert (text, finish.cached_tokens) == (first[0], 0)


def test_another_model_placement_or_build_does_not_see_it(
    file: Path, folder: Path, first: tuple[str, Finish], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert first
    other = tiny_gguf.make(tmp_path / "other.gguf", seed=1)
    assert once(other, folder, TEXT)[1].cached_tokens == 0
    assert once(file, folder, TEXT, replace(PLACEMENT, repack=False))[1].cached_tokens == 0
    build = replace(inspect(), version="0.0.1")
    with monkeypatch.context() as patch:
        patch.setattr(llama_state, "inspect", lambda: build)
        assert once(file, folder, TEXT)[1].cached_tokens == 0
    os.utime(file, ns=(1, 1))
    assert once(file, folder, TEXT)[1].cached_tokens == 0


def test_the_oldest_make_room(file: Path, folder: Path, first: tuple[str, Finish]) -> None:
    assert first
    size = states(folder)[0].stat().st_size
    room = int(size * 2.5)
    for number in range(4):
        once(file, folder, f"{number} {TEXT}", room=room)
        assert sum(state.stat().st_size for state in states(folder)) <= room
    assert once(file, folder, f"3 {TEXT}", room=room)[1].cached_tokens > 1000
    assert once(file, folder, f"0 {TEXT}", room=room)[1].cached_tokens < 100
    assert len(list(folder.glob("*.json"))) == len(states(folder))


def test_one_that_is_larger_than_all_the_room_is_not_written(file: Path, folder: Path) -> None:
    once(file, folder, TEXT, room=10_000)
    assert states(folder) == []


def test_what_a_kill_leaves_is_cleared_away_and_never_read(file: Path, folder: Path, first: tuple[str, Finish]) -> None:
    """While a state is read it has another name, so that one that kills the process does so once."""
    (state,) = states(folder)
    state.rename(state.with_suffix(".reading"))
    (folder / "half.part").write_bytes(b"x")
    text, finish = once(file, folder, TEXT)
    assert (text, finish.cached_tokens) == (first[0], 0)
    once(file, folder, "x " + TEXT)
    assert {left.suffix for left in folder.iterdir()} == {".state", ".json"}


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind here")
def test_a_folder_that_cannot_be_written_costs_nothing(file: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert once(file, tmp_path / "prompts", TEXT)[1].new_tokens == 12
    tmp_path.chmod(0o700)


def test_a_file_in_place_of_the_folder_costs_nothing(file: Path, tmp_path: Path) -> None:
    (tmp_path / "prompts").write_text("in the way")
    assert once(file, tmp_path / "prompts", TEXT)[1].new_tokens == 12
