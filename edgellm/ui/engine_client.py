"""What the window needs of the engine: one that can be loaded, asked and ended, and what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from edgellm.runtimes.base import Cancelled, Event, Message, ModelInfo, Placement, Request


class Status(Protocol):
    """What the window shows of the engine."""

    @property
    def state(self) -> str:
        """A word such as `ready`."""
        ...

    @property
    def model(self) -> str:
        """Name of the loaded model, or nothing."""
        ...

    @property
    def path(self) -> Path | None:
        """File or folder of the loaded model."""
        ...

    @property
    def device(self) -> str:
        """Where the model runs."""
        ...

    @property
    def reason(self) -> str:
        """Why it runs there."""
        ...

    @property
    def pid(self) -> int | None:
        """Process id of the engine."""
        ...

    @property
    def placement(self) -> Placement | None:
        """Where and how the model runs."""
        ...

    @property
    def steps(self) -> tuple[str, ...]:
        """What was tried, one sentence each."""
        ...


class EngineClient(Protocol):
    """The part of the supervisor's `Engine` that the window needs, beside being a `Generator`."""

    @property
    def info(self) -> ModelInfo:
        """The loaded model."""
        ...

    def load(self, path: Path, asked: bool = False, anyway: bool = False) -> Any:
        """Load a model file; `asked`: a person has just named it, `anyway`: even where memory is short."""
        ...

    def unload(self) -> None:
        """Forget the loaded model."""
        ...

    def generate(self, request: Request, cancelled: Cancelled = ...) -> Iterator[Event]:
        """Stream an answer."""
        ...

    def count(self, messages: tuple[Message, ...]) -> int:
        """Tokens of a prompt."""
        ...

    def status(self) -> Status:
        """What is loaded and where."""
        ...

    def close(self) -> None:
        """End the engine."""
        ...
