"""The only door to the network: the offline lock, proxies, mirrors, the token, and a ledger of every connection.

`client` makes the one kind of HTTP client the program uses. What is downloaded, and retries, are left to the callers,
sentences to `trouble`, waiting that can be given up to `sockets`; processes that must stay silent are shut by
`isolation`.
"""

from __future__ import annotations

import json
import os
import re
import ssl
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import httpcore
import httpx

from edgellm import sockets, trouble
from edgellm.errors import NetworkError, OfflineError, StorageError
from edgellm.isolation import is_loopback
from edgellm.settings import Settings

HUB = "https://huggingface.co"
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
VIEWS = "edgellm.views"
"""A request with this extension may get its body as views of buffers that are used again once they are let go."""
_LARGE = 1 << 20
_HOST = re.compile(rb"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
_PORTS = {"https": 443, "http": 80}


def endpoint(settings: Settings) -> str:
    """Where relative addresses lead, without a slash at the end: the mirror, or HF_ENDPOINT, or huggingface.co."""
    return (settings.mirror or os.environ.get("HF_ENDPOINT", "").strip() or HUB).rstrip("/")


def endpoints(settings: Settings) -> tuple[str, ...]:
    """The endpoint and the further mirrors, in the order in which they are tried."""
    return tuple(dict.fromkeys([endpoint(settings), *(one.rstrip("/") for one in settings.further_mirrors.split())]))


def client(settings: Settings, ledger_path: Path, purpose: str = "", token: str = "") -> Client:
    """A client whose relative addresses lead to the endpoint.

    While the offline lock is on, a request to any other machine raises `OfflineError` before a socket is opened.
    Other failures raise `NetworkError`, and `StorageError` when the ledger cannot be written: a connection that
    cannot be recorded is not made. Redirects pass the same door. `token` is sent to the endpoint's own scheme, host
    and port, and to nobody else. Close the client after use.
    """
    try:
        return Client(endpoint(settings), _Door(settings, ledger_path, purpose, token))
    except httpx.InvalidURL as error:
        raise NetworkError("The mirror is not an address.", "Check the mirror in the settings.") from error


class Client(httpx.Client):
    """Translates what goes wrong between two requests, beyond the reach of the transport."""

    def __init__(self, base: str, door: _Door) -> None:
        self._door = door
        super().__init__(
            base_url=base,
            transport=door,
            timeout=_TIMEOUT,
            follow_redirects=True,
            max_redirects=5,
            trust_env=False,
            event_hooks={"response": [_check_redirect]},
        )

    def stop_when(self, cancelled: Callable[[], bool]) -> None:
        """From now on every wait of this client asks `cancelled()` ten times a second, and then raises `Stopped`."""
        self._door.cancelled = cancelled

    def build_request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Request:
        """A request; an address that is none is a `NetworkError`."""
        try:
            return super().build_request(method, url, **options)
        except httpx.InvalidURL as error:
            raise NetworkError("This is not an address.", "Check the link or the mirror.", lasting=True) from error

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send a request and follow its redirects."""
        host = request.url.host
        try:
            return super().send(request, **options)
        except httpx.TooManyRedirects as error:
            raise trouble.endless(host) from error
        except (httpx.RequestError, httpx.InvalidURL) as error:
            raise trouble.odd(host) from error


def _check_redirect(response: httpx.Response) -> None:
    """A server elsewhere must not send this program to a server on this machine."""
    if not response.has_redirect_location or is_loopback(response.request.url.host):
        return
    target = response.request.url.join(response.headers["location"])
    if is_loopback(target.host):
        raise trouble.odd(response.request.url.host)


class _Door(httpx.BaseTransport):
    """Checks, records and translates every request."""

    def __init__(self, settings: Settings, ledger_path: Path, purpose: str, token: str) -> None:
        self._offline = settings.offline
        self._proxy = settings.proxy
        self._ledger = ledger_path
        self._purpose = purpose
        self._token = token
        self._home = _origin(httpx.URL(endpoint(settings)))
        self._routes: dict[str, httpcore.ConnectionPool] = {}
        self.cancelled: Callable[[], bool] = lambda: False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One request: no redirect is followed here."""
        host = request.url.host
        if request.url.scheme not in _PORTS or not _HOST.fullmatch(request.url.raw_host):
            raise trouble.odd(host)
        if self._offline and not is_loopback(host):
            self._record(request, "refused: offline lock")
            raise OfflineError(
                f"The offline lock is on, so {host} was not contacted.",
                "To allow connections, set offline = false in the settings.",
            )
        self._record(request, "start")
        try:
            proxy = self._proxy_for(request.url)
            with _translated(host, proxy):
                response = self._route(proxy, request.url.scheme).handle_request(self._sent(request))
        except NetworkError as error:
            self._record(request, f"failed: {error.message}")
            raise
        self._record(request, str(response.status))
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_Stream(response, request),
            extensions=response.extensions,
        )

    def _sent(self, request: httpx.Request) -> httpcore.Request:
        """What goes over the wire. The token is added here, to a copy, so that no redirect can carry it along."""
        url, headers = request.url, request.headers.copy()
        if self._token and _origin(url) == self._home and (url.scheme == "https" or is_loopback(url.host)):
            headers["Authorization"] = f"Bearer {self._token}"
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        return httpcore.Request(
            request.method, target, headers=headers.raw, content=request.stream, extensions=request.extensions
        )

    def _route(self, proxy: str, scheme: str) -> httpcore.ConnectionPool:
        key = f"{scheme} {proxy}"
        if key not in self._routes:
            secure = _trust() if scheme == "https" or proxy.startswith("https") else None
            backend = sockets.Backend(lambda: self.cancelled())
            try:
                self._routes[key] = _pool(proxy, secure, backend)
            except (ValueError, httpx.InvalidURL) as error:
                raise NetworkError(
                    "The proxy address cannot be used.", "Set an http or https proxy in the settings.", lasting=True
                ) from error
        return self._routes[key]

    def _proxy_for(self, url: httpx.URL) -> str:
        if is_loopback(url.host) or self._proxy == "none":
            return ""
        if self._proxy:
            return self._proxy
        if urllib.request.proxy_bypass(url.host):
            return ""
        found = urllib.request.getproxies()
        proxy = found.get(url.scheme) or found.get("all") or ""
        return f"http://{proxy}" if proxy and "://" not in proxy else proxy

    def _record(self, request: httpx.Request, outcome: str) -> None:
        """Append one line. The query is left out: it can hold a secret."""
        entry = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "purpose": self._purpose,
            "method": request.method,
            "scheme": request.url.scheme,
            "host": request.url.host,
            "port": request.url.port or _PORTS.get(request.url.scheme),
            "path": request.url.path,
            "outcome": outcome,
        }
        try:
            self._ledger.parent.mkdir(parents=True, exist_ok=True)
            with self._ledger.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry, ensure_ascii=True) + "\n")
        except OSError as error:
            raise StorageError(
                "The record of network connections cannot be written, so no connection was made.",
                "Check the free space and the folder's permissions.",
            ) from error

    def close(self) -> None:
        """Close every connection."""
        for route in self._routes.values():
            route.close()


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or _PORTS.get(url.scheme)


