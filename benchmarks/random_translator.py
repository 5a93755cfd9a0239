"""Builds encoder-decoder models of real shapes with random weights as ONNX files, in fp32 and int8.

Answers are at least 96 tokens long, so that their speed can be measured. Run: python -m benchmarks.random_translator
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

from benchmarks.random_model import folder

_SHARED = {"max_position_embeddings": 512, "bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}
# Layers, width, heads, words: as Opus-MT and BART base have them
SHAPES = {"marian": (6, 512, 8, 59_514), "bart-base": (6, 768, 12, 50_265)}
NAMES = tuple(f"{shape}-{numbers}" for shape in SHAPES for numbers in ("int8", "fp32"))
_PARTS = ("encoder_model", "decoder_model_merged")
_LENGTH = 96


def build(name: str) -> Path:
    """The folder of a model such as `marian-int8`, made when it is not there yet. Takes a minute and 2 GB of memory."""
    target = folder() / f"translator-{name}"
    if target.is_dir():
        return target
    folder().mkdir(parents=True, exist_ok=True)
    shape, _, numbers = name.rpartition("-")
    with tempfile.TemporaryDirectory(dir=folder()) as place:
        made = Path(place) / "model"
        if numbers == "int8":
            _quantize(build(f"{shape}-fp32"), made)
        else:
            _export(shape, made)
        made.rename(target)
    return target


def _export(shape: str, path: Path) -> None:
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    import transformers
    from optimum.exporters.onnx import onnx_export_from_model

    layers, width, heads, words = SHAPES[shape]
    sizes: dict[str, Any] = {"d_model": width, "vocab_size": words, **_SHARED}
    for half in ("encoder", "decoder"):
        sizes |= {f"{half}_layers": layers, f"{half}_attention_heads": heads, f"{half}_ffn_dim": 4 * width}
    library: Any = transformers
    kind = "Marian" if shape == "marian" else "Bart"
    config = getattr(library, f"{kind}Config")(**sizes, decoder_start_token_id=1)
    torch.manual_seed(7)
    model = getattr(library, "MarianMTModel" if kind == "Marian" else "BartForConditionalGeneration")(config).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        onnx_export_from_model(copy.deepcopy(model), path, task="text2text-generation-with-past", do_validation=False)
    for file in ("decoder_model.onnx", "decoder_with_past_model.onnx"):
        (path / file).unlink(missing_ok=True)
    generation = path / "generation_config.json"
    rules = json.loads(generation.read_text()) | {"min_length": _LENGTH}
    generation.write_text(json.dumps({key: value for key, value in rules.items() if not key.startswith("forced")}))
    _tokenizer(path / "tokenizer.json")


def _tokenizer(path: Path) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {word: at for at, word in enumerate(("<s>", "<pad>", "</s>", *alphabet))}
    made = Tokenizer(models.BPE(vocab=words, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.save(str(path))


def _quantize(source: Path, path: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    path.mkdir()
    for part in _PARTS:
        whole, small = source / f"{part}.onnx", path / f"{part}_quantized.onnx"
        quantize_dynamic(whole, small, weight_type=QuantType.QInt8, extra_options={"EnableSubgraph": True})
    for file in ("config.json", "generation_config.json", "tokenizer.json"):
        shutil.copy(source / file, path)


if __name__ == "__main__":
    for each in NAMES:
        sys.stdout.write(f"{build(each)}\n")
