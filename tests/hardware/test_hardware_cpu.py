"""Tests of reading the processor, on texts of the kernel and on this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from edgellm.hardware import cpu

INTEL = """processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R)  Core(TM) i5-1240P
flags\t\t: fpu sse2 sse4_2 avx avx2 fma f16c bmi2 avx_vnni

processor\t: 1
model name\t: another
flags\t\t: fpu
"""
ARM = "processor\t: 0\nFeatures\t: fp asimd asimddp i8mm\nHardware\t: Test Board\n"


def test_cpuinfo_of_intel_and_arm() -> None:
    model, flags = cpu.parse_cpuinfo(INTEL)
    assert model == "Intel(R) Core(TM) i5-1240P"
    assert flags == {"fpu", "sse2", "sse4_2", "avx", "avx2", "fma", "f16c", "bmi2", "avx_vnni"}
    assert cpu.parse_cpuinfo(ARM) == ("Test Board", frozenset({"fp", "asimd", "asimddp", "i8mm"}))
    assert cpu.parse_cpuinfo("") == ("", frozenset())


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("0-3,8\n", {0, 1, 2, 3, 8}), ("5", {5}), ("", set()), ("x-y,1", {1}), ("0-2,4-5", {0, 1, 2, 4, 5})],
)
def test_lists_of_the_kernel(text: str, numbers: set[int]) -> None:
    assert cpu.parse_list(text) == numbers


def _topology(folder: Path, cores: dict[int, tuple[int, int]]) -> Path:
    for number, (package, core) in cores.items():
        place = folder / f"cpu{number}" / "topology"
        place.mkdir(parents=True)
        (place / "core_id").write_text(f"{core}\n")
        (place / "physical_package_id").write_text(f"{package}\n")
    return folder


def test_physical_cores_are_counted_among_the_allowed_ones(tmp_path: Path) -> None:
    folder = _topology(tmp_path, {0: (0, 0), 1: (0, 0), 2: (0, 1), 3: (0, 1), 4: (1, 0), 5: (1, 0)})
    assert cpu._physical(range(6), folder) == 3
    assert cpu._physical((0, 1), folder) == 1
    assert cpu._physical((1, 2, 5), folder) == 3


def test_without_topology_physical_cores_are_still_a_number(tmp_path: Path) -> None:
    assert 1 <= cpu._physical((0,), tmp_path) <= 1
    assert cpu._physical((), tmp_path) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="affinity is Linux's")
def test_this_processor_and_its_affinity() -> None:
    everything = cpu.read()
    assert everything.model
    assert 1 <= everything.fast_cores <= everything.physical_cores <= everything.logical_cores
    allowed = os.sched_getaffinity(0)
    assert everything.logical_cores == len(allowed)
    if len(allowed) < 2:
        pytest.skip("one core only")
    try:
        os.sched_setaffinity(0, {min(allowed)})
        one = cpu.read()
    finally:
        os.sched_setaffinity(0, allowed)
    assert (one.logical_cores, one.physical_cores, one.fast_cores) == (1, 1, 1)
    assert f"1 of {os.cpu_count()}" in one.limit
