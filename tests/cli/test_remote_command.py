"""`edgellm remote`: off by itself, the models of a server, its key, and the offline lock."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import CommandLine

from tests.loopback_chat import ChatServer, answer, status

KEY = "sk-canary0123456789"


@pytest.fixture
def edgellm(tmp_path: Path) -> CommandLine:
    home = tmp_path / "home"
    home.mkdir()
    made = CommandLine(home)
    made.environment["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    return made


def _set(edgellm: CommandLine, address: str) -> None:
    (edgellm.home / "settings.toml").write_text(f'remote_address = "{address}"\n', encoding="utf-8")


def test_it_is_off_by_itself(edgellm: CommandLine) -> None:
    assert edgellm.here("remote").out.startswith("No server is set, so every model runs on this computer.")
    assert edgellm.here("remote", "--json").object["models"] == []
    assert "No server is set" in edgellm.here("remote", "--set-key", given=KEY, status=2).err
    assert not (edgellm.home / "ledger.jsonl").exists()


def test_it_lists_the_models_of_the_server(edgellm: CommandLine) -> None:
    with ChatServer(answer("x"), models=[{"id": "big", "max_model_len": 32768}, "org/small:7b"]) as server:
        _set(edgellm, server.address)
        assert edgellm.here("remote").out.splitlines() == [
            f"{server.address}/v1: Runs on another program on this computer.",
            "No key is kept for it.",
            "  remote:big, 32,768 tokens of context",
            "  remote:org/small:7b",
        ]
        found = edgellm.here("remote", "--json").object
    assert found["models"] == [{"name": "big", "context": 32768}, {"name": "org/small:7b", "context": 0}]
    assert (found["local"], found["key"]) == (True, False)


def test_the_key_is_kept_used_never_shown_and_forgotten(edgellm: CommandLine) -> None:
    with ChatServer(answer("x")) as server:
        _set(edgellm, server.address)
        ran = edgellm.here("remote", "--set-key", given=f"{KEY}\n")
        assert "The key for 127.0.0.1 is kept." in ran.out
        shown = edgellm.here("remote")
        assert "A key is kept for it." in shown.out
        assert server.log[-1].headers["authorization"] == f"Bearer {KEY}"
        assert "is forgotten" in edgellm.here("remote", "--clear-key").out
        assert "There was no key" in edgellm.here("remote", "--clear-key").out
        edgellm.here("remote")
        assert "authorization" not in server.log[-1].headers
    assert KEY not in "".join([ran.out, ran.err, shown.out, shown.err])
    assert "No key was given" in edgellm.here("remote", "--set-key", status=2).err


def test_another_machine_is_not_asked_while_the_lock_is_on(edgellm: CommandLine) -> None:
    _set(edgellm, "http://192.0.2.7:8000")
    ran = edgellm.here("remote", status=1)
    assert "Runs on 192.0.2.7: what you write leaves this machine." in ran.out
    assert "The offline lock is on, so 192.0.2.7 was not contacted." in ran.err
    assert not (edgellm.home / "ledger.jsonl").exists()


def test_a_server_that_refuses_is_a_sentence(edgellm: CommandLine) -> None:
    with ChatServer(answer("x"), models=status(401)) as server:
        _set(edgellm, server.address)
        ran = edgellm.here("remote", status=1)
    assert "answers only to those with a key (status 401)" in ran.err
    assert "edgellm remote --set-key" in ran.err
