"""Tests of the sum of memory, against sizes that llama.cpp itself reported."""

from __future__ import annotations

from dataclasses import replace

import pytest
from machines import FOUR, GB, HYBRID, MB, SMALL, STARTER, model

from edgellm.models.gguf import GgufHeader
from edgellm.runtimes import budget as sums

# Two models of random weights that were loaded with llama.cpp; its log gave the sizes below.
TALL = model("tall", 344e6, 350 * MB, 12, 1024, 16, 8, 128, architecture="llama")
WIDE = model("wide", 309e6, 314 * MB, 4, 2048, 32, 8, 64, architecture="llama", vocab=32_000)


@pytest.mark.parametrize(
    ("header", "context", "cache"), [(TALL, 4096, 192), (TALL, 16_384, 768), (WIDE, 4096, 32), (WIDE, 16_384, 128)]
)
def test_kv_cache_is_what_llama_allocates(header: GgufHeader, context: int, cache: int) -> None:
    assert sums.kv_bytes(header, context) == cache * MB


@pytest.mark.parametrize(
    ("header", "context", "batch", "reported"),
    [
        (TALL, 4096, 512, 312.76),
        (TALL, 4096, 128, 78.19),
        (TALL, 16_384, 512, 320.75),
        (TALL, 16_384, 128, 80.19),
        (WIDE, 4096, 512, 70.50),
        (WIDE, 16_384, 512, 80.01),
        (WIDE, 16_384, 128, 20.00),
    ],
)
def test_compute_is_a_close_upper_bound(header: GgufHeader, context: int, batch: int, reported: float) -> None:
    own = sums.compute_bytes(header, context, batch) - sums.ENGINE
    assert reported * MB * 0.999 <= own <= reported * MB * 1.4


def test_q8_0_takes_a_little_more_than_half() -> None:
    assert sums.kv_bytes(FOUR, 4096, "q8_0") / sums.kv_bytes(FOUR, 4096) == pytest.approx(34 / 64)


def test_context_is_rounded_up_as_llama_does() -> None:
    assert sums.kv_bytes(FOUR, 4097) == sums.kv_bytes(FOUR, 4352) > sums.kv_bytes(FOUR, 4096)


def test_recurrent_layers_keep_no_cache() -> None:
    full = replace(HYBRID, metadata={})
    state = 4 * (3 * (4096 + 2 * 16 * 128) + 128 * 4096)
    assert sums.kv_bytes(HYBRID, 32_768) == sums.kv_bytes(full, 32_768) // 4 + 24 * state
    growth = sums.kv_bytes(HYBRID, 32_768) - sums.kv_bytes(HYBRID, 16_384)
    assert growth == 8 * 16_384 * 4 * 512 * 2  # only the eight attention layers grow


def test_kv_heads_may_differ_from_layer_to_layer() -> None:
    mixed = replace(FOUR, block_count=4, metadata={"qwen3.attention.head_count_kv": (8, 0, 0, 2)})
    assert sums.kv_bytes(mixed, 4096) == 4096 * (8 + 2) * 256 * 2


@pytest.mark.parametrize("odd", [float("inf"), float("nan"), -3, True, 1 << 60])
def test_kv_heads_that_no_model_has_are_passed_over(odd: float) -> None:
    header = replace(FOUR, metadata={"qwen3.attention.head_count_kv": (odd,) * 36})
    assert sums.kv_bytes(header, 4096) == sums.kv_bytes(FOUR, 4096)


def test_layers_that_share_a_cache_and_narrow_heads() -> None:
    keys = {
        "qwen3.attention.shared_kv_layers": 2,
        "qwen3.attention.sliding_window_pattern": (True, True, False, True),
        "qwen3.attention.key_length_swa": 64,
        "qwen3.attention.value_length_swa": 64,
    }
    shared = replace(FOUR, block_count=4, metadata=keys)
    assert sums.kv_bytes(shared, 4096) == 4096 * 8 * 128 * 2 * 2  # two layers with their own, narrow, cache


def test_the_sum_in_words() -> None:
    whole = sums.budget(FOUR, 4096, 512, "f16", int(4.5 * GB), 8 * GB)
    assert whole.need == whole.weights + whole.kv + whole.compute == whole.in_main
    assert str(whole) == ("weights 2.33 GB + KV cache 0.56 GB + compute 0.41 GB = 3.30 GB; 4.50 GB of 8.00 GB free")
    split = replace(whole, on_gpu=GB)
    assert "1.00 GB of it on the GPU" in str(split)
    assert split.in_main == whole.need - GB


@pytest.mark.parametrize("header", [STARTER, SMALL, FOUR, HYBRID])
def test_layers_on_a_gpu_never_exceed_the_room(header: GgufHeader) -> None:
    whole = sums.budget(header, 4096, 512, "f16", 32 * GB, 32 * GB)
    seen = []
    for room in range(0, 5 * GB, 64 * MB):
        layers = sums.layers_that_fit(header, whole, room)
        assert sums.on_gpu(header, whole, layers) <= room or layers == 0
        seen.append(layers)
    assert seen == sorted(seen)
    assert seen[0] == 0
    assert seen[-1] == header.block_count + 1
    every = [sums.on_gpu(header, whole, layers) for layers in range(header.block_count + 2)]
    assert every == sorted(set(every))  # each layer, and the output after the last, takes its own
    assert every[-1] == whole.need - sums.ENGINE


def test_layers_and_output_make_up_the_weights() -> None:
    every = sums.layer_bytes(FOUR) * FOUR.block_count + sums.output_bytes(FOUR)
    assert every == pytest.approx(FOUR.tensor_bytes, abs=FOUR.block_count)
