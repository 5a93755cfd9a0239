"""Tests of the advice: whether a model fits, the sum behind it, and what a catalog card alone can say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from machines import ALL, CUDA, EIGHT, EVERY, FOUR, GB, HYBRID, MB, SMALL, computer, nvidia

from edgellm.errors import ModelDamaged
from edgellm.hardware.probe import Hardware
from edgellm.models import catalog
from edgellm.models.catalog import CardFile, ModelCard
from edgellm.models.gguf import GgufHeader
from edgellm.paths import from_environment, starter_model
from edgellm.runtimes import card_shape
from edgellm.runtimes.advice import VERDICTS, Advice, Here, advise, advise_file
from edgellm.runtimes.architectures import NO_READING
from edgellm.runtimes.budget import kv_bytes
from edgellm.runtimes.build import Build
from edgellm.runtimes.speed import Measured, Miss, SelfTest, Speeds
from edgellm.settings import Settings, changed

TEST = SelfTest(1, 4, 40e9, 35e9, 400e9, 2e9, 3000.0, 15_000.0, 9_000_000, 4_700_000, 4)


def here(
    hardware: Hardware | None = None, speeds: Speeds | None = None, build: Build = EVERY, **settings: object
) -> Here:
    """A computer to ask about; 8 GB with 6 free."""
    return Here(hardware or computer(8, 6), changed(Settings(), **settings), build, speeds or Speeds("m"))


def card(size: int | None = 2500 * MB, parameters: str = "4B", **fields: object) -> ModelCard:
    """A card of the catalog."""
    values: dict[str, object] = {
        "architecture": "qwen3", "context": 40_960, "quantization": "Q4_K_M", "tasks": ("chat",), **fields,
    }  # fmt: skip
    return ModelCard("card", "Card", "", (CardFile("model.gguf", size),), parameters=parameters, **values)  # type: ignore[arg-type]


def test_the_sentence_holds_the_sum_and_it_adds_up() -> None:
    found = advise(card(), here())
    total = found.budget
    assert total is not None
    assert found.fit == "fits"
    assert found.verdict == "Fits"
    assert total.need == total.weights + total.kv + total.compute
    assert total.weights == 2500 * MB
    assert str(total)[1:] in found.sentence
    assert found.sentence.startswith("At most about weights 2.44 GB + KV cache ")
    assert "6.00 GB of 8.00 GB free, with a window of 4,096 tokens." in found.sentence


@pytest.mark.parametrize(
    ("free", "fit", "words"),
    [
        (6.0, "fits", "free, with a window of"),
        (3.4, "tight", "Close other programs if it slows down."),
        (2.0, "swap", "It would swap and be slow; close other programs, or take a smaller model."),
    ],
)
def test_the_memory_that_is_free_decides(free: float, fit: str, words: str) -> None:
    found = advise(card(), here(computer(8, free)))
    assert found.fit == fit
    assert words in found.sentence
    assert found.placement is not None


def test_what_is_larger_than_the_computer_is_said_and_not_forbidden() -> None:
    found = advise(card(size=12 * GB, parameters="20B"), here())
    assert found.fit == "swap"
    assert "more than all the memory of this computer" in found.sentence
    assert found.speed is None
    assert found.speed_line == "Its speed cannot be foretold: the disk decides it."


def test_the_window_that_is_set_is_the_one_that_counts() -> None:
    small, large = advise(card(), here(context=1024)), advise(card(), here(context=32_768))
    assert small.budget is not None
    assert large.budget is not None
    assert small.placement is not None
    assert (small.placement.context, "1,024 tokens" in small.sentence) == (1024, True)
    assert large.budget.kv == 32 * small.budget.kv or large.budget.kv > 8 * small.budget.kv


@pytest.mark.parametrize(
    ("header", "architecture", "parameters"),
    [(SMALL, "qwen3", "0.6B"), (FOUR, "qwen3", "4B"), (EIGHT, "qwen3", "8.2B"), (HYBRID, "qwen35", "4B")],
)
def test_a_card_bounds_the_header_without_being_wild(header: GgufHeader, architecture: str, parameters: str) -> None:
    shape = card_shape.of(card(header.file_size, parameters, architecture=architecture))
    assert shape is not None
    for context in (1024, 4096, 16_384):
        real, bound = kv_bytes(header, context), kv_bytes(shape.header, context)
        assert real * 0.95 <= bound <= real * 2.5
    assert 0.8 < shape.header.parameters / header.parameters < 1.25


@pytest.mark.parametrize(
    ("parameters", "size", "total", "active"),
    [
        ("35B (3B active)", 22_134_528_992, 35e9, 3e9),
        ("20.9B (3.6B active)", 12_109_566_560, 20.9e9, 3.6e9),
        ("8.5B (1B active)", 5_155_564_768, 8.5e9, 1e9),
        ("4B effective (E4B)", 4_215_695_776, 7e9, 4e9),
        ("0.6B (0.596B)", 396_705_472, 0.6e9, 0.6e9),
        ("230M", 153_406_304, 0.23e9, 0.23e9),
        ("3B (3.8B with vision)", 2_146_497_824, 3e9, 3e9),
        ("", 2_500_000_000, 4.1e9, 4.1e9),
        ("0.0001B", 2_500_000_000, 4.1e9, 1e5),
        ("999999999999999B", 2_500_000_000, 4.1e9, 4.1e9),
        ("seven", 2_500_000_000, 4.1e9, 4.1e9),
    ],
)
def test_the_number_of_weights_as_cards_write_it(parameters: str, size: int, total: float, active: float) -> None:
    shape = card_shape.of(card(size, parameters))
    assert shape is not None
    assert shape.header.parameters == pytest.approx(total, rel=0.1)
    assert shape.active == pytest.approx(active, rel=0.1)


def test_hybrids_and_mixtures_are_not_overestimated() -> None:
    plain = advise(card(context=262_144), here(context=16_384, kv_type="f16"))
    hybrid = advise(card(context=262_144, architecture="qwen35"), here(context=16_384, kv_type="f16"))
    mixture = advise(card(22 * GB, "35B (3B active)"), here(computer(64, 60), context=4096))
    assert plain.budget is not None
    assert hybrid.budget is not None
    assert mixture.budget is not None
    assert hybrid.budget.kv < 0.3 * plain.budget.kv
    assert mixture.budget.kv < 0.6 * GB


def test_a_size_that_is_not_known_is_taken_from_the_weights_and_said() -> None:
    found = advise(card(None, "14B"), here(computer(32, 28)))
    assert found.budget is not None
    assert found.estimated
    assert 7.5 * GB < found.budget.weights < 9.5 * GB
    nothing = advise(card(None, ""), here())
    assert (nothing.fit, nothing.budget) == ("tight", None)
    assert "size is not known" in nothing.sentence
    assert nothing.speed_line


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"architecture": "qwen99"}, "does not know the architecture qwen99"),
        ({"architecture": "bert"}, "does not write text"),
        ({"tasks": ("embed",), "architecture": "bert"}, NO_READING),
    ],
)
def test_what_cannot_run_yet_is_said_before_a_download(fields: dict[str, object], words: str) -> None:
    found = advise(card(**fields), here())  # type: ignore[arg-type]
    assert found.fit == "unsupported"
    assert words in found.sentence
    assert found.speed_line == ""


def test_a_model_of_another_format_has_a_sum_too() -> None:
    other = {"format": "onnx", "architecture": "", "quantization": "int8"}
    found = advise(card(700 * MB, "600M", **other), here())
    assert (found.fit, found.estimated) == ("fits", True)
    assert found.sentence.startswith("At most about weights 0.68 GB + KV cache 0 MB + compute ")
    assert advise(card(9 * GB, "9B", **other), here()).fit == "swap"


def test_a_file_is_judged_by_its_own_header(tmp_path: Path) -> None:
    found = advise_file(starter_model(), here())
    assert (found.fit, found.estimated) == ("fits", False)
    assert found.sentence.startswith("Weights 5 MB + KV cache ")
    damaged = tmp_path / "x.gguf"
    damaged.write_bytes(starter_model().read_bytes()[:300])
    with pytest.raises(ModelDamaged):
        advise_file(damaged, here())


def test_the_starter_is_known_without_a_size_on_its_card() -> None:
    shipped = catalog.load(from_environment()).get("starter")
    assert advise(shipped, here()) == advise_file(starter_model(), here())


def test_a_run_of_the_file_is_the_speed_of_its_card() -> None:
    runs = Measured(
        "model.gguf:2621440000", "Card", "cpu", 0.0, 4, 2500 * MB, 4_000_000_000, 36, 1, (10.0,), (), (0.7,)
    )
    found = advise(card(), here(speeds=Speeds("m", TEST, (runs,), (Miss("measured", 11.0, 10.0),))))
    assert found.words_per_second == pytest.approx(7.0)
    assert found.basis == "measured here, over 1 run"
    assert found.error == pytest.approx(0.1)
    assert found.speed_line == "about 7.0 words/s, measured here, over 1 run; predictions here were 10% off over 1 run."


def test_without_measurements_the_command_that_measures_is_named() -> None:
    line = advise(card(), here()).speed_line
    assert line.endswith(" words/s, assumed as for an ordinary laptop, until edgellm doctor --measure has run.")
    measured = advise(card(), here(speeds=Speeds("m", TEST)))
    assert measured.speed_line.endswith(" words/s, estimated from the self-test of this computer.")
    on_gpu = advise(card(), here(computer(16, 12, nvidia(8)), Speeds("m", TEST), CUDA))
    assert on_gpu.all_on_gpu
    assert "all on the GPU" in on_gpu.sentence
    assert on_gpu.speed_line == "Its speed is not known: no model has run on this GPU yet."


def test_an_active_tenth_is_much_faster_than_all() -> None:
    speeds = Speeds("m", TEST)
    dense = advise(card(18 * GB, "30B"), here(computer(64, 60), speeds))
    mixture = advise(card(18 * GB, "30B (3B active)"), here(computer(64, 60), speeds))
    assert dense.words_per_second is not None
    assert mixture.words_per_second is not None
    assert mixture.words_per_second > 5 * dense.words_per_second


def test_a_processor_that_no_library_runs_on_is_no_crash() -> None:
    old = computer(8, 6, flags=frozenset())
    found = advise(card(), here(old, build=Build("0.3.36", tuple(name for name in ALL if name != "x64"))))
    assert found.fit == "unsupported"
    assert "No part of the installed llama.cpp" in found.sentence


def test_every_card_of_the_catalog_gets_advice_on_every_computer() -> None:
    cards = catalog.load(from_environment()).cards
    assert len(cards) > 30
    asked: list[Callable[[ModelCard], Advice]] = [
        lambda one, total=total, test=test: advise(one, here(computer(total, total * 0.7), Speeds("m", test)))  # type: ignore[misc]
        for total in (2, 8, 64)
        for test in (None, TEST)
    ]
    for one in cards:
        for ask in asked:
            found = ask(one)
            assert found.fit in VERDICTS
            assert found.sentence.endswith(".")
            assert found.sentence[0].isupper()
            assert found.words_per_second is None or found.words_per_second > 0
            assert found.as_dict()["fit"] == found.fit


@given(
    size=st.none() | st.integers(0, 1 << 62),
    parameters=st.text(max_size=30) | st.from_regex(r"\d{1,9}(\.\d+)?[BM] \(\d+[BM] active\)", fullmatch=True),
    architecture=st.sampled_from(("", "llama", "qwen35", "lfm2moe", "gemma4", "qwen99", "moe")),
    context=st.sampled_from((0, 1, 255, 4096, 262_144, 1 << 40)),
    quantization=st.text(max_size=12) | st.sampled_from(("Q4_K_M", "F32", "Q0", "Q9", "MXFP4", "INT8", "FP999999")),
)
@settings(max_examples=200, deadline=None)
def test_no_card_of_a_stranger_breaks_it(
    size: int | None, parameters: str, architecture: str, context: int, quantization: str
) -> None:
    odd = card(size, parameters, architecture=architecture, context=context, quantization=quantization)
    known = Measured("a", "A", "cpu", 0.0, 4, 400 * MB, 600_000_000, 28, 1, (10.0,), (), (0.7,))
    for speeds in (Speeds("m"), Speeds("m", TEST), Speeds("m", TEST, (known,))):
        found = advise(odd, here(speeds=speeds))
        assert found.fit in VERDICTS
        assert found.speed is None or 0 < found.speed.tokens_per_second < 1e9


def test_the_plain_values_are_plain() -> None:
    import json

    text = json.dumps(advise(card(), here(speeds=Speeds("m", TEST))).as_dict())
    assert '"words_per_second"' in text
    assert replace(advise(card(), here()), speed=None).as_dict()["words_per_second"] is None
