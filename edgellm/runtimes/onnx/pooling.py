"""From the vectors of tokens to the vector of a text, the way the model was trained to be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Array = NDArray[Any]

Pooling = Literal["mean", "first", "last"]
_LARGEST = 64 << 10


def pooling_of(folder: Path) -> Pooling:
    """What `1_Pooling/config.json` of Sentence Transformers says; the mean where there is none."""
    path = folder / "1_Pooling" / "config.json"
    try:
        if path.stat().st_size > _LARGEST:
            return "mean"
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return "mean"
    if isinstance(found, dict) and found.get("pooling_mode_cls_token") is True:
        return "first"
    if isinstance(found, dict) and found.get("pooling_mode_lasttoken") is True:
        return "last"
    return "mean"


def pool(outputs: Mapping[str, Array], mask: Array, pooling: Pooling) -> Array:
    """Vectors of unit length (texts, size) from the outputs of a model; `mask` (texts, tokens) is 1 for tokens."""
    whole = outputs.get("sentence_embedding")
    if whole is None:
        tokens = outputs.get("last_hidden_state", outputs.get("token_embeddings"))
        assert tokens is not None  # the model was accepted for having one of them
        tokens = tokens.astype(np.float32, copy=False)
        if pooling == "first":
            whole = tokens[:, 0]
        elif pooling == "last":
            whole = tokens[np.arange(len(tokens)), mask.sum(axis=1) - 1]
        else:
            weights = mask[:, :, None].astype(np.float32)
            whole = (tokens * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9)
    lengths = np.linalg.norm(whole, axis=1, keepdims=True)
    result: Array = whole / np.maximum(lengths, 1e-12)
    return result
