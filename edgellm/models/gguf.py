"""A bounded reader of GGUF headers. Reads no weights; loading is left to the runtimes.

Format: the GGUF specification of ggml (versions 2 and 3, little-endian). Every count, length and offset in a file is
treated as hostile: each has a cap, the whole reading has a deadline, and the tensors must lie inside the file without
overlapping. Beyond that, the faults that are known to end the process of llama.cpp are refused: a wrong layer or head
count, a norm epsilon that is no small positive number, weights of a type that cannot hold weights, and a vocabulary
with a token twice.
"""

from __future__ import annotations

import math
import stat
import struct
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from edgellm.errors import ModelDamaged, ModelNotFound, ModelUnsupported, StorageError
from edgellm.models.gguf_types import FILE_TYPES, INTEGERS, PLAIN, TYPES

_MAX_PAIRS = 65_536
_MAX_TENSORS = 100_000
_MAX_NAME = 1_024
_MAX_STRING = 64 << 20
_MAX_KEPT_STRING = 1 << 20
_MAX_ITEMS = 16 << 20
_MAX_KEPT_ITEMS = 4_096
_MAX_HEADER = 512 << 20
_MAX_LAYERS = 4_096
_MAX_HEADS = 4_096
_CHUNK = 1 << 16
_STRING, _ARRAY = 8, 9
_LENGTH = struct.Struct("<Q")
_TOKENS = "tokenizer.ggml.tokens"
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}


