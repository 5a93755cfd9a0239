"""What every task needs to know beside its text: sampling, limits, and whether the person wants it to stop.

The conversation itself is left to each task's `messages()`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from edgellm.runtimes.base import Cancelled, Message, Request, Sampling, never

VARIED = 0.7  # the lowest temperature of another version: at 0 it would be the same text again


@dataclass(frozen=True, slots=True)
class Options:
    """How to ask. `max_tokens` bounds new tokens (None: what the context leaves); `system` goes before the prompt."""

    sampling: Sampling = field(default_factory=Sampling)
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    schema: str | None = None
    system: str = ""
    cancelled: Cancelled = never

    def request(self, messages: tuple[Message, ...], schema: str | None = None) -> Request:
        """The request for these messages; `schema` takes the place of the options' own."""
        return Request(self.with_system(messages), self.sampling, self.max_tokens, self.stop, schema or self.schema)

    def with_system(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """The messages with the system prompt before them, unless they bring their own."""
        if not self.system.strip() or (messages and messages[0].role == "system"):
            return messages
        return (Message("system", self.system), *messages)

    def varied(self) -> Options:
        """The same, drawn freely enough for another version of an answer."""
        sampling = replace(self.sampling, temperature=max(self.sampling.temperature, VARIED))
        return replace(self, sampling=sampling)


DEFAULT = Options()
