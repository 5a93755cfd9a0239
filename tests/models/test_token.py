"""The hub's token: in a keyring, or in a file that only this person reads; each for one address."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail

from edgellm.errors import StorageError, UsageError
from edgellm.models.token import Kept, Tokens, origin_of
from edgellm.paths import Paths

HUB = "https://hub.example.org"
TOKEN = "hf_canary0123456789"


class Ring(KeyringBackend):
    """A keyring in memory, which can be locked."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False
        self.stubborn = False

    def _open(self) -> None:
        if self.locked:
            raise RuntimeError(f"the collection is locked {TOKEN}")

    def get_password(self, service: str, username: str) -> str | None:
        self._open()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._open()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._open()
        if not self.stubborn:
            del self.kept[service, username]


def _no_ring() -> KeyringBackend:
    """What `keyring` gives where there is none."""
    return fail.Keyring()  # type: ignore[no-untyped-call]


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.under(tmp_path / "config", tmp_path / "data", tmp_path / "logs")


def _files(paths: Paths) -> list[Path]:
    folder = paths.settings.parent
    return sorted(folder.iterdir()) if folder.exists() else []


def test_a_keyring_keeps_it_and_no_file_does(paths: Paths) -> None:
    ring = Ring()
    tokens = Tokens(paths, ring)
    assert tokens.find(HUB) is None and tokens.read(HUB) == ""
    assert tokens.save(HUB, f" {TOKEN}\n") == Kept(TOKEN, "keyring")
    assert tokens.read(f"{HUB}/") == TOKEN and _files(paths) == []
    assert tokens.forget(HUB) and not tokens.forget(HUB)
    assert ring.kept == {} and tokens.read(HUB) == ""


@pytest.mark.skipif(os.name != "posix", reason="modes of files are a matter of POSIX")
def test_without_a_keyring_a_closed_file_keeps_it_and_that_is_said(paths: Paths) -> None:
    tokens = Tokens(paths, _no_ring())
    kept = tokens.save(HUB, TOKEN)
    (path,) = _files(paths)
    assert kept.where == "file" and str(path) in kept.notice and "no keyring" in kept.notice
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    assert tokens.read(HUB) == TOKEN and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert tokens.forget(HUB) and _files(paths) == []


def test_a_token_is_for_one_address(paths: Paths) -> None:
    for ring in (Ring(), _no_ring()):
        tokens = Tokens(paths, ring)
        tokens.save(HUB, TOKEN)
        for other in ("https://evil.example.org", "https://hub.example.org:8443", "https://hub.example.org.evil.net"):
            assert tokens.read(other) == ""
        tokens.save("https://other.example.org", "hf_other")
        assert (tokens.read(HUB), tokens.read("https://other.example.org")) == (TOKEN, "hf_other")
        tokens.forget(HUB)
        assert (tokens.read(HUB), tokens.read("https://other.example.org")) == ("", "hf_other")
        tokens.forget("https://other.example.org")


def test_a_keyring_that_comes_back_takes_over(paths: Paths) -> None:
    ring = Ring()
    ring.locked = True
    tokens = Tokens(paths, ring)
    assert tokens.save(HUB, "hf_old").where == "file" and tokens.read(HUB) == "hf_old"
    ring.locked = False
    assert tokens.save(HUB, TOKEN).where == "keyring" and _files(paths) == []
    assert tokens.read(HUB) == TOKEN


def test_a_keyring_that_does_not_forget_is_said(paths: Paths) -> None:
    ring = Ring()
    tokens = Tokens(paths, ring)
    tokens.save(HUB, TOKEN)
    ring.stubborn = True
    with pytest.raises(StorageError, match="did not forget"):
        tokens.forget(HUB)


@pytest.mark.parametrize("token", ["", "  ", "a b", "a\r\nX-Evil: 1", "a\x00", "hf_é", "x" * 513])
def test_what_cannot_be_a_header_is_no_token(paths: Paths, token: str) -> None:
    with pytest.raises(UsageError) as caught:
        Tokens(paths, Ring()).save(HUB, token)
    assert not token.strip() or token.strip() not in str(caught.value)
    assert _files(paths) == []


@pytest.mark.parametrize("endpoint", ["", "hub", "ftp://x", "http://", "https://x:99999", "https://[x"])
def test_what_is_no_address_is_refused(paths: Paths, endpoint: str) -> None:
    with pytest.raises(UsageError):
        Tokens(paths, Ring()).save(endpoint, TOKEN)
    assert Tokens(paths, Ring()).find(endpoint) is None


def test_a_token_is_not_kept_for_an_address_in_the_clear_but_for_this_machine(paths: Paths) -> None:
    with pytest.raises(UsageError, match="https"):
        Tokens(paths, Ring()).save("http://hub.example.org", TOKEN)
    assert Tokens(paths, Ring()).save("http://127.0.0.1:8000", TOKEN).token == TOKEN


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 9_000, f'{{"{HUB}": 5}}', f'{{"{HUB}": "a b"}}'])
def test_a_damaged_file_holds_no_token_and_can_be_written_over(paths: Paths, text: str) -> None:
    paths.settings.parent.mkdir(parents=True)
    (paths.settings.parent / "hub-token.json").write_text(text)
    tokens = Tokens(paths, _no_ring())
    assert tokens.find(HUB) is None
    assert tokens.save(HUB, TOKEN).token == TOKEN and tokens.read(HUB) == TOKEN


def test_a_file_that_cannot_be_written_is_an_error(paths: Paths) -> None:
    paths.settings.parent.parent.mkdir(parents=True, exist_ok=True)
    paths.settings.parent.write_text("a file where the folder should be")
    with pytest.raises(StorageError) as caught:
        Tokens(paths, _no_ring()).save(HUB, TOKEN)
    assert TOKEN not in str(caught.value)


def test_a_token_is_never_shown_or_logged(paths: Paths, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    ring = Ring()
    ring.locked = True
    kept = Tokens(paths, ring).save(HUB, TOKEN)
    assert TOKEN not in repr(kept) + str(kept) + kept.notice + caplog.text
    assert "RuntimeError" in caplog.text


def test_the_address_is_scheme_host_and_port() -> None:
    assert origin_of("https://Hub.Example.org:443/api/") == "https://hub.example.org"
    assert origin_of("http://[::1]:80/x") == "http://[::1]"
    assert origin_of("http://127.0.0.1:8000") == "http://127.0.0.1:8000"


def test_on_a_machine_without_a_keyring_the_file_is_used_and_nothing_is_loaded_at_import(tmp_path: Path) -> None:
    code = (
        "import json, sys; from edgellm.models.token import Tokens; from edgellm import paths\n"
        "before = 'keyring' in sys.modules\n"
        f"kept = Tokens(paths.from_environment()).save('{HUB}', '{TOKEN}')\n"
        "print(json.dumps([before, kept.where]))"
    )
    ring = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    environment = {**os.environ, **ring, "EDGELLM_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60, env=environment
    )
    assert json.loads(done.stdout) == [False, "file"]
