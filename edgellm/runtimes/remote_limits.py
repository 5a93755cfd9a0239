"""What a server may do before it is given up: times in seconds, sizes in bytes. A value, for tests to make small."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """`first` is the wait for the first token (a long prompt takes a large model minutes), `between` that for the next,
    `last` that for the counts of tokens after the last one.

    `short` is the wait for any other answer, `count` that for a count of tokens: a server that is late with one is not
    asked for another for `busy`.

    A failure before the first token is tried again, `attempts` in all, after `pause` and then twice as long each time;
    not one that took longer than `quick`, nor one that asks for a wait longer than `longest_pause`. `line` and `event`
    bound one line and one event of the stream, `idle` what comes without a token in it, `answer` the text of an answer,
    `reply` any other answer, `complaint` the text that goes with an error.
    """

    connect: float = 10.0
    short: float = 15.0
    count: float = 0.5
    busy: float = 10.0
    first: float = 600.0
    between: float = 120.0
    last: float = 5.0
    attempts: int = 3
    pause: float = 0.5
    longest_pause: float = 20.0
    quick: float = 30.0
    line: int = 1 << 20
    event: int = 1 << 20
    idle: int = 4 << 20
    answer: int = 16 << 20
    reply: int = 8 << 20
    complaint: int = 64 << 10
