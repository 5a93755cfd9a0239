"""What a model that is not here yet is likely to look like inside: a header made up from its catalog card.

The card gives the size of the file and, mostly, the number of weights; layers, heads and vocabulary are bounds for that
size and family, so that a sum made from them is rather too large than too small. Once the file is here its own header
takes over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from edgellm.models.catalog import ModelCard
from edgellm.models.gguf import GgufHeader

# Up to so many weights: layers, width, heads for keys and values, and width of a head. The most that current decoders
# of that size have; their KV cache is what matters.
_DENSE = (
    (0.15e9, 24, 768, 4, 64),
    (0.4e9, 32, 1024, 8, 64),
    (0.9e9, 28, 1280, 8, 128),
    (2.4e9, 28, 2048, 8, 128),
    (5e9, 36, 2560, 8, 128),
    (10e9, 42, 4096, 8, 128),
    (18e9, 48, 5120, 8, 128),
    (40e9, 64, 5120, 8, 128),
    (float("inf"), 96, 8192, 8, 128),
)
_EXPERTS_KV_HEADS = 4
# Words in the vocabulary of a family, where it is known; else the largest that is usual
_VOCABULARY: Mapping[str, int] = MappingProxyType(
    {
        "gpt-oss": 201_088, "granite": 100_352, "lfm2": 65_536, "llama": 128_256, "mistral3": 131_072, "phi3": 200_064,
        "qwen2": 152_064, "qwen3": 151_936, "qwen35": 248_320, "smollm3": 128_256,
    }
)  # fmt: skip
_LARGEST_VOCABULARY = 262_144
# Hybrids: one layer in so many is an attention layer with a KV cache; the others keep a small fixed state
_ATTENTION_EVERY: Mapping[str, int] = MappingProxyType(
    {"qwen35": 4, "qwen3next": 4, "lfm2": 2, "granitehybrid": 4, "nemotron_h": 4, "kimi-linear": 4}
)
_STATE: Mapping[str, int] = MappingProxyType(
    {"ssm.inner_size": 4096, "ssm.state_size": 128, "ssm.conv_kernel": 4, "ssm.group_count": 16}
)
_COUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([BM])\b", re.IGNORECASE)
_ACTIVE = re.compile(r"(\d+(?:\.\d+)?)\s*([BM])\s+(?:active|effective)|\bA(\d+(?:\.\d+)?)(B)\b", re.IGNORECASE)
_BITS = re.compile(r"I?Q(\d)|(?:INT|MXFP|FP)(\d+)|B?F(16|32)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Shape:
    """A made-up header, how many weights a token uses, and whether the size itself is an estimate."""

    header: GgufHeader
    active: int
    size_estimated: bool = False


def of(card: ModelCard) -> Shape | None:
    """The likely shape; None where neither the size nor the number of weights is known."""
    total, active = parameters(card)
    width_of_weight = bytes_of_weight(card.quantization)
    size, estimated = card.size or 0, not card.size
    if not size:
        size = int(total * width_of_weight)
    if not size:
        return None
    if not total or not 0.25 <= size / total / width_of_weight <= 2.5 or "effective" in card.parameters.lower():
        total = max(int(size / width_of_weight), 1)  # "effective" leaves out tables that are in the file all the same
    active = min(active or total, total)
    family = _family(card.architecture)
    layers, width, heads, head = next(row[1:] for row in _DENSE if total <= row[0])
    if active < total / 2:
        heads = min(heads, _EXPERTS_KV_HEADS)
    if family.startswith("gemma") and total > 10e9:
        head *= 2
    metadata: dict[str, Any] = {}
    if family in _ATTENTION_EVERY:
        metadata["full_attention_interval"] = _ATTENTION_EVERY[family]
        metadata |= _STATE if family != "lfm2" else {}
    header = GgufHeader(
        architecture=card.architecture or "unknown",
        name=card.title or card.name,
        block_count=layers,
        context_length=card.context,
        embedding_length=width,
        head_count=max(width // head, 1),
        head_count_kv=heads,
        key_length=head,
        value_length=head,
        vocab=_VOCABULARY.get(family, _LARGEST_VOCABULARY),
        file_size=size,
        tensor_bytes=size,
        parameters=total,
        quantization=card.quantization,
        metadata={f"{card.architecture or 'unknown'}.{key}": value for key, value in metadata.items()},
    )
    return Shape(header, active, estimated)


def parameters(card: ModelCard) -> tuple[int, int]:
    """Weights in all, and those that a token uses, as the card says; 0 where it does not."""
    text = card.parameters
    total = _number(_COUNT.search(text))
    found = _ACTIVE.search(text) or _ACTIVE.search(card.title)
    active = _number(found) if found else total
    return total, active


def bytes_of_weight(quantization: str) -> float:
    """Bytes that a weight takes on average in a file of this kind; a file of 4 bits also holds some of 6."""
    found = _BITS.search(quantization)
    if found is None:
        return 0.6
    quantized, whole, floating = found.groups()
    if quantized:
        return (int(quantized) + 0.85) / 8
    return int(whole) * 1.06 / 8 if whole else int(floating) / 8


def _family(architecture: str) -> str:
    name = architecture.lower()
    return name.removesuffix("moe").rstrip("-_") if name not in _ATTENTION_EVERY else name


def _number(found: re.Match[str] | None) -> int:
    if found is None:
        return 0
    number, unit = [group for group in found.groups() if group][:2]
    value = float(number) * (1e9 if unit.upper() == "B" else 1e6)
    return int(value) if 0 < value < 1e13 else 0
