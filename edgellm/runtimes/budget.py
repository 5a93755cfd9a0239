"""How much memory a model needs: weights + KV cache + compute, from its own header, at the context really used.

The KV formula is that of Ollama and llama.cpp: a cache only for attention layers, a fixed state for recurrent ones.
Deciding what to do about it is left to `select.py`. All sizes are bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edgellm.models.gguf import GgufHeader

KvType = Literal["f16", "q8_0"]
RESERVE = 1 << 30  # left free for everything else on the computer
GPU_RESERVE = 457 << 20  # what Ollama leaves free on a GPU
METAL_RESERVE = 512 << 20
ENGINE = 96 << 20  # the engine process itself, before any model
_KV_BYTES = {"f16": 2.0, "q8_0": 34 / 32}


@dataclass(frozen=True, slots=True)
class Budget:
    """The sum for one way of running a model, and the memory it is held against.

    `weights`, `kv` and `compute` are the whole need; `on_gpu` is the part of it in a GPU's own memory. `free` and
    `total` are the memory they are held against: that of the GPU when all of it is there, else main memory, in which
    case `need` without `on_gpu` must fit.
    """

    weights: int
    kv: int
    compute: int
    free: int
    total: int
    on_gpu: int = 0

    @property
    def need(self) -> int:
        """Everything together."""
        return self.weights + self.kv + self.compute

    @property
    def in_main(self) -> int:
        """The part that main memory must hold."""
        return self.need - self.on_gpu

    def __str__(self) -> str:
        text = (
            f"weights {gigabytes(self.weights)} + KV cache {gigabytes(self.kv)} + compute {gigabytes(self.compute)}"
            f" = {gigabytes(self.need)}"
        )
        if 0 < self.on_gpu < self.need:
            text += f", {gigabytes(self.on_gpu)} of it on the GPU"
        return f"{text}; {gigabytes(self.free)} of {gigabytes(self.total)} free"


def gigabytes(size: int) -> str:
    """A size for a person, in GB of 2**30 bytes, as system monitors count memory; small ones in MB."""
    value = size / 2**30
    if value < 0.1:
        return f"{size / 2**20:.0f} MB"
    return f"{value:.1f} GB" if value >= 10 else f"{value:.2f} GB"


def kv_bytes(header: GgufHeader, context: int, kv_type: KvType = "f16") -> int:
    """KV cache of the attention layers, and the states of the recurrent ones.

    Sliding-window layers count in full: llama.cpp keeps them so by default, which prefix reuse needs.
    """
    cells = -(-context // 256) * 256
    small = _small_layers(header)
    key_small = _number(header, "attention.key_length_swa") or header.key_length
    value_small = _number(header, "attention.value_length_swa") or header.value_length
    own = header.block_count - _number(header, "attention.shared_kv_layers")
    values, recurrent = 0, 0
    for layer, heads in enumerate(header.kv_heads):
        if not heads:
            recurrent += 1
        elif layer < own or own <= 0:
            width = key_small + value_small if layer in small else header.key_length + header.value_length
            values += cells * heads * width
    return int(values * _KV_BYTES[kv_type]) + recurrent * _state_bytes(header)


def _small_layers(header: GgufHeader) -> frozenset[int]:
    """Layers with a sliding window, where the header lists them; their heads may be narrower."""
    pattern = header.metadata.get(f"{header.architecture}.attention.sliding_window_pattern")
    return (
        frozenset(number for number, small in enumerate(pattern) if small)
        if isinstance(pattern, tuple)
        else frozenset()
    )


def _state_bytes(header: GgufHeader) -> int:
    """State of one recurrent layer; free of the context."""
    inner, state = _number(header, "ssm.inner_size"), _number(header, "ssm.state_size")
    convolution = max(_number(header, "ssm.conv_kernel") - 1, 0)
    short = max(_number(header, "shortconv.l_cache") - 1, 0) * header.embedding_length
    groups = _number(header, "ssm.group_count")
    return 4 * (convolution * (inner + 2 * groups * state) + state * inner + short)


def _number(header: GgufHeader, key: str) -> int:
    value = header.metadata.get(f"{header.architecture}.{key}")
    return value if type(value) is int and value > 0 else 0


def compute_bytes(header: GgufHeader, context: int, batch: int) -> int:
    """Working memory of one batch, and the engine itself.

    llama.cpp reserves the output of a whole batch (one number for each token and each word of the vocabulary) and a
    mask over the context; this bounds what its log reports with flash attention, measured at 4k and 16k tokens.
    """
    return 4 * batch * (4 * header.embedding_length + header.vocab + context) + ENGINE


def output_bytes(header: GgufHeader) -> int:
    """Bytes of the output layer (or of the embeddings, where the two are one)."""
    average = header.tensor_bytes / max(header.parameters, 1)
    return min(int(header.vocab * header.embedding_length * average), header.tensor_bytes)


def layer_bytes(header: GgufHeader) -> int:
    """Weights of one layer, on average."""
    return (header.tensor_bytes - output_bytes(header)) // max(header.block_count, 1)


def budget(header: GgufHeader, context: int, batch: int, kv_type: KvType, free: int, total: int) -> Budget:
    """The sum with everything in one memory."""
    return Budget(
        header.tensor_bytes,
        kv_bytes(header, context, kv_type),
        compute_bytes(header, context, batch),
        free,
        total,
    )


def on_gpu(header: GgufHeader, whole: Budget, layers: int) -> int:
    """Bytes of `whole` that a GPU holds with this many layers there; more than the model's layers adds the output."""
    if layers <= 0:
        return 0
    if layers > header.block_count:
        return whole.need - ENGINE
    share = layers / header.block_count
    return int(layer_bytes(header) * layers + whole.kv * share) + whole.compute - ENGINE


def layers_that_fit(header: GgufHeader, whole: Budget, room: int) -> int:
    """The most layers (the output counts as one more) that fit into `room` bytes of a GPU."""
    layers = header.block_count + 1
    while layers > 0 and on_gpu(header, whole, layers) > room:
        layers -= 1
    return layers
