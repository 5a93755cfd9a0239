"""Graphics processors: which there are, how much of their memory is free, and if one cannot be used, why.

A graphics driver can hang or crash whoever asks it, so it is asked in a child process with a time limit:
`python -m edgellm.hardware.gpu nvml` and `... ggml FOLDER` print what they found as JSON. Whether the installed
llama.cpp can use a device is left to `runtimes/select.py`.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from edgellm.hardware import display
from edgellm.hardware.memory import Memory

Kind = Literal["cuda", "metal", "vulkan"]
TIME_LIMIT = 10.0
# The oldest drivers that run CUDA 12, and the oldest processors that it is compiled for
MINIMUM_DRIVER = {"linux": (525, 60), "win32": (528, 33)}
MINIMUM_COMPUTE = (5, 0)
_LARGEST_ANSWER = 1 << 20


@dataclass(frozen=True, slots=True)
class Gpu:
    """One device. `total` and `free` are bytes; `reason` says why it is not `usable`."""

    kind: Kind
    name: str
    index: int
    total: int
    free: int
    driver: str = ""
    usable: bool = True
    reason: str = ""


def probe(room: Memory, architecture: str, libraries: Path | None = None) -> tuple[tuple[Gpu, ...], tuple[str, ...]]:
    """The devices, usable or not, and notes about what could not be probed. Never fails."""
    if sys.platform == "darwin":
        return (_metal(room, architecture),), ()
    found: list[Gpu] = []
    notes: list[str] = []
    if display.nvidia_driver_present():
        answer, problem = ask(_command("nvml"))
        found += cuda_devices(answer)
        if problem or not found:
            problem = problem or _said(answer) or "its driver lists no device"
            notes.append(f"The NVIDIA card could not be probed: {problem}.")
    if libraries is not None and any(libraries.glob("*ggml-vulkan*")):
        answer, problem = ask(_command("ggml", str(libraries)))
        found += vulkan_devices(answer, len(found))
        problem = problem or _said(answer)
        if problem:
            notes.append(f"Vulkan could not be probed: {problem}.")
    found += _only_seen(found, display.cards(), notes)
    return tuple(found), tuple(notes)


def _metal(room: Memory, architecture: str) -> Gpu:
    if architecture != "aarch64":
        return Gpu("metal", "Intel Mac graphics", 0, 0, 0, "", False, "only Macs with an Apple chip are fast enough")
    total = room.total * (2 if room.total <= 36 << 30 else 3) // (3 if room.total <= 36 << 30 else 4)
    return Gpu("metal", "Apple GPU (shares the main memory)", 0, total, metal_free(total, room))


def metal_free(total: int, room: Memory) -> int:
    """What Metal can still take: its share of the memory, and no more than is free in all."""
    return min(total, room.free)


def refresh(gpus: Sequence[Gpu], room: Memory) -> tuple[Gpu, ...]:
    """The same devices with the memory that is free now; NVIDIA's driver is asked again only where it answered."""
    free: dict[int, int] = {}
    if any(one.kind == "cuda" and one.usable for one in gpus):
        answer, _ = ask(_command("nvml"))
        free = {one.index: one.free for one in cuda_devices(answer)}
    fresh = []
    for one in gpus:
        if one.kind == "metal":
            fresh.append(replace(one, free=metal_free(one.total, room)))
        elif one.kind == "cuda":
            fresh.append(replace(one, free=free.get(one.index, one.free)))
        else:
            fresh.append(one)
    return tuple(fresh)


def ask(command: Sequence[str], seconds: float = TIME_LIMIT) -> tuple[Any, str]:
    """Run a child that prints JSON; returns its answer (None without one) and, in words, what went wrong."""
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    package = str(Path(__file__).resolve().parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            creationflags=flags,
        )
    except OSError as error:
        return None, f"the child could not be started ({error.strerror})"
    try:
        output, _ = child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        if child.stdout is not None:
            child.stdout.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # stuck inside the driver: not even a kill ends it
            child.wait(timeout=1)
        return None, f"it did not answer within {seconds:g} seconds"
    if child.returncode:
        how = f"signal {-child.returncode}" if child.returncode < 0 else f"status {child.returncode}"
        return None, f"asking its driver crashed ({how})"
    try:
        return json.loads(output[:_LARGEST_ANSWER]), ""
    except ValueError:
        return None, "its answer makes no sense"


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "edgellm.hardware.gpu", *arguments]


