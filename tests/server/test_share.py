"""A shared bundle: what may be asked, by whom, how slowly; real clients over loopback."""

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
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from edgellm import network
from edgellm.errors import EdgeError, ModelDamaged, OfflineError, Stopped, UsageError
from edgellm.models import bundle_read, bundle_write, signing
from edgellm.models.rate import Control
from edgellm.models.store import ModelStore
from edgellm.server import share
from edgellm.server.guard import Limits
from edgellm.settings import Settings
from tests import bundles

NAME = "two models é.edgellm"
TARGET = "/two%20models%20%C3%A9.edgellm"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of 3 MB."""
    folder = tmp_path_factory.mktemp("shared")
    store = ModelStore(bundles.home(folder / "a"))
    bundles.place(store, "big", {"big.gguf": 3_000_000})
    bundles.place(store, "tiny", {"tiny.gguf": 100})
    models = [store.get("big"), store.get("tiny")]
    bundle_write.write(models, [], folder / NAME, signing.own_key(folder / "a/signing"), Control())
    (folder / "secret.txt").write_text("secret")
    return folder / NAME


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of 16 MB: more than the system takes off a server's hands."""
    folder = tmp_path_factory.mktemp("large")
    store = ModelStore(bundles.home(folder))
    store.folder.mkdir(parents=True)
    (store.folder / "zeros.gguf").write_bytes(bytes(16_000_000))
    bundle_write.write([store.get("zeros")], [], folder / NAME, signing.own_key(folder), Control())
    return folder / NAME


@dataclass(frozen=True)
class Running:
    """A server that runs: the address of the bundle, and the ledger."""

    address: str
    ledger: Path
    shared: share.Shared

    @property
    def port(self) -> int:
        """Its port."""
        return httpx.URL(self.address).port or 80

    @property
    def base(self) -> str:
        """Its address without a path."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str = "GET", path: str = TARGET, **headers: str) -> httpx.Response:
        """One request; header names have underscores for dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.request(method, f"{self.base}{path}", headers=named, trust_env=False, verify=False)

    def entries(self) -> list[dict[str, object]]:
        """The ledger."""
        if not self.ledger.exists():
            return []
        return [json.loads(line) for line in self.ledger.read_text().splitlines()]


@contextlib.contextmanager
def serving(
    path: Path, folder: Path, limits: Limits | None = None, host: str = share.LOOPBACK, offline: bool = True
) -> Iterator[Running]:
    """Serve in a thread."""
    shared = share.prepare(path, Control())
    place = share.Place(folder / "ledger.jsonl", host, 0, limits or Limits())
    stop, started = threading.Event(), threading.Event()
    addresses: list[str] = []

    def ready(found: tuple[str, ...]) -> None:
        addresses.extend(found)
        started.set()

    thread = threading.Thread(target=share.serve, args=(shared, place, offline, ready, stop.is_set))
    thread.start()
    try:
        assert started.wait(20)
        yield Running(addresses[0], place.ledger, shared)
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def server(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The bundle, served on loopback."""
    with serving(made, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def fresh(made: Path, tmp_path: Path) -> Iterator[Running]:
    """The same, with a ledger that is empty."""
    with serving(made, tmp_path) as running:
        yield running


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
    with _connected(server) as sent:
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
    with _connected(server) as sent:
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
    assert _eventually(lambda: len(fresh.entries()) == 2)
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
    assert _eventually(lambda: [one["outcome"] for one in fresh.entries()] == ["206"])


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


def test_more_than_it_can_do_are_asked_to_come_again(large: Path, tmp_path: Path) -> None:
    with serving(large, tmp_path, Limits(busy=1)) as server, contextlib.ExitStack() as stack:
        slow = stack.enter_context(_asking(server, receive=4_096))
        assert slow.recv(12) == b"HTTP/1.1 200"
        answer = server.ask("HEAD")
        assert answer.status_code == 503 and answer.headers["retry-after"] == "5"
        slow.close()
        assert _eventually(lambda: server.ask("HEAD").status_code == 200)


@contextlib.contextmanager
def _asking(server: Running, receive: int) -> Iterator[socket.socket]:
    """A client that has asked, and takes little."""
    with socket.socket() as sent:
        sent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        sent.settimeout(20)
        sent.connect(("127.0.0.1", server.port))
        sent.sendall(f"GET {TARGET} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
        yield sent


def _eventually(true: object, within: float = 10.0) -> bool:
    assert callable(true)
    until = time.monotonic() + within
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.05)
    return False


def _closed(sent: socket.socket) -> bool:
    """Whether the other side ends the connection, in 10 s."""
    sent.settimeout(10)
    try:
        while sent.recv(65_536):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


def test_those_who_do_not_ask_are_sent_away(made: Path, tmp_path: Path) -> None:
    """Silent, and a header byte by byte; meanwhile others are served, and afterwards nobody is left."""
    limits = Limits(request=0.6, peer=200)
    with serving(made, tmp_path, limits) as server, contextlib.ExitStack() as stack:
        silent = [stack.enter_context(_connected(server)) for _ in range(100)]
        drip = stack.enter_context(_connected(server))
        assert _drips_to_the_end(drip) and server.ask("HEAD").status_code == 200
        assert all(map(_closed, silent))


def test_a_second_request_may_not_drip_either(made: Path, tmp_path: Path) -> None:
    with serving(made, tmp_path, Limits(request=0.6, idle=60)) as server, _connected(server) as sent:
        sent.sendall(f"HEAD / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
        assert sent.recv(65_536).startswith(b"HTTP/1.1 200")
        assert _drips_to_the_end(sent)


def _connected(server: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=10)


def _drips_to_the_end(sent: socket.socket) -> bool:
    """Whether the other side ends the connection, in 10 s, while a byte comes every now and then."""
    until = time.monotonic() + 10
    with contextlib.suppress(ConnectionError):
        while time.monotonic() < until:
            sent.sendall(b"G")
            time.sleep(0.05)
        return False
    return True


def test_those_who_take_nothing_are_sent_away(large: Path, tmp_path: Path) -> None:
    with serving(large, tmp_path, Limits(stalled=0.6)) as server, _asking(server, receive=4_096) as slow:
        assert _eventually(lambda: len(server.entries()) == 1)
        assert _closed(slow)
        assert int(str(server.entries()[0]["bytes"])) < 15_000_000


def test_one_peer_cannot_take_every_place(made: Path, tmp_path: Path) -> None:
    with serving(made, tmp_path, Limits(peer=3)) as server, contextlib.ExitStack() as stack:
        first = [stack.enter_context(_connected(server)) for _ in range(3)]
        extra = stack.enter_context(_connected(server))
        assert _closed(extra)
        for one in first:
            one.close()
        assert _eventually(lambda: _answers(server))


def _answers(server: Running) -> bool:
    try:
        return server.ask("HEAD").status_code == 200
    except httpx.TransportError:
        return False


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
            with _asking(running, receive=4_096) as slow:
                assert slow.recv(12) == b"HTTP/1.1 200"
                process.send_signal(signal.SIGINT)
                assert process.wait(15) == 0
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()
