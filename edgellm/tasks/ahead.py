"""Ask a model what several jobs need at once, though each job asks one thing after the other and knows nothing of this.

Each job is run on the answers that are there until it wants one that is not; what all of them want is asked together,
and so on until every job has all of its answers. A job must ask the same on the same answers, and change nothing. What
was cut among others is asked for alone, so that a model that never stops does not take the others' room again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from edgellm.errors import ContextOverflow, EdgeError
from edgellm.runtimes.base import (
    Cancelled,
    Chunk,
    Event,
    Finish,
    Generator,
    Message,
    ModelInfo,
    Request,
    never,
    never_dropped,
)
from edgellm.runtimes.many import answer_all

Job = Callable[[], object]


class _Wanted(Exception):
    """A job cannot go on without this: an answer, or (None) something that has to wait until the model is free."""

    def __init__(self, request: Request | None) -> None:
        super().__init__()
        self.request = request


class Ahead:
    """A `Generator` for the jobs of `ready`: it has their answers before they are run for good. For one thread.

    What it has no answer to is asked of the model at once, so that a job can be run without `ready` too.
    """

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._answers: dict[Request, tuple[str, Finish]] = {}
        self._counts: dict[tuple[Message, ...], int] = {}
        self._cut: set[tuple[Message, ...]] = set()  # these are asked alone from now on
        self._trying = self._busy = False

    @property
    def info(self) -> ModelInfo:
        """The loaded model."""
        return self._generator.info

    def count(self, messages: tuple[Message, ...]) -> int:
        """Tokens of the prompt; each is counted once."""
        if messages not in self._counts:
            if self._trying and self._busy:  # the model answers one order after the other
                raise _Wanted(None)
            self._counts[messages] = self._generator.count(messages)
        return self._counts[messages]

    def generate(self, request: Request, cancelled: Cancelled = never) -> Iterator[Event]:
        """The answer that is there, else that of the model."""
        known = self._answers.get(request)
        if known is not None:
            yield from (Chunk(known[0]), known[1])
        elif self._trying:
            raise _Wanted(None if request.messages in self._cut else request)
        else:
            yield from self._generator.generate(request, cancelled)

    def ready(self, jobs: Sequence[Job], cancelled: Cancelled = never) -> Iterator[int]:
        """The index of each job as soon as it can be run for good. Ends early when it is cancelled.

        A job that a model cannot be asked for, or that fails, counts as ready: run for good it says why. Answers are
        kept until the next call. Raises what the model raises.
        """
        self._answers.clear()
        self._counts.clear()
        self._cut.clear()
        waiting = dict(enumerate(jobs))
        while waiting and not cancelled():
            wanted: dict[Request, list[int]] = {}
            for index, job in tuple(waiting.items()):
                found = self._tried(job)
                if found is None or found.request is None:
                    del waiting[index]
                    yield index
                else:
                    wanted.setdefault(found.request, []).append(index)
            try:
                for request in self._fetched(tuple(wanted), cancelled):
                    for index in wanted[request]:
                        if self._tried(waiting[index]) is None:
                            del waiting[index]
                            yield index
            except ContextOverflow:  # one is too long, and nothing was computed for any
                yield from waiting
                return
            finally:
                self._busy = False

    def _tried(self, job: Job) -> _Wanted | None:
        """What the job lacks; None when it has all of its answers."""
        self._trying = True
        try:
            job()
        except _Wanted as wanted:
            return wanted
        except EdgeError:
            return None
        finally:
            self._trying = False
        return None

    def _fetched(self, requests: tuple[Request, ...], cancelled: Cancelled) -> Iterator[Request]:
        """Each request when its answer is there; the time that passed is shared out among them."""
        if not requests:
            return
        texts, before = [""] * len(requests), time.perf_counter()
        self._busy = True
        for index, event in answer_all(self._generator, requests, cancelled, never_dropped):
            if isinstance(event, Chunk):
                texts[index] += event.text
            elif event.reason != "cancelled":
                seconds, before = time.perf_counter() - before, time.perf_counter()
                self._keep(requests[index], texts[index], event, seconds)
                yield requests[index]
        self._busy = False

    def _keep(self, request: Request, text: str, finish: Finish, seconds: float) -> None:
        """One that was cut before its own limit had to give way to the others: that is no answer."""
        if finish.truncated:
            self._cut.add(request.messages)
        if finish.truncated and (request.max_tokens is None or finish.new_tokens < request.max_tokens):
            return
        speed = finish.new_tokens / seconds if seconds > 0 else 0.0
        self._answers[request] = (text, replace(finish, seconds=seconds, tokens_per_second=speed))
