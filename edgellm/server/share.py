"""Sharing one bundle with other computers: read-only, on this machine alone unless the network is asked for.

What may be asked is one file under its own name, and what it is. Who may ask, and for how long, is left to `guard`;
checking the bundle to `edgellm.models.bundle_read`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import html
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import uvicorn
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from edgellm.errors import OfflineError, StorageError, UsageError
from edgellm.isolation import is_loopback
from edgellm.models import bundle_read, bundle_source
from edgellm.models.bundle_source import Source
from edgellm.models.rate import Control
from edgellm.server.guard import Connection, Entrance, Limits

LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"
_PIECE = 1 << 20
_FAREWELL = 3  # seconds that running transfers get at the end
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True, slots=True)
class Shared:
    """What is offered: a checked bundle. `size` is bytes, `sha256` that of the whole file, `signer` a fingerprint."""

    path: Path
    size: int
    sha256: str
    signer: str
    models: tuple[str, ...]
    identity: tuple[int, int, int]

    @property
    def target(self) -> str:
        """Its path in the address."""
        return f"/{self.path.name}"

    def unchanged(self) -> bool:
        """Whether the file is still the one that was checked."""
        try:
            return _identity(os.stat(self.path)) == self.identity
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen, and who may ask how much. Port 0 takes a free one; `ledger` is the record of connections."""

    ledger: Path
    host: str = LOOPBACK
    port: int = 0
    limits: Limits = field(default_factory=Limits)


def prepare(path: Path, control: Control) -> Shared:
    """Check the bundle from the first byte to the last. Raises an `EdgeError`."""
    if not path.name.isprintable() or "\\" in path.name:
        raise UsageError("A file of that name cannot be shared.", "Give it a name of letters and digits.")
    whole = hashlib.sha256()
    with bundle_source.opened_file(path, control.cancelled) as source:
        bundle = bundle_read.Bundle(_Hashed(source, whole.update))
        bundle.check(control)
        models = tuple(model.name for model in bundle.contents.models)
        info = os.stat(path)
        if info.st_size != bundle.size:
            raise StorageError("The bundle changed while it was checked.", "Wait until it is written, then try again.")
        return Shared(path.absolute(), info.st_size, whole.hexdigest(), bundle.fingerprint, models, _identity(info))


class _Hashed:
    """A source that shows every byte that is read to `see`."""

    def __init__(self, source: Source, see: Callable[[bytes], None]) -> None:
        self._source = source
        self._see = see

    @property
    def position(self) -> int:
        return self._source.position

    @property
    def size(self) -> int | None:
        return self._source.size

    def read(self, most: int) -> bytes:
        data = self._source.read(most)
        self._see(data)
        return data

    def skip(self, count: int) -> None:
        self._source.skip(count)


def check_allowed(host: str, offline: bool) -> None:
    """Raises `OfflineError` when the offline lock forbids to be reached at `host`."""
    if offline and not is_loopback(host):
        raise OfflineError(
            "The offline lock is on, so the bundle is not shared with other computers.",
            "To allow connections, set offline = false in the settings, or give --online for this time.",
        )


def serve(
    shared: Shared,
    place: Place,
    offline: bool,
    ready: Callable[[tuple[str, ...]], None],
    stopped: Callable[[], bool],
) -> None:
    """Serve until `stopped()`; `ready` is called once, with the addresses that lead to the bundle.

    Raises `OfflineError`, and `UsageError` when nobody can listen there.
    """
    check_allowed(place.host, offline)
    with _listening(place.host, place.port) as listener:
        port = listener.getsockname()[1]
        hosts = reachable(place.host)
        entrance = Entrance(_Files(shared), place.ledger, frozenset(_host_headers(hosts, port)), place.limits.busy)
        config = uvicorn.Config(
            entrance,
            http=Connection.limited(place.limits),
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=place.limits.idle,
            timeout_graceful_shutdown=_FAREWELL,
        )
        addresses = tuple(f"http://{_bracketed(host)}:{port}{quote(shared.target)}" for host in hosts)
        asyncio.run(_run(_Server(config), listener, lambda: ready(addresses), stopped))


