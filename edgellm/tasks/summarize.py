"""Summarize a text."""

from __future__ import annotations

from edgellm.runtimes.base import Message


def messages(text: str) -> tuple[Message, ...]:
    """The prompt for a one-sentence summary."""
    return (Message("user", f"Summarize in one sentence:\n{text}"),)
