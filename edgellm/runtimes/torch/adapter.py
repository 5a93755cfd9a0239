"""The adapter of PyTorch: a folder with safetensors becomes a model that writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgellm.runtimes.base import Placement, Runtime
from edgellm.runtimes.torch import extra
from edgellm.runtimes.torch.folder import read_folder

if TYPE_CHECKING:
    from edgellm.runtimes.torch.loading import Loaded


def load(path: Path, placement: Placement) -> Runtime:
    """Load the model in the folder `path`. Raises a `ModelError`, `StorageError` or `EngineError`."""
    extra.require()
    folder = read_folder(path)

    from edgellm.runtimes.torch.decoder import Decoder
    from edgellm.runtimes.torch.loading import load_model
    from edgellm.runtimes.torch.seq2seq import Seq2Seq

    loaded = load_model(folder, placement)
    device = _device_text(loaded, placement)
    if folder.row.kind == "seq2seq":
        return Seq2Seq(folder, loaded, device)
    return Decoder(folder, loaded, placement, device)


def _device_text(loaded: Loaded, placement: Placement) -> str:
    """Where a model runs, for a person."""
    if loaded.device.type == "cpu":
        return f"CPU, {placement.threads} thread{'s' * (placement.threads != 1)}, {loaded.precision}"
    name = {"cuda": "CUDA", "mps": "Metal"}[loaded.device.type]
    return f"{name}, {loaded.precision}"
