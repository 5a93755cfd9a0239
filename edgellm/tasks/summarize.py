"""Summarize a text in one sentence.

A text longer than the model's context is refused here, with its size; the key sentences of a text of any length are
in `keysentences.py`. The starter is not asked about a text it was not taught to read: its most important sentence is
shown instead, and why.
"""

from __future__ import annotations

from collections.abc import Iterator

from edgellm.errors import ContextOverflow
from edgellm.runtimes.base import Chunk, Event, Generator, Message
from edgellm.tasks import sentences, special
from edgellm.tasks.keysentences import key_sentences
from edgellm.tasks.options import DEFAULT, Options
from edgellm.tasks.result import Result, collect, without_model
from edgellm.tasks.starter import is_starter, out_of_reach

_STARTER_SENTENCES = 8


def messages(text: str) -> tuple[Message, ...]:
    """The prompt for a one-sentence summary."""
    return (Message("user", f"Summarize in one sentence:\n{text}"),)


def run(generator: Generator, text: str, options: Options = DEFAULT) -> Iterator[Event]:
    """Stream the summary. Raises `ContextOverflow` before anything is asked."""
    if is_starter(generator.info) and beyond(text):
        chosen = key_sentences(text, 1)
        return iter((*(Chunk(sentence.text) for sentence in chosen), without_model()))
    if special.is_seq2seq(generator.info):
        request = special.summary(generator.info, text.strip(), options)
    else:
        request = options.request(messages(text.strip()))
    tokens = generator.count(request.messages)
    if tokens >= generator.info.context:
        raise ContextOverflow(tokens, generator.info.context)
    return generator.generate(request, options.cancelled)


def summarize(generator: Generator, text: str, options: Options = DEFAULT) -> Result:
    """The whole summary at once, with notes on what to doubt."""
    return Result(*collect(run(generator, text, options)), notes(generator, text))


def notes(generator: Generator, text: str) -> tuple[str, ...]:
    """Why the text's own sentence stands in place of a summary; nothing where the model was asked."""
    why = beyond(text) if is_starter(generator.info) else ""
    return (f"{why} This is its most important sentence; --key-sentences 3 shows more.",) if why else ()


def beyond(text: str) -> str:
    """Why the starter cannot summarize this text; empty when it can."""
    count = len(sentences.split(text))
    if count > _STARTER_SENTENCES:
        return f"The text has {count} sentences; the built-in model was taught on at most {_STARTER_SENTENCES}."
    return out_of_reach(text)
