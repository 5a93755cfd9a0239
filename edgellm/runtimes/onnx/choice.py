"""How an ONNX model should run here: execution provider, threads, memory, each with its reason; and what to try next.

Which providers the installed ONNX Runtime has is found by looking at its files, as for llama.cpp: nothing of it is
imported in the program's own process.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from edgellm.errors import ModelTooLarge
from edgellm.hardware.probe import Hardware
from edgellm.runtimes import device
from edgellm.runtimes.base import Choice, Placement
from edgellm.runtimes.budget import RESERVE, gigabytes
from edgellm.runtimes.onnx.folder import OnnxFolder
from edgellm.settings import Settings

# Provider -> the beginning of the file names that bring it; the order is that of preference.
_FILES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "cuda": ("libonnxruntime_providers_cuda", "onnxruntime_providers_cuda"),
        "directml": ("DirectML",),
        "openvino": ("libonnxruntime_providers_openvino", "onnxruntime_providers_openvino"),
    }
)
_NAMES = MappingProxyType(
    {"cuda": "CUDA", "coreml": "CoreML", "directml": "DirectML", "openvino": "OpenVINO", "cpu": "CPU"}
)
_OVERHEAD = 160 << 20  # the engine with ONNX Runtime, before any model
_WORK = 0.35  # working memory of a batch, as a share of the weights; measured on models of 25 to 650 MB


@dataclass(frozen=True, slots=True)
class Provider:
    """An execution provider: usable or not, and why."""

    name: str
    usable: bool
    reason: str


def version() -> str:
    """The installed ONNX Runtime, or an empty text."""
    for name in ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino"):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return ""


def providers(hardware: Hardware) -> tuple[Provider, ...]:
    """Every provider this program knows, the best for this computer first."""
    folder, found = _library_folder(), []
    names = [path.name for path in folder.iterdir()] if folder else []
    for name, starts in _FILES.items():
        built = any(file.startswith(starts) for file in names)
        found.append(_judge(name, built, hardware))
    apple = sys.platform == "darwin"
    found.insert(1, Provider("coreml", apple and bool(names), "a Mac" if apple else "only Macs have it"))
    found.append(Provider("cpu", bool(names), "always there" if names else "ONNX Runtime is not installed"))
    return tuple(found)


def _judge(name: str, built: bool, hardware: Hardware) -> Provider:
    if not built:
        return Provider(name, False, f"this ONNX Runtime was built without {_NAMES[name]}")
    if name == "cuda":
        gpu = next((gpu for gpu in hardware.gpus if gpu.kind == "cuda"), None)
        if gpu is None:
            return Provider(name, False, "there is no NVIDIA GPU here")
        return Provider(name, gpu.usable, f"the {gpu.name}" if gpu.usable else gpu.reason)
    return Provider(name, True, "this ONNX Runtime has it")


def _library_folder() -> Path | None:
    spec = importlib.util.find_spec("onnxruntime")
    places = list(spec.submodule_search_locations or ()) if spec else []
    folder = Path(places[0]) / "capi" if places else None
    return folder if folder is not None and folder.is_dir() else None


def pick(hardware: Hardware, settings: Settings) -> Choice[str]:
    """The provider to try first, as `Placement.device` has it."""
    usable = [provider for provider in providers(hardware) if provider.usable]
    if settings.device == "cpu":
        return Choice("cpu", device.YOU)
    wanted = {"gpu": ("cuda", "coreml", "directml"), "cuda": ("cuda",), "metal": ("coreml",)}.get(settings.device)
    for provider in usable:
        if provider.name != "cpu" and (wanted is None or provider.name in wanted):
            return Choice(provider.name, f"{provider.reason} is faster than the processor")
    if wanted:
        return Choice("cpu", f"you asked for {settings.device}, but this ONNX Runtime cannot use one here")
    return Choice("cpu", "this ONNX Runtime has nothing faster here")


def need(folder: OnnxFolder) -> int:
    """The memory of a model in bytes, with the engine."""
    return int(folder.size * (1 + _WORK)) + _OVERHEAD


def rungs(
    folder: OnnxFolder, hardware: Hardware, settings: Settings, anyway: bool = False
) -> tuple[Choice[Placement], ...]:
    """What to try, best first. Raises `ModelTooLarge` when the model is larger than all of the memory."""
    total = need(folder)
    sum_ = f"weights {gigabytes(folder.size)} + work {gigabytes(total - folder.size)} = {gigabytes(total)}"
    if total > hardware.memory.total - RESERVE // 2 and not anyway:
        raise ModelTooLarge(
            f"{folder.path.name} needs {gigabytes(total)} ({sum_}); this computer has"
            f" {gigabytes(hardware.memory.total)} in all.",
            "Choose a smaller model, or load it anyway.",
        )
    where, count = pick(hardware, settings), device.threads(hardware, settings)
    first = Placement(runtime="onnx", device=where.value, threads=count.value, repack=False)
    tight = total > hardware.memory.free - RESERVE
    warning = f" Memory is short: {sum_}; {gigabytes(hardware.memory.free)} free." if tight else ""
    name = _NAMES[where.value]
    steps = [Choice(first, f"Runs on {name}: {where.reason}; {count.value} threads, {count.reason}.{warning}")]
    if where.value != "cpu":
        steps.append(Choice(replace(first, device="cpu"), f"The processor, in case {name} is at fault."))
    if count.value > 1:
        steps.append(Choice(replace(steps[-1].value, threads=1), "One thread, in case several are at fault."))
    return tuple(steps)
