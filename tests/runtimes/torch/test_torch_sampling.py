"""Sampling: the settings cut away what they say, and what is left is drawn by its share."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edgellm.runtimes.base import Sampling
from edgellm.runtimes.torch.sampling import Sampler

SHARES = np.array([0.4, 0.3, 0.15, 0.1, 0.05])
LOGITS = np.log(SHARES).astype(np.float32)
FREE = Sampling(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, seed=11)


def drawn(count: int = 4000, **settings: Any) -> Counter[int]:
    sampler = Sampler(replace(FREE, **settings))
    return Counter(sampler.draw(LOGITS.copy()) for _ in range(count))


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({}, 5),
        ({"top_k": 2}, 2),
        ({"top_p": 0.69}, 2),
        ({"top_p": 0.71}, 3),
        ({"min_p": 0.3}, 3),
        ({"min_p": 0.5}, 2),
        ({"top_k": 4, "top_p": 0.99, "min_p": 0.26}, 3),
    ],
)
def test_what_is_left_is_drawn_by_its_share(settings: dict[str, Any], kept: int) -> None:
    found = drawn(**settings)
    assert set(found) == set(range(kept))
    expected = SHARES[:kept] / SHARES[:kept].sum()
    assert all(abs(found[token] / 4000 - expected[token]) < 0.03 for token in range(kept))


def test_temperature_sharpens_and_flattens() -> None:
    cold, hot = drawn(temperature=0.5), drawn(temperature=2.0)
    squares = SHARES**2 / (SHARES**2).sum()
    assert abs(cold[0] / 4000 - squares[0]) < 0.03
    assert hot[4] > drawn()[4]
    assert set(drawn(100, temperature=0.0)) == {0}


def test_penalties_look_at_the_answer() -> None:
    sampler = Sampler(Sampling(temperature=0.0, presence_penalty=0.5))
    assert [sampler.draw(LOGITS.copy()) for _ in range(2)] == [0, 1]
    sampler = Sampler(Sampling(temperature=0.0, frequency_penalty=0.2))
    assert [sampler.draw(LOGITS.copy()) for _ in range(5)] == [0, 0, 1, 0, 1]
    sampler = Sampler(Sampling(temperature=0.0, repeat_penalty=1.5))
    assert [sampler.draw(LOGITS.copy()) for _ in range(3)] == [0, 1, 0]
    sampler = Sampler(Sampling(temperature=0.0))
    assert [sampler.draw(LOGITS.copy()) for _ in range(3)] == [0, 0, 0]


def test_the_same_seed_draws_the_same_and_negative_ones_are_seeds_too() -> None:
    for seed in (-1, 0, 2**70):
        first, second = Sampler(Sampling(temperature=1.0, seed=seed)), Sampler(Sampling(temperature=1.0, seed=seed))
        assert [first.draw(LOGITS.copy()) for _ in range(50)] == [second.draw(LOGITS.copy()) for _ in range(50)]
