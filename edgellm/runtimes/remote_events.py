"""Server-sent events and what they say: bytes to events, an event to a piece of an answer. Everything is bounded.

The format is that of the HTML standard, "Server-sent events", section 9.2.6. Reading the connection is left to
`remote_client`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from edgellm import trouble
from edgellm.errors import NetworkError
from edgellm.runtimes.remote_limits import Limits

DONE = "[DONE]"
_MOST_TOKENS = 1 << 40
_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the server counted them; None where it did not say."""

    prompt: int | None = None
    cached: int | None = None
    new: int | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """What one event brings. `thought`: the model thinks, which is no part of the answer; `error`: it went wrong."""

    text: str = ""
    thought: bool = False
    reason: str = ""
    usage: Usage | None = None
    error: Any = None


class Events:
    """Feed it bytes, take the data of the events that are complete. Raises `NetworkError` for what is out of bounds."""

    def __init__(self, host: str, limits: Limits) -> None:
        self._host = host
        self._limits = limits
        self._line = b""
        self._data: list[str] = []
        self._size = 0
        self._return = False
        self._begun = False

    def feed(self, piece: bytes) -> list[str]:
        """The events that end within `piece`."""
        if self._return and piece.startswith(b"\n"):
            piece = piece[1:]  # the other half of a line's end
        if not piece:
            return []
        self._return = piece.endswith(b"\r")
        lines = (self._line + piece).splitlines(keepends=True)
        self._line = b"" if lines[-1].endswith((b"\n", b"\r")) else lines.pop()
        found = [data for line in lines if (data := self._take(line.rstrip(b"\r\n"))) is not None]
        if len(self._line) > self._limits.line:
            raise too_much(self._host)
        return found

    def rest(self) -> list[str]:
        """After the last byte: an event that lacks only the empty line after it, as some servers end."""
        found = [self._take(self._line), self._take(b"")] if self._line or self._data else []
        self._line = b""
        return [data for data in found if data is not None and (data.strip() == DONE or _parses(data))]

    def _take(self, line: bytes) -> str | None:
        """One line; the data of the event that it ends."""
        if len(line) > self._limits.line:
            raise too_much(self._host)
        if not self._begun:
            self._begun, line = True, line.removeprefix(_MARK)
        if not line:
            data, self._data, self._size = self._data, [], 0
            return "\n".join(data) if data else None
        name, _, value = line.partition(b":")
        if name in (b"data", b"error"):  # llama-server says `error:` where others say `data:`
            self._size += len(value) + 1
            if self._size > self._limits.event:
                raise too_much(self._host)
            text = value.removeprefix(b" ").decode("utf-8", "replace")
            self._data.append(text)
        return None


def piece_of(data: str | bytes, host: str) -> Piece:
    """What the data of one event, or a whole answer, brings. Raises `NetworkError` when it is nothing of the kind."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise nonsense(host) from error
    if not isinstance(found, dict):
        raise nonsense(host)
    if (problem := found.get("error")) is not None:
        return Piece(error={"error": problem})
    if "choices" not in found:
        if "message" in found and ("code" in found or "type" in found):
            return Piece(error=found)  # an error without the envelope
        return Piece(usage=_usage(found.get("usage")))
    choices = found["choices"]
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    said = next((part for key in ("delta", "message") if isinstance(part := choice.get(key), dict)), {})
    reason = choice.get("finish_reason")
    return Piece(
        text=_text(said.get("content")),
        thought=any(isinstance(said.get(key), str) and said[key] for key in ("reasoning_content", "reasoning")),
        reason=reason[:40] if isinstance(reason, str) else "",
        usage=_usage(found.get("usage")),
    )


class Whole:
    """Joins halves of characters that a server wrote as two escapes in two events."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, text: str) -> str:
        """The text that is whole; half a character at its end is kept for the next piece."""
        text, self._half = self._half + text, ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return whole(text)


def whole(text: str) -> str:
    """The text with halves of characters joined; half a one alone becomes U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def too_much(host: str) -> NetworkError:
    """More than any answer needs."""
    return NetworkError(
        f"{host} sends more than an answer can be, so it was cut off.",
        "Check that it is a server for chat.",
        lasting=True,
    )


def nonsense(host: str) -> NetworkError:
    """What came is no event of a chat."""
    found = trouble.odd(host)
    return NetworkError(found.message, "Check that the server at remote_address is one for chat.", lasting=True)


def _parses(data: str) -> bool:
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):  # parts, of which those of text count
        return "".join(_parts(content))
    return ""


def _parts(content: Iterable[Any]) -> Iterable[str]:
    for part in content:
        if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
            yield part["text"]


def _usage(found: Any) -> Usage | None:
    if not isinstance(found, Mapping):
        return None
    details = found.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, Mapping) else None
    return Usage(count(found.get("prompt_tokens")), count(cached), count(found.get("completion_tokens")))


def count(number: Any) -> int | None:
    """A number of tokens from elsewhere, if it can be one."""
    return number if type(number) is int and 0 <= number < _MOST_TOKENS else None
