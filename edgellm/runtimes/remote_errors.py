"""What a server's refusal means, as a sentence for a person and what to do next.

What servers say of themselves is text from elsewhere: it is shortened, cleaned of what cannot be seen, and quoted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgellm import trouble
from edgellm.errors import ContextOverflow, EdgeError, ModelNotFound, NetworkError, ResponseFormatError, UsageError
from edgellm.models.names import shown
from edgellm.runtimes.remote_events import count

SET_KEY = "edgellm remote --set-key"
_SHOWN = 200
_LONGEST = 4_000
_LISTED = 8
_TOO_LONG_KINDS = ("exceed_context_size_error", "context_length_exceeded")
_TOO_LONG = re.compile(
    r"context[ _](?:length|window|size)|exceeds? the (?:available )?context|maximum model length", re.IGNORECASE
)
_CONTEXT = re.compile(
    r"(?:maximum context length(?: is)?(?: only)?|context length is(?: only)?|context window of|maximum model length of"
    r"|n_ctx[^0-9]{0,4}|context size \()\D{0,3}(\d{1,12})",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"(?:requested tokens \(|you requested(?: about)?|you passed|prompt \(length|resulted in|request \(|prompt contains"
    r"(?: at least)?)\s*(\d{1,12})",
    re.IGNORECASE,
)


class Absent(NetworkError):
    """The server has nothing at this address."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a server says went wrong: its words, its name for it, and the tokens it speaks of."""

    text: str = ""
    kind: str = ""
    tokens: int | None = None
    context: int | None = None

    @property
    def too_long(self) -> bool:
        """Whether the prompt does not fit the context."""
        return self.kind in _TOO_LONG_KINDS or bool(_TOO_LONG.search(self.text))

    @property
    def quoted(self) -> str:
        """The words, as they may stand in a sentence; or nothing."""
        clean = "".join(character if character.isprintable() else " " for character in self.text[: 2 * _SHOWN])
        clean = " ".join(clean.split())
        return f' It says: "{clean[:_SHOWN]}{"…" if len(clean) > _SHOWN else ""}"' if clean else ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of whom: to make sentences of. `tokens` and `context` are as far as they are known here."""

    host: str
    key: bool
    model: str = ""
    models: tuple[str, ...] = ()
    tokens: int = 0
    context: int = 0


def complaint_of(body: bytes | Any, key: str = "") -> Complaint:
    """Read the body of a refusal, or an event that is one. `key` is taken out, should the server repeat it."""
    found: Any = body
    if isinstance(body, bytes):
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            plain = body.decode("utf-8", "replace").strip()
            return Complaint("" if plain.startswith("<") else _without(plain[:_LONGEST], key))
    inner = found.get("error", found) if isinstance(found, Mapping) else found
    if isinstance(inner, Mapping):
        text = next((inner[name] for name in ("message", "detail", "error") if inner.get(name)), "")
        kinds = [inner.get(name) for name in ("code", "type")]
        kind = next((kind for kind in kinds if isinstance(kind, str) and kind in _TOO_LONG_KINDS), "")
        kind = kind or next((kind for kind in kinds if isinstance(kind, str)), "")
        numbers = count(inner.get("n_prompt_tokens")), count(inner.get("n_ctx"))
    else:
        text, kind, numbers = inner, "", (None, None)
    text = text if isinstance(text, str) else json.dumps(text) if text else ""
    text = _without(text[:_LONGEST], key)
    return Complaint(text, kind[:80], numbers[0] or _number(_ASKED, text), numbers[1] or _number(_CONTEXT, text))


def refusal(status: int, headers: Mapping[str, str], complaint: Complaint, asked: Asked) -> EdgeError:
    """The error for an answer with a status of 300 and more, or for an error in the stream (status 0)."""
    host = asked.host
    if complaint.too_long and status not in (401, 403):
        return _too_long(complaint, asked)
    if status in (401, 403):
        return _denied(status, complaint, asked)
    if status in (404, 405, 410):
        return _absent(status, complaint, asked)
    if status == 413:
        return NetworkError(f"{host} does not take a text this long (status 413).", "Shorten the text.", lasting=True)
    if status in (400, 422, 0) and "model" in complaint.kind and "not" in complaint.kind:
        return _absent(status, complaint, asked)
    if status == 511:
        return trouble.sign_in(host)
    if status in (408, 425, 429) or status >= 500:
        return _busy(status, trouble.retry_after(headers.get("retry-after", "")), complaint, host)
    if 300 <= status < 400:
        return NetworkError(
            f"{host} leads to another address (status {status}), which was not followed.",
            "Set remote_address to where the server itself is.",
            lasting=True,
        )
    if "response_format" in complaint.text or "json_schema" in complaint.text:
        return ResponseFormatError(
            f"{host} does not take this JSON schema.{complaint.quoted}", "Use a model on this computer for it."
        )
    during = "gave up in the middle of its work" if status == 0 else f"refused the request (status {status})"
    hint = "Check the server's own log."
    return NetworkError(f"{host} {during}.{complaint.quoted}", hint, lasting=status != 0)


def no_model(name: str, models: tuple[str, ...], host: str) -> ModelNotFound:
    """The error for a model that the server does not have, with those it has."""
    more = f", and {len(models) - _LISTED} more" if len(models) > _LISTED else ""
    listed = ", ".join(shown(one).strip("'") for one in models[:_LISTED]) + more
    hint = f"It has: {listed}. Choose one with --model remote:NAME" if models else "See what it has: edgellm remote"
    return ModelNotFound(f"{host} has no model {shown(name)}.", hint)


def _too_long(complaint: Complaint, asked: Asked) -> EdgeError:
    context, tokens = complaint.context or asked.context, complaint.tokens or asked.tokens
    if not context or not tokens:
        return NetworkError(
            f"The text is longer than the context of the model at {asked.host}.",
            "Shorten the text or start a new chat.",
            lasting=True,
        )
    if tokens <= context:
        return UsageError(
            f"The text and the answer asked for are longer together than the {context} tokens of the model's context.",
            "Shorten the text, or ask for a shorter answer with --max-tokens.",
        )
    return ContextOverflow(tokens, context)


def _denied(status: int, complaint: Complaint, asked: Asked) -> NetworkError:
    if asked.key:
        return NetworkError(
            f"{asked.host} does not accept the key that is kept for it (status {status}).{complaint.quoted}",
            f"Keep another one: {SET_KEY}",
            lasting=True,
        )
    return NetworkError(
        f"{asked.host} answers only to those with a key (status {status}).",
        f"Keep the key for it: {SET_KEY}",
        lasting=True,
    )


def _absent(status: int, complaint: Complaint, asked: Asked) -> EdgeError:
    named = "model" in complaint.text.lower() or "model" in complaint.kind
    if asked.model and (named or (asked.models and asked.model not in asked.models)):
        return no_model(asked.model, asked.models, asked.host)
    return Absent(
        f"There is no chat at this address of {asked.host} (status {status}).",
        "Check remote_address in the settings: it ends in the port, or in the path of the API, such as /v1.",
        lasting=True,
    )


def _busy(status: int, after: float | None, complaint: Complaint, host: str) -> NetworkError:
    when = f"Try again in {_duration(after)}." if after else "Try again in a few minutes."
    if status == 429:
        spent = "quota" in complaint.kind
        return NetworkError(
            f"{host} answers no more for now: too many requests (status 429).{complaint.quoted}",
            "Look at your account there." if spent else when,
            retry_after=after,
            lasting=spent,
        )
    return NetworkError(
        f"{host} is overloaded or out of order (status {status}).{complaint.quoted}", when, retry_after=after
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        whole = max(1, round(seconds))
        return f"{whole} second{'' if whole == 1 else 's'}"
    return f"{round(seconds / 60)} minutes"


def _number(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.search(text)
    return int(found[1]) if found else None


def _without(text: str, key: str) -> str:
    return text.replace(key, "…") if key else text
