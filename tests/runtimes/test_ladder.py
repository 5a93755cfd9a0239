"""Tests of the order in which placements are tried."""

from __future__ import annotations

from machines import (
    AMX,
    AVX2,
    CUDA,
    EIGHT,
    EVERY,
    FOUR,
    FOURTEEN,
    PLAIN,
    SMALL,
    STARTER,
    ZEN4,
    computer,
    nvidia,
)

from edgellm.hardware.probe import Hardware
from edgellm.models.gguf import GgufHeader
from edgellm.runtimes.base import Choice, Placement
from edgellm.runtimes.build import Build
from edgellm.runtimes.ladder import ladder
from edgellm.runtimes.select import choose
from edgellm.settings import Settings, changed


def steps(header: GgufHeader, hardware: Hardware, build: Build, **settings: object) -> tuple[Choice[Placement], ...]:
    return ladder(choose(header, hardware, changed(Settings(), **settings), build), hardware, build)


def test_from_the_gpu_down_to_the_safest() -> None:
    found = steps(FOUR, computer(16, 11, nvidia(6), flags=ZEN4), CUDA)
    kinds = [(one.value.device, one.value.gpu_layers, one.value.cpu_variant, one.value.repack) for one in found]
    assert kinds[:4] == [
        ("cuda:0", 37, "zen4", True),
        ("cuda:0", 18, "zen4", True),
        ("cpu", 0, "zen4", True),
        ("cpu", 0, "zen4", False),
    ]
    assert [one.value.cpu_variant for one in found[4:8]] == ["haswell", "sandybridge", "sse42", "x64"]
    assert not any(one.value.repack for one in found[4:])
    assert [one.value.context for one in found[8:]] == [2048, 1024, 512]
    assert {one.value.cpu_variant for one in found[8:]} == {"zen4"}


def test_the_first_step_is_the_selection_and_none_comes_twice() -> None:
    for hardware, build in (
        (computer(4, 2.6), EVERY),
        (computer(16, 11, nvidia(4)), CUDA),
        (computer(8, 4.5, flags=AMX), PLAIN),
        (computer(8, 4.5, flags=AMX), EVERY),
        (computer(8, 4.5, flags=frozenset({"sse2"})), EVERY),
    ):
        for header in (STARTER, SMALL, FOUR):
            selection = choose(header, hardware, Settings(), build)
            found = ladder(selection, hardware, build)
            assert found[0] == selection.choice
            assert len({one.value for one in found}) == len(found)
            assert all(one.reason.endswith(".") for one in found)


def test_amx_is_on_no_step() -> None:
    for build in (EVERY, PLAIN):
        for step in steps(SMALL, computer(16, 11, flags=AMX), build):
            assert step.value.cpu_variant != "sapphirerapids"
            assert step.value.cpu_variant or not step.value.repack


def test_only_libraries_that_run_here() -> None:
    found = steps(SMALL, computer(16, 11, flags=AVX2), EVERY)
    assert [one.value.cpu_variant for one in found[:5]] == ["haswell", "haswell", "sandybridge", "sse42", "x64"]
    old = steps(SMALL, computer(16, 11, flags=AVX2), Build("1", ("haswell", "ivybridge")))
    assert [one.value.cpu_variant for one in old[:3]] == ["haswell", "haswell", "ivybridge"]


def test_a_plain_build_still_has_steps() -> None:
    found = steps(SMALL, computer(16, 11), PLAIN)
    assert [one.value.repack for one in found[:2]] == [True, False]
    assert [one.value.context for one in found] == [16_384, 16_384, 2048, 1024, 512]


def test_without_the_gpu_the_context_is_chosen_for_main_memory() -> None:
    found = steps(EIGHT, computer(16, 7, nvidia(16)), CUDA)
    assert found[0].value.context == 32_768
    processor = next(one.value for one in found if one.value.device == "cpu")
    assert processor.context == 4096


def test_a_model_that_only_a_gpu_can_hold_still_has_a_processor_step() -> None:
    found = steps(FOURTEEN, computer(8, 6, nvidia(12)), CUDA)
    assert found[0].value.gpu_layers == 41
    assert any(one.value.device == "cpu" for one in found)


def test_what_was_set_is_kept_on_the_way_down() -> None:
    found = steps(SMALL, computer(16, 11, nvidia(8)), CUDA, threads=3, kv_type="q8_0")
    assert {one.value.threads for one in found} == {3}
    assert {one.value.kv_type for one in found} == {"q8_0"}
