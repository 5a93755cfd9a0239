"""A bounded reader of GGUF headers. Reads no weights; loading is left to the runtimes.

Beyond what `gguf_file.py` bounds, the faults that are known to end the process of llama.cpp are refused: a wrong layer
or head count, a norm epsilon that is no small positive number, weights of a type that cannot hold weights, and a
vocabulary with a token twice.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgellm.errors import ModelUnsupported
from edgellm.models.gguf_file import TOKENS, Contents, Tensor, damaged, open_file
from edgellm.models.gguf_file import LongArray as LongArray
from edgellm.models.gguf_types import FILE_TYPES

_MAX_LAYERS = 4_096
_MAX_HEADS = 4_096
_MOST_PARTS = 1_000
_SPLIT = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.gguf", re.IGNORECASE)


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
class Split:
    """The place of a file in a model of several files: "x-00002-of-00003.gguf"."""

    stem: str
    number: int
    count: int

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all its files."""
        return tuple(f"{self.stem}-{number:05}-of-{self.count:05}.gguf" for number in range(1, self.count + 1))


def split_of(name: str) -> Split | None:
    """What a file's name says of a set of files; None for a file that stands alone."""
    match = _SPLIT.fullmatch(name)
    if not match or not 1 <= int(match[2]) <= int(match[3]) <= _MOST_PARTS:
        return None
    return Split(match[1], int(match[2]), int(match[3]))


def read_header(path: Path, seconds: float = 5.0) -> GgufHeader:
    """Read and check the header of `path`, in at most `seconds`.

    The first of several parts stands for them all, which must lie beside it. Raises `ModelNotFound`, `ModelDamaged`,
    `ModelUnsupported`, or `StorageError` for a file that cannot be read.
    """
    deadline = time.monotonic() + seconds
    first = open_file(path, deadline)
    count = _whole(first.metadata.get("split.count"))
    if count <= 1:
        return _header(path, first)
    split = split_of(path.name)
    if split is None or split.number != 1 or split.count != count:
        raise ModelUnsupported(
            f"{path.name} is one part of several.",
            "Choose the first part, with the others beside it.",
        )
    size, table = first.size, list(first.table)
    for number, name in enumerate(split.names[1:], 1):
        part = open_file(path.with_name(name), deadline)
        if _whole(part.metadata.get("split.count")) != count or _whole(part.metadata.get("split.no")) != number:
            raise damaged(name, f"it is not part {number + 1} of {count}")
        size += part.size
        table += part.table
    return _header(path, Contents(size, first.metadata, table))


def _header(path: Path, contents: Contents) -> GgufHeader:
    size, metadata, table = contents.size, contents.metadata, contents.table
    architecture = metadata.get("general.architecture")
    if not isinstance(architecture, str) or not architecture:
        raise damaged(path.name, "it does not name its architecture")
    own = {key.removeprefix(f"{architecture}."): value for key, value in metadata.items()}
    blocks, embedding = _whole(own.get("block_count")), _whole(own.get("embedding_length"))
    if not blocks or not embedding:
        raise ModelUnsupported(f"{path.name} does not describe a language model.", "Choose a text model in GGUF form.")
    _check_sense(path.name, blocks, own, table)
    heads = _whole(own.get("attention.head_count")) or 1
    template = metadata.pop("tokenizer.chat_template", "")
    tokens = metadata.get(TOKENS)
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


def _check_sense(name: str, blocks: int, own: Mapping[str, Any], table: Iterable[Tensor]) -> None:
    parts = [tensor.name.split(".", 2) for tensor in table if tensor.name.startswith("blk.")]
    layers = {int(part[1]) for part in parts if part[1].isdecimal() and len(part[1]) <= 6}
    if blocks > _MAX_LAYERS or (layers and not 0 <= blocks - len(layers) <= _whole(own.get("nextn_predict_layers"))):
        raise damaged(name, f"it claims {blocks} layers and holds {len(layers)}")
    if layers and max(layers) >= blocks:
        raise damaged(name, "its layers are not numbered in order")
    heads, shared = _whole(own.get("attention.head_count")), _whole(own.get("attention.head_count_kv"))
    if heads > _MAX_HEADS or shared > (heads or _MAX_HEADS):
        raise damaged(name, f"it claims {heads} attention heads and {shared} for keys")
    for key in ("attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon"):
        epsilon = own.get(key, 1e-5)
        if not isinstance(epsilon, int | float) or not 0 <= epsilon < 1:
            raise damaged(name, "its norm epsilon is not a small positive number")
