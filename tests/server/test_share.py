"""A shared bundle: what may be asked, and by whom; real clients over loopback."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from edgellm import network
from edgellm.errors import EdgeError, ModelDamaged, OfflineError, Stopped, UsageError
from edgellm.models import bundle_read
from edgellm.models.rate import Control
from edgellm.models.store import ModelStore
from edgellm.server import share
from edgellm.settings import Settings
from tests import bundles
from tests.serving import NAME, TARGET, Running, asking, connected, eventually, serving


def test_one_file_under_its_own_name(server: Running, made: Path) -> None:
    assert server.address == f"http://127.0.0.1:{server.port}{TARGET}"
    answer = httpx.get(server.address, verify=False)
    assert answer.status_code == 200 and answer.content == made.read_bytes()
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
    head = server.ask("HEAD")
    assert head.content == b"" and head.headers["content-length"] == str(len(answer.content))
    assert head.headers["accept-ranges"] == "bytes"


def test_what_it_is_stands_in_a_page_and_for_programs(server: Running, made: Path) -> None:
    facts = server.ask(path="/index.json").json()
    assert facts == {
        "name": NAME,
        "size": made.stat().st_size,
        "sha256": hashlib.sha256(made.read_bytes()).hexdigest(),
        "signer": server.shared.signer,
        "models": ["big", "tiny"],
    }
    page = server.ask(path="/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert NAME in page.text and facts["sha256"] in page.text and TARGET in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"] and "<script" not in page.text


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        *[("bytes=0-0", 0, 1), ("bytes=5-9", 5, 10), ("bytes=2999000-", 2_999_000, None), ("bytes=-100", -100, None)],
        *[("bytes=10-99999999999", 10, None), ("bytes=0-", 0, None)],
    ],
)
def test_parts(server: Running, made: Path, asked: str, start: int, stop: int | None) -> None:
    data = made.read_bytes()
    answer = server.ask(Range=asked)
    assert answer.status_code == 206 and answer.content == data[start:stop]
    first = start % len(data)
    assert answer.headers["content-range"] == f"bytes {first}-{first + len(answer.content) - 1}/{len(data)}"


def test_parts_that_are_none_or_many(server: Running, made: Path) -> None:
    size = made.stat().st_size
    for asked in (f"bytes={size}-", "bytes=99999999999-", "bytes=-0"):
        answer = server.ask(Range=asked)
        assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{size}")
    for asked in ("bytes=", "bytes=x-y", "bytes=9-5", "lines=1-2", "x", "bytes=" + "9" * 5_000 + "-"):
        assert server.ask(Range=asked).status_code in (400, 416)
    many = "bytes=" + ",".join(f"{at}-{at + 1}" for at in range(0, 500, 5))
    assert server.ask("HEAD", Range=many).status_code == 200
    etag = server.ask("HEAD").headers["etag"]
    assert server.ask("HEAD", Range="bytes=5-9", If_Range=etag).status_code == 206
    assert server.ask("HEAD", Range="bytes=5-9", If_Range='"another"').status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
def test_only_reading(server: Running, method: str) -> None:
    for path in ("/", TARGET, "/none"):
        answer = server.ask(method, path, Origin="http://evil.example")
        assert answer.status_code == 405 and answer.headers["allow"] == "GET, HEAD"


PATHS = (
    *("/secret.txt", "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/./", "//", "/.", "/%00"),
    *("/index.html", "/favicon.ico", "/etc/passwd", "/C:/x", "/" + "a" * 3_000, "/%ff%fe", "/two+models+é.edgellm"),
    *(TARGET + "/", TARGET + "/x", "/" + TARGET, TARGET.lower() + "x", "/TWO%20models%20%C3%A9.edgellm"),
)


@pytest.mark.parametrize("path", PATHS)
def test_nothing_else_is_there(server: Running, path: str) -> None:
    with connected(server) as sent:
        sent.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: sent.recv(65_536), b""))
    assert answer.startswith((b"HTTP/1.1 404 ", b"HTTP/1.1 400 "))
    assert b"secret" not in answer and b"/" not in answer.partition(b"\r\n\r\n")[2]


def test_no_page_elsewhere_may_read_it(server: Running) -> None:
    for path in ("/", "/index.json", TARGET):
        answer = server.ask("HEAD", path, Origin="http://evil.example")
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/index.json", TARGET, "/none"])
def test_the_host_list_is_exact_on_every_path(server: Running, path: str) -> None:
    port = server.port
    for good in (f"127.0.0.1:{port}", f"localhost:{port}", f"LOCALHOST:{port}", f"[::1]:{port}"):
        assert server.ask("HEAD", path, Host=good).status_code in (200, 404)
    for bad in (
        *("evil.example", f"evil.example:{port}", "127.0.0.1", "localhost", f"127.0.0.1:{port + 1}"),
        *(f"127.0.0.1.evil.example:{port}", f"localhost.:{port}", f"user@127.0.0.1:{port}", f"127.0.0.2:{port}"),
    ):
        assert server.ask("HEAD", path, Host=bad).status_code == 421, bad


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET /\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"\0" * 70_000,
    ],
    ids=range(8),
)
def test_what_is_no_request(server: Running, request_: bytes) -> None:
    with connected(server) as sent:
        answer = b""
        with contextlib.suppress(OSError):  # it may hang up before all is said
            sent.sendall(request_)
            sent.shutdown(socket.SHUT_WR)
            answer = sent.recv(65_536)
    assert answer == b"" or answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 421 "))
    assert server.ask("HEAD").status_code == 200


def test_a_changed_file_is_no_longer_shared(made: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.edgellm"
    shutil.copy(made, copy)
    with serving(copy, tmp_path) as server:
        assert server.ask("HEAD", "/copy.edgellm").status_code == 200
        data = bytearray(copy.read_bytes())
        data[-20_000] ^= 1
        copy.write_bytes(data)
        assert server.ask(path="/copy.edgellm").status_code == 410
        copy.unlink()
        assert server.ask(path="/copy.edgellm").status_code == 410
        assert server.ask(path="/").status_code == 200


def test_only_a_whole_bundle_is_shared(made: Path, tmp_path: Path) -> None:
    data = made.read_bytes()
    for number, spoiled in enumerate((b"", b"hello" * 1_000, data[:-1], data + b"x", data[:-20_000] + data[-20_001:])):
        (tmp_path / f"{number}.edgellm").write_bytes(spoiled)
        with pytest.raises(ModelDamaged):
            share.prepare(tmp_path / f"{number}.edgellm", Control())
    for path in (tmp_path, tmp_path / "none", Path("http://127.0.0.1/x")):
        with pytest.raises(UsageError):
            share.prepare(path, Control())
    with pytest.raises(Stopped):
        share.prepare(made, Control(cancelled=lambda: True))


def test_each_request_is_in_the_ledger_without_secrets(fresh: Running) -> None:
    fresh.ask(path=TARGET + "?token=CANARY", Authorization="Bearer CANARY", Cookie="CANARY", Range="bytes=0-9")
    fresh.ask("POST", "/CANARX", Host="evil.example")
    assert eventually(lambda: len(fresh.entries()) == 2)
    entries = sorted(fresh.entries(), key=lambda one: str(one["method"]))
    assert [(one["method"], one["path"], one["outcome"], one["bytes"]) for one in entries] == [
        ("GET", f"/{NAME}", "206", 10),
        ("POST", "/CANARX", "421", 21),
    ]
    assert {(one["purpose"], one["direction"], one["host"]) for one in entries} == {("share", "in", "127.0.0.1")}
    assert "CANARY" not in fresh.ledger.read_text()


def test_curl_goes_on_where_it_stopped(fresh: Running, made: Path, tmp_path: Path) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not here")
    (tmp_path / "out").write_bytes(made.read_bytes()[:1_000_000])
    subprocess.run([curl, "-fsS", "--noproxy", "*", "-C", "-", "-o", tmp_path / "out", fresh.address], check=True)
    assert (tmp_path / "out").read_bytes() == made.read_bytes()
    assert eventually(lambda: [one["outcome"] for one in fresh.entries()] == ["206"])


@pytest.mark.parametrize("path", [TARGET, "/", ""])
def test_added_from_the_address(server: Running, tmp_path: Path, path: str) -> None:
    """Under the offline lock: this machine itself may always be reached. The server's own address is enough."""
    there = ModelStore(bundles.home(tmp_path / "b"))
    terms = bundle_read.Terms(tmp_path / "b/signing", server.shared.signer)
    ledger = tmp_path / "b/ledger.jsonl"
    added = bundle_read.add(
        f"{server.base}{path}", there, lambda purpose: network.client(Settings(), ledger, purpose), terms, Control()
    )
    assert [model.name for model in added.models] == ["big", "tiny"]
    assert (there.folder / "big/big.gguf").read_bytes() == bundles.content("big/big.gguf", 3_000_000)


