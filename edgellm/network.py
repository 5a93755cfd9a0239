"""The only door to the network: the offline lock, proxies, the mirror, and a ledger of every connection.

`client` makes the one kind of HTTP client the program uses. What is downloaded, and retries, are left to the callers;
processes that must stay silent are shut by `isolation`.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from edgellm.errors import NetworkError, OfflineError, StorageError
from edgellm.isolation import is_loopback
from edgellm.settings import Settings

HUB = "https://huggingface.co"
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)


def client(settings: Settings, ledger_path: Path, purpose: str = "") -> httpx.Client:
    """A client whose relative addresses lead to the mirror, or to huggingface.co.

    While the offline lock is on, a request to any other machine raises `OfflineError` before a socket is opened.
    Other failures raise `NetworkError`, and `StorageError` when the ledger cannot be written: a connection that
    cannot be recorded is not made. Redirects pass the same door. Close the client after use.
    """
    try:
        return Client(
            base_url=settings.mirror or HUB,
            transport=_Door(settings, ledger_path, purpose),
            timeout=_TIMEOUT,
            follow_redirects=True,
            max_redirects=5,
            trust_env=False,
        )
    except httpx.InvalidURL as error:
        raise NetworkError("The mirror is not an address.", "Check the mirror in the settings.") from error


class Client(httpx.Client):
    """Translates what goes wrong between two requests, beyond the reach of the transport."""

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send a request and follow its redirects."""
        try:
            return super().send(request, **options)
        except httpx.TooManyRedirects as error:
            host = request.url.host
            raise NetworkError(f"{host} redirects without an end.", "Check the mirror in the settings.") from error
        except (httpx.RequestError, httpx.InvalidURL) as error:
            host = request.url.host
            raise NetworkError(f"The answer of {host} makes no sense.", "Try again, or use another mirror.") from error


class _Door(httpx.BaseTransport):
    """Checks, records and translates every request."""

    def __init__(self, settings: Settings, ledger_path: Path, purpose: str) -> None:
        self._offline = settings.offline
        self._proxy = settings.proxy
        self._ledger = ledger_path
        self._purpose = purpose
        self._routes: dict[str, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        if self._offline and not is_loopback(host):
            self._record(request, "refused: offline lock")
            raise OfflineError(
                f"The offline lock is on, so {host} was not contacted.",
                "To allow connections, set offline = false in the settings.",
            )
        self._record(request, "start")
        try:
            with _translated(host):
                response = self._route(request).handle_request(request)
        except NetworkError as error:
            self._record(request, f"failed: {error.message}")
            raise
        self._record(request, str(response.status_code))
        response.stream = _Stream(response.stream, host)
        return response

    def _route(self, request: httpx.Request) -> httpx.HTTPTransport:
        proxy = self._proxy_for(request.url)
        if proxy not in self._routes:
            try:
                self._routes[proxy] = httpx.HTTPTransport(proxy=proxy or None)
            except (ValueError, ImportError) as error:
                raise NetworkError("The proxy address cannot be used.", "Check the proxy in the settings.") from error
        return self._routes[proxy]

    def _proxy_for(self, url: httpx.URL) -> str:
        if is_loopback(url.host) or self._proxy == "none":
            return ""
        if self._proxy:
            return self._proxy
        if urllib.request.proxy_bypass(url.host):
            return ""
        found = urllib.request.getproxies()
        return found.get(url.scheme) or found.get("all") or ""

    def _record(self, request: httpx.Request, outcome: str) -> None:
        """Append one line. The query is left out: it can hold a secret."""
        entry = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "purpose": self._purpose,
            "method": request.method,
            "scheme": request.url.scheme,
            "host": request.url.host,
            "port": request.url.port or {"https": 443, "http": 80}.get(request.url.scheme),
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
        for route in self._routes.values():
            route.close()


class _Stream(httpx.SyncByteStream):
    """A response body whose failures are typed errors."""

    def __init__(self, stream: Any, host: str) -> None:
        self._stream = stream
        self._host = host

    def __iter__(self) -> Iterator[bytes]:
        with _translated(self._host):
            yield from self._stream

    def close(self) -> None:
        self._stream.close()


@contextmanager
def _translated(host: str) -> Iterator[None]:
    try:
        yield
    except httpx.ProxyError as error:
        raise NetworkError("The proxy refused the connection.", "Check the proxy in the settings.") from error
    except httpx.TimeoutException as error:
        raise NetworkError(f"{host} did not answer in time.", "Check the connection and try again.") from error
    except httpx.ConnectError as error:
        raise _connect_error(host, error) from error
    except httpx.TransportError as error:
        raise NetworkError(f"The connection to {host} broke off.", "Try again.") from error


def _connect_error(host: str, error: httpx.ConnectError) -> NetworkError:
    text = str(error).lower()
    if "certificate" in text or "ssl" in text:
        return NetworkError(
            f"The secure connection to {host} could not be verified.",
            "Check the computer's date, or ask whoever runs your network about its certificate.",
        )
    if "name" in text or "getaddrinfo" in text or "nodename" in text:
        return NetworkError(f"The address {host} was not found.", "Check that this computer is on the internet.")
    return NetworkError(f"{host} refused the connection.", "Check the address and the firewall, then try again.")
