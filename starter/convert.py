"""Writes a trained checkpoint as GGUF: `python -m starter.convert RUN [--out FILE] [--type q8_0|f16|f32]`.

`--average OTHER --share S` writes the mean of two checkpoints of a run, at the ends of two cycles: a share S of OTHER.

The llama architecture of llama.cpp rotates neighboring pairs, the model here halves, so query and key rows are
permuted. The output matrix is the embedding and left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer

from starter import tokenizer as tokenizers
from starter.model import Shape, Starter
from starter.train import Recipe

NAME = "EdgeLLM starter"
TYPES = {
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
    "f16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
    "f32": (gguf.GGMLQuantizationType.F32, gguf.LlamaFileType.ALL_F32),
}
Array = npt.NDArray[np.float32]


def load(run: Path) -> tuple[Starter, Tokenizer]:
    """The model and tokenizer of a run."""
    tokenizer = tokenizers.load(run / "tokenizer.json")
    state = torch.load(run / "checkpoint.pt", weights_only=True)
    model = Starter(Recipe(**state["recipe"]).shape(tokenizer.get_vocab_size()))
    model.load_state_dict(state["model"])
    return model.eval(), tokenizer


def average(model: Starter, other: Starter, share: float) -> None:
    """Move the weights of `model` by `share` towards those of `other`."""
    with torch.no_grad():
        for weight, second in zip(model.parameters(), other.parameters(), strict=True):
            weight.lerp_(second, share)


def permuted(weight: Array, heads: int) -> Array:
    """Rows of a query or key matrix from the order of halves to that of pairs."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def tensors(model: Starter) -> dict[str, Array]:
    """The weights under llama.cpp's names."""
    shape = model.shape
    state = {name: value.detach().float().numpy() for name, value in model.named_parameters()}
    found: dict[str, Array] = {"token_embd.weight": state["embedding"], "output_norm.weight": state["norms"][-1]}
    for layer in range(shape.layers):
        block = f"blk.{layer}"
        (q, k, v), o = state["qkv"][layer], state["out"][layer]
        (gate, up), down = state["gates"][layer], state["down"][layer]
        found |= {
            f"{block}.attn_norm.weight": state["norms"][2 * layer],
            f"{block}.attn_q.weight": permuted(q, shape.heads),
            f"{block}.attn_k.weight": permuted(k, shape.heads),
            f"{block}.attn_v.weight": v,
            f"{block}.attn_output.weight": o,
            f"{block}.ffn_norm.weight": state["norms"][2 * layer + 1],
            f"{block}.ffn_gate.weight": gate,
            f"{block}.ffn_up.weight": up,
            f"{block}.ffn_down.weight": down.T,
        }
    return found


def _describe(writer: gguf.GGUFWriter, shape: Shape) -> None:
    writer.add_name(NAME)
    writer.add_license("apache-2.0")
    writer.add_languages(["en", "fr", "de", "es", "zh"])
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    writer.add_vocab_size(shape.vocabulary)


def _vocabulary(writer: gguf.GGUFWriter, tokenizer: Tokenizer) -> None:
    vocabulary = tokenizer.get_vocab()
    tokens = sorted(vocabulary, key=lambda token: vocabulary[token])
    control = set(tokenizers.SPECIAL)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if token in control else gguf.TokenType.NORMAL for token in tokens])
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    writer.add_eos_token_id(vocabulary[tokenizers.END])
    writer.add_eot_token_id(vocabulary[tokenizers.END])
    writer.add_pad_token_id(vocabulary[tokenizers.PAD])
    writer.add_add_bos_token(False)
    writer.add_chat_template(tokenizers.TEMPLATE)


def write(model: Starter, tokenizer: Tokenizer, path: Path, kind: str = "q8_0") -> None:
    """The GGUF file; norms stay in full precision."""
    quantization, file_type = TYPES[kind]
    writer = gguf.GGUFWriter(path, "llama")
    _describe(writer, model.shape)
    writer.add_file_type(file_type)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    _vocabulary(writer, tokenizer)
    for name, weight in tensors(model).items():
        if weight.ndim == 1:
            writer.add_tensor(name, np.ascontiguousarray(weight))
        else:
            data = gguf.quants.quantize(np.ascontiguousarray(weight), quantization)
            writer.add_tensor(name, data, raw_dtype=quantization)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main(argv: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m starter.convert", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, default=Path("assets/starter/starter.gguf"))
    parser.add_argument("--average", type=Path, metavar="OTHER")
    parser.add_argument("--share", type=float, default=0.5)
    parser.add_argument("--type", choices=TYPES, default="q8_0")
    args = parser.parse_args(argv)
    model, tokenizer = load(args.run)
    if args.average is not None:
        average(model, load(args.average)[0], args.share)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    write(model, tokenizer, args.out, args.type)
    return 0


if __name__ == "__main__":
    sys.exit(main())
