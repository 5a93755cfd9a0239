"""The limits that a container or service manager sets on this process (Linux control groups, versions 1 and 2).

Reads files only; a missing or odd file means no limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_SELF = Path("/proc/self/cgroup")
_NO_LIMIT = 1 << 60  # version 1 says "no limit" with a number close to 2**63


@dataclass(frozen=True, slots=True)
class Limits:
    """The tightest limits around this process; None where there is none. `cpus` counts processors, the rest bytes."""

    cpus: float | None = None
    memory: int | None = None
    memory_left: int | None = None


def limits(root: Path = _ROOT, own: Path = _SELF) -> Limits:
    """Read the limits of every group that this process is in."""
    cpus: list[float] = []
    memory: list[int] = []
    left: list[int] = []
    for folder in _folders(root, own):
        if (quota := _cpus(folder)) is not None:
            cpus.append(quota)
        if (limit := _memory_limit(folder)) is not None:
            memory.append(limit)
            left.append(max(limit - _memory_used(folder), 0))
    return Limits(min(cpus, default=None), min(memory, default=None), min(left, default=None))


def _folders(root: Path, own: Path) -> Iterator[Path]:
    """This process's groups and those around them, version 2 and the two controllers of version 1."""
    for line in _text(own).splitlines():
        controllers, _, group = line.partition(":")[2].partition(":")
        names = controllers.split(",")
        if not controllers:
            bases = [root, root / "unified"]
        else:
            bases = [root / name for name in ("cpu", "memory") if name in names]
            bases += [root / controllers] if len(names) > 1 and bases else []
        for base in bases:
            inside = base / group.lstrip("/")
            for folder in (inside, *inside.parents):
                if folder.is_dir():
                    yield folder
                if folder == base:
                    break


def _cpus(folder: Path) -> float | None:
    words = _text(folder / "cpu.max").split()
    if len(words) == 2:
        quota, period = _number(words[0]), _number(words[1])
    else:
        quota, period = _number(_text(folder / "cpu.cfs_quota_us")), _number(_text(folder / "cpu.cfs_period_us"))
    return quota / period if quota and period and quota > 0 else None


def _memory_limit(folder: Path) -> int | None:
    limit = _number(_text(folder / "memory.max"))
    if limit is None:
        limit = _number(_text(folder / "memory.limit_in_bytes"))
    return limit if limit is not None and 0 < limit < _NO_LIMIT else None


def _memory_used(folder: Path) -> int:
    """Bytes in use that the kernel cannot simply drop: file pages not used lately do not count."""
    used = _number(_text(folder / "memory.current")) or _number(_text(folder / "memory.usage_in_bytes")) or 0
    for line in _text(folder / "memory.stat").splitlines():
        key, _, value = line.partition(" ")
        if key in ("inactive_file", "total_inactive_file"):
            used -= _number(value) or 0
            break
    return max(used, 0)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None
