"""The processor: model, instruction sets, and the cores this process may really use.

Instruction sets have the names of Linux's /proc/cpuinfo on every system. Which of them a model library needs is left
to the runtimes.
"""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from edgellm.hardware.cgroup import Limits

_CPUINFO = Path("/proc/cpuinfo")
_TOPOLOGY = Path("/sys/devices/system/cpu")
_HYBRID = Path("/sys/devices/cpu_core/cpus")
_ARCHITECTURES = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64"}
_SKYLAKE_512 = ("avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw")
# IsProcessorFeaturePresent: number, and what is true of every such processor that runs Windows
_WINDOWS_FEATURES: tuple[tuple[int, tuple[str, ...]], ...] = (
    (10, ("sse2",)),
    (36, ("ssse3",)),
    (37, ("sse4_1",)),
    (38, ("sse4_2",)),
    (39, ("avx",)),
    (40, ("avx2", "fma", "f16c", "bmi2")),
    (41, _SKYLAKE_512),
    (43, ("asimddp",)),
    (46, ("sve",)),
    (47, ("sve2",)),
)
_MAC_INTEL = {"avx1.0": "avx", "sse4.1": "sse4_1", "sse4.2": "sse4_2", "avx512ifma": "avx512ifma"}
_MAC_ARM = {"FEAT_DotProd": "asimddp", "FEAT_FP16": "asimdhp", "FEAT_I8MM": "i8mm", "FEAT_SME": "sme"}


@dataclass(frozen=True, slots=True)
class Cpu:
    """The processor as this process may use it. `fast_cores` leaves out the efficiency cores of a hybrid processor.

    `limit` says in words what holds back cores that the machine has, or is empty.
    """

    model: str
    flags: frozenset[str]
    physical_cores: int
    logical_cores: int
    architecture: str
    fast_cores: int = 0
    limit: str = ""


def read(limits: Limits | None = None) -> Cpu:
    """The processor, within `limits`."""
    if sys.platform == "darwin":
        model, flags = _mac()
    elif sys.platform == "win32":
        model, flags = _windows()
    else:
        model, flags = parse_cpuinfo(_read(_CPUINFO))
    machine = platform.machine().lower()
    allowed, present = _allowed(), os.cpu_count() or 1
    logical, limit = len(allowed), ""
    physical = _physical(allowed)
    fast = _fast(allowed)
    if logical < present:
        limit = f"this process may use {logical} of {present} logical cores"
    if limits is not None and limits.cpus is not None and limits.cpus < logical:
        quota = max(int(limits.cpus), 1)
        limit = f"a limit gives this process {limits.cpus:g} of {present} logical cores"
        logical, physical, fast = min(logical, quota), min(physical, quota), min(fast, quota)
    return Cpu(model or machine, flags, physical, logical, _ARCHITECTURES.get(machine, machine), fast, limit)


def parse_cpuinfo(text: str) -> tuple[str, frozenset[str]]:
    """Model and flags out of the text of /proc/cpuinfo; empty where it does not say."""
    model, flags = "", frozenset[str]()
    for line in text.splitlines():
        key, _, value = line.partition(":")
        key, value = key.strip().lower(), value.strip()
        if key in ("model name", "hardware", "cpu model") and not model:
            model = " ".join(value.split())
        elif key in ("flags", "features") and not flags:
            flags = frozenset(value.split())
        if model and flags:
            break
    return model, flags


def _allowed() -> tuple[int, ...]:
    """Numbers of the logical cores that this process may run on."""
    if sys.platform == "linux":
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def _physical(allowed: Iterable[int], topology: Path = _TOPOLOGY) -> int:
    """Physical cores behind these logical ones."""
    cores, count = set[tuple[str, str]](), 0
    for number in allowed:
        count += 1
        folder = topology / f"cpu{number}" / "topology"
        core = _read(folder / "core_id").strip()
        if core:
            cores.add((_read(folder / "physical_package_id").strip(), core))
    return len(cores) or min(psutil.cpu_count(logical=False) or count, count) or 1


def _fast(allowed: tuple[int, ...], hybrid: Path = _HYBRID) -> int:
    """Physical performance cores among these; all of them where the processor has one kind."""
    fast = parse_list(_read(hybrid))
    chosen = tuple(number for number in allowed if number in fast) if fast else allowed
    if sys.platform == "darwin":
        performance = _sysctl("hw.perflevel0.physicalcpu").strip()
        if performance.isdecimal() and int(performance) > 0:
            return int(performance)
    return _physical(chosen or allowed)


def parse_list(text: str) -> frozenset[int]:
    """The numbers of a kernel list such as `0-7,16`."""
    numbers = set[int]()
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        if first.isdecimal() and (last.isdecimal() or not last):
            numbers.update(range(int(first), int(last or first) + 1))
    return frozenset(numbers)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _sysctl(*names: str) -> str:
    """What macOS says under these names, a line each; empty where it says nothing."""
    try:
        done = subprocess.run(
            ["/usr/sbin/sysctl", "-n", *names], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def _mac() -> tuple[str, frozenset[str]]:
    model = _sysctl("machdep.cpu.brand_string").strip()
    found = set[str]()
    for word in _sysctl("machdep.cpu.features", "machdep.cpu.leaf7_features").lower().split():
        found.add(_MAC_INTEL.get(word, word))
    found.update(flag for name, flag in _MAC_ARM.items() if _sysctl(f"hw.optional.arm.{name}").strip() == "1")
    return model, frozenset(found)


def _windows() -> tuple[str, frozenset[str]]:
    if sys.platform != "win32":  # narrows the types; never reached
        return "", frozenset()
    import winreg

    model = platform.processor()
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"HARDWARE\DESCRIPTION\System\CentralProcessor\0") as key:
            model = str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip()
    except OSError:
        pass
    present = ctypes.windll.kernel32.IsProcessorFeaturePresent
    found = {flag for number, flags in _WINDOWS_FEATURES if present(number) for flag in flags}
    return model, frozenset(found)
