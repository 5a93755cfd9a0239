"""The battery: whether this computer runs on it, and how full it is."""

from __future__ import annotations

from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Power:
    """`on_battery` is None where there is no battery or none can be read; `percent` is its charge, 0 to 100."""

    on_battery: bool | None = None
    percent: float | None = None


def read() -> Power:
    """The battery now."""
    try:
        battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    except (OSError, ValueError, RuntimeError):  # odd files under /sys, or a driver that fails
        battery = None
    if battery is None:
        return Power()
    plugged = battery.power_plugged
    return Power(None if plugged is None else not plugged, round(float(battery.percent), 1))