def _said(answer: Any) -> str:
    return str(answer["problem"])[:200] if isinstance(answer, dict) and answer.get("problem") else ""


def _rows(answer: Any) -> Iterable[Mapping[str, Any]]:
    rows = answer.get("devices") if isinstance(answer, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def cuda_devices(answer: Any) -> list[Gpu]:
    """The devices in the answer of the NVML child; each is checked for a driver and a processor that are too old."""
    found: list[Gpu] = []
    for row in _rows(answer):
        driver = str(row.get("driver", ""))
        reason = cuda_problem(driver, (int(row.get("major", 0)), int(row.get("minor", 0))))
        total, free = int(row.get("total", 0)), int(row.get("free", 0))
        name, index = str(row.get("name", "NVIDIA GPU")), int(row.get("index", len(found)))
        found.append(Gpu("cuda", name, index, total, free, driver, not reason, reason))
    return found


def cuda_problem(driver: str, compute: tuple[int, int], system: str = sys.platform) -> str:
    """Why CUDA cannot run with this driver on a device of this compute capability; empty when it can."""
    needed = MINIMUM_DRIVER.get(system, MINIMUM_DRIVER["linux"])
    parts = driver.split(".")
    have = tuple(int(part) if part.isdecimal() else 0 for part in (*parts, "0")[:2])
    if have < needed:
        return f"its driver {driver or 'of unknown version'} is older than {needed[0]}.{needed[1]}; update the driver"
    if compute < MINIMUM_COMPUTE:
        return f"it is too old for CUDA 12 (compute capability {compute[0]}.{compute[1]})"
    return ""


def vulkan_devices(answer: Any, others: int) -> list[Gpu]:
    """The Vulkan devices in the answer of the ggml child. With CUDA devices there, the same cards are left out."""
    found: list[Gpu] = []
    for row in _rows(answer):
        name, free = str(row.get("name", "GPU")), int(row.get("free", 0))
        if others and "nvidia" in name.lower():
            continue
        reason = "" if free else "its free memory cannot be read"
        found.append(
            Gpu("vulkan", name, int(row.get("index", 0)), int(row.get("total", 0)), free, "", not reason, reason)
        )
    return found


def _only_seen(found: Iterable[Gpu], cards: Iterable[display.Card], notes: Iterable[str]) -> list[Gpu]:
    """Cards that the machine holds and no driver offered, so that a person learns why they are not used."""
    names = " ".join(one.name.lower() for one in found)
    kinds = {one.kind for one in found}
    left: list[Gpu] = []
    for card in cards:
        if (card.vendor == "NVIDIA" and "cuda" in kinds) or card.vendor.lower() in names or "vulkan" in kinds:
            continue
        if card.vendor == "NVIDIA":
            reason = (
                "its driver could not be asked" if any(notes) else "the NVIDIA driver is not installed or not loaded"
            )
            left.append(Gpu("cuda", "NVIDIA graphics", len(left), card.total, 0, "", False, reason))
        else:
            reason = "only a llama.cpp built with Vulkan can use it"
            left.append(Gpu("vulkan", f"{card.vendor} graphics", len(left), card.total, card.free, "", False, reason))
    return left


def main(arguments: Sequence[str]) -> int:
    """The child: ask one driver and write the answer to standard output."""
    from edgellm.hardware import drivers

    if arguments[:1] == ["nvml"]:
        answer = drivers.nvml()
    elif len(arguments) == 2 and arguments[0] == "ggml":
        answer = drivers.ggml(Path(arguments[1]))
    else:
        return 2
    sys.stdout.write(json.dumps(answer))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
