"""Whether PyTorch and transformers are installed, and what they can use here: looked at, never imported."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path

from edgellm.errors import ModelUnsupported

_PACKAGES = ("torch", "transformers", "safetensors")
COMMAND = "pip install 'edgellm[torch]'"


def version() -> str:
    """The installed PyTorch, such as `2.13.0+cpu`, or an empty text."""
    try:
        return importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return ""


def missing() -> str:
    """What safetensors models lack here, as a sentence; empty when they lack nothing."""
    lacking = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if not lacking:
        return ""
    return f"safetensors models need PyTorch and transformers, which are not installed. Run: {COMMAND}"


def require() -> None:
    """Raises `ModelUnsupported` when something is missing."""
    if sentence := missing():
        message, _, hint = sentence.partition(" Run: ")
        raise ModelUnsupported(message, f"Run: {hint}")


def has_cuda() -> bool:
    """Whether the installed PyTorch was built for CUDA, by its files."""
    spec = importlib.util.find_spec("torch")
    places = list(spec.submodule_search_locations or ()) if spec else []
    library = Path(places[0]) / "lib" if places else None
    names = ("libtorch_cuda.so", "torch_cuda.dll")
    return library is not None and any((library / name).is_file() for name in names)
