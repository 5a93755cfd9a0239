"""Opens ONNX files on ONNX Runtime: provider, threads, memory mapping, and what its errors mean."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_state

from edgellm.errors import EngineError, ModelDamaged, ModelUnsupported, OutOfMemory
from edgellm.runtimes.base import Placement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Array = NDArray[Any]

_log = logging.getLogger(__name__)
# Placement.device -> ONNX Runtime's name for the provider.
PROVIDERS: Mapping[str, str] = MappingProxyType(
    {
        "cuda": "CUDAExecutionProvider",
        "coreml": "CoreMLExecutionProvider",
        "directml": "DmlExecutionProvider",
        "openvino": "OpenVINOExecutionProvider",
        "cpu": "CPUExecutionProvider",
    }
)
_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}
# ONNX Runtime has a class for each of its status codes, which derive from Exception alone; its binding raises the rest.
_REFUSALS: tuple[type[Exception], ...] = (
    RuntimeError,
    ValueError,
    TypeError,
    *(kind for kind in vars(ort_state).values() if isinstance(kind, type) and issubclass(kind, Exception)),
)


class Session:
    """One loaded ONNX file. `inputs` maps names to (NumPy type, shape); sizes that vary are None."""

    def __init__(self, path: Path, placement: Placement) -> None:
        with translated(path.name):
            self._session = ort.InferenceSession(path, _options(placement), providers=_providers(placement))
        self.name = path.name
        self.inputs = {entry.name: (_type(entry, path), _shape(entry)) for entry in self._session.get_inputs()}
        self.outputs = tuple(entry.name for entry in self._session.get_outputs())
        self.shapes = {entry.name: _shape(entry) for entry in self._session.get_outputs()}

    def run(self, values: Mapping[str, Array], outputs: Sequence[str] | None = None) -> dict[str, Array]:
        """Compute. Inputs that the file does not have are left out, so that one caller serves many exports."""
        given = {name: value for name, value in values.items() if name in self.inputs}
        names = list(self.outputs if outputs is None else outputs)
        with translated(self.name):
            return dict(zip(names, self._session.run(names, given), strict=True))


def device_text(placement: Placement) -> str:
    """Where a model runs, for a person."""
    if placement.device == "cpu":
        return f"CPU, {placement.threads} thread{'s' * (placement.threads > 1)}"
    return placement.device.upper()


def _options(placement: Placement) -> Any:
    """Threads that sleep when idle: spinning ones starve on a busy machine (see docs/measured.md)."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = max(1, placement.threads)
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.use_env_allocators", "0")
    return options


def _providers(placement: Placement) -> list[str]:
    wanted = PROVIDERS.get(placement.device)
    here = ort.get_available_providers()
    if wanted is None or wanted not in here:
        raise EngineError(
            f"This ONNX Runtime cannot run on {placement.device}.", "Run: edgellm doctor, to see what it can use."
        )
    return [wanted] if placement.device == "cpu" else [wanted, PROVIDERS["cpu"]]


def _type(entry: Any, path: Path) -> Any:
    kind = _TYPES.get(entry.type)
    if kind is None:
        raise ModelUnsupported(
            f"{path.name} wants an input of type {entry.type[:40]}.", "Choose another export of this model."
        )
    return kind


def _shape(entry: Any) -> tuple[int | None, ...]:
    return tuple(size if isinstance(size, int) else None for size in entry.shape)


@contextmanager
def translated(name: str) -> Iterator[None]:
    """ONNX Runtime's errors as typed ones."""
    try:
        yield
    except MemoryError as error:
        raise OutOfMemory() from error
    except _REFUSALS as error:
        raise _translate(name, error) from error


def _translate(name: str, error: Exception) -> Exception:
    text = str(error)
    kind = type(error).__name__
    _log.error("ONNX Runtime: %s: %s", kind, text[:300])
    if "alloc" in text.lower() and "memory" in text.lower():
        return OutOfMemory()
    if kind == "NotImplemented" or "not a registered function/op" in text or "Unsupported model IR" in text:
        return ModelUnsupported(f"{name} needs an operation that this ONNX Runtime does not have.", "Update EdgeLLM.")
    if kind == "InvalidArgument" and "Invalid model" in text and "fp16" in name:
        what = f"{name} was spoiled when it was turned into fp16: ONNX Runtime refuses it."
        return ModelUnsupported(what, "Choose the int8 or fp32 files of this model.")
    return ModelDamaged(f"{name} cannot be run: ONNX Runtime refuses it.", "Download the model again.")
