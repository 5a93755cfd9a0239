"""How much of a conversation is sent: what fits the context, the oldest messages left out first.

The starter was trained on single exchanges, so it is sent the last message alone.
"""

from __future__ import annotations

import bisect
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
    # Where a shorter conversation may begin: at any message of the person, or else at the last message.
    starts = [0, *(at for at, turn in enumerate(turns) if at and turn.role == "user")] if turns else [0]
    if len(turns) - 1 > starts[-1]:
        starts.append(len(turns) - 1)

    def tokens(start: int) -> int:
        return generator.count((*system, *turns[start:]))

    low = bisect.bisect_left(starts, True, key=lambda start: tokens(start) <= room)
    start = starts[min(low, len(starts) - 1)]
    if low == len(starts) and (needed := tokens(start)) >= context:
        raise ContextOverflow(needed, context)
    return Fitted((*system, *turns[start:]), start)
