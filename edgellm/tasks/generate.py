"""Write a text from an instruction, or continue a conversation."""

from __future__ import annotations

from collections.abc import Iterator

from edgellm.runtimes.base import Event, Generator, Message
from edgellm.tasks.options import DEFAULT, Options
from edgellm.tasks.result import Result, collect


def messages(prompt: str) -> tuple[Message, ...]:
    """The prompt: the instruction as it was typed."""
    return (Message("user", prompt),)


def run(generator: Generator, prompt: str | tuple[Message, ...], options: Options = DEFAULT) -> Iterator[Event]:
    """Stream the answer to an instruction, or the next message of a conversation."""
    conversation = messages(prompt) if isinstance(prompt, str) else prompt
    return generator.generate(options.request(conversation), options.cancelled)


def generate(generator: Generator, prompt: str | tuple[Message, ...], options: Options = DEFAULT) -> Result:
    """The whole answer at once."""
    return Result(*collect(run(generator, prompt, options)))
