"""Summarize a text in one sentence.

A text longer than the model's context is refused here, with its size; the key sentences of a text of any length are
in `keysentences.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from edgellm.errors import ContextOverflow
from edgellm.runtimes.base import Event, Generator, Message
from edgellm.tasks import sentences
from edgellm.tasks.options import DEFAULT, Options
from edgellm.tasks.result import Result, collect
from edgellm.tasks.starter import is_starter

_STARTER_SENTENCES = 6


def messages(text: str) -> tuple[Message, ...]:
    """The prompt for a one-sentence summary."""
    return (Message("user", f"Summarize in one sentence:\n{text}"),)


def run(generator: Generator, text: str, options: Options = DEFAULT) -> Iterator[Event]:
    """Stream the summary. Raises `ContextOverflow` before anything is asked."""
    prompt = options.with_system(messages(text.strip()))
    tokens = generator.count(prompt)
    if tokens >= generator.info.context:
        raise ContextOverflow(tokens, generator.info.context)
    return generator.generate(options.request(prompt), options.cancelled)


def summarize(generator: Generator, text: str, options: Options = DEFAULT) -> Result:
    """The whole summary at once, with notes on what to doubt."""
    return Result(*collect(run(generator, text, options)), notes(generator, text))


def notes(generator: Generator, text: str) -> tuple[str, ...]:
    """What the person should know before trusting this model with this text."""
    if not is_starter(generator.info):
        return ()
    count = len(sentences.split(text))
    if count <= _STARTER_SENTENCES:
        return ()
    return (
        f"The text has {count} sentences; the built-in model was taught on at most {_STARTER_SENTENCES}. "
        "Key sentences (--key-sentences 3) work for any text.",
    )
