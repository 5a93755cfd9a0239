"""What the tasks must know of the built-in starter model: how to recognize it, and what to say of it.

It was trained by this project on everyday sentences of five languages, so the tasks feed it as it was trained: one
sentence at a time, directions to and from English, bare labels. General models get the whole text at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from edgellm.runtimes.base import ModelInfo

NAME = "edgellm starter"
NOTE_STARTER = (
    "This is the small built-in model: it knows everyday words in English, French, German, Spanish and Chinese. "
    "For anything else use a larger model with --model FILE.gguf."
)
_SHOWN = 8


def is_starter(info: ModelInfo) -> bool:
    """Whether this model is the built-in one (or another of its making)."""
    names = (info.name, info.metadata.get("general.name"))
    return any(isinstance(name, str) and name.casefold().startswith(NAME) for name in names)


def words_note(words: Sequence[str]) -> str:
    """The sentence that lists words the starter was not taught; empty when it knows all."""
    if not words:
        return ""
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return (
        f"The built-in model was not taught these words, so the result may be wrong: {', '.join(words[:_SHOWN])}{more}."
    )
