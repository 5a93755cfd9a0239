"""Translate a text between languages."""

from __future__ import annotations

from edgellm.runtimes.base import Message

LANGUAGES = {"en": "English", "fr": "French", "de": "German", "es": "Spanish", "zh": "Chinese"}


def messages(text: str, source: str, target: str) -> tuple[Message, ...]:
    """The prompt; `source` and `target` are English names of languages ("French")."""
    return (Message("user", f"Translate from {source} to {target}:\n{text}"),)
