"""Which CPU library of llama.cpp is chosen on which processor, and what becomes of AMX."""

from __future__ import annotations

import pytest
from machines import ALDER, AMX, AVX, AVX2, AVX512, EVERY, IVY, PLAIN, SMALL, SSE, ZEN4, computer

from edgellm.errors import EngineError
from edgellm.hardware.probe import Hardware
from edgellm.runtimes.build import Build
from edgellm.runtimes.select import Selection, choose
from edgellm.settings import Settings


def pick(hardware: Hardware, build: Build = EVERY) -> Selection:
    return choose(SMALL, hardware, Settings(), build)


@pytest.mark.parametrize(
    ("flags", "variant"),
    [
        (frozenset({"sse2"}), "x64"),
        (SSE, "sse42"),
        (AVX, "sandybridge"),
        (IVY, "ivybridge"),
        (IVY | {"fma"}, "piledriver"),
        (AVX2, "haswell"),
        (ALDER, "alderlake"),
        (AVX512, "skylakex"),
        (AVX512 | {"avx512vbmi"}, "cannonlake"),
        (AVX512 | {"avx512_vnni"}, "cascadelake"),
        (AVX512 | {"avx512_vnni", "avx512vbmi"}, "icelake"),
        (AVX512 | {"avx512_vnni", "avx512_bf16"}, "cooperlake"),
        (ZEN4, "zen4"),
        (AMX, "zen4"),
        (frozenset({"avx512f", "avx2"}), "x64"),
    ],
)
def test_cpu_library(flags: frozenset[str], variant: str) -> None:
    chosen = pick(computer(16, 11, flags=flags))
    assert chosen.choice.value.cpu_variant == variant
    assert chosen.choice.value.repack
    assert ("AMX" in chosen.parts["cpu_variant"].reason) == (flags == AMX)


def test_amx_is_avoided_in_a_plain_build_too() -> None:
    chosen = pick(computer(16, 11, flags=AMX), PLAIN)
    assert chosen.choice.value.cpu_variant == ""
    assert not chosen.choice.value.repack
    assert "AMX" in chosen.parts["repack"].reason
    assert pick(computer(16, 11, flags=ZEN4), PLAIN).choice.value.repack


def test_a_build_that_does_not_run_here_is_said() -> None:
    with pytest.raises(EngineError, match="processor") as caught:
        pick(computer(16, 11, flags=SSE), Build("1", ("haswell", "zen4")))
    assert "llama-cpp-python" in caught.value.hint


def test_processors_of_other_kinds() -> None:
    arm = ("armv9.2_1", "armv8.6_1", "armv8.2_2", "armv8.2_1", "armv8.0_1")
    board = computer(8, 6, flags=frozenset({"asimd", "asimddp", "asimdhp"}), architecture="aarch64")
    assert pick(board, Build("1", arm)).choice.value.cpu_variant == "armv8.2_2"
    mac = computer(8, 6, flags=frozenset({"asimddp", "i8mm"}), architecture="aarch64")
    assert pick(mac, Build("1", ("apple_m4", "apple_m2_m3", "apple_m1"))).choice.value.cpu_variant == "apple_m2_m3"
    unknown = pick(computer(8, 6, flags=frozenset(), architecture="riscv64"), Build("1", ("riscv64_v", "riscv64_0")))
    assert unknown.choice.value.cpu_variant == "riscv64_0"
    assert "not known" in unknown.parts["cpu_variant"].reason
