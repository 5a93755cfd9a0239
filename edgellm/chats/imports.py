"""Reading a chat back from the JSON that `export.to_json` writes. Storing it is left to `Store.add_copy`.

The file may come from anywhere, so everything in it is checked: types, roles, states, times, and that the messages
form a tree.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from edgellm.chats.export import FORMAT, VERSION
from edgellm.chats.values import Chat, State, StoredMessage, clean
from edgellm.errors import UsageError
from edgellm.runtimes.base import Role

LARGEST = 64 << 20
_MOST_MESSAGES = 100_000
_ROLES = ("system", "user", "assistant")
# What is shown beside an answer: a number where one is expected
_NUMBERS = (
    "prompt_tokens", "cached_tokens", "new_tokens", "left_out", "seconds", "tokens_per_second", "prefill_seconds",
    "peak_memory",
)  # fmt: skip
_TEXTS = ("error", "hint", "device", "reason")
_STATES = ("streaming", "done", "cancelled", "interrupted")


@dataclass(frozen=True, slots=True)
class Copy:
    """A chat out of a file: ids are the file's own, and every parent comes before its children."""

    chat: Chat
    messages: tuple[StoredMessage, ...]


def parse(text: str) -> Copy:
    """The chat in this text. Raises `UsageError` with what is wrong."""
    if len(text) > LARGEST:
        raise _wrong("it is too large")
    try:
        document = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise _wrong("it is not JSON") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise _wrong("it does not say that it is one")
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise _wrong("its version makes no sense")
    if version > VERSION:
        raise UsageError("This chat was saved by a newer version of EdgeLLM.", "Update EdgeLLM and import it again.")
    rows = document.get("messages")
    if not isinstance(rows, list) or len(rows) > _MOST_MESSAGES:
        raise _wrong("its messages are no list")
    messages = _in_order([_message(row) for row in rows])
    leaf = document.get("leaf")
    if leaf is not None and leaf not in {message.id for message in messages}:
        raise _wrong("the message it shows is not in it")
    created = _moment(document.get("created"))
    updated = _moment(document["updated"]) if "updated" in document else created
    return Copy(
        Chat(0, _text(document, "title"), _text(document, "system"), _text(document, "draft"), leaf, created, updated),
        messages,
    )


def _wrong(what: str) -> UsageError:
    return UsageError(
        f"This file is not a chat that EdgeLLM saved: {what}.", "Choose a .json file that was exported by EdgeLLM."
    )


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key, "")
    if not isinstance(value, str):
        raise _wrong(f"its {key} is no text")
    return clean(value)


def _moment(value: Any) -> float:
    try:
        moment = datetime.fromisoformat(value)
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        datetime.fromtimestamp(seconds, UTC)  # the year 0 of another time zone cannot be shown
        return seconds
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise _wrong("one of its times makes no sense") from error


def _message(row: Any) -> StoredMessage:
    if not isinstance(row, dict):
        raise _wrong("one of its messages is none")
    key, parent, role, state = row.get("id"), row.get("parent"), row.get("role"), row.get("state")
    if type(key) is not int or (parent is not None and type(parent) is not int):
        raise _wrong("one of its messages has no number")
    if role not in _ROLES or state not in _STATES:
        raise _wrong("one of its messages has an unknown role or state")
    facts = row.get("facts", {})
    if not isinstance(facts, dict) or not _sensible(facts):
        raise _wrong("the facts of one of its messages make no sense")
    kept = "interrupted" if state == "streaming" else state  # whoever wrote it is not here
    return StoredMessage(
        key, 0, parent, cast("Role", role), _text(row, "text"), cast("State", kept), facts, _moment(row.get("created"))
    )


def _sensible(facts: Mapping[str, Any]) -> bool:
    numbers = [facts[key] for key in _NUMBERS if key in facts]
    texts = [facts[key] for key in _TEXTS if key in facts]
    return all(type(one) in (int, float) and abs(one) < 1e15 for one in numbers) and all(
        isinstance(one, str) for one in texts
    )


def _in_order(messages: list[StoredMessage]) -> tuple[StoredMessage, ...]:
    """By number, as they were written. Raises `UsageError` for anything but a tree with parents first."""
    ordered = sorted(messages, key=lambda message: message.id)
    placed: set[int | None] = {None}
    for message in ordered:
        if message.id in placed:
            raise _wrong("two of its messages have the same number")
        if message.parent not in placed:
            raise _wrong("its messages form no tree")
        placed.add(message.id)
    return tuple(ordered)
