"""Rows 3 to 5 of what a download must survive: servers that refuse, networks that fail, full disks, hostile headers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from edgellm import network
from edgellm.errors import ModelDamaged, NetworkError, StorageError
from edgellm.models.rate import Control
from edgellm.models.retry import Tuning
from edgellm.models.transfer import Fetched, Wanted, fetch
from edgellm.settings import Settings
from tests.fetching import NAME, QUICK, REPO, connector, content, sha256, wanted
from tests.loopback_hub import Fault, Hub

DATA = content()
IMPATIENT = replace(QUICK, patience=0.8)
ENDINGS = {
    "busy": "is overloaded or out of order",
    "portal": "A web page came instead",
    "refused": "refused the connection",
    "dns": "was not found",
    "tls": "could not be verified",
    "loop": "redirects without an end",
}


def _get(asked: Wanted, folder: Path, tuning: Tuning = IMPATIENT) -> Fetched:
    """Fetch with the offline lock off and no proxy."""

    def connect(purpose: str) -> network.Client:
        return network.client(Settings(offline=False, proxy="none"), folder / "ledger.jsonl", purpose)

    return fetch(asked, folder / "parts" / "x.part", connect, Control(), tuning)


def _trouble(asked: Wanted, folder: Path) -> NetworkError:
    started = time.monotonic()
    with pytest.raises(NetworkError) as caught:
        _get(asked, folder)
    assert time.monotonic() - started < 15
    assert caught.value.hint and not list((folder / "parts").iterdir())
    return caught.value


def test_row_3_six_sentences_that_differ(tmp_path: Path) -> None:
    said = {}
    with Hub({REPO: {NAME: DATA}}) as hub:
        here = hub.url(REPO, NAME)
        for name, faults in {
            "busy": [Fault("503", times=-1)],
            "portal": [Fault("portal", times=-1, on="resolve")],
            "loop": [Fault("loop", times=-1, on="resolve")],
        }.items():
            hub.faults[:] = faults
            said[name] = _trouble(wanted(hub, DATA), tmp_path).message
        elsewhere = {
            "refused": "http://127.0.0.1:9/x.gguf",
            "dns": f"http://{'a' * 64}.invalid/x.gguf",
            "tls": here.replace("http:", "https:"),
        }
        for name, address in elsewhere.items():
            said[name] = _trouble(Wanted((address,), len(DATA), sha256(DATA)), tmp_path).message
    for name, words in ENDINGS.items():
        assert words in said[name]
    assert len(set(said.values())) == 6


@pytest.mark.parametrize("kind", ["429", "500", "502", "503", "504", "portal", "portal_redirect", "refuse", "garbage"])
@pytest.mark.parametrize("on", ["file", "resolve"])
def test_row_3_what_passes_is_waited_for(tmp_path: Path, kind: str, on: str) -> None:
    with Hub({REPO: {NAME: DATA}}, [Fault(kind, times=2, on=on)]) as hub:
        assert _get(wanted(hub, DATA), tmp_path, QUICK).path.read_bytes() == DATA


def test_row_3_no_etag_is_no_obstacle(tmp_path: Path) -> None:
    with Hub({REPO: {NAME: DATA}}, [Fault("cut", at=60_000), Fault("no_etag", times=-1)]) as hub:
        assert _get(wanted(hub, DATA), tmp_path).path.read_bytes() == DATA
        assert hub.sent == len(DATA)


def test_retry_after_is_honored(tmp_path: Path) -> None:
    with Hub({REPO: {NAME: DATA}}, [Fault("429", value="1", on="resolve")]) as hub:
        started = time.monotonic()
        assert _get(wanted(hub, DATA), tmp_path, QUICK).size == len(DATA)
        assert time.monotonic() - started >= 1.0
        assert len(hub.requests("hub")) == 2


def test_a_long_retry_after_is_told_and_not_waited_for(tmp_path: Path) -> None:
    with Hub({REPO: {NAME: DATA}}, [Fault("429", value="3600", on="resolve", times=-1)]) as hub:
        error = _trouble(wanted(hub, DATA), tmp_path)
        assert error.retry_after == 3600 and "60 minutes" in error.hint
        assert len(hub.requests("hub")) == 1
        with Hub({REPO: {NAME: DATA}}) as mirror:
            asked = Wanted((hub.url(REPO, NAME), mirror.url(REPO, NAME)), len(DATA), sha256(DATA))
            assert _get(asked, tmp_path).size == len(DATA)


@pytest.mark.parametrize("value", ["-1", "nan", "1e9", "x" * 5000, "Mon, 99 Foo 2026 00:00:00 GMT", "0", "9" * 40])
def test_an_odd_retry_after_does_no_harm(tmp_path: Path, value: str) -> None:
    with Hub({REPO: {NAME: DATA}}, [Fault("503", value=value, on="resolve")]) as hub:
        if len(value) == 40:
            assert _trouble(wanted(hub, DATA), tmp_path).retry_after == 86400
        else:
            assert _get(wanted(hub, DATA), tmp_path, QUICK).size == len(DATA)


def test_a_refusal_that_lasts_is_not_repeated(tmp_path: Path) -> None:
    with Hub({REPO: {NAME: DATA}}, gated=[REPO], token="hf_secret") as hub:
        assert "does not hand this out" in _trouble(wanted(hub, DATA), tmp_path).message
        absent = Wanted((hub.url("owner/other", "model.gguf"),), 5, sha256(DATA))
        assert "does not have this" in _trouble(absent, tmp_path).message
        assert len(hub.log) == 2


def test_the_usual_patience_ends_within_fifteen_seconds() -> None:
    usual = Tuning()
    assert usual.patience + 1.0 < 15 and usual.stall == 30 and usual.connect < 15 - 2


# Row 4


def test_row_4_too_little_room_is_said_before_the_first_byte(tmp_path: Path) -> None:
    with Hub({REPO: {NAME: DATA}}) as hub, _small_disk(tmp_path, 150) as disk:
        with pytest.raises(StorageError, match="not enough room"):
            _get(wanted(hub, DATA), disk)
        assert not list((disk / "parts").iterdir())


def test_row_4_a_disk_that_fills_up_keeps_the_part(tmp_path: Path) -> None:
    with Hub({REPO: {NAME: DATA}}, [Fault("slow", seconds=0.02)]) as hub, _small_disk(tmp_path, 300) as disk:
        part, ballast = disk / "x.part", disk / "ballast"

        def fill(received: int, total: int | None) -> None:
            if not ballast.exists():
                with suppress(OSError), ballast.open("wb", buffering=0) as file:
                    while file.write(bytes(4096)):
                        pass

        with pytest.raises(StorageError, match="disk is full"):
            fetch(wanted(hub, DATA), part, connector(tmp_path), Control(fill), QUICK)
        had = part.stat().st_size
        assert 0 < had < len(DATA)
        ballast.unlink()
        assert fetch(wanted(hub, DATA), part, connector(tmp_path), Control(), QUICK).received == len(DATA) - had


def test_row_4_a_read_only_folder(tmp_path: Path) -> None:
    with Hub({REPO: {NAME: DATA}}) as hub, _small_disk(tmp_path, 300) as disk:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(StorageError, match="cannot be written to"):
            fetch(wanted(hub, DATA), disk / "x.part", connector(tmp_path), Control(), QUICK)
        assert hub.log == []


def test_row_4_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "parts").write_text("")
    with Hub({REPO: {NAME: DATA}}) as hub, pytest.raises(StorageError):
        _get(wanted(hub, DATA), tmp_path)


_LIMITED = """
import resource, sys
from pathlib import Path
from edgellm.errors import StorageError
from edgellm.models.rate import Control
from edgellm.models.transfer import Wanted, fetch
from tests.fetching import QUICK, connector
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
address, size, sha256, part = sys.argv[1], int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
try:
    fetch(Wanted((address,), size, sha256), part, connector(part.parent), Control(), QUICK)
