"""Several requests to any model: at once where it can, else one after the other with the same events."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from edgellm.runtimes.base import Cancelled, Dropped, Event, Generator, ManyGenerator, Request


def answer_all(
    generator: Generator, requests: tuple[Request, ...], cancelled: Cancelled, dropped: Dropped
) -> Iterator[tuple[int, Event]]:
    """Each event with the index of its request; every request ends in its own `Finish`."""
    if isinstance(generator, ManyGenerator):
        return generator.generate_many(requests, cancelled, dropped)
    return one_by_one(generator, requests, cancelled, dropped)


def one_by_one(
    generator: Generator, requests: tuple[Request, ...], cancelled: Cancelled, dropped: Dropped
) -> Iterator[tuple[int, Event]]:
    """The same, one request after the other."""

    def stopped(index: int) -> bool:
        return cancelled() or dropped(index)

    for index, request in enumerate(requests):
        for event in generator.generate(request, partial(stopped, index)):
            yield index, event
