"""A chat as Markdown to read, or as JSON that holds every branch. Writing the file is left to the caller."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from edgellm.chats.store import Chat, StoredMessage

FORMAT = "edgellm-chat"
VERSION = 1
_NAMES: Mapping[str, str] = {"system": "System", "user": "You", "assistant": "EdgeLLM"}
_ENDINGS: Mapping[str, str] = {"cancelled": "*Stopped here.*", "interrupted": "*Interrupted here.*"}


def to_markdown(chat: Chat, path: Sequence[StoredMessage]) -> str:
    """The branch that is shown, as Markdown."""
    parts = [f"# {chat.title or 'Chat'}", f"*{_date(chat.created)}*"]
    if chat.system:
        parts += ["## System prompt", chat.system]
    for message in path:
        parts += [f"## {_NAMES[message.role]}", message.text]
        if message.state in _ENDINGS:
            parts.append(_ENDINGS[message.state])
    return "\n\n".join(parts) + "\n"


def to_json(chat: Chat, tree: Sequence[StoredMessage]) -> str:
    """Every message of the chat with its parent, as JSON."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "title": chat.title,
        "system": chat.system,
        "created": _date(chat.created),
        "leaf": chat.leaf,
        "messages": [_row(message) for message in tree],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _row(message: StoredMessage) -> dict[str, Any]:
    row = asdict(message)
    row.pop("chat")
    return {**row, "facts": dict(message.facts), "created": _date(message.created)}


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
