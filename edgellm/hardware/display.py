"""Graphics cards as the operating system lists them, without asking any graphics driver (Linux's /sys; bytes)."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

_PCI = Path("/sys/bus/pci/devices")
_VENDORS = {"0x10de": "NVIDIA", "0x1002": "AMD", "0x8086": "Intel"}
_NVIDIA_FILES = ("/dev/nvidiactl", "/proc/driver/nvidia/version", "/dev/dxg")


@dataclass(frozen=True, slots=True)
class Card:
    """One card; `total` and `free` are 0 where the system does not tell."""

    vendor: str
    total: int = 0
    free: int = 0


def cards(root: Path = _PCI) -> tuple[Card, ...]:
    """The cards of known makers on the PCI bus."""
    try:
        folders = sorted(root.iterdir())
    except OSError:
        return ()
    found = []
    for folder in folders:
        vendor = _VENDORS.get(_read(folder / "vendor"))
        if vendor and _read(folder / "class").startswith("0x03"):
            total, used = _bytes(folder / "mem_info_vram_total"), _bytes(folder / "mem_info_vram_used")
            found.append(Card(vendor, total, max(total - used, 0)))
    return tuple(found)


def nvidia_driver_present() -> bool:
    """Whether it is worth asking NVIDIA's driver: it leaves these files when it is loaded."""
    if sys.platform == "win32":
        return (Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32" / "nvml.dll").exists()
    return any(os.path.exists(name) for name in _NVIDIA_FILES)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _bytes(path: Path) -> int:
    text = _read(path)
    return int(text) if text.isdecimal() else 0
