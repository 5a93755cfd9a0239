"""Two models for one pair of languages each, as one generator: the first translates to English, the second from it.

Which of them is asked says the direction; asking one after the other is left to `translate.py`. Both stay loaded: they
are small, and so a text streams sentence by sentence, each can be asked again when something was lost in its
translation, and a file goes on behind its last paragraph.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from edgellm.errors import UsageError
from edgellm.runtimes.base import Cancelled, Event, Generator, Message, ModelInfo, Request, never
from edgellm.tasks.special import THROUGH


@runtime_checkable
class Relay(Protocol):
    """A generator with another model for each direction."""

    def leg(self, source: str, target: str) -> Generator:
        """The model for a direction; languages are codes."""
        ...


class Pivot:
    """A `Generator` and a `Relay` over two loaded models. `through` is the code of the language between."""

    def __init__(self, first: Generator, second: Generator, through: str) -> None:
        self.through = through
        self._first, self._second = first, second
        one, two = first.info, second.info
        self.info = ModelInfo(
            name=f"{one.name} + {two.name}",
            architecture=one.architecture if one.architecture == two.architecture else "pivot",
            parameters=one.parameters + two.parameters,
            quantization=one.quantization if one.quantization == two.quantization else "",
            context=min(one.context, two.context),
            trained_context=min(one.trained_context, two.trained_context),
            vocabulary=max(one.vocabulary, two.vocabulary),
            kind="seq2seq",
            languages=(one.languages[0] if one.languages else "", two.languages[-1] if two.languages else ""),
            metadata={THROUGH: through},
        )

    def leg(self, source: str, target: str) -> Generator:
        """The second model from the language between, the first one to it. Raises `UsageError` for another pair."""
        if self.through not in (source, target):
            raise UsageError(
                f"{self.info.name} translates through {self.through} only.", "Choose a model with --model."
            )
        return self._second if source == self.through else self._first

    def generate(self, request: Request, cancelled: Cancelled = never) -> Iterator[Event]:
        """What the model for the request's languages says."""
        return self.leg(request.source, request.target).generate(request, cancelled)

    def count(self, messages: tuple[Message, ...]) -> int:
        """Tokens of the text for the model that needs more of them."""
        return max(self._first.count(messages), self._second.count(messages))
