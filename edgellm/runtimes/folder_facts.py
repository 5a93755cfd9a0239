"""A model that is a folder (ONNX, safetensors) as records and advice know it: its key, the work of a token, its memory.

Nothing is loaded: all of it comes from the sizes of files and from what the config says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from edgellm.hardware.probe import Hardware
from edgellm.models.catalog import ModelCard
from edgellm.runtimes.base import Choice, Placement
from edgellm.runtimes.budget import Budget
from edgellm.runtimes.speed import Way, file_key, way_of
from edgellm.runtimes.workload import TYPICAL, Work
from edgellm.settings import Settings

_WEIGHTS = (".onnx", ".onnx_data", ".safetensors")
_BYTES: Mapping[str, int] = MappingProxyType({"int8": 1, "fp16": 2, "bf16": 2, "fp32": 4})
_USUAL_LAYERS = 6
_LAYERS = ("decoder_layers", "num_decoder_layers", "num_hidden_layers", "n_layer", "num_layers")


@dataclass(frozen=True, slots=True)
class Facts:
    """A model and the work of one new token of it. What `does` is "reads" writes nothing, and is known by its runs."""

    key: str
    title: str
    work: Work
    does: str = "writes"

    def way(self, placement: Placement) -> Way:
        """How it is run with this placement."""
        return replace(way_of(placement, self.work.layers), does=self.does)


@dataclass(frozen=True, slots=True)
class Plan:
    """The best way to run it here, with the reason, and the memory that takes."""

    choice: Choice[Placement]
    budget: Budget


def facts(path: Path, placement: Placement) -> Facts:
    """Raises an `EdgeError` for a folder that cannot be read."""
    return _FACTS[placement.runtime](path, placement)


def plan(kind: str, path: Path, hardware: Hardware, settings: Settings) -> Plan:
    """How a folder of this kind (as `plans.kind_of` has it) is run. Raises an `EdgeError`."""
    return _PLANS[kind](path, hardware, settings)


def card_key(card: ModelCard) -> str:
    """The key that a model of the catalog has once it is here; empty where the sizes of its files are not known."""
    sizes = [file.size for file in card.files if PurePosixPath(file.path).suffix in _WEIGHTS]
    known = [size for size in sizes if size]
    return file_key(card.name, sum(known)) if known and len(known) == len(sizes) else ""


def card_facts(card: ModelCard, threads: int) -> tuple[Facts, Way] | None:
    """What is likely of an encoder-decoder model of the catalog on the processor; None for any other model."""
    sizes = [file.size or 0 for file in card.files if "decoder_model" in file.path]
    if card.format != "onnx" or not sizes or not min(sizes):
        return None
    width = next((width for name, width in _BYTES.items() if name in card.quantization.lower()), 1)
    work = Work(sum(sizes), max(sum(sizes) // width, 1), _USUAL_LAYERS)
    return Facts(card_key(card), card.name, work), Way(threads=threads, runtime="onnx")


def _onnx(path: Path, _placement: Placement) -> Facts:
    from edgellm.runtimes.onnx.folder import read_folder

    folder = read_folder(path)
    reads = folder.kind == "encoder"
    file = folder.files["model" if reads else "decoder_model_merged"]
    weights, size = max(file.size // _BYTES[file.precision], 1), max(file.size, 1)
    used = weights if reads else min(_of_token(folder.config) or weights, weights)
    work = Work(max(size * used // weights, 1), used, _layers(folder.config))
    return Facts(file_key(path.name, folder.size), path.name, work, "reads" if reads else "writes")


def _torch(path: Path, placement: Placement) -> Facts:
    from edgellm.runtimes.torch import choice
    from edgellm.runtimes.torch.folder import read_folder
    from edgellm.runtimes.torch.weights import SIZES

    folder = read_folder(path)
    size = sum(file.stat().st_size for file in folder.files)
    written = sum(
        tensor.size // SIZES[tensor.dtype]
        for name, tensor in folder.tensors.items()
        if "encoder" not in name.split(".")
    )
    precision = placement.precision or folder.precision
    cache = choice.need(folder, precision, min(placement.context, TYPICAL)).kv
    work = Work(max(written * _BYTES[precision] + cache, 1), max(written, 1), _layers(folder.config))
    return Facts(file_key(path.name, size), path.name, work)


def _of_token(config: Mapping[str, Any]) -> int:
    """Weights that a decoder's token uses, 0 where the config does not say enough.

    The file holds more: what is computed once for a text, and often the table of words twice, of which a token reads
    one row. Each layer has four square matrices for the text so far and two for the source.
    """
    width, words, layers = _number(config, "d_model"), _number(config, "vocab_size"), _layers(config)
    inner = _number(config, "d_kv") * _number(config, "num_heads") or width
    forward = _number(config, "decoder_ffn_dim", "d_ff")
    gates = 3 if "gated" in str(config.get("feed_forward_proj", "")) else 2
    return layers * width * (6 * inner + gates * forward) + words * width if forward and layers else 0


def _layers(config: Mapping[str, Any]) -> int:
    return _number(config, *_LAYERS)


def _number(config: Mapping[str, Any], *names: str) -> int:
    """The first of these that makes sense; 0 when none does."""
    found = (config.get(name) for name in names)
    return next((value for value in found if type(value) is int and 0 < value < 1 << 24), 0)


def _onnx_plan(path: Path, hardware: Hardware, settings: Settings) -> Plan:
    from edgellm.runtimes.onnx import choice
    from edgellm.runtimes.onnx.folder import read_folder

    folder = read_folder(path)
    best = choice.rungs(folder, hardware, settings, anyway=True)[0]
    return Plan(best, _budget((folder.size, 0, choice.need(folder) - folder.size), best.value, hardware))


def _torch_plan(path: Path, hardware: Hardware, settings: Settings) -> Plan:
    from edgellm.runtimes.torch import choice
    from edgellm.runtimes.torch.folder import read_folder

    folder = read_folder(path)
    best = choice.rungs(folder, hardware, settings, anyway=True)[0]
    need = choice.need(folder, best.value.precision or folder.precision, best.value.context)
    return Plan(best, _budget((need.weights, need.kv, need.rest), best.value, hardware))


def _budget(parts: tuple[int, int, int], placement: Placement, hardware: Hardware) -> Budget:
    weights, kv, rest = parts
    memory, on_gpu = hardware.memory, 0 if placement.device == "cpu" else weights + kv
    return Budget(weights, kv, rest, memory.free, memory.total, on_gpu)


_FACTS: Mapping[str, Callable[[Path, Placement], Facts]] = MappingProxyType({"onnx": _onnx, "torch": _torch})
_PLANS: Mapping[str, Callable[[Path, Hardware, Settings], Plan]] = MappingProxyType(
    {"onnx": _onnx_plan, "safetensors": _torch_plan}
)
