"""Tests of the speed to expect: what a token costs, which measurement counts, and how far that may be carried."""

from __future__ import annotations

from dataclasses import replace

import pytest
from machines import FOUR, HYBRID, MB, SMALL, model

from edgellm.runtimes.base import Finish
from edgellm.runtimes.prediction import foresee, ordinary_speed, predict, roofline
from edgellm.runtimes.speed import Measured, Miss, Sample, SelfTest, Speeds, Way
from edgellm.runtimes.workload import Work, active_weights, work

TEST = SelfTest(1, 4, 40e9, 35e9, 400e9, 2e9, 3000.0, 15_000.0, 9_000_000, 4_700_000, 4)
WAY = Way("cpu", 0.0, 4)
A = Work(400 * MB, 600_000_000, 28)
B = Work(2400 * MB, 4_000_000_000, 36)
TINY = Work(9 * MB, 4_700_000, 4)


def measured(
    key: str, token: Work, *speeds: float, way: Way = WAY, words: tuple[float, ...] = (), time: int = 5
) -> Measured:
    """A model with runs."""
    return Measured(
        key,
        key.title(),
        way.device,
        way.share,
        way.threads,
        token.read,
        token.weights,
        token.layers,
        time,
        speeds,
        (),
        words,
    )


def test_nothing_is_said_of_a_gpu_where_nothing_is_known() -> None:
    assert predict("a", A, Way("cuda:0", 1.0, 4), Speeds("m")) is None
    assert predict("a", A, Way("cuda:0", 1.0, 4), Speeds("m", TEST)) is None


def test_the_self_test_comes_first_in_time_and_last_in_rank() -> None:
    found = predict("a", A, WAY, Speeds("m", TEST))
    assert found is not None
    assert (found.basis, found.because) == ("test", "estimated from the self-test of this computer")
    near = predict("a", A, WAY, Speeds("m", TEST, (measured("b", B, 4.0),)))
    assert near is not None
    assert (near.basis, near.because) == ("scaled", "scaled from B, measured here")
    own = predict("a", A, WAY, Speeds("m", TEST, (measured("b", B, 4.0), measured("a", A, 30.0, 10.0, 20.0))))
    assert own is not None
    assert (own.basis, own.because, own.tokens_per_second) == ("measured", "measured here, over 3 runs", 20.0)


def test_before_anything_is_measured_an_inexpensive_laptop_is_assumed() -> None:
    found = {}
    for threads in (2, 4, 8):
        one = predict("b", B, Way("cpu", 0.0, threads), Speeds("m"))
        assert one is not None
        assert one.basis == "assumed"
        assert one.because == "assumed as for an ordinary laptop, until edgellm doctor --measure has run"
        assert one.accuracy is None
        found[threads] = one.tokens_per_second
    assert 2 < found[2] < 4 < found[4] < found[8] < 6
    assert found[8] < ordinary_speed(B)


def test_an_assumption_yields_to_whatever_was_measured() -> None:
    slow = replace(TEST, bandwidth=2e9, compute=20e9)
    for speeds in (Speeds("m", slow), Speeds("m", None, (measured("a", A, 1.0),))):
        assumed, found = predict("b", B, WAY, Speeds("m")), predict("b", B, WAY, speeds)
        assert assumed is not None
        assert found is not None
        assert found.basis in ("test", "scaled")
        assert found.tokens_per_second < assumed.tokens_per_second / 4


def test_the_bound_of_memory_is_never_passed() -> None:
    for token in (A, B, TINY, work(HYBRID, 4096), work(FOUR, 4096)):
        found = predict("x", token, WAY, Speeds("m", TEST))
        assert found is not None
        assert 0 < found.tokens_per_second < TEST.bandwidth / token.read


def test_a_larger_model_is_slower_and_a_faster_computer_faster() -> None:
    assert roofline(B, WAY, TEST) > 4 * roofline(A, WAY, TEST)
    quick = replace(TEST, bandwidth=80e9, compute=800e9)
    assert roofline(B, WAY, quick) == pytest.approx(roofline(B, WAY, TEST) / 2, rel=0.1)
    assert roofline(B, replace(WAY, threads=1), TEST) > 1.5 * roofline(B, WAY, TEST)
    assert 5 < ordinary_speed(B) < 15


def test_what_another_model_was_off_carries_over() -> None:
    bound = 1 / roofline(A, WAY, TEST)
    half = Speeds("m", TEST, (measured("a", A, bound / 2),))
    found = predict("b", B, WAY, half)
    assert found is not None
    assert found.tokens_per_second == pytest.approx(0.5 / roofline(B, WAY, TEST))


def test_the_nearest_in_size_and_kind_is_asked() -> None:
    eight_bit = replace(B, read=2 * B.read)
    models = (measured("small", A, 30.0), measured("eight", eight_bit, 3.0), measured("near", B, 5.0))
    found = predict("x", replace(B, read=B.read + MB), WAY, Speeds("m", TEST, models))
    assert found is not None
    assert "Near" in found.because


def test_a_model_that_lives_in_the_cache_says_nothing_about_a_large_one() -> None:
    tiny = measured("starter", TINY, 3000.0)
    found = predict("x", B, WAY, Speeds("m", TEST, (tiny,)))
    assert found is not None
    assert found.basis == "test"
    assumed = predict("x", B, WAY, Speeds("m", None, (tiny,)))
    assert assumed is not None
    assert assumed.basis == "assumed"


