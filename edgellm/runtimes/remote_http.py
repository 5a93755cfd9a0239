"""One request to a server through the one door to the network, and its answer: bounded, and given up at any time.

What is asked, and whether to ask again, is left to `remote_client`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from edgellm import trouble
from edgellm.errors import EdgeError, NetworkError, Stopped
from edgellm.runtimes import remote_errors, remote_events
from edgellm.runtimes.base import Cancelled
from edgellm.runtimes.remote_address import Address
from edgellm.runtimes.remote_errors import Asked, Complaint
from edgellm.runtimes.remote_limits import Limits

if TYPE_CHECKING:
    import httpx

    from edgellm.network import Client

_PLAIN = {"Accept": "application/json", "Accept-Encoding": "identity"}
_STREAM = {"Accept": "text/event-stream, application/json", "Accept-Encoding": "identity"}


class Wait:
    """Ends a wait because it was canceled, or because nothing came for too long."""

    def __init__(self, cancelled: Cancelled, seconds: float) -> None:
        self._cancelled = cancelled
        self.allow(seconds)

    @property
    def left(self) -> float:
        """Seconds until it is over."""
        return self._until - time.monotonic()

    def allow(self, seconds: float) -> None:
        """From now on, so long."""
        self._until = time.monotonic() + seconds

    def over(self) -> bool:
        """Whether to give up."""
        return self._cancelled() or self.left <= 0

    def check(self) -> None:
        """Raise `Stopped` when it was canceled."""
        if self._cancelled():
            raise Stopped()

    def failure(self, host: str) -> EdgeError:
        """Why it was given up."""
        return Stopped() if self._cancelled() else trouble.silent(host)


class Door:
    """The requests to one server. `connect(purpose)` is a client whose relative addresses lead to `address.base`."""

    def __init__(self, address: Address, connect: Callable[[str], Client], key: str, limits: Limits) -> None:
        self.address = address
        self.limits = limits
        self._connect = connect
        self._key = key

    @property
    def host(self) -> str:
        """The server's name."""
        return self.address.host

    def asked(self, **facts: Any) -> Asked:
        """What an error speaks of."""
        return Asked(self.host, bool(self._key), **facts)

    def complaint(self, found: Any) -> Complaint:
        """What the server says went wrong, in the body of a refusal or in an event."""
        return remote_errors.complaint_of(found, self._key)

    def once(self, method: str, url: str, body: Mapping[str, Any] | None, purpose: str, wait: Wait) -> Any:
        """The JSON that answers one request. Raises an `EdgeError`."""
        with self.open(method, url, body, purpose, wait) as response:
            if response.status_code >= 300:
                complaint = self.complaint(self.some(response, wait))
                raise remote_errors.refusal(response.status_code, response.headers, complaint, self.asked())
            data = self.whole(response, wait)
        if data.lstrip()[:1] == b"<":
            raise trouble.sign_in(self.host)
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            raise remote_events.nonsense(self.host) from error

    @contextmanager
    def open(
        self, method: str, url: str, body: Mapping[str, Any] | None, purpose: str, wait: Wait
    ) -> Iterator[httpx.Response]:
        """The answer to a request, before its body was read."""
        headers = _STREAM if body is not None and body.get("stream") else _PLAIN
        limits = self.limits
        try:
            with self._connect(purpose) as client:
                client.stop_when(wait.over)
                # A read has no limit of its own: `wait` ends it, and knows what is waited for.
                options: dict[str, Any] = {"timeout": (limits.connect, None, limits.first, limits.connect)}
                if body is not None:
                    options["content"] = json.dumps(body).encode("ascii")
                    headers = {**headers, "Content-Type": "application/json"}
                with client.stream(method, url, headers=headers, follow_redirects=False, **options) as response:
                    encoding = response.headers.get("content-encoding", "identity").strip().lower()
                    if encoding not in ("", "identity"):
                        raise remote_events.nonsense(self.host)
                    if response.status_code < 300 and _is_page(response):
                        raise trouble.sign_in(self.host)
                    yield response
        except Stopped:
            raise wait.failure(self.host) from None
        except NetworkError as error:
            if type(error) is not NetworkError or "mirror" not in error.hint:
                raise
            # The door speaks of models to download.
            hint = "Check that the server runs, and remote_address in the settings."
            raise NetworkError(error.message, hint, lasting=error.lasting) from error

    def whole(self, response: httpx.Response, wait: Wait) -> bytes:
        body = bytearray()
        for piece in response.iter_raw():
            body += piece
            if len(body) > self.limits.reply:
                raise remote_events.too_much(self.host)
            if wait.over():
                raise wait.failure(self.host)
        return bytes(body)

    def some(self, response: httpx.Response, wait: Wait) -> bytes:
        """The beginning of a body, which goes with an error."""
        body = bytearray()
        wait.allow(min(wait.left, self.limits.short))
        try:
            for piece in response.iter_raw():
                body += piece
                if len(body) > self.limits.complaint or wait.over():
                    break
        except (NetworkError, Stopped):
            pass  # the status says enough
        wait.check()
        return bytes(body[: self.limits.complaint])


def _is_page(response: httpx.Response) -> bool:
    return bool(response.headers.get("content-type", "").strip().lower().startswith(("text/html", "application/xhtml")))
