"""Tests of the door to the network, on loopback only."""

from __future__ import annotations

import errno
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from edgellm import network, trouble
from edgellm.errors import NetworkError, OfflineError, StorageError
from edgellm.settings import Settings

SEEN: list[tuple[str, str]] = []


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        away = {
            "/away": "http://192.0.2.1/x",
            "/loop": "/loop",
            "/nowhere": "http://a:b/",
            "http://192.0.2.1/inwards": "http://127.0.0.1:9/private",
        }.get(self.path)
        SEEN.append((self.path, self.headers.get("Authorization", "")))
        self.send_response(302 if away else 200)
        if away:
            self.send_header("Location", away)
        if self.path == "/packed":
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", "100" if self.path == "/short" else "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    httpd = HTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def _entries(ledger: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in ledger.read_text().splitlines()]


def test_mirror_ledger_and_no_query(server: str, tmp_path: Path) -> None:
    ledger = tmp_path / "new" / "ledger.jsonl"
    with network.client(Settings(mirror=server), ledger, "test") as client:
        assert client.get("/file?token=secret").text == "hello"
    first, last = _entries(ledger)
    assert (first["outcome"], last["outcome"]) == ("start", "200")
    assert (last["host"], last["path"], last["purpose"]) == ("127.0.0.1", "/file", "test")
    assert "secret" not in ledger.read_text()


def test_offline_lock_refuses_before_a_socket(tmp_path: Path, server: str) -> None:
    ledger = tmp_path / "ledger.jsonl"
    with network.client(Settings(mirror=server), ledger) as client:
        with pytest.raises(OfflineError, match="offline lock"):
            client.get("http://192.0.2.1/x")
        with pytest.raises(OfflineError):
            client.get("/away")
    assert [entry["outcome"] for entry in _entries(ledger)].count("refused: offline lock") == 2


def test_failures_are_sentences(tmp_path: Path, server: str) -> None:
    ledger = tmp_path / "ledger.jsonl"
    with network.client(Settings(mirror=server), ledger) as client:
        with pytest.raises(NetworkError, match="refused the connection"):
            client.get("http://127.0.0.1:9/x")
        with pytest.raises(NetworkError, match="broke off"):
            client.get("/short")
        with pytest.raises(NetworkError, match="without an end"):
            client.get("/loop")
        for path in ("/nowhere", "/packed"):
            with pytest.raises(NetworkError, match="makes no sense"):
                client.get(path)
    assert "failed: 127.0.0.1 refused" in str(_entries(ledger)[1]["outcome"])


def test_proxy_is_used_for_other_machines_only(tmp_path: Path, server: str) -> None:
    settings = Settings(offline=False, proxy="http://127.0.0.1:9", mirror=server)
    with network.client(settings, tmp_path / "ledger.jsonl") as client:
        assert client.get("/direct").status_code == 200
        with pytest.raises(NetworkError):
            client.get("http://192.0.2.1/x")
    settings = Settings(offline=False, proxy=server)
    with network.client(settings, tmp_path / "ledger.jsonl") as client:
        assert client.get("http://192.0.2.1/proxied").text == "hello"


def test_no_ledger_no_connection(tmp_path: Path, server: str) -> None:
    (tmp_path / "file").write_text("")
    client = network.client(Settings(mirror=server), tmp_path / "file" / "ledger.jsonl")
    with client, pytest.raises(StorageError):
        client.get("/")


def test_a_mirror_that_is_no_address_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="mirror"):
        network.client(Settings(mirror="http://mirror:port"), tmp_path / "ledger.jsonl")


def test_hf_endpoint_and_further_mirrors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert network.endpoints(Settings()) == ("https://huggingface.co",)
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/hf/ ")
    assert network.endpoint(Settings()) == "https://mirror.example/hf"
    own = Settings(mirror="https://own.example/", further_mirrors="https://b.example/ https://own.example")
    assert network.endpoints(own) == ("https://own.example", "https://b.example")


def test_the_token_goes_to_the_endpoint_only(server: str, tmp_path: Path) -> None:
    elsewhere = server.replace("127.0.0.1", "localhost")
    settings = Settings(mirror=server, offline=False, proxy=server)
    with network.client(settings, tmp_path / "ledger.jsonl", token="hf_secret") as client:
        for address in ("/own", f"{server}/same", f"{elsewhere}/other-name", "http://192.0.2.1/proxied"):
            client.get(address)
    seen = {path.rpartition("/")[2]: token for path, token in SEEN[-4:]}
    assert seen == {"own": "Bearer hf_secret", "same": "Bearer hf_secret", "other-name": "", "proxied": ""}
    assert "secret" not in (tmp_path / "ledger.jsonl").read_text()


def test_the_token_is_not_sent_in_the_open(server: str, tmp_path: Path) -> None:
    settings = Settings(mirror="http://192.0.2.1", offline=False, proxy=server)
    with network.client(settings, tmp_path / "ledger.jsonl", token="hf_secret") as client:
        client.get("/plain")
    assert SEEN[-1] == ("http://192.0.2.1/plain", "")


def test_another_machine_cannot_redirect_to_this_one(server: str, tmp_path: Path) -> None:
    settings = Settings(offline=False, proxy=server)
    with (
        network.client(settings, tmp_path / "ledger.jsonl") as client,
        pytest.raises(NetworkError, match="makes no sense"),
    ):
        client.get("http://192.0.2.1/inwards")
    assert "private" not in (tmp_path / "ledger.jsonl").read_text()


def test_the_systems_proxy_and_its_exceptions(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.removeprefix("http://"))
    monkeypatch.setenv("no_proxy", "192.0.2.2")
    with network.client(Settings(offline=False), tmp_path / "ledger.jsonl") as client:
        assert client.get("http://192.0.2.1/by-the-system").text == "hello"
        assert SEEN[-1][0] == "http://192.0.2.1/by-the-system"
        with pytest.raises(NetworkError):
            client.get("http://192.0.2.2/direct")  # stopped by the tests' own lock on the network


@pytest.mark.parametrize(
    "address",
    ["http://[", "http://a b/", "ftp://127.0.0.1/", "file:///x", "//x", "http://\\\\/", "", "http://x:99999/"],
)
def test_what_is_no_address_is_a_sentence(tmp_path: Path, address: str) -> None:
    with (
        network.client(Settings(offline=False, mirror="http://127.0.0.1:9"), tmp_path / "ledger.jsonl") as client,
        pytest.raises(NetworkError),
    ):
        client.get(address)


@pytest.mark.parametrize(
    "proxy", ["http://[", "http://127.0.0.1:9", "socks5://127.0.0.1:9", "gopher://x", "http://a:b"]
)
def test_a_proxy_that_cannot_be_used_is_a_sentence(tmp_path: Path, proxy: str) -> None:
    with (
        network.client(Settings(offline=False, proxy=proxy), tmp_path / "ledger.jsonl") as client,
        pytest.raises(NetworkError),
    ):
        client.get("http://192.0.2.1/x")


def test_an_unknown_name_and_no_way_are_told_apart() -> None:
    def connecting(cause: OSError) -> str:
        error = OSError("outer")
        error.__cause__ = cause
        return trouble.of_connecting("host", error).message

    assert "was not found" in connecting(socket.gaierror(socket.EAI_NONAME, "unknown"))
    assert "no way" in connecting(OSError(errno.ENETUNREACH, "unreachable"))
    assert "refused" in connecting(ConnectionRefusedError(errno.ECONNREFUSED, "refused"))
    assert "verified" in connecting(ssl.SSLError(1, "wrong version"))