def test_the_gpu_is_only_foretold_from_the_gpu() -> None:
    here, there = measured("a", A, 30.0), measured("a", A, 200.0, way=Way("cuda:0", 1.0, 4))
    for way, speed in ((WAY, 30.0), (Way("cuda:0", 1.0, 4), 200.0)):
        found = predict("a", A, way, Speeds("m", TEST, (here, there)))
        assert found is not None
        assert found.tokens_per_second == speed
    assert predict("a", A, Way("cuda:0", 0.5, 4), Speeds("m", TEST, (here, there))) is None
    assert predict("a", A, Way("cuda:1", 1.0, 4), Speeds("m", TEST, (here, there))) is None


def test_the_same_number_of_threads_comes_first() -> None:
    four, two = measured("a", A, 30.0), measured("a", A, 18.0, way=Way("cpu", 0.0, 2), time=9)
    for threads, speed in ((4, 30.0), (2, 18.0), (8, 18.0)):
        found = predict("a", A, Way("cpu", 0.0, threads), Speeds("m", None, (four, two)))
        assert found is not None
        assert found.tokens_per_second == speed


@pytest.mark.parametrize(
    ("language", "words"), [("en", 15.0), ("de", 10.0), ("zh", 28.0), ("pt-BR", 12.0), ("fi", 9.0)]
)
def test_words_come_from_the_language_until_the_model_has_written(language: str, words: float) -> None:
    unknown = predict("a", A, WAY, Speeds("m", TEST, (measured("a", A, 20.0),)), language)
    assert unknown is not None
    assert unknown.words_per_second == pytest.approx(words)
    known = predict("a", A, WAY, Speeds("m", TEST, (measured("a", A, 20.0, words=(0.5, 0.6, 0.7)),)), language)
    assert known is not None
    assert known.words_per_second == pytest.approx(12.0)


def test_the_error_of_its_own_kind_is_named() -> None:
    misses = (Miss("test", 30.0, 20.0), Miss("measured", 21.0, 20.0), Miss("measured", 22.0, 20.0))
    speeds = Speeds("m", TEST, (measured("a", A, 20.0),), misses)
    own, scaled = predict("a", A, WAY, speeds), predict("b", B, WAY, speeds)
    assert own is not None
    assert own.accuracy is not None
    assert (round(own.accuracy.error, 6), own.accuracy.runs) == (0.075, 2)
    assert scaled is not None
    assert scaled.accuracy is None


def test_a_run_is_held_against_what_was_foretold() -> None:
    finish = Finish("stop", 10, 0, 64, 4.0, 20.0, "CPU", 0, False)
    sample = Sample("a", "A", A, WAY, finish, 40)
    assert foresee(sample, Speeds("m")) is None, "an assumption is no prediction"
    assert foresee(sample, Speeds("m", TEST, (measured("a", A, 25.0),))) == Miss("measured", 25.0, 20.0)
    miss = foresee(sample, Speeds("m", TEST))
    assert miss is not None
    assert miss.basis == "test"


def test_of_a_mixture_only_the_experts_in_use_count() -> None:
    facts = {"expert_count": 128, "expert_used_count": 8, "expert_feed_forward_length": 768}
    mixture = model("30B-A3B", 30.5e9, 18_500 * MB, 48, 2048, 32, 4, 128, architecture="qwen3moe", **facts)
    assert 2.5e9 < active_weights(mixture) < 4e9
    token = work(mixture, 4096)
    assert token.read < mixture.tensor_bytes / 7
    assert work(mixture, 4096, active=3_000_000_000).weights == 3_000_000_000
    assert active_weights(FOUR) == FOUR.parameters


def test_rows_of_per_layer_embeddings_are_not_all_read() -> None:
    facts = {"embedding_length_per_layer_input": 256}
    effective = model("E2B", 4.6e9, 2700 * MB, 35, 1536, 8, 1, 256, architecture="gemma4", vocab=262_144, **facts)
    assert 2e9 < active_weights(effective) < 2.5e9


@pytest.mark.parametrize(
    "facts",
    [
        {"expert_count": 1 << 60, "expert_used_count": 8, "expert_feed_forward_length": 1 << 31},
        {"expert_count": 8, "expert_used_count": 0},
        {"expert_count": "many", "expert_used_count": 2.5},
        {"embedding_length_per_layer_input": 1 << 31},
        {"expert_count": (8, 4), "expert_used_count": (2, "x"), "expert_feed_forward_length": ()},
    ],
)
def test_hostile_facts_never_make_the_work_less_than_nothing(facts: dict[str, object]) -> None:
    odd = model("odd", 1e9, 600 * MB, 24, 2048, 16, 8, 128, **facts)
    token = work(odd, 4096)
    assert odd.parameters // 50 <= token.weights <= odd.parameters
    assert token.read > 0


def test_the_cache_of_a_long_context_is_read_only_as_far_as_it_is_usual() -> None:
    assert work(SMALL, 512).read < work(SMALL, 1024).read == work(SMALL, 32_768).read
