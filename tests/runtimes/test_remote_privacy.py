"""What leaves this machine and what does not: the offline lock, the ledger, the key and whom it is sent to."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail

from edgellm.errors import NetworkError, OfflineError, SettingsError, UsageError
from edgellm.models.token import Tokens
from edgellm.runtimes.remote import KEYS, RemoteRuntime, server_of
from edgellm.runtimes.remote_client import Server
from edgellm.settings import Settings, changed
from tests.loopback_chat import ChatServer, answer, status
from tests.remote_bench import QUICK, ask, loaded, paths_in

KEY = "sk-canary0123456789"
SECRET = "the-words-of-the-prompt"
ELSEWHERE = "http://192.0.2.7:8000"


class Ring(KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


def _ledger(folder: Path) -> list[dict[str, object]]:
    file = paths_in(folder).ledger
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_nothing_happens_until_a_server_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"No server is set\. Set remote_address"):
        server_of(Settings, paths_in(tmp_path))
    assert _ledger(tmp_path) == []


def test_the_offline_lock_refuses_other_machines_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(OfflineError, match=r"^The offline lock is on, so 192\.0\.2\.7 was not contacted\."):
        loaded(ELSEWHERE, tmp_path)
    assert [line["outcome"] for line in _ledger(tmp_path)] == ["refused: offline lock"]


def test_the_lock_holds_from_the_moment_it_is_set(tmp_path: Path) -> None:
    """The settings are read at each connection."""
    values = [Settings(remote_address=ELSEWHERE, offline=False)]
    server = server_of(lambda: values[0], paths_in(tmp_path), QUICK)
    values[0] = changed(values[0], offline=True)
    with pytest.raises(OfflineError):
        RemoteRuntime.load(server, "")


def test_the_ledger_names_connections_and_no_text(tmp_path: Path) -> None:
    counts = {"/tokenize": status(200, {"count": 3})}
    with ChatServer(answer(SECRET), others=counts) as server:
        runtime = loaded(server.address, tmp_path)
        assert ask(runtime, SECRET)[0] == SECRET
    lines = _ledger(tmp_path)
    assert {line["purpose"] for line in lines} == {"remote models", "remote tokens", "remote chat"}
    assert {line["host"] for line in lines} == {"127.0.0.1"}
    assert SECRET not in paths_in(tmp_path).ledger.read_text()


def test_the_log_holds_no_text_and_no_key(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ring = Ring()
    with ChatServer(answer(SECRET)) as server:
        Tokens(paths_in(tmp_path), ring, KEYS).save(server.address, KEY)
        ask(loaded(server.address, tmp_path, ring=ring), SECRET)
    assert SECRET not in caplog.text
    assert KEY not in caplog.text


def test_the_key_goes_to_its_server_and_to_no_other(tmp_path: Path) -> None:
    ring = Ring()
    with ChatServer(answer("x")) as mine, ChatServer(answer("x")) as other:
        Tokens(paths_in(tmp_path), ring, KEYS).save(f"{mine.address}/v1", KEY)
        for server in (mine, other):
            ask(loaded(server.address, tmp_path, ring=ring))
        assert {asked.headers.get("authorization") for asked in mine.log} == {f"Bearer {KEY}"}
        assert {asked.headers.get("authorization") for asked in other.log} == {None}
        assert len(mine.log) == len(other.log) > 1


def test_the_key_is_not_the_hubs_token(tmp_path: Path) -> None:
    ring, paths = Ring(), paths_in(tmp_path)
    Tokens(paths, ring).save("http://127.0.0.1:5", "hf_token")
    keys = Tokens(paths, ring, KEYS)
    assert keys.find("http://127.0.0.1:5") is None
    keys.save("http://127.0.0.1:5", KEY)
    assert Tokens(paths, ring).read("http://127.0.0.1:5") == "hf_token"
    assert {service for service, _ in ring.kept} == {"EdgeLLM hub token", "EdgeLLM server key"}


def test_without_a_keyring_it_is_a_file_of_its_own(tmp_path: Path) -> None:
    paths = paths_in(tmp_path)
    none: KeyringBackend = fail.Keyring()  # type: ignore[no-untyped-call]
    kept = Tokens(paths, none, KEYS).save("http://127.0.0.1:5", KEY)
    assert kept.where == "file"
    assert [file.name for file in tmp_path.iterdir()] == ["server-keys.json"]
    assert Tokens(paths, none, KEYS).read("http://127.0.0.1:5/v1") == KEY


def test_a_key_is_not_kept_for_an_address_that_anyone_on_the_way_can_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"only kept for an https address\. Check remote_address in the settings"):
        Tokens(paths_in(tmp_path), Ring(), KEYS).save("http://box:8000", KEY)


@pytest.mark.parametrize("code", [401, 403])
def test_a_key_that_is_not_accepted_is_said_and_not_repeated(tmp_path: Path, code: int) -> None:
    ring = Ring()
    refused = status(code, {"error": {"message": f"Incorrect API key provided: {KEY}."}})
    with ChatServer(refused) as server:
        Tokens(paths_in(tmp_path), ring, KEYS).save(server.address, KEY)
        error = ask(loaded(server.address, tmp_path, ring=ring))[2]
        assert len(server.chats) == 1
    assert isinstance(error, NetworkError)
    start = f"127.0.0.1 does not accept the key that is kept for it (status {code})."
    assert error.message == f'{start} It says: "Incorrect API key provided: …."'
    assert error.hint == "Keep another one: edgellm remote --set-key"


def test_no_redirect_is_followed(tmp_path: Path) -> None:
    with ChatServer(answer("x")) as other:
        leads = status(307, Location=f"{other.address}/v1/chat/completions")
        with ChatServer(leads) as server:
            assert "leads to another address" in str(ask(loaded(server.address, tmp_path))[2])
        assert other.log == []


def test_a_server_is_a_value_that_shows_no_key(tmp_path: Path) -> None:
    ring = Ring()
    Tokens(paths_in(tmp_path), ring, KEYS).save("http://127.0.0.1:5", KEY)
    server = server_of(lambda: Settings(remote_address="http://127.0.0.1:5"), paths_in(tmp_path), QUICK, ring)
    assert isinstance(server, Server)
    assert KEY not in f"{server!r} {server.door!r} {server.door.asked()!r}"
    assert server.door.asked().key is True