@dataclass(frozen=True, slots=True)
class LongArray:
    """Stands in the metadata for an array that is too long, or of strings: only its length is kept."""

    count: int


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a GGUF file says of its model. Sizes are bytes; `head_count_kv` is the largest of all layers."""

    architecture: str
    name: str
    block_count: int
    context_length: int
    embedding_length: int
    head_count: int
    head_count_kv: int
    key_length: int
    value_length: int
    vocab: int
    file_size: int
    tensor_bytes: int
    parameters: int
    quantization: str
    chat_template: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def kv_heads(self) -> tuple[int, ...]:
        """KV heads of each layer; 0 where a hybrid model has a recurrent layer, which keeps no KV cache."""
        heads = self.metadata.get(f"{self.architecture}.attention.head_count_kv")
        if isinstance(heads, tuple) and len(heads) == self.block_count and all(map(_is_heads, heads)):
            return heads
        interval = self.metadata.get(f"{self.architecture}.full_attention_interval")
        if type(interval) is int and interval > 1:
            return tuple(self.head_count_kv * ((layer + 1) % interval == 0) for layer in range(self.block_count))
        return (self.head_count_kv,) * self.block_count


@dataclass(frozen=True, slots=True)
class _Tensor:
    name: str
    type: str
    elements: int
    offset: int
    size: int


def read_header(path: Path, seconds: float = 5.0) -> GgufHeader:
    """Read and check the header of `path`, in at most `seconds`.

    Raises `ModelNotFound`, `ModelDamaged`, `ModelUnsupported`, or `StorageError` for a file that cannot be read.
    """
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            raise ModelUnsupported(f"{path.name} is not a file.", "Choose a .gguf file.")
        with path.open("rb") as file:
            return _read(_Reader(file, info.st_size, path.name, time.monotonic() + seconds), path)
    except FileNotFoundError as error:
        raise ModelNotFound(f"There is no file {path.name}.", "Run: edgellm models") from error
    except OSError as error:
        raise StorageError(
            f"{path.name} cannot be read: {error.strerror}.", "Check the file's permissions and its disk."
        ) from error


def _damaged(name: str, what: str) -> ModelDamaged:
    return ModelDamaged(f"{name} is damaged: {what}.", "Download or copy the file again.")


class _Reader:
    """Takes bytes in order from a file, never more than the caps allow."""

    def __init__(self, file: BinaryIO, size: int, name: str, deadline: float) -> None:
        self._file = file
        self._buffer = b""
        self._at = 0
        self._taken = 0
        self._deadline = deadline
        self.size = size
        self.name = name

    @property
    def position(self) -> int:
        """Bytes taken so far."""
        return self._taken

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        end = self._at + count
        if end > len(self._buffer):
            if count > _MAX_STRING:
                raise _damaged(self.name, f"it claims a piece of {count} bytes")
            self._refill(count)
            end = count
        piece = self._buffer[self._at : end]
        self._at = end
        self._taken += count
        return piece

    def _refill(self, count: int) -> None:
        if time.monotonic() > self._deadline:
            raise _damaged(self.name, "its header takes too long to read")
        if self._taken + count > self.size:
            raise _damaged(self.name, "it ends inside its header")
        if self._taken + count > _MAX_HEADER:
            raise _damaged(self.name, "its header is larger than any model's")
        rest = self._buffer[self._at :]
        self._buffer = rest + self._file.read(max(count - len(rest), _CHUNK))
        self._at = 0
        if len(self._buffer) < count:
            raise _damaged(self.name, "it ends inside its header")

    def number(self, code: str) -> Any:
        """One little-endian number of a `struct` code."""
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0]

    def count(self, code: str, most: int, what: str) -> int:
        """A count that must not pass `most`."""
        value = int(self.number(code))
        if value > most:
            raise _damaged(self.name, f"it claims {value} {what}")
        return value

    def text(self, most: int = _MAX_STRING) -> str:
        """A string; bytes that are no UTF-8 are replaced."""
        return self.take(self.count("Q", most, "bytes of text")).decode("utf-8", "replace")

    def value(self, kind: int, distinct: bool = False) -> Any:
        """A metadata value. Long and textual arrays are passed over and leave a `LongArray`.

        With `distinct` no text of a textual array may come twice, other than the empty one.
        """
        if kind in _SCALARS:
            return self.number(_SCALARS[kind])
        if kind == _STRING:
            text = self.text()
            return text if len(text) <= _MAX_KEPT_STRING else ""
        if kind != _ARRAY:
            raise _damaged(self.name, f"it has a value of unknown type {kind}")
        return self._array(distinct)

    def _array(self, distinct: bool) -> Any:
        kind, count = int(self.number("I")), self.count("Q", _MAX_ITEMS, "items in a list")
        if kind == _STRING:
            if count * 8 > self.size - self._taken:
                raise _damaged(self.name, "it ends inside its header")
            seen: set[bytes] = set()
            empty = 0
            for _ in range(count):
                item = self.take(_LENGTH.unpack(self.take(8))[0])
                if distinct:
                    item = item.partition(b"\0")[0]  # llama.cpp reads it as a C string
                    empty += not item
                    seen.add(item)
            if distinct and len(seen - {b""}) != count - empty:
                raise _damaged(self.name, "its vocabulary has a token twice")
            return LongArray(count)
        if kind not in _SCALARS:
            raise _damaged(self.name, f"it has a list of unknown type {kind}")
        code = _SCALARS[kind]
        data = self.take(count * struct.calcsize("<" + code))
        return struct.unpack(f"<{count}{code}", data) if count <= _MAX_KEPT_ITEMS else LongArray(count)


def _read(reader: _Reader, path: Path) -> GgufHeader:
    name = reader.name
    if reader.size < 24 or reader.take(4) != b"GGUF":
        raise _damaged(name, "it does not begin as a GGUF file")
    version = int(reader.number("I"))
    if version not in (2, 3):
        big = version and version & 0xFFFF == 0
        what = "is a big-endian GGUF file" if big else f"is GGUF version {version}"
        raise ModelUnsupported(f"{name} {what}, which is not supported.", "Get the model as GGUF version 3.")
    tensors = reader.count("Q", _MAX_TENSORS, "tensors")
    pairs = reader.count("Q", _MAX_PAIRS, "metadata entries")
    metadata: dict[str, Any] = {}
    for _ in range(pairs):
        key = reader.text(_MAX_NAME)
        metadata[key] = reader.value(int(reader.number("I")), distinct=key == _TOKENS)
    table = [_tensor(reader) for _ in range(tensors)]
    alignment = metadata.get("general.alignment", 32)
    if type(alignment) is not int or not 1 <= alignment <= 1 << 20 or alignment & (alignment - 1):
        raise _damaged(name, "its alignment is not a power of two")
    _check_layout(reader, table, alignment)
    return _header(path, reader.size, metadata, table)


def _tensor(reader: _Reader) -> _Tensor:
    name = reader.text(_MAX_NAME)
    shape = [reader.number("Q") for _ in range(reader.count("I", 4, "dimensions"))]
    kind, offset = int(reader.number("I")), int(reader.number("Q"))
    if kind not in TYPES:
        raise ModelUnsupported(
            f"{reader.name} holds weights of type {kind}, which is not known here.",
            "Update EdgeLLM, or get a Q4_K_M file.",
        )
    kind_name, block, size = TYPES[kind]
    elements = math.prod(shape)
    if any(not 0 < side < 1 << 40 for side in shape) or elements >= 1 << 46 or (shape and shape[0] % block):
        raise _damaged(reader.name, "a tensor has an impossible shape")
    wrong = name.endswith("norm.weight") and kind_name not in PLAIN
    if wrong or (kind_name in INTEGERS and name.endswith((".weight", ".bias"))):
        raise _damaged(reader.name, "a tensor has a type that cannot hold weights")
    return _Tensor(name, kind_name, elements, offset, elements // block * size)


def _check_layout(reader: _Reader, table: Iterable[_Tensor], alignment: int) -> None:
    start = -(-reader.position // alignment) * alignment
    end = 0
    for tensor in sorted(table, key=lambda item: item.offset):
        if tensor.offset % alignment or tensor.offset < end:
            raise _damaged(reader.name, "its tensors overlap")
        end = tensor.offset + tensor.size
        if start + end > reader.size:
            missing = start + end - reader.size
            raise _damaged(reader.name, f"it is cut short, at least {missing:,} bytes are missing")


def _header(path: Path, size: int, metadata: dict[str, Any], table: list[_Tensor]) -> GgufHeader:
    architecture = metadata.get("general.architecture")
    if not isinstance(architecture, str) or not architecture:
        raise _damaged(path.name, "it does not name its architecture")
    if _whole(metadata.get("split.count")) > 1:
        raise ModelUnsupported(
            f"{path.name} is one part of several.",
            "Join the parts with llama-gguf-split --merge, or get a single file.",
        )
    own = {key.removeprefix(f"{architecture}."): value for key, value in metadata.items()}
    blocks, embedding = _whole(own.get("block_count")), _whole(own.get("embedding_length"))
    if not blocks or not embedding:
        raise ModelUnsupported(f"{path.name} does not describe a language model.", "Choose a text model in GGUF form.")
    _check_sense(path.name, blocks, own, table)
    heads = _whole(own.get("attention.head_count")) or 1
    template = metadata.pop("tokenizer.chat_template", "")
    tokens = metadata.get(_TOKENS)
    types = Counter[str]()
    for tensor in table:
        types[tensor.type] += tensor.size
    title = metadata.get("general.name")
    return GgufHeader(
        architecture=architecture,
        name=title if isinstance(title, str) and title else path.stem,
        block_count=blocks,
        context_length=_whole(own.get("context_length")),
        embedding_length=embedding,
        head_count=heads,
        head_count_kv=_whole(own.get("attention.head_count_kv")) or heads,
        key_length=_whole(own.get("attention.key_length")) or embedding // heads,
        value_length=_whole(own.get("attention.value_length")) or embedding // heads,
        vocab=tokens.count if isinstance(tokens, LongArray) else _whole(own.get("vocab_size")),
        file_size=size,
        tensor_bytes=sum(types.values()),
        parameters=sum(tensor.elements for tensor in table),
        quantization=FILE_TYPES.get(_whole(metadata.get("general.file_type")), "")
        if "general.file_type" in metadata
        else types.most_common(1)[0][0]
        if types
        else "",
        chat_template=template if isinstance(template, str) else "",
        metadata=metadata,
    )


def _whole(value: Any) -> int:
    """A whole number out of the metadata: the largest of a list, 0 for anything else."""
    if isinstance(value, tuple):
        return max((_whole(item) for item in value), default=0)
    return value if type(value) is int and 0 <= value < 1 << 40 else 0


def _is_heads(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _MAX_HEADS


def _check_sense(name: str, blocks: int, own: Mapping[str, Any], table: Iterable[_Tensor]) -> None:
    parts = [tensor.name.split(".", 2) for tensor in table if tensor.name.startswith("blk.")]
    layers = {int(part[1]) for part in parts if part[1].isdecimal() and len(part[1]) <= 6}
    if blocks > _MAX_LAYERS or (layers and not 0 <= blocks - len(layers) <= _whole(own.get("nextn_predict_layers"))):
        raise _damaged(name, f"it claims {blocks} layers and holds {len(layers)}")
    if layers and max(layers) >= blocks:
        raise _damaged(name, "its layers are not numbered in order")
    heads, shared = _whole(own.get("attention.head_count")), _whole(own.get("attention.head_count_kv"))
    if heads > _MAX_HEADS or shared > (heads or _MAX_HEADS):
        raise _damaged(name, f"it claims {heads} attention heads and {shared} for keys")
    for key in ("attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon"):
        epsilon = own.get(key, 1e-5)
        if not isinstance(epsilon, int | float) or not 0 <= epsilon < 1:
            raise _damaged(name, "its norm epsilon is not a small positive number")
