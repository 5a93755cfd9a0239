"""Speed of searching by words and by meaning together, over the library that `documents.py` has made.

The model is the real all-MiniLM-L6-v2, exported and quantized as the tests do it; it embeds the questions. The vectors
of the passages are random directions instead, for embedding 100,000 passages takes an hour, and finding the nearest
takes as long for these. They are written as the program does it. Each question is timed as a whole, and once more with
its vector made beforehand; both are to hold the target.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.embeddings import export
from benchmarks.percentiles import timed
from edgellm.documents import vectors
from edgellm.documents.library import Library
from edgellm.documents.retrieve import Aids, search
from edgellm.documents.vectors import Embedder
from edgellm.runtimes.base import Cancelled, Placement, Vectors
from edgellm.runtimes.onnx.encoder import Encoder
from edgellm.runtimes.onnx.folder import read_folder
from edgellm.tasks import embedding

_FOUND = 10


@dataclass(frozen=True, slots=True)
class Options:
    """With how many threads the model reads, and the most milliseconds of 95 of 100 questions."""

    threads: int
    target: float


def measure(library: Library, folder: Path, asked: Sequence[str], part: str, options: Options) -> dict[str, Any]:
    """Give every passage a vector, and ask; once more within the collection `part`."""
    made = folder / "all-minilm-l6-v2"
    export(made)
    real = embedding.embedder(Encoder(read_folder(made), Placement(threads=options.threads)), made.name)
    started = time.perf_counter()
    embedded = vectors.embed(library, _random(real)).embedded
    stored = time.perf_counter() - started
    ready = {text: real.question(text) for text in asked}
    ahead = replace(real, question=ready.__getitem__)

    def found(embedder: Embedder, collection: str = "") -> dict[str, float]:
        return timed(lambda text: search(library, text, _FOUND, collection, Aids(embedder)), asked)

    found(ahead)  # once before, so that all is in memory as after the first questions of a person
    whole, without = found(real), found(ahead)
    return {
        "vectors": embedded,
        "size": real.size,
        "stored_per_second": round(embedded / stored),
        "library_mib": round(library.path.stat().st_size / 2**20, 1),
        "whole": whole,
        "without_embedding_the_question": without,
        "within_a_hundredth": found(real, part),
        "vectors_alone": timed(lambda text: vectors.nearest(library, ahead, text, 40), asked),
        "embedding_the_question": timed(real.question, asked),
        "target_p95_ms": options.target,
        "holds": max(whole["p95_ms"], without["p95_ms"]) <= options.target,
    }


def _random(real: Embedder) -> Embedder:
    """The same model for questions, and random directions for passages."""
    drawn = np.random.default_rng(1)

    def passages(texts: tuple[str, ...], cancelled: Cancelled) -> Vectors:
        table = drawn.standard_normal((len(texts), real.size), dtype=np.float32)
        return Vectors(real.size, (table / np.linalg.norm(table, axis=1, keepdims=True)).tobytes())

    return replace(real, passages=passages)
