"""The values and capability protocols that every runtime, task and face of the program uses.

Leaves loading and generating to the adapters beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar, runtime_checkable

Role = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length", "cancelled"]
Kind = Literal["decoder", "seq2seq", "embed", "classify", "rerank", "span"]
Cancelled = Callable[[], bool]
Dropped = Callable[[int], bool]
WEIGHS = "weighs answers"  # in `ModelInfo.metadata`, where a decoder can be asked by a `Reading`
T = TypeVar("T")


def never() -> bool:
    """Nobody cancels."""
    return False


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
    of the assistant's answer, already written: the model continues it. An encoder-decoder model reads the last message
    alone; `source` and `target` are the codes of its languages, `beams` is the number of texts that a beam search
    follows (1: greedy, which streams).
    """

    messages: tuple[Message, ...]
    sampling: Sampling = field(default_factory=Sampling)
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    schema: str | None = None
    prefix: str = ""
    source: str = ""
    target: str = ""
    beams: int = 1


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
    `flash` lets it use flash attention where it can. `precision` is the kind of numbers that PyTorch computes with;
    empty for other runtimes.
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
    precision: Literal["", "fp32", "fp16", "bf16"] = ""
    flash: bool = True


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a loaded model says of itself. `context` is the window in tokens that was really allocated.

    `kind` is what it can do: a decoder continues a conversation, a seq2seq model turns one text into another, the
    others read: `embed` (text to vector), `classify` (text to labels), `rerank` (pair to score), `span` (question to
    a stretch of a passage). `languages` are codes, where they are known.
    """

    name: str
    architecture: str
    parameters: int
    quantization: str
    context: int
    trained_context: int
    vocabulary: int
    kind: Kind = "decoder"
    languages: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class Generator(Protocol):
    """Text in, text out: a decoder or an encoder-decoder model."""

    @property
    def info(self) -> ModelInfo:
        """The loaded model."""
        ...

    def generate(self, request: Request, cancelled: Cancelled = never) -> Iterator[Event]:
        """Yield `Chunk`s and then exactly one `Finish`, or raise an `EdgeError`."""
        ...

    def count(self, messages: tuple[Message, ...]) -> int:
        """Tokens of the prompt that `generate` would send for these messages."""
        ...


def never_dropped(_index: int) -> bool:
    """No request is given up."""
    return False


@runtime_checkable
class ManyGenerator(Generator, Protocol):
    """A `Generator` that answers several requests at once."""

    def generate_many(
        self,
        requests: tuple[Request, ...],
        cancelled: Cancelled = never,
        dropped: Dropped = never_dropped,
    ) -> Iterator[tuple[int, Event]]:
        """Yield each event with the index of its request; every request ends in its own `Finish`.

        `cancelled` stops all of them, `dropped` the one with that index. What is wrong with one request is raised
        before anything is computed for any.
        """
        ...


@runtime_checkable
class Remembering(Protocol):
    """A runtime that can keep what it read on the disk."""

    def remember(self, folder: Path, room: int) -> None:
        """Keep long prompts in `folder`, at most `room` bytes, and use what is kept there."""
        ...


@dataclass(frozen=True, slots=True)
class Vectors:
    """Embeddings of texts: `data` holds little-endian float32 numbers, `size` for each text, each of unit length.

    `truncated` counts the texts that were longer than the model reads.
    """

    size: int
    data: bytes
    truncated: int = 0


@dataclass(frozen=True, slots=True)
class Scores:
    """How well each label fits a text, or each passage a question. They sum to 1 where labels exclude each other."""

    labels: tuple[str, ...]
    values: tuple[float, ...]
    truncated: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a passage: `passage[start:end]`. `score` is a probability; empty (start == end): no answer."""

    start: int
    end: int
    score: float
    nothing: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model is asked that shall write nothing. `kind` is what it must be able to do.

    embed: `texts` become vectors. classify: `text` is held against the labels in `texts` (none: the model's own), of
    which `several` may be true. rerank: the passages `texts` are held against the question `text`. span: `text` is
    looked for in the passage `texts[0]`. decoder: how likely the model, held to the answers `texts`, would give each
    after `messages`; for models whose metadata holds `WEIGHS`.
    """

    kind: Kind
    text: str = ""
    texts: tuple[str, ...] = ()
    several: bool = False
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a `Reading`: exactly one of these is there. A canceled one holds what there was."""

    vectors: Vectors | None = None
    scores: Scores | None = None
    span: Span | None = None

    @property
    def truncated(self) -> int:
        """Texts that were longer than the model reads."""
        return next((one.truncated for one in (self.vectors, self.scores) if one is not None), 0)


@runtime_checkable
class Reader(Protocol):
    """A model that can be asked something without writing; most of these write nothing at all."""

    @property
    def info(self) -> ModelInfo:
        """The loaded model; `info.kind` says what it can be asked."""
        ...

    def read(self, reading: Reading, cancelled: Cancelled = never) -> Reply:
        """Answer. Raises `UsageError` for what the model cannot do."""
        ...


@runtime_checkable
class Runtime(Generator, Protocol):
    """A `Generator` that owns native resources."""

    def close(self) -> None:
        """Free the model."""
        ...


@runtime_checkable
class ReadingRuntime(Reader, Protocol):
    """A `Reader` that owns native resources."""

    def close(self) -> None:
        """Free the model."""
        ...