class _Server(uvicorn.Server):
    """Leaves signals to whoever called."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


async def _run(
    server: _Server, listener: socket.socket, ready: Callable[[], None], stopped: Callable[[], bool]
) -> None:
    task = asyncio.create_task(server.serve(sockets=[listener]))
    told = False
    while not task.done():
        if server.started and not told:
            told = True
            ready()
        server.should_exit = server.should_exit or stopped()
        await asyncio.wait([task], timeout=0.1)
    for connection in list(server.server_state.connections):  # they had their time
        connection.transport.abort()
    if left := set(server.server_state.tasks):  # they still close their file
        await asyncio.wait(left, timeout=_FAREWELL)
    await asyncio.sleep(0)
    task.result()


class _Files:
    """The three answers: a page, the same for programs, and the file."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(scope)(scope, receive, send)

    def _answer(self, scope: Scope) -> Response:
        shared = self._shared
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("Only reading is offered here.", 405, {**_HEADERS, "Allow": "GET, HEAD"})
        if scope["path"] == "/":
            return Response(_page(shared), media_type="text/html", headers=_HEADERS)
        if scope["path"] == bundle_source.INDEX:
            return JSONResponse(_facts(shared), headers=_HEADERS)
        if scope["path"] != shared.target:
            return PlainTextResponse("There is nothing here.", 404, _HEADERS)
        if not shared.unchanged():
            return PlainTextResponse("The file has changed and is no longer shared.", 410, _HEADERS)
        return _File(
            shared.path,
            stat_result=os.stat(shared.path),
            media_type="application/octet-stream",
            filename=shared.path.name,
            headers={**_HEADERS, "ETag": f'"{shared.sha256}"'},
        )


class _File(FileResponse):
    chunk_size = 256 * 1024
    max_ranges = 1


def _facts(shared: Shared) -> dict[str, Any]:
    return {
        "name": shared.path.name,
        "size": shared.size,
        "sha256": shared.sha256,
        "signer": shared.signer,
        "models": list(shared.models),
    }


def _page(shared: Shared) -> str:
    name, models = html.escape(shared.path.name), html.escape(", ".join(shared.models))
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{name}</title><style>body{{font-family:sans-serif;max-width:45em;margin:2em auto;padding:0 1em}}"
        "code{overflow-wrap:anywhere}</style><main>"
        f"<h1>{name}</h1><p>A bundle of models for EdgeLLM: {models}.</p>"
        f"<p><a href='{html.escape(quote(shared.target), quote=True)}'>Download</a>, {shared.size:,} bytes.</p>"
        f"<p>SHA-256: <code>{shared.sha256}</code></p><p>Signed by: <code>{shared.signer}</code></p></main></html>"
    )


def reachable(host: str) -> tuple[str, ...]:
    """The addresses at which a server that listens at `host` is found, the most useful first."""
    if host != EVERYWHERE:
        return (host,)
    import psutil

    found = [
        entry.address
        for entries in psutil.net_if_addrs().values()
        for entry in entries
        if entry.family == socket.AF_INET and not entry.address.startswith("169.254.")
    ]
    return tuple(sorted(dict.fromkeys([*found, LOOPBACK]), key=is_loopback))


def _host_headers(hosts: tuple[str, ...], port: int) -> Iterator[str]:
    """What a Host header may say."""
    names = [*map(_bracketed, hosts)]
    if any(map(is_loopback, hosts)):
        names += [LOOPBACK, "localhost", "[::1]"]
    if not all(map(is_loopback, hosts)):
        own = socket.gethostname().lower()
        names += [own, f"{own}.local"]
    for name in names:
        yield f"{name}:{port}"
        if port == 80:
            yield name


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    if not 0 <= port <= 65_535:
        raise UsageError(f"There is no port {port}.", "Choose one from 1024 to 65535.")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=64)
    except OSError as error:
        why = error.strerror or "there is no such address"
        raise UsageError(f"Nobody can listen at {host}, port {port}: {why}.", "Choose another port.") from error
    with listener:
        yield listener


def _identity(info: os.stat_result) -> tuple[int, int, int]:
    return info.st_ino, info.st_size, info.st_mtime_ns
