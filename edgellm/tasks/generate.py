"""Write a text from an instruction, or continue a conversation."""

from __future__ import annotations

from edgellm.runtimes.base import Message


def messages(prompt: str) -> tuple[Message, ...]:
    """The prompt: the instruction as it was typed."""
    return (Message("user", prompt),)
