"""One question to the hub and its whole answer: bounded in bytes and time, tried again and at the next mirror.

What the answer means is left to `hub_reply`; addresses of files, and fetching them, to others.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from edgellm import trouble
from edgellm.errors import EdgeError, ModelError, ModelNotFound, NetworkError
from edgellm.models.catalog_schema import is_repo
from edgellm.models.names import shown
from edgellm.models.rate import Control
from edgellm.models.retry import Routes, Tuning

if TYPE_CHECKING:
    import httpx

Value = TypeVar("Value")
_MISSING = frozenset({"RepoNotFound", "RevisionNotFound", "EntryNotFound"})
_TOKEN = "edgellm models token --set"


@dataclass(frozen=True, slots=True)
class Limits:
    """What an answer may be: bytes, and seconds until its end; `tuning` says for how long failures are borne."""

    reply: int = 20 << 20
    seconds: float = 60.0
    tuning: Tuning = field(default_factory=Tuning)


@dataclass(frozen=True, slots=True)
class Question:
    """A path of the hub with its query. `purpose` is for the ledger, `what` the repository or text asked for."""

    purpose: str
    path: str
    query: Mapping[str, str]
    what: str


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks the hub that `connect(purpose)` leads to, and the endpoints `further` in turn when that one fails."""

    connect: Callable[[str], httpx.Client]
    further: tuple[str, ...]
    limits: Limits
    control: Control

    def hosts(self) -> frozenset[str]:
        """Host and port of every endpoint, as in a link."""
        with self.connect("hub address") as client:
            first = str(client.base_url)
        return frozenset(urlsplit(endpoint).netloc.lower() for endpoint in (first, *self.further))

    def get(self, question: Question, read: Callable[[Any, str], Value]) -> Value:
        """What `read` makes of the JSON that answers `question`, and of the host that gave it.

        Raises `ModelNotFound`, `ModelError` when a token or consent is wanted, `NetworkError`, `OfflineError`, and what
        `read` raises; of that a `NetworkError` leads to the next endpoint.
        """
        routes = Routes(("", *(one.rstrip("/") for one in self.further)), self.limits.tuning, self.control)
        with self.connect(f"hub {question.purpose}") as client:
            while True:
                started = time.monotonic()
                try:
                    return read(*self._ask(client, routes.route.address, question))
                except NetworkError as error:
                    routes.failed(error, started)

    def _ask(self, client: httpx.Client, endpoint: str, question: Question) -> tuple[Any, str]:
        until = time.monotonic() + self.limits.seconds
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        with client.stream("GET", endpoint + question.path, params=question.query, headers=headers) as response:
            host = response.url.host
            if error := _problem(response, question.what):
                raise error
            body = bytearray()
            for piece in response.iter_raw():
                self.control.check()
                body += piece
                if len(body) > self.limits.reply:
                    raise NetworkError(
                        f"The answer of {host} is too long.", "Choose another repository or mirror.", lasting=True
                    )
                if time.monotonic() > until:
                    raise trouble.silent(host)
        return _parsed(bytes(body), host), host


def _parsed(body: bytes, host: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        page = body.lstrip()[:1] == b"<"
        raise (trouble.sign_in(host) if page else trouble.odd(host)) from error


def _problem(response: httpx.Response, what: str) -> EdgeError | None:
    """Why an answer cannot be used, by its status and headers."""
    status, host, headers = response.status_code, response.url.host, response.headers
    if status in (401, 403, 404) and (status == 404 or headers.get("X-Error-Code", "") in _MISSING):
        revision = headers.get("X-Error-Code") == "RevisionNotFound"
        return ModelNotFound(
            f"{host} has no {'such revision of' if revision else 'repository'} {shown(what)}, or it is private.",
            "Check the name, or look for it: edgellm models search TEXT",
        )
    if status in (401, 403):
        return _gated(response, what)
    if error := trouble.of_answer(host, status, headers):
        return error
    if headers.get("Content-Type", "").lower().startswith("text/html"):
        return trouble.sign_in(host)
    if status != 200 or headers.get("Content-Encoding", "identity").lower() != "identity":
        return trouble.odd(host)
    return None


def _gated(response: httpx.Response, what: str) -> ModelError:
    """The sentence for what is given only to some; 403 says that the hub knows who asks."""
    host, origin = response.url.host, f"{response.url.scheme}://{response.url.netloc.decode('ascii')}"
    if not is_repo(what):
        return ModelError(f"{host} answers only to those with a token.", f"Keep one here: {_TOKEN}")
    if response.status_code == 403:
        return ModelError(
            f"{host} does not give {what} to the owner of this token.",
            f"Accept its license on {origin}/{what}, or keep another token: {_TOKEN}",
        )
    return ModelError(
        f"{host} gives {what} only to those who accepted its license.",
        f"Accept it on {origin}/{what}, then keep a token here: {_TOKEN}",
    )
