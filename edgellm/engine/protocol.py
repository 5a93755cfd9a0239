"""The messages between the program and its engine, and their form on the pipe.

Every message is a frozen dataclass. On the pipe it is four bytes of length (big-endian) and that many bytes of
msgpack: `[kind, fields]`. Lengths are bounded, types are checked, and anything else is a `ProtocolError`. Who sends
what when is left to `client` and `host`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgpack

from edgellm import errors
from edgellm.engine.wire import ProtocolError, from_plain, to_plain
from edgellm.errors import EdgeError
from edgellm.runtimes.base import Finish, Message, ModelInfo, Placement, Reading, Reply, Request

VERSION = 2
LARGEST = 64 << 20
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Hello:
    """The engine's first message."""

    version: int
    pid: int


@dataclass(frozen=True, slots=True)
class Keep:
    """Where long prompts are kept (bytes of the file system's own encoding), and how many bytes of them at most."""

    folder: bytes
    room: int


@dataclass(frozen=True, slots=True)
class Load:
    """Load the model in file `path` (bytes of the file system's own encoding), freeing the one before."""

    id: int
    path: bytes
    placement: Placement
    keep: Keep | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """The model is ready."""

    id: int
    info: ModelInfo
    seconds: float
    peak_memory: int


@dataclass(frozen=True, slots=True)
class Generate:
    """Answer a request."""

    id: int
    request: Request


@dataclass(frozen=True, slots=True)
class GenerateMany:
    """Answer several requests, at once where the model can. Each one's `Done` comes."""

    id: int
    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of an answer; `index` tells the request among several."""

    id: int
    text: str
    index: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """An answer is complete."""

    id: int
    finish: Finish
    index: int = 0


@dataclass(frozen=True, slots=True)
class Count:
    """Count the prompt tokens of a conversation."""

    id: int
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """The number of tokens."""

    id: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Read:
    """Have a model that writes nothing read something."""

    id: int
    reading: Reading


@dataclass(frozen=True, slots=True)
class Understood:
    """What it made of it."""

    id: int
    reply: Reply


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop the answer `id`; its `Done` or `Understood` still comes."""

    id: int


@dataclass(frozen=True, slots=True)
class Drop:
    """Stop one of the answers of `id`; its `Done` still comes."""

    id: int
    index: int


@dataclass(frozen=True, slots=True)
class Failed:
    """Order `id` could not be carried out. `error` is a name of `ERRORS`, `numbers` are its token counts."""

    id: int
    error: str
    message: str
    hint: str
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Ping:
    """Are you there?"""

    number: int


@dataclass(frozen=True, slots=True)
class Pong:
    """Yes. `peak_memory` is the engine's peak resident memory in bytes."""

    number: int
    peak_memory: int


@dataclass(frozen=True, slots=True)
class Shutdown:
    """End at once."""


Envelope = (
    Hello
    | Load
    | Loaded
    | Generate
    | GenerateMany
    | Text
    | Done
    | Count
    | Counted
    | Read
    | Understood
    | Cancel
    | Drop
    | Failed
    | Ping
    | Pong
    | Shutdown
)
_KINDS: Mapping[str, type[Any]] = MappingProxyType(
    {
        "hello": Hello,
        "load": Load,
        "loaded": Loaded,
        "generate": Generate,
        "generate many": GenerateMany,
        "text": Text,
        "done": Done,
        "count": Count,
        "counted": Counted,
        "read": Read,
        "understood": Understood,
        "cancel": Cancel,
        "drop": Drop,
        "failed": Failed,
        "ping": Ping,
        "pong": Pong,
        "shutdown": Shutdown,
    }
)
_NAMES: Mapping[type[Any], str] = MappingProxyType({kind: name for name, kind in _KINDS.items()})

ERRORS: Mapping[str, type[EdgeError]] = MappingProxyType(
    {
        kind.__name__: kind
        for kind in (
            errors.EdgeError,
            errors.UsageError,
            errors.NoModel,
            errors.SettingsError,
            errors.StorageError,
            errors.NetworkError,
            errors.OfflineError,
            errors.Stopped,
            errors.ModelError,
            errors.ModelNotFound,
            errors.ModelDamaged,
            errors.ModelUnsupported,
            errors.ModelTooLarge,
            errors.UntrustedName,
            errors.ContextOverflow,
            errors.ResponseFormatError,
            errors.EngineError,
            errors.OutOfMemory,
        )
    }
)


def failed(id: int, error: EdgeError) -> Failed:
    """The message that carries `error`, or its nearest base that the protocol knows."""
    name = next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in ERRORS)
    if isinstance(error, errors.ContextOverflow):
        return Failed(id, name, error.message, error.hint, (error.prompt_tokens, error.context))
    return Failed(id, name, error.message, error.hint)


def revived(message: Failed) -> EdgeError:
    """The error that a `Failed` message carries."""
    kind = ERRORS.get(message.error)
    if kind is None:
        raise ProtocolError("an error of unknown kind")
    if issubclass(kind, errors.ContextOverflow):
        if len(message.numbers) != 2:
            raise ProtocolError("an overflow without its counts")
        return kind(*message.numbers)
    return kind(message.message, message.hint)


def encode(message: Envelope) -> bytes:
    """The frame of a message. Raises `ProtocolError` when it is too large or holds what cannot travel."""
    try:
        body: bytes = msgpack.packb([_NAMES[type(message)], to_plain(message)], unicode_errors="replace")
    except (KeyError, ValueError, OverflowError, TypeError, RecursionError) as error:
        raise ProtocolError("a message that cannot be sent") from error
    if len(body) > LARGEST:
        raise ProtocolError(f"a message of {len(body) >> 20} MB")
    return _LENGTH.pack(len(body)) + body


def decode(body: bytes) -> Envelope:
    """The message in the body of one frame. Raises `ProtocolError` for anything else."""
    try:
        outer = msgpack.unpackb(body, strict_map_key=True, max_ext_len=0)
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        raise ProtocolError("bytes that are no message") from error
    if type(outer) is not list or len(outer) != 2 or type(outer[0]) is not str:
        raise ProtocolError("a message without a kind")
    kind = _KINDS.get(outer[0])
    if kind is None:
        raise ProtocolError("a message of unknown kind")
    message: Envelope = from_plain(kind, outer[1])
    if isinstance(message, Hello) and message.version != VERSION:
        raise ProtocolError(f"version {message.version} where {VERSION} is spoken")
    return message


class Decoder:
    """Cuts a stream of bytes into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Envelope]:
        """The messages that are complete with `data`. Raises `ProtocolError` at the first bad one."""
        self._buffer += data
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > LARGEST:
                raise ProtocolError("a message that is too long")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            yield decode(body)
