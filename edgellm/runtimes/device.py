"""Which device a model should run on, with how many threads, and why. Whether it fits is left to `fitting.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgellm.hardware.probe import Gpu, Hardware
from edgellm.runtimes.base import Choice
from edgellm.runtimes.variants import has_amx
from edgellm.settings import Settings

if TYPE_CHECKING:
    from edgellm.runtimes.build import Build

LOW_BATTERY = 30.0
YOU = "because you set it"
_ORDER = {"cuda": 0, "metal": 1, "vulkan": 2}
_WORDS = {"cuda": "CUDA", "metal": "Metal", "vulkan": "Vulkan"}


def device_name(gpu: Gpu | None) -> str:
    """As `Placement.device` has it: `cpu`, `metal`, `cuda:0`, `vulkan:1`."""
    if gpu is None:
        return "cpu"
    return gpu.kind if gpu.kind == "metal" else f"{gpu.kind}:{gpu.index}"


def pick(hardware: Hardware, settings: Settings, build: Build) -> Choice[Gpu | None]:
    """The GPU to try (None: the processor)."""
    if settings.device == "cpu":
        return Choice(None, YOU)
    if settings.gpu_layers == 0:
        return Choice(None, "because you set 0 layers for the GPU")
    asked = settings.device if settings.device in _ORDER else ""
    ready = [gpu for gpu in hardware.gpus if not problem(gpu, build) and asked in ("", gpu.kind)]
    if ready:
        gpu = min(ready, key=lambda one: (_ORDER[one.kind], -one.free))
        return Choice(
            gpu, YOU if settings.device != "auto" else f"the {gpu.name} is free and faster than the processor"
        )
    why = _why_not(hardware, build, asked)
    wanted = f"you asked for {_WORDS.get(settings.device, 'the GPU')}, but " if settings.device != "auto" else ""
    return Choice(None, wanted + why)


def problem(gpu: Gpu, build: Build) -> str:
    """Why this device cannot be used with this build; empty when it can."""
    if not gpu.usable:
        return gpu.reason or "it cannot be used"
    if gpu.kind not in {name.lower() for name in build.gpu_backends}:
        return f"this llama.cpp was built without {_WORDS[gpu.kind]}"
    return ""


def backends(hardware: Hardware, build: Build) -> dict[str, Choice[bool]]:
    """Each kind of GPU that llama.cpp can use: whether it does here, and on what or why not."""
    found: dict[str, Choice[bool]] = {}
    for kind, word in _WORDS.items():
        gpus = [gpu for gpu in hardware.gpus if gpu.kind == kind]
        ready = [gpu for gpu in gpus if not problem(gpu, build)]
        if ready:
            found[kind] = Choice(True, ready[0].name)
        elif kind not in {name.lower() for name in build.gpu_backends}:
            found[kind] = Choice(False, f"this llama.cpp was built without {word}")
        else:
            found[kind] = Choice(False, problem(gpus[0], build) if gpus else f"there is no device for {word} here")
    return found


def _why_not(hardware: Hardware, build: Build, asked: str) -> str:
    candidates = [gpu for gpu in hardware.gpus if asked in ("", gpu.kind)]
    if candidates:
        gpu = candidates[0]
        return f"the {gpu.name} cannot be used: {problem(gpu, build)}"
    if hardware.notes:
        return hardware.notes[0].rstrip(".")
    return f"there is no device for {_WORDS[asked]} here" if asked else "there is no GPU here that it could use"


def threads(hardware: Hardware, settings: Settings) -> Choice[int]:
    """Worker threads. Two on one core take turns and slow each other down, so: one for each physical fast core."""
    cpu = hardware.cpu
    if settings.threads:
        return Choice(settings.threads, YOU)
    fast = cpu.fast_cores or cpu.physical_cores
    count, reason = max(fast, 1), "one for each physical core"
    if cpu.physical_cores > fast > 0:
        reason = "one for each performance core; the efficiency cores would hold them up"
    if cpu.limit:
        reason += f" ({cpu.limit})"
    power = hardware.power
    if power.on_battery and power.percent is not None and power.percent < LOW_BATTERY and count > 2:
        return Choice(max(count // 2, 2), f"half the cores, because the battery is at {power.percent:.0f}%")
    if power.on_battery:
        reason += "; also on battery, where being done sooner costs no more than going slowly"
    return Choice(count, reason)


def repack(hardware: Hardware, cpu_variant: str) -> Choice[bool]:
    """Whether llama.cpp may rearrange the weights at load."""
    if has_amx(hardware.cpu) and not cpu_variant:
        return Choice(False, "a llama.cpp built for this processor's AMX crashes with rearranged weights")
    return Choice(True, "rearranged weights read faster")