def _trust() -> ssl.SSLContext:
    """The certificates httpx ships with, and those of this system: a company's own stand there."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


def _pool(proxy: str, secure: ssl.SSLContext | None, backend: httpcore.NetworkBackend) -> httpcore.ConnectionPool:
    if not proxy:
        return httpcore.ConnectionPool(ssl_context=secure, network_backend=backend)
    parsed = httpx.Proxy(proxy)
    url = httpcore.URL(
        scheme=parsed.url.raw_scheme, host=parsed.url.raw_host, port=parsed.url.port, target=parsed.url.raw_path
    )
    if parsed.url.scheme not in _PORTS:
        raise ValueError(parsed.url.scheme)  # SOCKS would need one more package
    own = secure if parsed.url.scheme == "https" else None
    return httpcore.HTTPProxy(url, parsed.raw_auth, ssl_context=secure, proxy_ssl_context=own, network_backend=backend)


class _Stream(httpx.SyncByteStream):
    """A response body whose failures are typed errors. A large one is read past the parser, which would copy it."""

    def __init__(self, response: httpcore.Response, request: httpx.Request) -> None:
        self._stream: Any = response.stream
        self._connection = response.extensions.get("network_stream")
        self._length = _large_length(response)
        self._host = request.url.host
        self._timeout: float | None = request.extensions.get("timeout", {}).get("read")
        self._views = bool(request.extensions.get(VIEWS))

    def __iter__(self) -> Iterator[bytes]:
        connection = self._connection
        with _translated(self._host):
            if self._length and isinstance(connection, sockets.Stream) and connection.at_body:
                yield from cast("Iterator[bytes]", connection.body(self._length, self._timeout, self._views))
            else:
                yield from self._stream

    def close(self) -> None:
        self._stream.close()


def _large_length(response: httpcore.Response) -> int:
    """The length of a body that is large and plain, or 0."""
    lengths = [value for name, value in response.headers if name.lower() == b"content-length"]
    chunked = any(name.lower() == b"transfer-encoding" for name, _ in response.headers)
    if response.status not in (200, 206) or chunked or len(lengths) != 1 or not lengths[0].isdigit():
        return 0
    length = int(lengths[0]) if len(lengths[0]) <= 18 else 0
    return length if length >= _LARGE else 0


@contextmanager
def _translated(host: str, proxy: str = "") -> Iterator[None]:
    try:
        yield
    except httpcore.ProxyError as error:
        raise trouble.proxy() from error
    except httpcore.TimeoutException as error:
        raise trouble.silent(host) from error
    except httpcore.ConnectError as error:
        # With a proxy the connection was to the proxy, but for the handshake that went through it.
        found = trouble.of_connecting(httpx.URL(proxy).host if proxy else host, error)
        raise trouble.unverified(host) if found.lasting else found from error
    except UnicodeError as error:  # a name with a part that is too long, or empty
        raise trouble.unknown(host) from error
    except httpcore.NetworkError as error:
        raise trouble.broken(host) from error
    except httpcore.UnsupportedProtocol as error:
        raise trouble.odd(host) from error
    except httpcore.ProtocolError as error:
        raise trouble.broken(host) from error
