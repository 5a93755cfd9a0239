"""Reads what a safetensors file says of itself, in bounded time and memory, before any library opens it.

The format: eight bytes of length, that much JSON (name -> dtype, shape, place), then the numbers. Every length is
checked against the file, every tensor's size against its place, and the places must follow one another without overlap
and without holes. The numbers themselves are not read.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from edgellm.errors import ModelDamaged, ModelUnsupported, StorageError

_LARGEST_HEADER = 32 << 20
_LARGEST_FILE = 256 << 30
_MOST_TENSORS = 100_000
_LONGEST_NAME = 512
_MOST_DIMENSIONS = 8
# Weights of other types belong to quantized models, which transformers would hand to further packages.
SIZES: Mapping[str, int] = MappingProxyType(
    {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
)
FLOATS = frozenset(("F64", "F32", "F16", "BF16"))
_FORMATS = (None, "pt", "mlx")  # "tf" and "flax" would be read by other libraries


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor: its type as safetensors names it, its shape, its size in bytes."""

    dtype: str
    shape: tuple[int, ...]
    size: int


def read_header(path: Path) -> dict[str, Tensor]:
    """The tensors of the file at `path`. Raises `ModelDamaged`, `ModelUnsupported` or `StorageError`."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            start = file.read(8)
            if len(start) < 8 or size > _LARGEST_FILE:
                raise _damaged(path, "it is too short or too long")
            length = struct.unpack("<Q", start)[0]
            if not 2 <= length <= min(_LARGEST_HEADER, size - 8):
                raise _damaged(path, "its header does not fit into it")
            text = file.read(length)
    except OSError as error:
        raise StorageError(f"{path.name} cannot be read: {error.strerror}.", "Check the file and its disk.") from error
    return _tensors(path, _json(path, text), size - 8 - length)


def _damaged(path: Path, why: str) -> ModelDamaged:
    return ModelDamaged(f"{path.name} is damaged: {why}.", "Download or copy the file again.")


def _json(path: Path, text: bytes) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a name twice")
        return found

    try:
        document = json.loads(text.decode("utf-8"), object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, "its header is no JSON") from error
    if not isinstance(document, dict) or not 0 < len(document) <= _MOST_TENSORS:
        raise _damaged(path, "its header lists no tensors")
    return document


def _tensors(path: Path, document: dict[str, Any], room: int) -> dict[str, Tensor]:
    about = document.pop("__metadata__", None) or {}
    if not isinstance(about, dict) or any(not isinstance(value, str) for value in about.values()):
        raise _damaged(path, "its header has a bad part")
    if about.get("format") not in _FORMATS:
        raise ModelUnsupported(f"{path.name} was not written by PyTorch.", "Choose another file of this model.")
    found, places = {}, []
    for name, entry in document.items():
        tensor, begin, end = _tensor(path, name, entry)
        found[name] = tensor
        places.append((begin, end))
    at = 0
    for begin, end in sorted(places):
        if begin != at:
            raise _damaged(path, "its tensors overlap or leave holes")
        at = end
    if at != room:
        raise _damaged(path, f"it should have {at:,} bytes of weights and has {room:,}")
    return found


def _tensor(path: Path, name: str, entry: Any) -> tuple[Tensor, int, int]:
    if not isinstance(entry, dict) or len(name) > _LONGEST_NAME or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise _damaged(path, "its header has a bad entry")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in SIZES:
        raise ModelUnsupported(
            f"{path.name} holds numbers of a type that is not run here ({str(dtype)[:20]!r}).",
            "Choose the unquantized model, or its GGUF or ONNX form.",
        )
    if not _numbers(shape) or not _numbers(offsets) or len(shape) > _MOST_DIMENSIONS or len(offsets) != 2:
        raise _damaged(path, "its header has a bad entry")
    size = SIZES[dtype]
    for length in shape:
        size *= length
        if size > _LARGEST_FILE:
            raise _damaged(path, "a tensor is larger than any file")
    begin, end = offsets
    if end - begin != size:
        raise _damaged(path, "a tensor's size is not that of its place")
    return Tensor(dtype, tuple(shape), size), begin, end


def _numbers(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 64 and all(type(one) is int and one >= 0 for one in value)
