"""The adapter of ONNX Runtime: a folder becomes a model that writes or one that reads."""

from __future__ import annotations

from pathlib import Path

from edgellm.runtimes.base import Placement
from edgellm.runtimes.onnx.encoder import Encoder
from edgellm.runtimes.onnx.folder import read_folder
from edgellm.runtimes.onnx.seq2seq import Seq2Seq


def load(path: Path, placement: Placement) -> Seq2Seq | Encoder:
    """Load the model in the folder `path`. Raises a `ModelError`, `StorageError` or `EngineError`."""
    folder = read_folder(path)
    return Seq2Seq(folder, placement) if folder.kind == "seq2seq" else Encoder(folder, placement)
