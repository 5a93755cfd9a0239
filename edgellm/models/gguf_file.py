"""What one GGUF file holds: metadata and the table of its tensors, read within bounds. What it means is `gguf.py`'s.

Format: the GGUF specification of ggml (versions 2 and 3, little-endian). Every count, length and offset in a file is
treated as hostile: each has a cap, the whole reading has a deadline, and the tensors must lie inside the file without
overlapping.
"""

from __future__ import annotations

import math
import stat
import struct
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from edgellm.errors import ModelDamaged, ModelNotFound, ModelUnsupported, StorageError
from edgellm.models.gguf_types import INTEGERS, PLAIN, TYPES

TOKENS = "tokenizer.ggml.tokens"
_MAX_PAIRS = 65_536
_MAX_TENSORS = 100_000
_MAX_NAME = 1_024
_MAX_STRING = 64 << 20
_MAX_KEPT_STRING = 1 << 20
_MAX_ITEMS = 16 << 20
_MAX_KEPT_ITEMS = 4_096
_MAX_HEADER = 512 << 20
_CHUNK = 1 << 16
_STRING, _ARRAY = 8, 9
_LENGTH = struct.Struct("<Q")
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}


@dataclass(frozen=True, slots=True)
class LongArray:
    """Stands in the metadata for an array that is too long, or of strings: only its length is kept."""

    count: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What one file holds."""

    size: int
    metadata: dict[str, Any]
    table: list[Tensor]


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor: bytes and offset as in the file, `type` by ggml's name."""

    name: str
    type: str
    elements: int
    offset: int
    size: int


def open_file(path: Path, deadline: float) -> Contents:
    """Read what `path` holds, before `deadline` (of `time.monotonic`).

    Raises `ModelNotFound`, `ModelDamaged`, `ModelUnsupported`, or `StorageError` for a file that cannot be read.
    """
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            raise ModelUnsupported(f"{path.name} is not a file.", "Choose a .gguf file.")
        with path.open("rb") as file:
            return _read(_Reader(file, info.st_size, path.name, deadline))
    except FileNotFoundError as error:
        raise ModelNotFound(f"There is no file {path.name}.", "Run: edgellm models") from error
    except OSError as error:
        raise StorageError(
            f"{path.name} cannot be read: {error.strerror}.", "Check the file's permissions and its disk."
        ) from error


def damaged(name: str, what: str) -> ModelDamaged:
    """The error for a file that cannot be trusted."""
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
                raise damaged(self.name, f"it claims a piece of {count} bytes")
            self._refill(count)
            end = count
        piece = self._buffer[self._at : end]
        self._at = end
        self._taken += count
        return piece

    def _refill(self, count: int) -> None:
        if time.monotonic() > self._deadline:
            raise damaged(self.name, "its header takes too long to read")
        if self._taken + count > self.size:
            raise damaged(self.name, "it ends inside its header")
        if self._taken + count > _MAX_HEADER:
            raise damaged(self.name, "its header is larger than any model's")
        rest = self._buffer[self._at :]
        self._buffer = rest + self._file.read(max(count - len(rest), _CHUNK))
        self._at = 0
        if len(self._buffer) < count:
            raise damaged(self.name, "it ends inside its header")

    def number(self, code: str) -> Any:
        """One little-endian number of a `struct` code."""
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0]

    def count(self, code: str, most: int, what: str) -> int:
        """A count that must not pass `most`."""
        value = int(self.number(code))
        if value > most:
            raise damaged(self.name, f"it claims {value} {what}")
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
            raise damaged(self.name, f"it has a value of unknown type {kind}")
        return self._array(distinct)

    def _array(self, distinct: bool) -> Any:
        kind, count = int(self.number("I")), self.count("Q", _MAX_ITEMS, "items in a list")
        if kind == _STRING:
            if count * 8 > self.size - self._taken:
                raise damaged(self.name, "it ends inside its header")
            seen: set[bytes] = set()
            empty = 0
            for _ in range(count):
                item = self.take(_LENGTH.unpack(self.take(8))[0])
                if distinct:
                    item = item.partition(b"\0")[0]  # llama.cpp reads it as a C string
                    empty += not item
                    seen.add(item)
            if distinct and len(seen - {b""}) != count - empty:
                raise damaged(self.name, "its vocabulary has a token twice")
            return LongArray(count)
        if kind not in _SCALARS:
            raise damaged(self.name, f"it has a list of unknown type {kind}")
        code = _SCALARS[kind]
        data = self.take(count * struct.calcsize("<" + code))
        return struct.unpack(f"<{count}{code}", data) if count <= _MAX_KEPT_ITEMS else LongArray(count)


def _read(reader: _Reader) -> Contents:
    name = reader.name
    if reader.size < 24 or reader.take(4) != b"GGUF":
        raise damaged(name, "it does not begin as a GGUF file")
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
        metadata[key] = reader.value(int(reader.number("I")), distinct=key == TOKENS)
    table = [_tensor(reader) for _ in range(tensors)]
    alignment = metadata.get("general.alignment", 32)
    if type(alignment) is not int or not 1 <= alignment <= 1 << 20 or alignment & (alignment - 1):
        raise damaged(name, "its alignment is not a power of two")
    _check_layout(reader, table, alignment)
    return Contents(reader.size, metadata, table)


def _tensor(reader: _Reader) -> Tensor:
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
        raise damaged(reader.name, "a tensor has an impossible shape")
    wrong = name.endswith("norm.weight") and kind_name not in PLAIN
    if wrong or (kind_name in INTEGERS and name.endswith((".weight", ".bias"))):
        raise damaged(reader.name, "a tensor has a type that cannot hold weights")
    return Tensor(name, kind_name, elements, offset, elements // block * size)


def _check_layout(reader: _Reader, table: Iterable[Tensor], alignment: int) -> None:
    start = -(-reader.position // alignment) * alignment
    end = 0
    for tensor in sorted(table, key=lambda item: item.offset):
        if tensor.offset % alignment or tensor.offset < end:
            raise damaged(reader.name, "its tensors overlap")
        end = tensor.offset + tensor.size
        if start + end > reader.size:
            missing = start + end - reader.size
            raise damaged(reader.name, f"it is cut short, at least {missing:,} bytes are missing")
