"""How many tokens a prompt has, for a model elsewhere: asked of its server where that costs no privacy, or estimated.

Only a server on this computer is asked: what is still being typed must not leave the machine before it is sent.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from edgellm.errors import EdgeError, NetworkError, Stopped
from edgellm.runtimes.base import Cancelled, Message
from edgellm.runtimes.remote_client import Server
from edgellm.runtimes.remote_events import count, whole
from edgellm.runtimes.remote_http import Wait
from edgellm.runtimes.remote_request import messages_of

BYTES_PER_TOKEN = 4.0
_FRAME = 4  # tokens around a message: its role, its beginning and its end
_PROBE = (Message("user", "one two"),)
_Ask = Callable[[str, Mapping[str, Any]], Any]
Counter = Callable[[_Ask, str, tuple[Message, ...]], int | None]


def estimate(messages: tuple[Message, ...], bytes_per_token: float = BYTES_PER_TOKEN) -> int:
    """Tokens by the size of the text: four letters of English to a token, a token for most Chinese characters."""
    return sum(_FRAME + math.ceil(size_of(message.content) / bytes_per_token) for message in messages) + 1


def size_of(text: str) -> int:
    """Bytes of a text."""
    return len(whole(text).encode())


class Exact:
    """A server that counts. One that is busy is left alone for a while: an estimate at once is better than a wait."""

    def __init__(self, server: Server, model: str, counter: Counter) -> None:
        self._server = server
        self._model = model
        self._counter = counter
        self._not_before = 0.0

    def count(self, messages: tuple[Message, ...]) -> int | None:
        """Tokens of the prompt; None when the server does not say in time."""
        if time.monotonic() < self._not_before:
            return None
        wait = Wait(lambda: False, self._server.door.limits.count)
        try:
            found = self._counter(_asking(self._server, wait), self._model, messages)
        except EdgeError:
            found = None
        if found is None:
            self._not_before = time.monotonic() + self._server.door.limits.busy
        return found


def exact(server: Server, model: str, cancelled: Cancelled) -> Exact | None:
    """A way to have the server count, if it is on this computer and can. Raises `Stopped`."""
    if not server.address.local:
        return None
    for counter in COUNTERS:
        try:
            if counter(_asking(server, Wait(cancelled, server.door.limits.short)), model, _PROBE):
                return Exact(server, model, counter)
        except NetworkError as error:
            if not error.lasting:
                return None  # it is silent or broken, and would be for the next question too
        except Stopped:
            raise
        except EdgeError:
            continue
    return None


def _asking(server: Server, wait: Wait) -> _Ask:
    def ask(path: str, body: Mapping[str, Any]) -> Any:
        return server.post(server.address.root + path, body, "remote tokens", wait)

    return ask


def _vllm(ask: _Ask, model: str, messages: tuple[Message, ...]) -> int | None:
    body = {"model": model, "messages": messages_of(messages), "add_generation_prompt": True}
    found = ask("/tokenize", body)
    return count(found.get("count")) if isinstance(found, Mapping) else None


def _llama_server(ask: _Ask, model: str, messages: tuple[Message, ...]) -> int | None:
    written = ask("/apply-template", {"model": model, "messages": messages_of(messages)})
    prompt = written.get("prompt") if isinstance(written, Mapping) else None
    if not isinstance(prompt, str):
        return None
    body = {"model": model, "content": whole(prompt), "add_special": True, "parse_special": True}
    found = ask("/tokenize", body)
    tokens = found.get("tokens") if isinstance(found, Mapping) else None
    return len(tokens) if isinstance(tokens, list) else None


def _llama_cpp_python(ask: _Ask, model: str, messages: tuple[Message, ...]) -> int | None:
    text = "\n".join(whole(message.content) for message in messages)
    found = ask("/extras/tokenize/count", {"model": model, "input": text})
    tokens = count(found.get("count")) if isinstance(found, Mapping) else None
    return None if tokens is None else tokens + _FRAME * len(messages)


# In this order: each is tried once with a short text.
COUNTERS: tuple[Counter, ...] = (_vllm, _llama_server, _llama_cpp_python)
