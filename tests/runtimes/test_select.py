"""The decision table: which placement for which model on which computer, and the reasons that go with it."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from machines import (
    ALL,
    CUDA,
    EIGHT,
    EVERY,
    FOUR,
    FOURTEEN,
    GB,
    HYBRID,
    METAL,
    SMALL,
    STARTER,
    computer,
    nvidia,
)

from edgellm.errors import ModelTooLarge
from edgellm.hardware.probe import Gpu, Hardware, Power
from edgellm.models.gguf import GgufHeader
from edgellm.runtimes import fitting
from edgellm.runtimes.base import Placement
from edgellm.runtimes.build import Build
from edgellm.runtimes.select import Selection, choose
from edgellm.settings import Settings, changed


def pick(header: GgufHeader, hardware: Hardware, build: Build = EVERY, **settings: object) -> Selection:
    return choose(header, hardware, changed(Settings(), **settings), build)


def apple(total: float, free: float) -> Hardware:
    """A Mac with an Apple chip, as `gpu.probe` describes it."""
    share = int(total * GB * (2 / 3 if total <= 36 else 3 / 4))
    gpu = Gpu("metal", "Apple GPU", 0, share, min(share, int(free * GB)))
    return computer(total, free, gpu, flags=frozenset({"asimddp", "i8mm"}), architecture="aarch64", cores=8)


@pytest.mark.parametrize(
    ("total", "free", "header", "fit", "context", "kv", "batch"),
    [
        (4, 2.6, STARTER, "fits", 1024, "f16", 512),
        (4, 2.6, SMALL, "fits", 4096, "f16", 512),
        (4, 1.8, SMALL, "fits", 4096, "q8_0", 128),
        (4, 2.6, FOUR, "tight", 1024, "q8_0", 128),
        (4, 1.8, FOUR, "swap", 2048, "q8_0", 128),
        (8, 4.5, STARTER, "fits", 1024, "f16", 512),
        (8, 4.5, SMALL, "fits", 8192, "f16", 512),
        (8, 4.5, FOUR, "fits", 4096, "f16", 512),
        (8, 4.2, FOUR, "fits", 4096, "q8_0", 512),
        (8, 4.5, HYBRID, "fits", 4096, "f16", 512),
        (8, 4.5, EIGHT, "swap", 2048, "q8_0", 128),
        (8, 6.2, EIGHT, "fits", 4096, "q8_0", 128),
        (16, 11, SMALL, "fits", 16_384, "f16", 512),
        (16, 11, FOUR, "fits", 8192, "f16", 512),
        (16, 11, HYBRID, "fits", 16_384, "f16", 512),
        (16, 11, EIGHT, "fits", 4096, "f16", 512),
        (16, 11, FOURTEEN, "fits", 4096, "f16", 512),
        (16, 9, FOURTEEN, "tight", 4096, "q8_0", 128),
        (32, 26, EIGHT, "fits", 16_384, "f16", 512),
        (32, 26, FOURTEEN, "fits", 16_384, "f16", 512),
    ],
)
def test_without_a_gpu(
    total: float, free: float, header: GgufHeader, fit: str, context: int, kv: str, batch: int
) -> None:
    chosen = pick(header, computer(total, free))
    placement = chosen.choice.value
    assert (chosen.fit, placement.context, placement.kv_type, placement.batch) == (fit, context, kv, batch)
    assert (placement.device, placement.gpu_layers, placement.threads) == ("cpu", 0, 4)
    assert "no GPU" in chosen.choice.reason
    assert bool(chosen.warning) == (fit != "fits")


@pytest.mark.parametrize(
    ("total", "free", "header"), [(4, 2.6, EIGHT), (4, 3.5, EIGHT), (4, 2, FOURTEEN), (8, 6, FOURTEEN)]
)
def test_more_than_all_memory_is_refused_with_the_sum(total: float, free: float, header: GgufHeader) -> None:
    with pytest.raises(ModelTooLarge) as caught:
        pick(header, computer(total, free))
    text = str(caught.value)
    for part in ("weights", "KV cache", "compute", "GB of memory", header.name):
        assert part in text
    assert "smaller" in caught.value.hint
    anyway = choose(header, computer(total, free), Settings(), EVERY, anyway=True)
    assert anyway.fit == "swap"
    assert "swap" in anyway.warning


@pytest.mark.parametrize(
    ("card", "header", "layers", "context", "kv"),
    [
        (4, STARTER, 7, 1024, "f16"),
        (4, SMALL, 29, 16_384, "f16"),
        (4, FOUR, 37, 4096, "q8_0"),
        (4, EIGHT, 20, 4096, "f16"),
        (4, FOURTEEN, 13, 4096, "f16"),
        (6, FOUR, 37, 8192, "f16"),
        (6, EIGHT, 37, 4096, "q8_0"),
        (6, FOURTEEN, 22, 4096, "f16"),
        (8, FOUR, 37, 16_384, "f16"),
        (8, EIGHT, 37, 4096, "f16"),
        (8, HYBRID, 33, 32_768, "f16"),
        (12, EIGHT, 37, 16_384, "f16"),
        (12, FOURTEEN, 41, 4096, "f16"),
        (16, EIGHT, 37, 32_768, "f16"),
        (16, FOURTEEN, 41, 16_384, "f16"),
    ],
)
def test_with_an_nvidia_card(card: float, header: GgufHeader, layers: int, context: int, kv: str) -> None:
    chosen = pick(header, computer(16, 11, nvidia(card)), CUDA)
    placement = chosen.choice.value
    assert (placement.device, placement.gpu_layers, placement.context, placement.kv_type) == (
        "cuda:0", layers, context, kv,
    )  # fmt: skip
    assert chosen.fit == "fits"
    assert chosen.budget.on_gpu <= nvidia(card).free - (457 << 20)
    whole = layers == header.block_count + 1
    assert ("all" in chosen.parts["gpu_layers"].reason) == whole
    assert ("partly" in chosen.choice.reason) == (not whole)


def test_a_card_that_is_nearly_full_is_left_alone() -> None:
    chosen = pick(FOURTEEN, computer(16, 11, nvidia(8, free=1.2)), CUDA)
    assert chosen.choice.value.device == "cpu"
    assert "1.20 GB free, too little" in chosen.choice.reason


def test_a_card_helps_where_main_memory_alone_would_swap() -> None:
    assert pick(FOURTEEN, computer(8, 4.5, nvidia(8)), CUDA).fit == "fits"
    assert pick(EIGHT, computer(4, 1.8, nvidia(8)), CUDA).fit == "fits"


def test_the_emptiest_of_two_cards_and_cuda_before_vulkan() -> None:
    vulkan = Gpu("vulkan", "AMD Test", 0, 16 * GB, 16 * GB)
    both = Build("1", ALL, ("cuda", "vulkan"))
    two = computer(16, 11, vulkan, nvidia(8, free=2), nvidia(8, index=1))
    assert pick(FOUR, two, both).choice.value.device == "cuda:1"
    assert pick(FOUR, two, both, device="vulkan").choice.value.device == "vulkan:0"
    assert pick(FOUR, two, Build("1", ALL, ("vulkan",))).choice.value.device == "vulkan:0"


@pytest.mark.parametrize(
    ("hardware", "build", "device", "why"),
    [
        (
            computer(16, 11, nvidia(8, usable=False, reason="its driver 470.1 is older than 525.60")),
            CUDA,
            "auto",
            "older than 525.60",
        ),
        (computer(16, 11, nvidia(8)), EVERY, "auto", "built without CUDA"),
        (computer(16, 11), CUDA, "auto", "no GPU here"),
        (computer(16, 11), CUDA, "cuda", "you asked for CUDA, but there is no device for CUDA here"),
        (computer(16, 11), CUDA, "gpu", "you asked for the GPU, but there is no GPU here"),
        (computer(16, 11, nvidia(8)), CUDA, "metal", "you asked for Metal, but there is no device for Metal"),
        (
            computer(16, 11, notes=("The NVIDIA card could not be probed: it did not answer within 10 seconds.",)),
            CUDA,
            "auto",
            "did not answer within 10 seconds",
        ),
        (computer(16, 11, nvidia(8)), CUDA, "cpu", "because you set it"),
    ],
)
def test_why_a_gpu_is_not_used(hardware: Hardware, build: Build, device: str, why: str) -> None:
    chosen = pick(FOUR, hardware, build, device=device)
    assert chosen.choice.value.device == "cpu"
    assert why in chosen.choice.reason
    assert why in chosen.parts["device"].reason


@pytest.mark.parametrize(
    ("total", "free", "header", "layers", "fit"),
    [
        (8, 5.5, FOUR, 37, "fits"),
        (16, 11, EIGHT, 37, "fits"),
        (32, 26, FOURTEEN, 41, "fits"),
        (8, 4.5, EIGHT, 37, "swap"),
    ],
)
def test_unified_memory(total: float, free: float, header: GgufHeader, layers: int, fit: str) -> None:
    chosen = pick(header, apple(total, free), METAL)
    assert chosen.choice.value.device == "metal"
    assert chosen.fit == fit
    assert (chosen.choice.value.gpu_layers == layers) == (fit == "fits")
    assert chosen.budget.need <= total * GB


def test_unified_memory_counts_once() -> None:
    """What Metal takes is not free for the rest: a model that leaves less than 1 GB is tight."""
    chosen = pick(FOURTEEN, apple(16, 9.4), METAL)
    assert chosen.fit == "tight"
    assert pick(FOUR, apple(16, 8.5), METAL).choice.value.context == 4096  # a larger one would take over half of it
    assert pick(FOUR, apple(16, 12), METAL).choice.value.context == 16_384


def test_what_is_left_free_on_each_kind_of_gpu() -> None:
    assert fitting.room(nvidia(8, free=4)) == 4 * GB - (457 << 20)
    assert fitting.room(Gpu("metal", "Apple GPU", 0, 8 * GB, 4 * GB)) == 4 * GB - (512 << 20)


@pytest.mark.parametrize(
    ("power", "cores", "threads", "why"),
    [
        (Power(), 8, 8, "physical core"),
        (Power(False, 100.0), 8, 8, "physical core"),
        (Power(True, 80.0), 8, 8, "battery"),
        (Power(True, 12.0), 8, 4, "battery is at 12%"),
        (Power(True, 12.0), 2, 2, "battery"),
        (Power(True, 12.0), 1, 1, "battery"),
        (Power(True, None), 4, 4, "battery"),
        (Power(False, 12.0), 4, 4, "physical core"),
    ],
)
def test_threads(power: Power, cores: int, threads: int, why: str) -> None:
    chosen = pick(SMALL, computer(16, 11, cores=cores, power=power))
    assert chosen.choice.value.threads == threads
    assert why in chosen.parts["threads"].reason


def test_threads_of_a_hybrid_or_limited_processor() -> None:
    hybrid = pick(SMALL, computer(16, 11, cores=14, fast=6))
    assert hybrid.choice.value.threads == 6
    assert "performance core" in hybrid.parts["threads"].reason
    limited = pick(SMALL, computer(16, 11, cores=1, limit="a limit gives this process 1 of 8 logical cores"))
    assert limited.choice.value.threads == 1
    assert "1 of 8" in limited.parts["threads"].reason


def test_every_part_can_be_set_and_says_so() -> None:
    chosen = pick(
        EIGHT,
        computer(16, 11, nvidia(8)),
        CUDA,
        **{"device": "cuda", "gpu_layers": 5, "threads": 3, "context": 2048, "kv_type": "q8_0", "batch": 64},
    )
    placement = chosen.choice.value
    assert (placement.gpu_layers, placement.threads, placement.context, placement.kv_type) == (5, 3, 2048, "q8_0")
    assert placement.batch == 64
    for name in ("device", "gpu_layers", "threads", "context", "kv_type", "batch"):
        assert chosen.parts[name].reason == "because you set it", name


def test_a_batch_that_was_set_is_counted_and_held_by_the_context() -> None:
    hardware = computer(16, 11)
    small, large = pick(SMALL, hardware, batch=64), pick(SMALL, hardware, batch=2048)
    assert (small.choice.value.batch, large.choice.value.batch) == (64, 2048)
    assert large.budget.compute > 10 * small.budget.compute
    held = pick(STARTER, hardware, batch=2048)
    assert held.choice.value.batch == 1024
    assert held.parts["batch"].reason == "as many tokens as the context holds"
    wide = pick(SMALL, computer(64, 60), batch=4096).choice.value
    assert (wide.context, wide.batch) == (16_384, 4096)


def test_a_context_above_the_trained_one_is_never_used() -> None:
    chosen = pick(STARTER, computer(16, 11), context=8192)
    assert chosen.choice.value.context == 1024
    assert chosen.parts["context"].reason == "you set 8,192, but the model was trained for 1,024"
    assert pick(replace(STARTER, context_length=0), computer(16, 11), context=8192).choice.value.context == 8192


def test_a_context_that_was_set_is_kept_and_its_price_said() -> None:
    chosen = pick(FOUR, computer(8, 4.5), context=16_384)
    assert chosen.choice.value.context == 16_384
    assert chosen.fit == "tight"
    assert "Memory is tight" in chosen.choice.reason
    with pytest.raises(ModelTooLarge) as caught:
        pick(FOUR, computer(4, 2), context=40_000)
    assert "40,000" in caught.value.hint


def test_zero_layers_means_the_processor_and_too_many_are_warned_of() -> None:
    hardware = computer(32, 26, nvidia(4))
    none = pick(FOUR, hardware, CUDA, gpu_layers=0)
    assert none.choice.value.device == "cpu"
    many = pick(FOURTEEN, hardware, CUDA, gpu_layers=99)
    assert many.choice.value.gpu_layers == 41
    assert many.fit == "swap"
    assert "set fewer" in many.warning


@pytest.mark.parametrize("free", [0.3, 0.9, 1.05])
def test_the_starter_runs_whatever_is_free(free: float) -> None:
    assert pick(STARTER, computer(4, free)).choice.value.context == 1024


def test_every_choice_carries_a_reason_for_every_part() -> None:
    expected = {field.name for field in fields(Placement)} - {"runtime", "mmap", "precision"}
    for hardware, build in ((computer(8, 4.5), EVERY), (computer(8, 4.5, nvidia(4)), CUDA), (apple(16, 11), METAL)):
        for header in (STARTER, SMALL, FOUR, HYBRID):
            chosen = pick(header, hardware, build)
            assert set(chosen.parts) == expected
            for name, part in chosen.parts.items():
                assert part.reason
                assert part.value == getattr(chosen.choice.value, name)
            assert chosen.choice.reason.endswith(".")


def test_more_free_memory_never_gives_less() -> None:
    for header in (SMALL, FOUR, EIGHT, HYBRID):
        grades = {"swap": 0, "tight": 1, "fits": 2}
        before = (-1, 0)
        for tenth in range(10, 160, 5):
            chosen = pick(header, computer(16, tenth / 10))
            now = (grades[chosen.fit], chosen.choice.value.context if chosen.fit == "fits" else 0)
            assert now >= before, (header.name, tenth)
            before = now