except StorageError as error:
    sys.stdout.write(error.message)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit")
def test_row_4_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    part = tmp_path / "x.part"
    with Hub({REPO: {NAME: DATA}}) as hub:
        asked = wanted(hub, DATA)
        order = [sys.executable, "-c", _LIMITED, asked.addresses[0], str(len(DATA)), asked.sha256, str(part)]
        done = subprocess.run(order, capture_output=True, text=True, check=True, timeout=60)
        assert done.stdout.startswith("The disk is full") and done.stderr == ""
        assert part.stat().st_size == 100_000
        assert fetch(asked, part, connector(tmp_path), Control(), QUICK).received == len(DATA) - 100_000


@contextmanager
def _small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A file system of its own, where this system and this user allow to mount one."""
    place = folder / "disk"
    place.mkdir()
    if sys.platform != "linux" or os.geteuid():
        pytest.skip("needs Linux and root")
    order = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place)]
    if subprocess.run(order, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


# Row 5

HEADERS = (
    "Content-Length: -1",
    "Content-Length: 999999999999999999999",
    "Content-Length: 10",
    "Content-Length: abc",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: chunked, gzip",
    "Content-Encoding: gzip",
    "Content-Range: bytes 0-5/7",
    "ETag: " + "e" * 60_000,
    'ETag: "../../../x\\"',
    'Content-Disposition: attachment; filename="../../../evil"',
    "Location: file:///etc/passwd",
    "X-Many: " + "y" * 30_000,
    "Set-Cookie: a=b; Domain=.example",
    "Link: <http://192.0.2.1/>; rel=next",
    "Refresh: 0; url=http://192.0.2.1/",
    "\\x00\\x01: x",
    "Last-Modified: \\xff\\xfe",
)


@pytest.mark.parametrize("header", HEADERS, ids=range(len(HEADERS)))
@pytest.mark.parametrize("lasting", [1, -1], ids=["once", "always"])
def test_row_5_hostile_headers_write_nothing_wrong_and_nothing_elsewhere(
    tmp_path: Path, header: str, lasting: int
) -> None:
    faults = [Fault("header", times=lasting, value=header.encode().decode("unicode_escape"))]
    with Hub({REPO: {NAME: DATA}}, faults) as hub:
        if lasting > 0:
            assert _get(wanted(hub, DATA), tmp_path).path.read_bytes() == DATA
        else:
            with suppress(NetworkError, ModelDamaged):
                assert _get(wanted(hub, DATA), tmp_path).path.read_bytes() == DATA
        assert {seen.server for seen in hub.log} <= {"hub", "cdn"}
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} <= {"ledger.jsonl", "x.part", "x.part.json"}
    assert "192.0.2.1" not in (tmp_path / "ledger.jsonl").read_text()


@pytest.mark.parametrize(
    "target",
    ["file:///etc/hosts", "ftp://127.0.0.1/x", "//", "http://[::1", "http://\\\\/", "gopher:x", "data:,x", ""],
)
def test_row_5_redirects_to_nowhere(tmp_path: Path, target: str) -> None:
    with Hub({REPO: {NAME: DATA}}, [Fault("redirect", times=-1, on="resolve", value=target)]) as hub:
        assert _trouble(wanted(hub, DATA), tmp_path).message


def test_row_5_the_token_never_leaves_its_host(tmp_path: Path) -> None:
    """Gated file, CDN, a mirror, a redirect to another server, retries: every request of every server is searched."""
    secret = "hf_canaryTOKENcanary"
    mine = {REPO: {NAME: DATA, "config.json": b"{}"}}
    with Hub(mine, [Fault("cut", at=70_000)], gated=[REPO], token=secret) as hub, Hub(mine) as other:
        connect = connector(tmp_path, token=secret, mirror=hub.endpoint)
        asked = Wanted((hub.url(REPO, NAME),), len(DATA), sha256(DATA))
        assert fetch(asked, tmp_path / "parts" / "1.part", connect, Control(), QUICK).size == len(DATA)
        hub.faults.append(Fault("redirect", on="resolve", value=other.url(REPO, NAME)))
        assert fetch(asked, tmp_path / "parts" / "2.part", connect, Control(), QUICK).size == len(DATA)
        hub.faults.append(Fault("404", on="resolve"))
        both = Wanted((hub.url(REPO, NAME), other.url(REPO, NAME)), len(DATA), sha256(DATA))
        assert fetch(both, tmp_path / "parts" / "3.part", connect, Control(), QUICK).size == len(DATA)
        assert len(hub.requests("cdn")) == 2 and len(other.requests()) == 4
        assert all(secret in seen.text for seen in hub.requests("hub"))
        leaks = [seen for seen in (*hub.requests("cdn"), *other.requests()) if secret in seen.text]
        assert leaks == []
    written = [path for path in tmp_path.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert written == []
