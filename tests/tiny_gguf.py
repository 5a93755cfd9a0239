"""Makes tiny GGUF models for tests, in well under a second each: random ones, and ones that say a given text.

`make(path)` writes a llama of two layers with random weights. With `says` the layers do nothing and the output layer
is wired so that each token is followed by the next one of the text: what the model answers is then known, greedy or
not. Its tokens must be different from each other.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import gguf
import numpy as np

WIDTH, LAYERS, HEADS, KV_HEADS, FFN, CONTEXT = 64, 2, 4, 2, 96, 4096
CONTROLS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
TEXT = (
    "The quick brown fox jumps over the lazy dog. A model reads text, and the text is read by the model. Where there "
    "is a will there is a way; what is written stays written, and the reader reads on and on. Bonjour le monde. "
)


def byte_symbols() -> list[str]:
    """The printable stand-in of each byte in a byte-level BPE vocabulary."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in kept else chr(next(others)) for byte in range(256)]


def train(text: str, merges: int) -> tuple[list[str], list[str]]:
    """A byte-level BPE vocabulary: tokens and merges."""
    symbols = byte_symbols()
    words = Counter([" " + word for word in text.split(" ") if word])
    pieces = {word: [symbols[byte] for byte in word.encode()] for word in words}
    tokens, rules = list(symbols), []
    for _ in range(merges):
        pairs: Counter[tuple[str, str]] = Counter()
        for word, count in words.items():
            for pair in pairwise(pieces[word]):
                pairs[pair] += count
        if not pairs:
            break
        (left, right), _ = max(pairs.items(), key=lambda item: (item[1], item[0]))
        rules.append(f"{left} {right}")
        tokens.append(left + right)
        for parts in pieces.values():
            at = 0
            while at < len(parts) - 1:
                if (parts[at], parts[at + 1]) == (left, right):
                    parts[at : at + 2] = [left + right]
                at += 1
    return tokens, rules


def make_vocabulary_size(merges: int = 60) -> int:
    """How many tokens a model of `make` has."""
    return len(train(TEXT, merges)[0]) + len(CONTROLS)


def make(
    path: Path,
    *,
    seed: int = 0,
    says: str = "",
    template: str | None = None,
    architecture: str = "llama",
    merges: int = 60,
    context: int = CONTEXT,
    metadata: dict[str, Any] | None = None,
    change: dict[str, np.ndarray[Any, Any] | None] | None = None,
) -> Path:
    """Write a model. `change` replaces tensors by name, or leaves them out where it says None."""
    tokens, rules = train(TEXT, merges)
    tokens += CONTROLS
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name("Tiny")
    writer.add_context_length(context)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FFN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(0)
    _add_tokenizer(writer, tokens, rules)
    if template is not None:
        writer.add_chat_template(template)
    for key, value in (metadata or {}).items():
        _add(writer, key, value)
    weights = _wired(tokens, says) if says else _random(len(tokens), seed)
    for name, weight in {**weights, **(change or {})}.items():
        if weight is not None:
            writer.add_tensor(name, weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add(writer: Any, key: str, value: Any) -> None:
    kinds = {bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}
    kinds[type(value)](key, value)


def _add_tokenizer(writer: Any, tokens: list[str], rules: list[str]) -> None:
    normal, control = int(gguf.TokenType.NORMAL), int(gguf.TokenType.CONTROL)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types([control if token in CONTROLS else normal for token in tokens])
    writer.add_token_merges(rules)
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_pad_token_id(tokens.index("<|endoftext|>"))
    writer.add_add_bos_token(False)


def _shapes(vocabulary: int) -> dict[str, tuple[int, ...]]:
    head = WIDTH // HEADS
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (vocabulary, WIDTH),
        "output.weight": (vocabulary, WIDTH),
        "output_norm.weight": (WIDTH,),
    }
    for layer in range(LAYERS):
        part = f"blk.{layer}."
        shapes |= {
            part + "attn_norm.weight": (WIDTH,),
            part + "ffn_norm.weight": (WIDTH,),
            part + "attn_q.weight": (WIDTH, WIDTH),
            part + "attn_k.weight": (head * KV_HEADS, WIDTH),
            part + "attn_v.weight": (head * KV_HEADS, WIDTH),
            part + "attn_output.weight": (WIDTH, WIDTH),
            part + "ffn_gate.weight": (FFN, WIDTH),
            part + "ffn_up.weight": (FFN, WIDTH),
            part + "ffn_down.weight": (WIDTH, FFN),
        }
    return shapes


def _random(vocabulary: int, seed: int) -> dict[str, np.ndarray[Any, Any]]:
    """Random weights; control tokens are never the most likely ones, so that the model talks on."""
    draw = np.random.default_rng(seed)
    weights: dict[str, np.ndarray[Any, Any]] = {}
    for name, shape in _shapes(vocabulary).items():
        one = len(shape) == 1
        weights[name] = np.ones(shape, np.float32) if one else draw.normal(0, 0.2, shape).astype(np.float32)
    weights["output.weight"][-len(CONTROLS) :] = 0
    return weights


def _wired(tokens: list[str], says: str) -> dict[str, np.ndarray[Any, Any]]:
    """Weights of a model that answers `says` and ends; each byte of the text is a token."""
    vocabulary = len(tokens)
    weights = _random(vocabulary, 1)
    for name in weights:
        if name.startswith("blk.") and not name.endswith("norm.weight"):
            weights[name][:] = 0
    draw = np.random.default_rng(2)
    embedding = draw.normal(0, 1, (vocabulary, WIDTH)).astype(np.float32)
    embedding *= np.sqrt(WIDTH) / np.linalg.norm(embedding, axis=1, keepdims=True)
    symbols = byte_symbols()
    chain = ["Ċ", *(symbols[byte] for byte in says.encode()), "<|im_end|>"]
    assert len(set(chain)) == len(chain), "each byte may come once, and no line break"
    output = np.zeros((vocabulary, WIDTH), np.float32)
    for token, following in pairwise(chain):
        output[tokens.index(following)] = embedding[tokens.index(token)]
    weights["token_embd.weight"], weights["output.weight"] = embedding, output
    return weights