def test_many_at_once(server: Running, made: Path) -> None:
    data = made.read_bytes()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: server.ask().content == data, range(48)))
    assert all(answers) and len(answers) == 48


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::"])
def test_the_offline_lock_keeps_it_on_this_machine(made: Path, tmp_path: Path, host: str) -> None:
    place = share.Place(tmp_path / "ledger.jsonl", host)
    with pytest.raises(OfflineError, match="not shared with other computers") as error:
        share.serve(share.prepare(made, Control()), place, True, lambda found: None, lambda: True)
    assert error.value.hint and not place.ledger.exists()


def test_on_the_network_when_asked(made: Path, tmp_path: Path) -> None:
    with serving(made, tmp_path, host=share.EVERYWHERE, offline=False) as server:
        for address in share.reachable(share.EVERYWHERE):
            assert server.ask("HEAD", Host=f"{address}:{server.port}").status_code == 200
        name = socket.gethostname()
        assert server.ask("HEAD", Host=f"{name}:{server.port}").status_code == 200
        assert server.ask("HEAD", Host=f"evil.example:{server.port}").status_code == 421
        assert server.ask("HEAD", Host=f"0.0.0.0:{server.port}").status_code == 421


def test_where_nobody_can_listen(made: Path, tmp_path: Path) -> None:
    shared = share.prepare(made, Control())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for host, number in (("127.0.0.1", port), ("192.0.2.7", 0), ("127.0.0.1", 99_999), ("no.such.invalid", 0)):
            place = share.Place(tmp_path / "ledger", host, number)
            with pytest.raises(EdgeError) as error:
                share.serve(shared, place, False, lambda found: None, lambda: True)
            assert error.value.message and error.value.hint


@pytest.mark.skipif(os.name != "posix", reason="SIGINT")
def test_ctrl_c_ends_it_while_somebody_reads(large: Path, tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "EDGELLM_HOME": str(tmp_path / "home"), "PYTHONPATH": str(root)}
    line = [sys.executable, "-W", "error", "-m", "edgellm", "models", "share", str(large), "--json"]
    with subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None and process.stderr is not None
            printed = "".join(iter(process.stdout.readline, "}\n")) + "}"
            running = Running(json.loads(printed)["addresses"][0], tmp_path, share.prepare(large, Control()))
            with asking(running, receive=4_096) as slow:
                assert slow.recv(12) == b"HTTP/1.1 200"
                process.send_signal(signal.SIGINT)
                assert process.wait(15) == 0
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()
