"""Everything about this computer that decides how a model runs, in one value.

Choosing from it is left to `runtimes/select.py`, live figures to `monitor.py`.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgellm.hardware import cgroup, cpu, gpu, memory, power
from edgellm.hardware.cpu import Cpu
from edgellm.hardware.gpu import Gpu
from edgellm.hardware.memory import Memory
from edgellm.hardware.power import Power

__all__ = ["Cpu", "Gpu", "Hardware", "Memory", "Power", "probe", "refresh"]


@dataclass(frozen=True, slots=True)
class Hardware:
    """This computer. `system` is the operating system in words; `notes` say what could not be probed, and why."""

    cpu: Cpu
    memory: Memory
    gpus: tuple[Gpu, ...] = ()
    power: Power = field(default_factory=Power)
    system: str = ""
    notes: tuple[str, ...] = ()


def probe(libraries: Path | None = None) -> Hardware:
    """Look at this computer. Never fails: what cannot be read is left out, with a note.

    `libraries` is the folder of llama.cpp's libraries; when it holds a Vulkan backend, that is asked for its devices.
    """
    limits = cgroup.limits()
    room = memory.read(limits)
    processor = cpu.read(limits)
    gpus, notes = gpu.probe(room, processor.architecture, libraries)
    return Hardware(processor, room, gpus, power.read(), _system(), notes)


def refresh(hardware: Hardware) -> Hardware:
    """The same computer with its free memory and battery as they are now (milliseconds; with CUDA a child is asked)."""
    room = memory.read(cgroup.limits())
    return replace(hardware, memory=room, power=power.read(), gpus=gpu.refresh(hardware.gpus, room))


def _system() -> str:
    if platform.system() == "Linux":
        try:
            release = platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
        except OSError:
            release = "Linux"
        return f"{release}, kernel {platform.release()}"
    if platform.system() == "Darwin":
        return f"macOS {platform.mac_ver()[0]}"
    return f"{platform.system()} {platform.release()} {platform.version()}".strip()
