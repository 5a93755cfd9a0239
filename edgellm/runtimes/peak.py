"""The largest amount of memory that this process has held."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path


def peak_memory() -> int:
    """Peak resident memory of this process in bytes, 0 where it cannot be read.

    On Linux not from `getrusage`, whose value a process inherits from the one that started it.
    """
    if sys.platform == "linux":
        with suppress(OSError, ValueError, IndexError):
            status = Path("/proc/self/status").read_text()
            return int(status.split("VmHWM:", 1)[1].split(None, 1)[0]) * 1024
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    import psutil

    return int(getattr(psutil.Process().memory_info(), "peak_wset", 0))
