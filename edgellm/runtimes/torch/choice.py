"""How a safetensors model should run here: device, kind of numbers, threads, memory, each with its reason.

What the installed PyTorch can use is found by looking at its files: nothing of it is imported in the program's process.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import Literal

from edgellm.errors import ModelTooLarge
from edgellm.hardware.probe import Cpu, Gpu, Hardware
from edgellm.runtimes import device
from edgellm.runtimes.base import Choice, Placement
from edgellm.runtimes.budget import GPU_RESERVE, RESERVE, gigabytes
from edgellm.runtimes.torch import extra
from edgellm.runtimes.torch.folder import Precision, TorchFolder
from edgellm.settings import Settings

DEFAULT_CONTEXT = 4096
# Tokens of a prompt at a time. A cancel waits for one layer of so many; on a processor more are hardly faster.
_BATCH, _BATCH_ON_GPU = 128, 512
_BYTES = {"fp32": 4, "fp16": 2, "bf16": 2}
_OVERHEAD = 400 << 20  # the engine with PyTorch and transformers, before any model
_WORK = 0.1  # what one step needs beside the weights, as a share of them
# Flags of processors that multiply bf16 numbers themselves; others would turn each into fp32 and back.
_BF16_FLAGS = ("amx_bf16", "avx512_bf16", "bf16")
_PLACES = {"cuda": "CUDA", "metal": "Metal", "cpu": "the processor"}
Kind = Literal["cuda", "metal", "cpu"]


@dataclass(frozen=True, slots=True)
class Way:
    """One device and kind of numbers: usable or not, and why."""

    name: str
    usable: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Need:
    """The memory of one way, in bytes: weights, KV cache, and the rest."""

    weights: int
    kv: int
    rest: int

    @property
    def total(self) -> int:
        """Everything together."""
        return self.weights + self.kv + self.rest

    def __str__(self) -> str:
        parts = f"weights {gigabytes(self.weights)} + KV cache {gigabytes(self.kv)} + work {gigabytes(self.rest)}"
        return f"{parts} = {gigabytes(self.total)}"


def ways(hardware: Hardware) -> tuple[Way, ...]:
    """Everything this program can run PyTorch on, the best first."""
    if absent := extra.missing():
        return tuple(Way(name, False, absent) for name in ("CUDA", "Metal", "CPU in bf16", "CPU in fp32"))
    cuda, metal = _gpu(hardware, "cuda"), _gpu(hardware, "metal")
    fast = bf16(hardware.cpu)
    return (
        Way("CUDA", not isinstance(cuda, str), cuda if isinstance(cuda, str) else f"the {cuda.name}"),
        Way("Metal", not isinstance(metal, str), metal if isinstance(metal, str) else f"the {metal.name}"),
        Way("CPU in bf16", fast.value, fast.reason),
        Way("CPU in fp32", True, "always there"),
    )


def bf16(cpu: Cpu) -> Choice[bool]:
    """Whether this processor computes with bf16 numbers itself."""
    found = next((flag for flag in _BF16_FLAGS if flag in cpu.flags), "")
    if found:
        return Choice(True, f"this processor has {found}")
    return Choice(False, "this processor has no instructions for it")


def _gpu(hardware: Hardware, kind: str) -> Gpu | str:
    """The device with the most free memory, or why there is none."""
    if kind == "cuda" and not extra.has_cuda():
        return "this PyTorch was built without CUDA"
    if kind == "metal" and sys.platform != "darwin":
        return "only Macs have it"
    found = [gpu for gpu in hardware.gpus if gpu.kind == kind]
    ready = [gpu for gpu in found if gpu.usable]
    if ready:
        return max(ready, key=lambda gpu: gpu.free)
    if found:
        return found[0].reason or "it cannot be used"
    return "there is no NVIDIA GPU here" if kind == "cuda" else "there is no GPU for it here"


def need(folder: TorchFolder, precision: Precision, context: int) -> Need:
    """The memory of a model with this kind of numbers; every layer keeps the whole context."""
    width = _BYTES[precision]
    weights = folder.parameters * width
    layers = folder.number("num_hidden_layers", "n_layer", "num_layers", "decoder_layers")
    heads = folder.number("num_attention_heads", "n_head", "num_heads", "decoder_attention_heads") or 1
    hidden = folder.number("hidden_size", "n_embd", "d_model")
    head = folder.number("head_dim", "d_kv") or hidden // heads
    kv = 2 * layers * (folder.number("num_key_value_heads") or heads) * head * context * width
    return Need(weights, kv * (2 if folder.row.kind == "seq2seq" else 1), int(weights * _WORK) + _OVERHEAD)


def context_of(folder: TorchFolder, settings: Settings) -> int:
    """The window in tokens: what is set, or 4k, or less where the model was trained for less."""
    return min(settings.context or DEFAULT_CONTEXT, folder.context)


def rungs(
    folder: TorchFolder, hardware: Hardware, settings: Settings, anyway: bool = False
) -> tuple[Choice[Placement], ...]:
    """What to try, best first. Raises `ModelTooLarge` when the model is larger than all memory, `ModelUnsupported`
    when PyTorch is not installed."""
    extra.require()
    threads, context = device.threads(hardware, settings), context_of(folder, settings)
    plain = Placement(
        runtime="torch", threads=threads.value, batch=settings.batch or _BATCH, context=context, repack=False
    )
    gpu = _wanted_gpu(folder, hardware, settings, context)
    steps: list[Choice[Placement]] = []
    if not isinstance(gpu.value, str):
        where = device.device_name(gpu.value)
        first = replace(plain, device=where, gpu_layers=-1, precision=folder.precision)
        first = replace(first, batch=settings.batch or _BATCH_ON_GPU)
        steps.append(Choice(first, f"Runs on {_PLACES[gpu.value.kind]} in {folder.precision}: {gpu.reason}."))
    why = "in case the GPU is at fault" if steps else gpu.reason
    numbers = _numbers(folder, hardware, context)
    sum_ = need(folder, numbers.value, context)
    if sum_.total > hardware.memory.total - RESERVE // 2 and not anyway and not steps:
        raise ModelTooLarge(
            f"{folder.path.name} needs {gigabytes(sum_.total)} ({sum_}); this computer has"
            f" {gigabytes(hardware.memory.total)} in all.",
            "Choose a smaller model or its GGUF form, or load it anyway.",
        )
    tight = sum_.total > hardware.memory.free - RESERVE
    warning = f" Memory is short: {sum_}; {gigabytes(hardware.memory.free)} free." if tight else ""
    reason = f"Runs on the processor in {numbers.value}: {why}; {numbers.reason}; {threads.value} threads,"
    steps.append(Choice(replace(plain, precision=numbers.value), f"{reason} {threads.reason}.{warning}"))
    if numbers.value != "fp32":
        steps.append(Choice(replace(plain, precision="fp32"), f"fp32, in case {numbers.value} is at fault."))
    if threads.value > 1:
        steps.append(Choice(replace(steps[-1].value, threads=1), "One thread, in case several are at fault."))
    return tuple(steps)


def _wanted_gpu(folder: TorchFolder, hardware: Hardware, settings: Settings, context: int) -> Choice[Gpu | str]:
    """The GPU to try first, or why the processor is taken."""
    if settings.device == "cpu" or settings.gpu_layers == 0:
        return Choice("cpu", device.YOU)
    asked: dict[str, tuple[Kind, ...]] = {"cuda": ("cuda",), "metal": ("metal",), "vulkan": ()}
    reasons = []
    for kind in asked.get(settings.device, ("cuda", "metal")):
        found = _gpu(hardware, kind)
        if isinstance(found, str):
            reasons.append(f"{_PLACES[kind]} cannot be used ({found})")
            continue
        sum_ = need(folder, folder.precision, context)
        if sum_.total - _OVERHEAD <= found.free - GPU_RESERVE:
            return Choice(found, f"the {found.name} is faster than the processor")
        reasons.append(f"the {found.name} has {gigabytes(found.free)} free, and {gigabytes(sum_.total)} are needed")
    if settings.device in ("gpu", "cuda", "metal", "vulkan"):
        return Choice("cpu", f"you asked for {settings.device}, but " + ("; ".join(reasons) or "PyTorch has no Vulkan"))
    return Choice("cpu", "; ".join(reasons) if hardware.gpus else "there is no GPU here that it could use")


def _numbers(folder: TorchFolder, hardware: Hardware, context: int) -> Choice[Precision]:
    """bf16 where the weights are of 16 bits already and the processor computes with them, or where fp32 does not fit.

    Weights of 32 bits stay so: halving them is a loss that nobody asked for.
    """
    fast, room = bf16(hardware.cpu), hardware.memory.free - RESERVE
    if folder.precision == "fp32":
        if need(folder, "fp32", context).total > room and need(folder, "bf16", context).total <= room:
            return Choice("bf16", "in fp32, as its file has it, it would not fit into memory")
        return Choice("fp32", "its file has fp32")
    if fast.value:
        return Choice("bf16", f"{fast.reason}, and its file has {folder.precision}")
    if need(folder, "fp32", context).total > room:
        return Choice("bf16", "it would not fit into memory in fp32, which would be faster here")
    return Choice("fp32", f"{fast.reason} (bf16)")
