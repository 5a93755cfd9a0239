"""A program that embeds the passages of a library until it is done or killed, and a model for the tests of vectors.

Prints a line for each text that the model has answered. After as many batches as the second argument says, it waits to
be killed.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from edgellm.documents import vectors
from edgellm.documents.library import Library
from edgellm.documents.vectors import Embedder
from edgellm.runtimes.base import Cancelled, Vectors

SIZE = 48
# Words that mean the same to this model
SAME = {"automobile": "car", "vehicle": "car", "physician": "doctor", "purchase": "buy"}


def vector(text: str, size: int = SIZE) -> Any:
    """A direction for each word, the sum of them for a text."""
    total = np.full(size, 1e-3)
    for word in text.lower().replace(".", " ").replace("?", " ").split():
        seed = hashlib.sha256(SAME.get(word, word).encode()).digest()
        total += np.random.default_rng(int.from_bytes(seed[:8], "little")).standard_normal(size)
    return total / np.linalg.norm(total)


def embedder(name: str = "model-a", size: int = SIZE, seen: Callable[[str], None] = lambda text: None) -> Embedder:
    """The model; `seen` is told each passage."""

    def passages(texts: tuple[str, ...], cancelled: Cancelled) -> Vectors:
        for text in texts:
            seen(text)
        return Vectors(size, np.asarray([vector(text, size) for text in texts], "<f4").tobytes())

    def question(text: str) -> Vectors:
        return Vectors(size, np.asarray([vector(text, size)], "<f4").tobytes())

    return Embedder(name, size, passages, question)


def main(path: Path, most: int) -> None:
    """Embed, saying what the model has seen."""
    left = iter(range(most))

    def passages(texts: tuple[str, ...], cancelled: Cancelled) -> Vectors:
        print("\n".join(text.splitlines()[-1] for text in texts), flush=True)
        if next(left, None) is None:
            time.sleep(600)
        return made.passages(texts, cancelled)

    made = embedder()
    print("done", vectors.embed(Library(path), Embedder(made.name, made.size, passages, made.question)), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
