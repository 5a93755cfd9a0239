"""Processes that must stay silent, tried in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgellm import isolation


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *[("localhost", True), ("127.8.9.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("10.0.0.1", False)],
        *[("localhost.evil.example", False), ("127.0.0.1.evil.example", False), ("", False)],
    ],
)
def test_is_loopback(host: str, expected: bool) -> None:
    assert isolation.is_loopback(host) is expected


SCRIPT = """
import socket, sys
from edgellm import isolation
from edgellm.errors import OfflineError
isolation.forbid_outgoing(allow_loopback=sys.argv[1] == "yes")
listener = socket.socket(); listener.bind(("127.0.0.1", 0)); listener.listen()
def attempt(action):
    try:
        action()
    except OfflineError:
        return "stopped"
    except OSError:
        return "tried"
    return "done"
with socket.socket() as a, socket.socket() as b, socket.socket(type=socket.SOCK_DGRAM) as c:
    results = [attempt(lambda: a.connect(listener.getsockname())), attempt(lambda: b.connect(("192.0.2.1", 80)))]
    results += [attempt(lambda: c.sendto(b"x", ("192.0.2.1", 53)))]
results.append(attempt(lambda: socket.getaddrinfo("example.invalid", 80)))
results.append(attempt(lambda: socket.gethostbyaddr("192.0.2.1")))
results.append(attempt(lambda: socket.getnameinfo(("192.0.2.1", 80), 0)))
listener.close()
sys.stdout.write(" ".join(results))
"""


@pytest.mark.parametrize(("loopback", "first"), [("yes", "done"), ("no", "stopped")])
def test_forbid_outgoing(loopback: str, first: str) -> None:
    command = [sys.executable, "-c", SCRIPT, loopback]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parent.parent)
    assert done.stdout == f"{first} stopped stopped stopped stopped stopped", done.stderr
