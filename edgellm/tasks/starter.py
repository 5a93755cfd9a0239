"""What the tasks must know of the built-in starter model: how to recognize it, and what to say of it.

It was trained by this project on everyday sentences of five languages, so the tasks feed it as it was trained: one
sentence at a time, directions to and from English, bare labels. General models get the whole text at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from edgellm import paths
from edgellm.runtimes.base import ModelInfo
from edgellm.tasks.function_words import likely
from edgellm.tasks.languages import english_name
from edgellm.tasks.lexicon import Lexicon

NAME = "edgellm starter"
NOTE_STARTER = (
    "This is the small built-in model: it knows everyday words in English, French, German, Spanish and Chinese. "
    "It refuses nearly every question from outside its world, but not all: do not believe the rest. "
    "For anything else use a larger model with --model FILE.gguf."
)
_SHOWN = 8
_READS = "en"
_KNOWN = 0.6


def is_starter(info: ModelInfo) -> bool:
    """Whether this model is the built-in one (or another of its making)."""
    names = (info.name, info.metadata.get("general.name"))
    return any(isinstance(name, str) and name.casefold().startswith(NAME) for name in names)


def out_of_reach(text: str, lexicon: Lexicon | None = None) -> str:
    """Why the starter cannot read this text, as a sentence; empty when it can.

    It was taught to summarize and to answer in English only, and would invent something about any other text.
    """
    language = likely(text)
    if language not in (_READS, ""):
        return f"The built-in model reads English only for this, and the text looks {english_name(language)}."
    known = lexicon or shipped()
    if known is not None and known.share(text, _READS) < _KNOWN:
        return "The built-in model was not taught most words of this text."
    return ""


def shipped() -> Lexicon | None:
    """The words that the starter was taught; who asks about many texts reads them once."""
    path = paths.starter_model().with_name("words.json")
    return Lexicon.load(path) if path.exists() else None


def words_note(words: Sequence[str]) -> str:
    """The sentence that lists words the starter was not taught; empty when it knows all."""
    if not words:
        return ""
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return (
        f"The built-in model was not taught these words, so the result may be wrong: {', '.join(words[:_SHOWN])}{more}."
    )
