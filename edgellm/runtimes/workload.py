"""What one new token costs a model: bytes that are read from memory, weights that are multiplied, layers passed."""

from __future__ import annotations

from dataclasses import dataclass

from edgellm.models.gguf import GgufHeader
from edgellm.runtimes.budget import kv_bytes

TYPICAL = 1024  # tokens in the context of an ordinary answer


@dataclass(frozen=True, slots=True)
class Work:
    """Of one new token with a typical context. `read` is bytes, `weights` a count."""

    read: int
    weights: int
    layers: int


def work(header: GgufHeader, context: int, active: int | None = None) -> Work:
    """The work of a token; `active` is the number of weights it uses, where that is known better than by the header.

    Of a mixture of experts only the experts that a token is sent to are read, of per-layer embeddings one row.
    """
    weights = max(min(active or active_weights(header), header.parameters), 1)
    read = int(header.tensor_bytes * weights / max(header.parameters, 1))
    cache = kv_bytes(header, min(context, TYPICAL)) if header.kv_heads else 0
    return Work(max(read + cache, 1), weights, header.block_count)


def active_weights(header: GgufHeader) -> int:
    """Weights that one token uses. Never more than there are."""
    idle = 0
    experts, used = _number(header, "expert_count"), _number(header, "expert_used_count")
    if experts > used > 0:
        width = _number(header, "expert_feed_forward_length") or _number(header, "feed_forward_length")
        layers = max(header.block_count - _number(header, "leading_dense_block_count"), 0)
        idle += 3 * header.embedding_length * width * layers * (experts - used)
    idle += header.vocab * header.block_count * _number(header, "embedding_length_per_layer_input")
    return max(header.parameters - idle, header.parameters // 50, 1)


def _number(header: GgufHeader, key: str) -> int:
    """A count out of the metadata; the smallest of a list, 0 for anything else."""
    value = header.metadata.get(f"{header.architecture}.{key}")
    if isinstance(value, tuple) and value:
        value = min((item for item in value if type(item) is int), default=0)
    return value if type(value) is int and 0 < value < 1 << 32 else 0
