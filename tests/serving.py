"""A bundle that is served to other computers from a thread of a test."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from edgellm.models.rate import Control
from edgellm.server import share
from edgellm.server.guard import Limits

NAME = "two models é.edgellm"
TARGET = "/two%20models%20%C3%A9.edgellm"


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


def connected(server: Running) -> socket.socket:
    """A client that has not asked yet."""
    return socket.create_connection(("127.0.0.1", server.port), timeout=10)


@contextlib.contextmanager
def asking(server: Running, receive: int) -> Iterator[socket.socket]:
    """A client that has asked, and takes little."""
    with socket.socket() as sent:
        sent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        sent.settimeout(20)
        sent.connect(("127.0.0.1", server.port))
        sent.sendall(f"GET {TARGET} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
        yield sent


def eventually(true: Callable[[], object], within: float = 10.0) -> bool:
    """Whether it becomes true in time."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.05)
    return False
