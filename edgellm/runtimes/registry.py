"""Which adapter runs which kind of placement: one table. An adapter is imported when its first model is loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgellm.errors import UsageError
from edgellm.runtimes.base import Generator, Placement, ReadingRuntime, Runtime


def _llama(path: Path, placement: Placement) -> Runtime:
    from edgellm.runtimes.llama import LlamaRuntime

    return LlamaRuntime.load(path, placement)


def _fake(path: Path, placement: Placement) -> Runtime:
    from edgellm.runtimes.fake import FakeRuntime

    return FakeRuntime.load(path, placement)


def _onnx(path: Path, placement: Placement) -> Runtime | ReadingRuntime:
    from edgellm.runtimes.onnx.adapter import load as load_onnx

    return load_onnx(path, placement)


def _torch(path: Path, placement: Placement) -> Runtime | ReadingRuntime:
    from edgellm.runtimes.torch.adapter import load as load_torch

    return load_torch(path, placement)


ADAPTERS: dict[str, Callable[[Path, Placement], Runtime | ReadingRuntime]] = {
    "llama": _llama,
    "onnx": _onnx,
    "torch": _torch,
    "fake": _fake,
}


def load(path: Path, placement: Placement) -> Runtime | ReadingRuntime:
    """Load the model at `path` with the adapter that `placement.runtime` names.

    Raises `UsageError` for a runtime that is not in the table, and whatever the adapter raises.
    """
    adapter = ADAPTERS.get(placement.runtime)
    if adapter is None:
        raise UsageError(f"There is no runtime {placement.runtime}.", f"Use one of: {', '.join(ADAPTERS)}.")
    return adapter(path, placement)


def load_writer(path: Path, placement: Placement) -> Runtime:
    """The same for a model that writes text. Raises `UsageError` for one that does not."""
    runtime = load(path, placement)
    if isinstance(runtime, Generator):
        return runtime
    runtime.close()
    raise UsageError(f"{runtime.info.name} writes no text.", "Choose a chat or translation model for this.")
