"""Tests of the door to the network, on loopback only."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from edgellm import network
from edgellm.errors import NetworkError, OfflineError, StorageError
from edgellm.settings import Settings


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        away = {"/away": "http://192.0.2.1/x", "/loop": "/loop", "/nowhere": "http://a:b/"}.get(self.path)
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
