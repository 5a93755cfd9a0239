"""What the store hands out: chats, messages, search results. Values only; ids are the database's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from edgellm.runtimes.base import Message, Role

State = Literal["streaming", "done", "cancelled", "interrupted"]


@dataclass(frozen=True, slots=True)
class Chat:
    """One conversation. `leaf` is the last message of the branch that is shown; times are Unix seconds."""

    id: int
    title: str
    system: str
    draft: str
    leaf: int | None
    created: float
    updated: float


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message with its place in the tree and how it ended. `facts` are those of the `Finish` event."""

    id: int
    chat: int
    parent: int | None
    role: Role
    text: str
    state: State
    facts: Mapping[str, Any] = field(default_factory=dict)
    created: float = 0.0

    @property
    def message(self) -> Message:
        """The value that a runtime understands."""
        return Message(self.role, self.text)


@dataclass(frozen=True, slots=True)
class Hit:
    """One search result: the chat, the message (None for a title) and the words around the match."""

    chat: Chat
    message: int | None
    excerpt: str


def clean(text: str) -> str:
    """The text as it can be stored: half characters are joined or replaced, and so is the character zero."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def readable(value: bytes | str) -> str:
    """A text out of the database, where a failing disk may have left bytes that are no characters."""
    return value if isinstance(value, str) else value.decode("utf-8", "replace")
