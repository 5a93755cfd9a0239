"""Put a text under one of the given labels."""

from __future__ import annotations

from edgellm.runtimes.base import Message


def messages(text: str, labels: tuple[str, ...]) -> tuple[Message, ...]:
    """The prompt; the answer is one of `labels`, letter for letter."""
    return (Message("user", f"Classify the text as one of: {', '.join(labels)}\nText: {text}"),)
