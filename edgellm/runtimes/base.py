"""The values and capability protocols that every runtime, task and face of the program uses.

Leaves loading and generating to the adapters beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar

Role = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length", "cancelled"]
Cancelled = Callable[[], bool]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Choice(Generic[T]):
    """An automatic decision and the reason for it, in plain words."""

    value: T
    reason: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation. Carries no id: storage does."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is drawn. `temperature` 0 is greedy; `seed` None draws a fresh one."""

    temperature: float = 0.0
    top_p: float = 0.95
    top_k: int = 40
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A conversation that asks for the next assistant message.

    `max_tokens` bounds new tokens (None: what the context leaves). `stop` strings end the text and are not part
    of it. `schema` is a JSON schema as text; the answer then is JSON that satisfies it. `prefix` is the beginning
    of the assistant's answer, already written: the model continues it.
    """

    messages: tuple[Message, ...]
    sampling: Sampling = field(default_factory=Sampling)
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    schema: str | None = None
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of text; never splits a character."""

    text: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The last event of every generation: the facts of how the text was made.

    Seconds are wall time from request to end; `prefill_seconds` to the first token; `tokens_per_second` is decode
    speed over `new_tokens`; `peak_memory` is the engine's peak resident memory in bytes; `truncated` says that the
    text was cut by `max_tokens` or by the context.
    """

    reason: FinishReason
    prompt_tokens: int
    cached_tokens: int
    new_tokens: int
    seconds: float
    tokens_per_second: float
    device: str
    peak_memory: int
    truncated: bool
    prefill_seconds: float = 0.0


Event = Chunk | Finish


@dataclass(frozen=True, slots=True)
class Placement:
    """Where and how a model runs. Counts are layers, threads and tokens; `cpu_variant` names a llama.cpp CPU library.

    `repack` lets llama.cpp rearrange weights at load (its `use_extra_bufts`): faster decode, unsafe on some CPUs.
    """

    runtime: str = "llama"
    device: str = "cpu"
    gpu_layers: int = 0
    threads: int = 2
    batch: int = 512
    context: int = 4096
    kv_type: Literal["f16", "q8_0"] = "f16"
    cpu_variant: str = ""
    repack: bool = True
    mmap: bool = True


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a loaded model says of itself. `context` is the window in tokens that was really allocated."""

    name: str
    architecture: str
    parameters: int
    quantization: str
    context: int
    trained_context: int
    vocabulary: int
    metadata: Mapping[str, Any] = field(default_factory=dict)


class Generator(Protocol):
    """Text in, text out: a decoder or an encoder-decoder model."""

    @property
    def info(self) -> ModelInfo:
        """The loaded model."""
        ...

    def generate(self, request: Request, cancelled: Cancelled = lambda: False) -> Iterator[Event]:
        """Yield `Chunk`s and then exactly one `Finish`, or raise an `EdgeError`."""
        ...

    def count(self, messages: tuple[Message, ...]) -> int:
        """Tokens of the prompt that `generate` would send for these messages."""
        ...


class Runtime(Generator, Protocol):
    """A `Generator` that owns native resources."""

    def close(self) -> None:
        """Free the model."""
        ...
