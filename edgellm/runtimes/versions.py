"""Which version of a runtime's library is installed, in the words that what it did here is kept under.

llama.cpp is left out: its build is named with the processor, by `speed.machine_name`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType


def named(runtime: str) -> str:
    """Such as `ONNX Runtime 1.22.0`; empty for a runtime that has no library of its own."""
    return _NAMES[runtime]() if runtime in _NAMES else ""


def _onnx() -> str:
    from edgellm.runtimes.onnx import choice

    return f"ONNX Runtime {choice.version()}"


def _torch() -> str:
    from edgellm.runtimes.torch import extra

    return f"PyTorch {extra.version()}"


_NAMES: Mapping[str, Callable[[], str]] = MappingProxyType({"onnx": _onnx, "torch": _torch})
