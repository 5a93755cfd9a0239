"""Greedy and beam search must give the token ids of transformers, for every architecture and option."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch

from edgellm.runtimes.base import Placement
from edgellm.runtimes.onnx.decoder import CachedDecoder, encode
from edgellm.runtimes.onnx.folder import read_folder
from edgellm.runtimes.onnx.rules import Rules, rules_of
from edgellm.runtimes.onnx.search import beam, greedy
from edgellm.runtimes.onnx.session import Session
from tests import tiny_onnx

OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"no_repeat_ngram_size": 2},
    {"length_penalty": 2.0},
    {"length_penalty": 0.6, "early_stopping": True},
    {"early_stopping": "never"},
    {"early_stopping": "never", "length_penalty": 0.0},
    {"repetition_penalty": 1.3},
    {"min_length": 6},
    {"forced_bos_token_id": 7},
    {"bad_words_ids": [[9], [20]]},
)


class Model:
    """An exported model with its sessions and its torch original."""

    def __init__(self, name: str) -> None:
        self.path, self.torch = tiny_onnx.seq2seq(name)
        self.folder = read_folder(self.path)
        self.encoder = Session(self.folder.files["encoder_model"].path, Placement(threads=1))
        self.decoder = Session(self.folder.files["decoder_model_merged"].path, Placement(threads=1))

    def ours(self, ids: tuple[int, ...], **options: Any) -> tuple[list[int], Rules]:
        rules = rules_of(self.folder.config, {**self.folder.generation, **options}, tiny_onnx.WORDS)
        decoder = CachedDecoder(self.decoder, encode(self.encoder, ids))
        return (list(greedy(decoder, rules)) if rules.beams == 1 else beam(decoder, rules)), rules

    def theirs(self, ids: tuple[int, ...], rules: Rules, **options: Any) -> list[int]:
        with torch.no_grad():
            found = self.torch.generate(torch.tensor([ids]), do_sample=False, **options)[0].tolist()[1:]
        while found and found[-1] == rules.pad:
            found.pop()
        return [token for token in found if token not in rules.end]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", tiny_onnx.SEQ2SEQ)
@pytest.mark.parametrize("beams", [1, 4])
def test_same_tokens_as_transformers(name: str, beams: int) -> None:
    model, rng = Model(name), random.Random(name)
    answers = set()
    for number in range(2 * len(OPTIONS)):
        ids = (*(rng.randrange(8, 300) for _ in range(rng.randrange(3, 14))), 2)
        options = {**OPTIONS[number % len(OPTIONS)], "max_length": rng.choice((8, 16, 30)), "num_beams": beams}
        found, rules = model.ours(ids, **options)
        assert found == model.theirs(ids, rules, **options), options
        answers.add(tuple(found))
    assert len(answers) > 5, "the answers are too much alike to prove anything"


def test_a_search_ends_where_it_is_canceled() -> None:
    model = Model("bart")
    rules = rules_of(model.folder.config, {"max_length": 60, "num_beams": 4}, tiny_onnx.WORDS)
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 5

    tokens = beam(CachedDecoder(model.decoder, encode(model.encoder, (10, 11, 12, 2))), rules, cancelled)
    assert asked == 6
    assert 0 < len(tokens) <= 5


def test_ids_outside_the_vocabulary_are_refused(tmp_path: Path) -> None:
    from edgellm.errors import ModelDamaged

    for bad in (-1, 320, 1 << 40, "2", 2.0, True):
        with pytest.raises(ModelDamaged):
            rules_of({"eos_token_id": bad, "decoder_start_token_id": 1}, {}, tiny_onnx.WORDS)
    with pytest.raises(ModelDamaged):
        rules_of({"eos_token_id": 2}, {}, tiny_onnx.WORDS)
