"""The offline lock: every command that needs another computer says so in one sentence, and nothing is recorded."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import CommandLine

from tests.loopback_hub import Hub
from tests.tiny_gguf import make

ELSEWHERE = "http://192.0.2.1"  # an address that no computer has

NAME = "me-tiny"


@pytest.fixture
def prepared(edgellm: CommandLine, tmp_path: Path) -> CommandLine:
    """A program with a model that came from a hub and is damaged now, and a bundle."""
    data = make(tmp_path / "tiny.gguf").read_bytes()
    with Hub(repos={"me/tiny": {"tiny.gguf": data}}) as hub:
        edgellm.settings(mirror=hub.endpoint)
        found = edgellm.here("models", "pull", "me/tiny/tiny.gguf", "--json").object
    assert found["name"] == NAME
    edgellm.here("models", "bundle", NAME, "-o", "tiny.edgellm")
    path = Path(found["path"])
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    (edgellm.home / "ledger.jsonl").unlink()
    edgellm.settings(mirror="")
    return edgellm


COMMANDS = (
    ("models", "search", "qwen"),
    ("models", "pull", "qwen3-0.6b-q4"),
    ("models", "pull", "opus-mt-en-fr"),
    ("models", "pull", "owner/name"),
    ("models", "pull", "owner/name:Q4_K_M", "--dry-run"),
    ("models", "pull", f"{ELSEWHERE}/model.gguf"),
    ("models", "pull", "https://example.org/model.gguf"),
    ("models", "repair", NAME),
    ("models", "add", f"{ELSEWHERE}/tiny.edgellm"),
    ("models", "share", "tiny.edgellm", "--lan"),
)


def test_every_networked_command_is_refused_and_leaves_no_trace(prepared: CommandLine) -> None:
    for mirror in ("", ELSEWHERE, "https://mirror.example.org"):
        prepared.settings(mirror=mirror)
        for arguments in COMMANDS if not mirror else COMMANDS[:3]:
            ran = prepared.here(*arguments, status=1)
            lines = ran.err.splitlines()
            assert [line for line in lines if line.startswith("error: ")] == [lines[-2]], ran.err
            assert lines[-2].startswith("error: The offline lock is on"), ran.err
            assert lines[-1].startswith("hint: To allow it for this command, add --online"), ran.err
            assert ran.out == "", "nothing is promised before it is refused"
            assert not (prepared.home / "ledger.jsonl").exists(), arguments
    assert not list((prepared.home / "models").glob(".downloads/*.json")), "it would be gone on with"


def test_as_an_object_for_programs(edgellm: CommandLine) -> None:
    found = edgellm("models", "pull", "qwen3-0.6b-q4", "--json", status=1).object
    assert found["kind"] == "OfflineError"
    assert "--online" in found["hint"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("models",),
        ("models", "list", "--all"),
        ("models", "recommend"),
        ("models", "search", "qwen", "--catalog"),
        ("models", "pull", "qwen3-0.6b-q4", "--dry-run"),
        ("models", "pull", "opus-mt-en-fr", "--dry-run"),
        ("models", "details", "qwen3-0.6b-q4"),
        ("models", "verify"),
        ("models", "token"),
    ],
)
def test_what_needs_no_network_works_and_connects_nowhere(edgellm: CommandLine, arguments: tuple[str, ...]) -> None:
    assert edgellm.here(*arguments).out
    assert not (edgellm.home / "ledger.jsonl").exists()


def test_online_lifts_the_lock_for_one_command(edgellm: CommandLine) -> None:
    """The hub's address is one that only a proxy can reach; the proxy is the loopback hub itself."""
    with Hub(repos={"me/tiny-GGUF": {"tiny-Q4_0.gguf": b"GGUF"}}) as hub:
        edgellm.settings(mirror=ELSEWHERE, proxy=hub.endpoint)
        edgellm.here("models", "search", "tiny", status=1)
        assert hub.log == []
        assert "me/tiny-GGUF" in edgellm.here("models", "search", "tiny", "--online").out
        assert hub.log
        edgellm.here("models", "search", "tiny", status=1)
    assert "192.0.2.1" in (edgellm.home / "ledger.jsonl").read_text()
    assert "offline" not in (edgellm.home / "settings.toml").read_text()


def test_a_hub_on_this_machine_is_always_allowed(edgellm: CommandLine) -> None:
    with Hub(repos={"me/tiny-GGUF": {"tiny-Q4_0.gguf": b"GGUF"}}) as hub:
        edgellm.environment["HF_ENDPOINT"] = hub.endpoint
        assert "me/tiny-GGUF" in edgellm.here("models", "search", "tiny").out
        assert "Nothing of that name" in edgellm.here("models", "search", "zzz").out
