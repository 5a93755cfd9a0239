"""Tests of the scripted runtime, apart from the faults that end a process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgellm.errors import ContextOverflow, ModelDamaged, ModelNotFound, ModelUnsupported
from edgellm.runtimes import registry
from edgellm.runtimes.base import Chunk, Finish, Message, Placement, Request
from edgellm.runtimes.fake import FakeRuntime, tokens


def _runtime(tmp_path: Path, **script: Any) -> FakeRuntime:
    path = tmp_path / "m.fake.json"
    path.write_text(json.dumps(script))
    return FakeRuntime.load(path, Placement(runtime="fake"))


def _ask(runtime: FakeRuntime, text: str, **keys: Any) -> tuple[str, Finish]:
    events = list(runtime.generate(Request((Message("user", text),), **keys)))
    finish = events.pop()
    assert isinstance(finish, Finish)
    return "".join(event.text for event in events if isinstance(event, Chunk)), finish


def test_replies_limits_and_stops(tmp_path: Path) -> None:
    runtime = _runtime(tmp_path, reply="I do not know", replies={"color": "It is  blue.\nVery blue."})
    assert _ask(runtime, "which color?")[0] == "It is  blue.\nVery blue."
    text, finish = _ask(runtime, "something else", max_tokens=2)
    assert (text, finish.reason, finish.truncated, finish.new_tokens) == ("I do", "length", True, 2)
    text, finish = _ask(runtime, "which color?", stop=("\n", "zzz"))
    assert (text, finish.reason, finish.truncated) == ("It is  blue.", "stop", False)


def test_counts_cached_tokens_and_context(tmp_path: Path) -> None:
    runtime = _runtime(tmp_path, context=6)
    assert runtime.count((Message("user", "a b"), Message("assistant", "c"))) == 3
    assert _ask(runtime, "a b c")[1].cached_tokens == 0
    assert _ask(runtime, "a b d")[1].cached_tokens == 2
    with pytest.raises(ContextOverflow) as caught:
        _ask(runtime, "a b c d e f")
    assert (caught.value.prompt_tokens, caught.value.context) == (6, 6)
    text, finish = _ask(runtime, "a b c d")
    assert (text, finish.reason, finish.truncated) == ("a b", "length", True)


def test_cancel(tmp_path: Path) -> None:
    runtime = _runtime(tmp_path)
    events = list(runtime.generate(Request((Message("user", "a b"),)), lambda: True))
    assert [event.reason for event in events if isinstance(event, Finish)] == ["cancelled"]
    assert len(events) == 1


def test_faults_strike_where_the_script_says(tmp_path: Path) -> None:
    fault = {"prompt": "x", "after": 1, "kind": "error", "error": "ModelUnsupported", "once": True}
    runtime = _runtime(tmp_path, faults=[fault, {"kind": "memory", "when": {"repack": False}}])
    assert _ask(runtime, "a b")[0] == "a b"
    with pytest.raises(ModelUnsupported):
        _ask(runtime, "x y")
    assert _ask(runtime, "x y")[0] == "x y"


def test_scripts_that_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "m.fake.json"
    with pytest.raises(ModelNotFound):
        registry.load(path, Placement(runtime="fake"))
    for text in ("", "[]", "{", "3"):
        path.write_text(text)
        with pytest.raises(ModelDamaged):
            registry.load(path, Placement(runtime="fake"))


def test_tokens_join_to_the_text() -> None:
    text = "  one two\n\nthree "
    assert "".join(tokens(text)) == text
