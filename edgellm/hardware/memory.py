"""Main memory: how much there is, and how much is free for a model. Bytes."""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from edgellm.hardware.cgroup import Limits


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes. `free` is what programs can still get without swapping; a container's limit counts."""

    total: int
    free: int


def read(limits: Limits | None = None) -> Memory:
    """The memory now, within `limits`."""
    now = psutil.virtual_memory()
    total, free = int(now.total), int(now.available)
    if limits is not None and limits.memory is not None and limits.memory_left is not None:
        total, free = min(total, limits.memory), min(free, limits.memory_left)
    return Memory(total, free)
