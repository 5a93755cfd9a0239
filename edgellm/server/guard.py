"""The entrance of a server: who may ask, how many at once, how slowly, and a line in the ledger for each request.

What is answered is left to the application behind it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_log = logging.getLogger(__name__)
_LONGEST_PATH = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and counts. `idle` between two requests, `request` for one to arrive, `stalled` without taking a byte.

    Beyond `busy` requests at once the next is asked to come again; beyond so many `connections`, or so many of one
    `peer`, nobody else is let in: idle ones cannot keep out the others.
    """

    idle: int = 5
    request: float = 10.0
    stalled: float = 30.0
    busy: int = 32
    peer: int = 32
    connections: int = 256


class Entrance:
    """An application behind an exact list of Host headers, which writes each request to the ledger."""

    def __init__(self, inside: ASGIApp, ledger: Path, hosts: frozenset[str], busy: int) -> None:
        self._inside = inside
        self._ledger = ledger
        self._hosts = hosts
        self._busy = busy
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, sent = 0, 0

        async def counted(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)
            sent += len(message.get("body", b""))

        start = time.monotonic()
        self._running += 1
        try:
            if not self._is_known(scope):
                await PlainTextResponse("This is another host.", 421)(scope, receive, counted)
            elif self._running > self._busy:
                again = {"Retry-After": "5"}
                await PlainTextResponse("Too many at once.", 503, again)(scope, receive, counted)
            else:
                await self._inside(scope, receive, counted)
        finally:
            self._running -= 1
            self._record(scope, status, sent, time.monotonic() - start)

    def _is_known(self, scope: Scope) -> bool:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        return len(hosts) == 1 and hosts[0].decode("latin-1").lower() in self._hosts

    def _record(self, scope: Scope, status: int, sent: int, seconds: float) -> None:
        """One line, in the form of the outgoing ones. The query and headers are left out: they can hold a secret."""
        peer = scope.get("client") or ("", 0)
        entry = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "purpose": "share",
            "direction": "in",
            "method": scope["method"][:20],
            "scheme": scope["scheme"],
            "host": peer[0],
            "port": peer[1],
            "path": scope["path"][:_LONGEST_PATH],
            "outcome": str(status),
            "bytes": sent,
        }
        _log.info("%s %d, %d bytes in %.1f s", peer[0], status, sent, seconds)
        try:
            self._ledger.parent.mkdir(parents=True, exist_ok=True)
            with self._ledger.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry, ensure_ascii=True) + "\n")
        except OSError as error:
            _log.warning("the record of connections cannot be written: %s", error)


class Connection(H11Protocol):
    """A connection that ends when the other side takes too long to ask, or to take what it asked for."""

    limits = Limits()

    @classmethod
    def limited(cls, limits: Limits) -> type[Connection]:
        """This class with limits of its own."""
        return type("Connection", (cls,), {"limits": limits})

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._asking: asyncio.TimerHandle | None = None
        self._taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let it in, unless there are too many."""
        super().connection_made(transport)
        peers = [one.client[0] for one in self.connections if isinstance(one, Connection) and one.client]
        if len(peers) > self.limits.connections or peers.count((self.client or ("",))[0]) > self.limits.peer:
            transport.abort()
        self._wait_for_request()

    def data_received(self, data: bytes) -> None:
        """Take what came; the time to ask goes on until a request is whole."""
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._end(asking=True)
        elif self._asking is None and (self.cycle is None or self.cycle.response_complete):
            self._wait_for_request()

    def pause_writing(self) -> None:
        """The other side takes nothing at the moment."""
        super().pause_writing()
        self._taking = self.loop.call_later(self.limits.stalled, self.transport.abort)

    def resume_writing(self) -> None:
        """It goes on."""
        super().resume_writing()
        self._end(taking=True)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._end(asking=True, taking=True)
        super().connection_lost(exc)

    def _wait_for_request(self) -> None:
        self._end(asking=True)
        self._asking = self.loop.call_later(self.limits.request, self.transport.abort)

    def _end(self, asking: bool = False, taking: bool = False) -> None:
        if asking and self._asking is not None:
            self._asking.cancel()
            self._asking = None
        if taking and self._taking is not None:
            self._taking.cancel()
            self._taking = None
