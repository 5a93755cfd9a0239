"""Tiny models of each architecture that PyTorch runs, with random weights from fixed seeds, kept as safetensors."""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from edgellm.runtimes.torch.keys import KEYS
from edgellm.runtimes.torch.table import ARCHITECTURES
from tests import tiny_onnx

WORDS = tiny_onnx.WORDS
TEMPLATE = (
    "{% for m in messages %}<s>{{ m.role }}: {{ m.content }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant: {% endif %}"
)
# Every way in which the configs of decoders name their sizes; each class takes the ones it knows
_SIZES: dict[str, Any] = {
    **dict.fromkeys(("num_hidden_layers", "n_layer", "num_layers"), 2),
    **dict.fromkeys(("num_attention_heads", "n_head", "num_heads"), 4),
    **dict.fromkeys(("hidden_size", "n_embd", "word_embed_proj_dim"), 32),
    **dict.fromkeys(("intermediate_size", "n_inner", "ffn_dim"), 48),
    **dict.fromkeys(("moe_intermediate_size", "shared_expert_intermediate_size"), 16),
    **dict.fromkeys(("max_position_embeddings", "n_positions"), 256),
    **dict.fromkeys(("num_experts", "num_local_experts"), 4),
    **dict.fromkeys(("initializer_range", "init_std"), 0.5),
    "num_key_value_heads": 2,
    "num_experts_per_tok": 2,
    "head_dim": 8,
    "sliding_window": 24,
    "window_size": 24,
    "vocab_size": WORDS,
    "bos_token_id": 0,
    "pad_token_id": 1,
    "eos_token_id": 2,
}
# What one class wants in addition
_OWN: dict[str, dict[str, Any]] = {
    "gpt_neo": {"attention_types": [[["global", "local"], 1]]},
    "gemma3_text": {"layer_types": ["sliding_attention", "full_attention"]},
    "olmo3": {"layer_types": ["sliding_attention", "full_attention"]},
    "exaone4": {"sliding_window_pattern": 2},
    "qwen2": {"use_sliding_window": True, "max_window_layers": 1},
    "phi3": {"original_max_position_embeddings": 256},
    "stablelm": {"partial_rotary_factor": 0.5},
    "phi": {"partial_rotary_factor": 0.5},
    "glm": {"partial_rotary_factor": 0.5},
    "glm4": {"partial_rotary_factor": 0.5},
}
DECODERS = tuple(name for name, row in ARCHITECTURES.items() if row.kind == "decoder")
SEQ2SEQ = tuple(name for name, row in ARCHITECTURES.items() if row.kind == "seq2seq")


@functools.cache
def _folder() -> Path:
    import atexit

    path = Path(tempfile.mkdtemp(prefix="edgellm-tiny-torch-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def _transformers() -> Any:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    return importlib.import_module("transformers")


def config(name: str) -> Any:
    """The config of a tiny model."""
    hf, row = _transformers(), ARCHITECTURES[name]
    kind = getattr(hf, row.config)
    sizes = _SIZES
    if row.kind == "seq2seq":
        sizes = {**tiny_onnx.SIZES, "decoder_start_token_id": 2}
        if "t5" in name:
            sizes = {"vocab_size": WORDS, "d_model": 32, "d_kv": 16, "d_ff": 48, "num_layers": 2, "num_heads": 2}
            sizes |= {"decoder_start_token_id": 1, "pad_token_id": 1, "eos_token_id": 2, "initializer_factor": 5.0}
    known = inspect.signature(kind.__init__).parameters.keys() | {"bos_token_id", "pad_token_id", "eos_token_id"}
    known |= {"decoder_start_token_id"} if row.kind == "seq2seq" else set()
    return kind(**{key: value for key, value in sizes.items() if key in known} | _OWN.get(name, {}))


@functools.cache
def saved(name: str, dtype: str = "float32") -> tuple[Path, Any]:
    """The folder of a tiny model, and the model itself as transformers makes it."""
    import torch

    hf, row = _transformers(), ARCHITECTURES[name]
    path = _folder() / f"{name}-{dtype}"
    torch.manual_seed(7)
    model = getattr(hf, row.model)._from_config(config(name), attn_implementation=row.attention)
    model = model.to(getattr(torch, dtype)).eval()
    model.save_pretrained(path, safe_serialization=True)
    tokenizer(name, path)
    return path, model


def tokenizer(name: str, path: Path) -> None:
    """The tokenizer's files, with a chat template for decoders."""
    made = tiny_onnx.tokenizer(name if ARCHITECTURES[name].kind == "seq2seq" else "decoder")
    if ARCHITECTURES[name].kind == "decoder":
        from tokenizers import processors

        made.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    made.save(str(path / "tokenizer.json"))
    about: dict[str, Any] = {"bos_token": "<s>", "eos_token": {"content": "</s>"}, "pad_token": "<pad>"}
    if ARCHITECTURES[name].kind == "decoder":
        about["chat_template"] = TEMPLATE
    (path / "tokenizer_config.json").write_text(json.dumps(about))


def known_keys() -> frozenset[str]:
    """The keys of a config that the program takes over."""
    return frozenset(KEYS)
