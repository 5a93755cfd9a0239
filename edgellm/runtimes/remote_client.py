"""Speaks with one OpenAI-compatible server through the one door to the network: its models, and an answer as it comes.

Every wait can be given up and every answer is bounded. What the pieces of an answer become is left to `remote`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgellm import trouble
from edgellm.errors import EdgeError, NetworkError, Stopped
from edgellm.runtimes import remote_errors, remote_events, remote_request
from edgellm.runtimes.base import Cancelled
from edgellm.runtimes.remote_address import Address
from edgellm.runtimes.remote_errors import Asked, Complaint
from edgellm.runtimes.remote_events import Events, Piece
from edgellm.runtimes.remote_http import Door, Wait
from edgellm.runtimes.remote_request import Body
from edgellm.runtimes.remote_retry import Attempts

if TYPE_CHECKING:
    import httpx

_MOST_MODELS = 1_000
_LONGEST_NAME = 300
_KEPT = "What had arrived is kept; ask again for the rest."


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that a server lists; `context` in tokens and `parameters` are 0 where it does not say."""

    name: str
    context: int = 0
    parameters: int = 0


class Rejected(Exception):
    """A refusal that may be mended: the same request without what the server names. Never leaves this module."""

    def __init__(self, complaint: Complaint, error: EdgeError) -> None:
        super().__init__(str(error))
        self.complaint = complaint
        self.error = error


class Empty(NetworkError):
    """A stream that ended before it began; asked without a stream, the server may say why."""


class Server:
    """What is asked of one server, through its `door`."""

    def __init__(self, door: Door) -> None:
        self.door = door

    @property
    def address(self) -> Address:
        """Where it is."""
        return self.door.address

    @property
    def host(self) -> str:
        """Its name."""
        return self.door.host

    def models(self, cancelled: Cancelled) -> tuple[Offer, ...]:
        """The models it lists; their names are text from elsewhere. Raises an `EdgeError`."""
        found = self.get(f"{self.address.base}/models", "remote models", cancelled)
        listed = found.get("data") if isinstance(found, Mapping) else None
        if not isinstance(listed, list):
            raise remote_events.nonsense(self.host)
        offers = [_offer(one) for one in listed[:_MOST_MODELS] if isinstance(one, Mapping)]
        return tuple({offer.name: offer for offer in offers if offer is not None}.values())

    def get(self, url: str, purpose: str, cancelled: Cancelled) -> Any:
        """The JSON at an address of this server. Raises an `EdgeError`."""
        attempts = Attempts(self.door.limits, cancelled)
        while True:
            try:
                return self.door.once("GET", url, None, purpose, Wait(cancelled, self.door.limits.short))
            except NetworkError as error:
                attempts.failed(error)

    def post(self, url: str, body: Mapping[str, Any], purpose: str, wait: Wait) -> Any:
        """The JSON that answers `body`, asked once. Raises an `EdgeError`."""
        return self.door.once("POST", url, body, purpose, wait)

    def chat(self, body: Body, asked: Asked, cancelled: Cancelled) -> Generator[Piece]:
        """The pieces of an answer. Raises an `EdgeError`; what came before it stays.

        A failure before the first token is tried again, after it no more.
        """
        attempts = Attempts(self.door.limits, cancelled)
        while True:
            begun = False
            try:
                with closing(self._answer(body, asked, cancelled)) as pieces:
                    for piece in pieces:
                        begun = begun or bool(piece.text) or piece.thought
                        yield piece
                return
            except Rejected as rejected:
                changed = remote_request.without(body, rejected.complaint.text)
                if changed is None:
                    attempts.failed(rejected.error)
                else:
                    body = changed  # each field can be left out once, so this ends
            except Empty:
                if not body["stream"]:
                    raise
                body = remote_request.at_once(body)
            except NetworkError as error:
                if begun:
                    raise NetworkError(error.message, _KEPT) from error
                attempts.failed(error)

    def _answer(self, body: Body, asked: Asked, cancelled: Cancelled) -> Generator[Piece]:
        """The pieces of one attempt."""
        wait = Wait(cancelled, self.door.limits.first)
        url = f"{self.address.base}/chat/completions"
        with self.door.open("POST", url, body, "remote chat", wait) as response:
            if response.status_code >= 300:
                self._refuse(response, asked, wait)
            if not _is_stream(response):
                yield self._checked(self.door.whole(response, wait), asked)
                return
            yield from self._pieces(response, asked, wait)

    def _pieces(self, response: httpx.Response, asked: Asked, wait: Wait) -> Generator[Piece]:
        events, idle, ended, heard = Events(self.host, self.door.limits), 0, False, False
        try:
            for data in _read(response, events):
                if isinstance(data, int):
                    idle += data
                    if idle > self.door.limits.idle:
                        raise remote_events.too_much(self.host)
                    if wait.over():
                        raise wait.failure(self.host)
                    continue
                if data.strip() == remote_events.DONE:
                    return
                if not data.strip():
                    continue
                piece = self._checked(data, asked)
                heard = True
                ended = ended or bool(piece.reason)
                yield piece
                if piece.text or piece.thought or piece.reason:  # allowed from here: who takes it may take its time
                    idle = 0
                    wait.allow(self.door.limits.last if ended else self.door.limits.between)
        except (NetworkError, Stopped):
            if not ended:
                raise
            return  # only the counts of tokens are missing
        if not heard:
            raise Empty(f"{self.host} ended its answer before it began.", "Check the server's own log.")
        if not ended:
            raise NetworkError(f"The answer of {self.host} broke off.", "Try again.")

    def _checked(self, data: str | bytes, asked: Asked) -> Piece:
        if isinstance(data, bytes) and data.lstrip()[:1] == b"<":
            raise trouble.sign_in(self.host)
        piece = remote_events.piece_of(data, self.host)
        if piece.error is not None:
            complaint = self.door.complaint(piece.error)
            raise remote_errors.refusal(0, {}, complaint, asked)
        return piece

    def _refuse(self, response: httpx.Response, asked: Asked, wait: Wait) -> None:
        complaint = self.door.complaint(self.door.some(response, wait))
        error = remote_errors.refusal(response.status_code, response.headers, complaint, asked)
        if complaint.too_long or response.status_code in (401, 403, 404, 429):
            raise error
        raise Rejected(complaint, error)


def _read(response: httpx.Response, events: Events) -> Iterator[str | int]:
    """The data of each event, and before them the size of what was received."""
    for piece in response.iter_raw():
        yield len(piece)
        yield from events.feed(piece)
    yield from events.rest()


def _is_stream(response: httpx.Response) -> bool:
    return not response.headers.get("content-type", "").strip().lower().startswith("application/json")


def _offer(one: Mapping[str, Any]) -> Offer | None:
    name = one.get("id")
    if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        return None
    meta = one.get("meta")
    meta = meta if isinstance(meta, Mapping) else {}
    windows = (one.get("max_model_len"), meta.get("n_ctx"), one.get("context_length"), meta.get("n_ctx_train"))
    context = next((number for found in windows if (number := remote_events.count(found))), 0)
    return Offer(name, context, remote_events.count(meta.get("n_params")) or 0)
