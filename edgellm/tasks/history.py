"""How much of a conversation is sent: what fits the context, the oldest messages left out first.

The starter was trained on single exchanges, so it is sent the last message alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgellm.errors import ContextOverflow
from edgellm.runtimes.base import Generator, Message
from edgellm.tasks.starter import is_starter

_ANSWER_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Fitted:
    """The messages to send, and how many older ones were left out because they do not fit."""

    messages: tuple[Message, ...]
    left_out: int


def fit(generator: Generator, messages: tuple[Message, ...]) -> Fitted:
    """Choose the messages to send; the system prompt and the last message always stay.

    Raises `ContextOverflow` when those two alone are too long.
    """
    system = tuple(message for message in messages if message.role == "system")
    turns = [message for message in messages if message.role != "system"]
    if is_starter(generator.info):
        return Fitted((*system, *turns[-1:]), 0)
    context = generator.info.context
    room = int(context * (1 - _ANSWER_SHARE))
    left_out = 0
    while generator.count((*system, *turns)) > room:
        if len(turns) <= 1:
            tokens = generator.count((*system, *turns))
            if tokens >= context:
                raise ContextOverflow(tokens, context)
            break
        step = next((at for at, turn in enumerate(turns[1:], 1) if turn.role == "user"), len(turns) - 1)
        turns = turns[step:]
        left_out += step
    return Fitted((*system, *turns), left_out)
