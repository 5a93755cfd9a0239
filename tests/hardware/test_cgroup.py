"""Tests of the limits of containers, on trees of files as the kernel writes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from edgellm.hardware import cgroup, cpu, memory
from edgellm.hardware.cgroup import Limits

GB = 1 << 30


def tree(folder: Path, files: Mapping[str, str], own: str) -> Limits:
    """The limits in a tree of files; `own` is the text of /proc/self/cgroup."""
    for name, text in files.items():
        path = folder / "fs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "self").write_text(own)
    return cgroup.limits(folder / "fs", folder / "self")


def test_version_2_takes_the_tightest_of_all_groups_around(tmp_path: Path) -> None:
    found = tree(
        tmp_path,
        {
            "cpu.max": "max 100000\n",
            "memory.max": "max\n",
            "user.slice/cpu.max": "150000 100000\n",
            "user.slice/memory.max": f"{8 * GB}\n",
            "user.slice/memory.current": f"{3 * GB}\n",
            "user.slice/memory.stat": f"anon 5\ninactive_file {GB}\n",
            "user.slice/app/cpu.max": "400000 100000\n",
            "user.slice/app/memory.max": f"{9 * GB}\n",
            "user.slice/app/memory.current": f"{GB}\n",
        },
        "0::/user.slice/app\n",
    )
    assert found == Limits(1.5, 8 * GB, 6 * GB)


def test_version_1(tmp_path: Path) -> None:
    found = tree(
        tmp_path,
        {
            "cpu,cpuacct/box/cpu.cfs_quota_us": "200000\n",
            "cpu,cpuacct/box/cpu.cfs_period_us": "100000\n",
            "memory/box/memory.limit_in_bytes": f"{2 * GB}\n",
            "memory/box/memory.usage_in_bytes": f"{GB}\n",
            "memory/box/memory.stat": f"total_inactive_file {GB // 2}\n",
            "memory/memory.limit_in_bytes": "9223372036854771712\n",
        },
        "5:cpu,cpuacct:/box\n4:memory:/box\n0::/\n",
    )
    assert found == Limits(2.0, 2 * GB, 3 * GB // 2)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"cpu.max": "max 100000\n", "memory.max": "max\n"},
        {"cpu.max": "garbage", "memory.max": "", "memory.current": "x"},
        {"cpu.max": "100000 0\n", "memory.max": "-1\n"},
        {"cpu.max": "-1 100000\n"},
    ],
)
def test_no_or_odd_files_are_no_limit(tmp_path: Path, files: dict[str, str]) -> None:
    assert tree(tmp_path, files, "0::/\nnonsense\n") == Limits()
    assert cgroup.limits(tmp_path / "none", tmp_path / "none") == Limits()


def test_the_limits_reach_memory_and_processor() -> None:
    room = memory.read(Limits(None, GB, GB // 4))
    assert (room.total, room.free) == (GB, GB // 4)
    whole = memory.read()
    assert whole.total == psutil.virtual_memory().total
    assert 0 < whole.free <= whole.total
    free = cpu.read()
    tight = cpu.read(Limits(0.5))
    assert (tight.physical_cores, tight.logical_cores, tight.fast_cores) == (1, 1, 1)
    assert free.logical_cores == 1 or "0.5 of" in tight.limit
