"""A model on an OpenAI-compatible server (vLLM, llama-server, Ollama) as a `Generator`: the way out of this machine.

Never used unless a person named a server and asked for it. Speaking with the server is left to `remote_client`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from edgellm.errors import ContextOverflow, EdgeError, NetworkError, ResponseFormatError, Stopped
from edgellm.models.token import Drawer, Tokens
from edgellm.runtimes import remote_count, remote_errors, remote_events, remote_request, schema_check
from edgellm.runtimes.base import Cancelled, Chunk, Event, Finish, FinishReason, Message, ModelInfo, Request, never
from edgellm.runtimes.json_schema import plain_schema
from edgellm.runtimes.remote_address import Address
from edgellm.runtimes.remote_client import Offer, Server
from edgellm.runtimes.remote_http import Door
from edgellm.runtimes.remote_limits import Limits
from edgellm.runtimes.stops import TextStream

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

    from edgellm.network import Client
    from edgellm.paths import Paths
    from edgellm.settings import Settings

KEYS = Drawer("EdgeLLM server key", "server-keys.json", "remote_address", "the server, or whoever runs it")
ASSUMED_CONTEXT = 8_192
_WITHHELD = "content_filter"
_LEAST_LEARNED = 50
_BYTES = (1.0, 8.0)


def server_of(
    settings: Callable[[], Settings], paths: Paths, limits: Limits | None = None, ring: KeyringBackend | None = None
) -> Server:
    """The server of the settings, with the key that is kept for it. Raises `SettingsError` when there is none.

    The settings are asked again for each connection, so that the offline lock holds from the moment it is set.
    """
    address = Address.of(settings().remote_address)
    key = Tokens(paths, ring, KEYS).read(address.base)

    def connect(purpose: str) -> Client:
        from edgellm import network

        return network.client(replace(settings(), mirror=address.base), paths.ledger, purpose, key)

    return Server(Door(address, connect, key, limits or Limits()))


@dataclass(slots=True)
class _Tally:
    """What came of an answer so far. Times are of `time.perf_counter`."""

    prompt: int
    started: float = field(default_factory=time.perf_counter)
    first: float = 0.0
    pieces: int = 0
    size: int = 0
    reason: str = ""
    usage: remote_events.Usage = field(default_factory=remote_events.Usage)
    text: list[str] = field(default_factory=list)

    def add(self, piece: remote_events.Piece) -> None:
        """Note an event; what thinks without writing counts as a token too."""
        if piece.text or piece.thought:
            self.first = self.first or time.perf_counter()
            self.pieces += 1
            self.size += len(piece.text)
        self.reason = piece.reason or self.reason
        self.usage = piece.usage or self.usage

    def finish(self, reason: FinishReason, device: str) -> Finish:
        """The facts; tokens that the server did not count are those that were seen here."""
        now = time.perf_counter()
        new = self.pieces if self.usage.new is None else self.usage.new
        decode = now - self.first if self.first else 0.0
        return Finish(
            reason=reason,
            prompt_tokens=self.prompt if self.usage.prompt is None else self.usage.prompt,
            cached_tokens=self.usage.cached or 0,
            new_tokens=new,
            seconds=now - self.started,
            tokens_per_second=new / decode if decode > 0 and new > 1 else 0.0,
            device=device,
            peak_memory=0,
            truncated=reason == "length",
            prefill_seconds=self.first - self.started if self.first else 0.0,
        )


class RemoteRuntime:
    """Implements `Runtime`. `notes` are sentences worth showing about how the model was found."""

    def __init__(self, server: Server, offers: tuple[Offer, ...], info: ModelInfo, notes: tuple[str, ...]) -> None:
        self._server = server
        self._names = tuple(offer.name for offer in offers)
        self._info = info
        self._exact: remote_count.Exact | None = None
        self._bytes_per_token = remote_count.BYTES_PER_TOKEN
        self.notes = notes

    @classmethod
    def load(cls, server: Server, name: str, context: int = 0, cancelled: Cancelled = never) -> RemoteRuntime:
        """Ask the server for its models and choose the one called `name` (empty: the first).

        `context` bounds the window in tokens (0: what the server says). Raises an `EdgeError`.
        """
        try:
            offers = server.models(cancelled)
        except remote_errors.Absent:
            if not name:
                raise
            offers = ()  # it does not list its models; the first question will tell
        offer = _chosen(offers, name, server.host)
        window, notes = _window(offer, context), []
        if not name and len(offers) > 1:
            notes.append(f"{server.host} has {len(offers)} models; {offer.name} is the first of them.")
        if not (offer.context or context):
            notes.append(f"{server.host} does not say how long its context is; {window} tokens are assumed.")
        info = ModelInfo(
            name=offer.name,
            architecture="remote",
            parameters=offer.parameters,
            quantization="",
            context=window,
            trained_context=offer.context or window,
            vocabulary=0,
            metadata={"device": server.address.device},
        )
        made = cls(server, offers, info, tuple(notes))
        made._exact = remote_count.exact(server, offer.name, cancelled)
        if made._exact is None:
            made.notes += ("Tokens of a prompt are estimated from its length, about four letters each.",)
        return made

    @property
    def info(self) -> ModelInfo:
        """The model, as far as its server tells."""
        return self._info

    def count(self, messages: tuple[Message, ...]) -> int:
        """Tokens of the prompt: counted by a server on this computer that can, or an estimate."""
        found = self._exact.count(messages) if self._exact is not None else None
        if found is not None:
            return found
        return remote_count.estimate(messages, self._bytes_per_token)

    def generate(self, request: Request, cancelled: Cancelled = never) -> Iterator[Event]:
        """Stream the answer. Raises an `EdgeError`; what came before it stays."""
        server, device = self._server, self._server.address.device
        plain = plain_schema(request.schema) if request.schema is not None else None
        body = remote_request.body_of(request, self._info.name)
        estimated = remote_count.estimate(request.messages, self._bytes_per_token)
        asked = server.door.asked(
            model=self._info.name, models=self._names, tokens=estimated, context=self._info.context
        )
        tally, text, joined = _Tally(estimated), TextStream(request.stop), remote_events.Whole()
        reason: FinishReason = "stop"
        try:
            with closing(server.chat(body, asked, cancelled)) as pieces:
                for piece in pieces:
                    tally.add(piece)
                    if ready := text.feed(joined.feed(piece.text).encode()):
                        tally.text.append(ready)
                        yield Chunk(ready)
                    if text.stopped:
                        break
                    if tally.size > server.door.limits.answer:
                        raise remote_events.too_much(server.host)
        except Stopped:
            reason = "cancelled"
        except EdgeError as error:
            if held := text.finish():
                yield Chunk(held)
            raise self._learned(error) from error.__cause__
        if held := text.finish():
            tally.text.append(held)
            yield Chunk(held)
        if tally.reason == "length" and not text.stopped and reason == "stop":
            reason = "length"
        self._learn(request.messages, tally.usage)
        self._check(reason, plain, tally)
        yield tally.finish(reason, device)

    def close(self) -> None:
        """Nothing stays open between two answers."""

    def _check(self, reason: FinishReason, plain: dict[str, object] | None, tally: _Tally) -> None:
        """Raise an error for a whole answer that is not what was asked for."""
        if reason != "stop":
            return
        host = self._server.host
        if tally.reason == _WITHHELD:
            raise NetworkError(
                f"{host} withheld the rest of the answer because of its content.", "What had arrived is kept."
            )
        if plain is not None and (found := schema_check.problem("".join(tally.text), plain)):
            raise ResponseFormatError(
                f"The answer of {host} does not satisfy the JSON schema: {found}.",
                "What had arrived is kept. Use a server that keeps to schemas, or a model on this computer.",
            )

    def _learned(self, error: EdgeError) -> EdgeError:
        """The error; a context that it names is the model's from now on."""
        if isinstance(error, ContextOverflow) and error.context < self._info.context:
            self._info = replace(self._info, context=error.context)
        return error

    def _learn(self, messages: tuple[Message, ...], usage: remote_events.Usage) -> None:
        """Better estimates, by what the server counted."""
        size = sum(remote_count.size_of(message.content) for message in messages)
        if usage.prompt and usage.prompt >= _LEAST_LEARNED and size:
            low, high = _BYTES
            self._bytes_per_token = min(max(size / usage.prompt, low), high)


def _chosen(offers: tuple[Offer, ...], name: str, host: str) -> Offer:
    """The model that a name means: as it is, in any case, or with Ollama's `:latest`."""
    if not offers:
        if name:
            return Offer(name)
        raise NetworkError(f"{host} has no model loaded.", "Load one there, then try again.")
    if not name:
        return offers[0]
    wanted = name.casefold()
    for form in (wanted, f"{wanted}:latest"):
        found = [offer for offer in offers if offer.name == name] or [
            offer for offer in offers if offer.name.casefold() == form
        ]
        if found:
            return found[0]
    raise remote_errors.no_model(name, tuple(offer.name for offer in offers), host)


def _window(offer: Offer, context: int) -> int:
    if offer.context and context:
        return min(offer.context, context)
    return offer.context or context or ASSUMED_CONTEXT
