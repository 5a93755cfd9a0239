"""A shared bundle: those who ask too slowly, take nothing, or want every place for themselves."""

from __future__ import annotations

import contextlib
import socket
import time
from pathlib import Path

import httpx

from edgellm.server.guard import Limits
from tests.serving import Running, asking, connected, eventually, serving


def test_more_than_it_can_do_are_asked_to_come_again(large: Path, tmp_path: Path) -> None:
    with serving(large, tmp_path, Limits(busy=1)) as server, contextlib.ExitStack() as stack:
        slow = stack.enter_context(asking(server, receive=4_096))
        assert slow.recv(12) == b"HTTP/1.1 200"
        answer = server.ask("HEAD")
        assert answer.status_code == 503 and answer.headers["retry-after"] == "5"
        slow.close()
        assert eventually(lambda: server.ask("HEAD").status_code == 200)


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
        silent = [stack.enter_context(connected(server)) for _ in range(100)]
        drip = stack.enter_context(connected(server))
        assert _drips_to_the_end(drip) and server.ask("HEAD").status_code == 200
        assert all(map(_closed, silent))


def test_a_second_request_may_not_drip_either(made: Path, tmp_path: Path) -> None:
    with serving(made, tmp_path, Limits(request=0.6, idle=60)) as server, connected(server) as sent:
        sent.sendall(f"HEAD / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
        assert sent.recv(65_536).startswith(b"HTTP/1.1 200")
        assert _drips_to_the_end(sent)


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
    with serving(large, tmp_path, Limits(stalled=0.6)) as server, asking(server, receive=4_096) as slow:
        assert eventually(lambda: len(server.entries()) == 1)
        assert _closed(slow)
        assert int(str(server.entries()[0]["bytes"])) < 15_000_000


def test_one_peer_cannot_take_every_place(made: Path, tmp_path: Path) -> None:
    with serving(made, tmp_path, Limits(peer=3)) as server, contextlib.ExitStack() as stack:
        first = [stack.enter_context(connected(server)) for _ in range(3)]
        extra = stack.enter_context(connected(server))
        assert _closed(extra)
        for one in first:
            one.close()
        assert eventually(lambda: _answers(server))


def _answers(server: Running) -> bool:
    try:
        return server.ask("HEAD").status_code == 200
    except httpx.TransportError:
        return False
