"""What `tests/conftest.py` promises to every other test: no network, a home of its own."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from edgellm import paths
from edgellm.errors import OfflineError


def test_a_connection_to_another_machine_is_an_error() -> None:
    with socket.socket() as outgoing, pytest.raises(OfflineError):
        outgoing.connect(("192.0.2.1", 80))
    with pytest.raises(OfflineError):
        socket.getaddrinfo("example.org", 443)


def test_loopback_stays_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        answering = threading.Thread(target=lambda: server.accept()[0].close())
        answering.start()
        socket.create_connection(server.getsockname(), timeout=10).close()
        answering.join()


def test_nothing_is_kept_outside_the_tests_folder(tmp_path: Path, home: Path) -> None:
    found = paths.from_environment()
    assert tmp_path in home.parents
    assert found.settings.parent == home
    assert home in found.chats_db.parents
