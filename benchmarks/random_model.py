"""Builds GGUF models of real shapes with random weights: what they say is noise, what they cost is real.

One that recites follows each character with the next one of the alphabet: what it says is known, at the same cost.

Run: python -m benchmarks.random_model 0.6b
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import platformdirs

# llama.cpp's numbers of the quantizations that are made here.
_QUANTIZATIONS = {"q4_k_m": 15, "q4_0": 2}
_CONTROLS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_MERGES = ("Ġ t", "h e", "Ġt he", "Ġ a", "i n", "r e", "o n", "e r", "Ġ w", "a t", "n d", "Ġa nd")


@dataclass(frozen=True, slots=True)
class Shape:
    """The numbers that decide what a transformer costs."""

    layers: int
    width: int
    ffn: int
    heads: int
    kv_heads: int
    head: int
    vocabulary: int
    context: int = 32_768
    architecture: str = "qwen3"
    quantization: str = "q4_k_m"


# The line feed that ends a prompt, and the printable characters in order
RECITED = (10, *range(33, 127))
SHAPES = {
    "0.1b": Shape(16, 768, 2048, 12, 4, 64, 32_768),
    "0.3b": Shape(20, 1024, 3072, 16, 8, 64, 65_536),
    "0.6b": Shape(28, 1024, 3072, 16, 8, 128, 151_936),
    # What other runtimes load too: an older llama.cpp knows no qwen3, and OpenVINO reads Q4_0.
    "0.4b-llama": Shape(24, 1024, 4096, 16, 8, 64, 32_768, architecture="llama", quantization="q4_0"),
    "1.7b": Shape(28, 2048, 6144, 16, 8, 128, 151_936),
    "tiny": Shape(2, 256, 512, 4, 2, 64, 2_048),
}


def folder() -> Path:
    """Where the models are kept between runs."""
    return platformdirs.user_cache_path("edgellm") / "benchmarks"


def build(name: str, recites: bool = False) -> Path:
    """The quantized model of a named shape, made when it is not there yet."""
    shape = SHAPES[name]
    path = folder() / f"{'reciting' if recites else 'random'}-{name}-{shape.quantization}.gguf"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    whole, part = path.with_suffix(".f16"), path.with_suffix(".part")
    try:
        _write(whole, shape, recites)
        _quantize(whole, part, _QUANTIZATIONS[shape.quantization])
        os.replace(part, path)
    finally:
        whole.unlink(missing_ok=True)
        part.unlink(missing_ok=True)
    return path


def _tensors(shape: Shape, recites: bool) -> dict[str, tuple[int, ...]]:
    query, key = shape.heads * shape.head, shape.kv_heads * shape.head
    tensors: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (shape.vocabulary, shape.width),
        "output_norm.weight": (shape.width,),
    }
    if recites:
        tensors["output.weight"] = (shape.vocabulary, shape.width)
    for layer in range(shape.layers):
        part = f"blk.{layer}."
        tensors |= {
            part + "attn_norm.weight": (shape.width,),
            part + "attn_q.weight": (query, shape.width),
            part + "attn_k.weight": (key, shape.width),
            part + "attn_v.weight": (key, shape.width),
            part + "attn_q_norm.weight": (shape.head,),
            part + "attn_k_norm.weight": (shape.head,),
            part + "attn_output.weight": (shape.width, query),
            part + "ffn_norm.weight": (shape.width,),
            part + "ffn_gate.weight": (shape.ffn, shape.width),
            part + "ffn_up.weight": (shape.ffn, shape.width),
            part + "ffn_down.weight": (shape.width, shape.ffn),
        }
    if shape.architecture == "llama":
        tensors = {
            name: size for name, size in tensors.items() if not name.endswith(("_q_norm.weight", "_k_norm.weight"))
        }
    return tensors


def _write(path: Path, shape: Shape, recites: bool) -> None:
    """The model in half precision. The embedding is also the output layer, as in small models of this family.

    In one that recites the layers add nothing, and the output layer looks for what belongs to the last character.
    """
    writer = gguf.GGUFWriter(path, shape.architecture)
    writer.add_name("Random weights")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.ffn)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_key_length(shape.head)
    writer.add_value_length(shape.head)
    writer.add_rope_freq_base(1e6)
    if shape.architecture == "llama":
        writer.add_rope_dimension_count(shape.head)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_file_type(1)
    _add_tokenizer(writer, shape.vocabulary)
    tensors = _tensors(shape, recites)
    for name, size in tensors.items():
        kind = np.dtype(np.float32 if len(size) == 1 else np.float16)
        writer.add_tensor_info(name, size, kind, int(np.prod(size)) * kind.itemsize)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    draw = np.random.default_rng(0)
    pool = draw.normal(0, 0.02, 4_194_301).astype(np.float16)  # prime, so that no two rows are the same
    embedding = pool
    for name, size in tensors.items():
        if len(size) == 1:
            writer.write_tensor_data(np.ones(size, np.float32))
            continue
        weight = np.resize(np.roll(pool, int(draw.integers(len(pool)))), size)
        if name == "token_embd.weight":
            weight[-len(_CONTROLS) :] = 0  # never the most likely token: it talks on for as long as it is asked to
            embedding = weight
        elif name == "output.weight":
            weight[list(RECITED[1:])] = embedding[list(RECITED[:-1])]
        elif recites and name.endswith(("attn_output.weight", "ffn_down.weight")):
            weight[:] = 0
        writer.write_tensor_data(weight)
    writer.close()


def _add_tokenizer(writer: Any, vocabulary: int) -> None:
    """Bytes, a few merges, and enough made-up words to fill the vocabulary."""
    kept = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    tokens = [chr(byte) if byte in kept else chr(next(others)) for byte in range(256)]
    tokens += [merge.replace(" ", "") for merge in _MERGES]
    tokens += [f"Ġword{number}" for number in range(vocabulary - len(tokens) - len(_CONTROLS))]
    tokens += _CONTROLS
    kinds = [int(gguf.TokenType.NORMAL)] * (vocabulary - len(_CONTROLS)) + [int(gguf.TokenType.CONTROL)] * len(
        _CONTROLS
    )
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(list(_MERGES))
    writer.add_eos_token_id(vocabulary - 1)
    writer.add_pad_token_id(vocabulary - 3)
    writer.add_add_bos_token(False)


def _quantize(source: Path, target: Path, quantization: int) -> None:
    from edgellm.runtimes import llama_library
    from edgellm.runtimes.base import Placement

    api, _ = llama_library.load(Placement())
    params = api.llama_model_quantize_default_params()
    params.ftype = quantization
    params.nthread = os.cpu_count() or 1
    if api.llama_model_quantize(str(source).encode(), str(target).encode(), params):
        raise RuntimeError(f"{source.name} could not be quantized")


if __name__ == "__main__":
    for shape_name in sys.argv[1:] or ["0.6b"]:
        sys.stdout.write(f"{build(shape_name)}\n")
