"""Tests of what is known of a model in a folder before it runs: tiny exports and cards."""

from __future__ import annotations

from dataclasses import replace

import pytest
from machines import computer

from edgellm.models import catalog
from edgellm.models.catalog import CardFile, ModelCard
from edgellm.paths import from_environment
from edgellm.runtimes import folder_facts
from edgellm.runtimes.base import Placement
from edgellm.runtimes.prediction import predict
from edgellm.runtimes.speed import SelfTest, Speeds, Way
from edgellm.settings import Settings
from tests import tiny_onnx, tiny_torch

pytestmark = pytest.mark.filterwarnings("ignore")
ONNX, TORCH = Placement(runtime="onnx", threads=2), Placement(runtime="torch", threads=2, precision="fp32")
TEST = SelfTest(1_700_000_000, 2, 40e9, 35e9, 250e9, 2e9, 3000.0, 15_000.0, 9_000_000, 4_700_000, 4, 0.1, False)
# Of a layer of the tiny decoders: four matrices for the text so far, two for the source, two for the words
LAYER = 6 * 32 * 32 + 2 * 32 * 48


def test_a_token_costs_what_the_decoder_reads_for_it() -> None:
    path, _ = tiny_onnx.seq2seq("marian")
    found = folder_facts.facts(path, ONNX)
    decoder = (path / "decoder_model_merged.onnx").stat().st_size
    assert found.work.weights == 2 * LAYER + 32 * tiny_onnx.WORDS
    assert found.work.layers == 2
    assert found.work.read == pytest.approx(found.work.weights * 4, rel=0.01)
    assert found.work.read < decoder
    assert found.way(ONNX) == Way("cpu", 0.0, 2, "onnx")


@pytest.mark.parametrize("name", ["t5", "mt5", "bart"])
def test_the_configs_of_other_families_are_understood(name: str) -> None:
    found = folder_facts.facts(tiny_onnx.seq2seq(name)[0], ONNX)
    gate = 32 * 48 * 2 if name == "mt5" else 0
    assert found.work.weights == 2 * LAYER + gate + 32 * tiny_onnx.WORDS


def test_of_pytorch_models_the_encoder_does_not_count_and_numbers_decide() -> None:
    path, model = tiny_torch.saved("marian")
    found = folder_facts.facts(path, TORCH)
    of_encoder = sum(one.numel() for name, one in model.named_parameters() if ".encoder." in name)
    every = sum(one.numel() for one in model.parameters())
    positions = 2 * 64 * 32  # computed, not kept
    assert every - of_encoder - positions <= found.work.weights < every
    half = folder_facts.facts(path, replace(TORCH, precision="bf16"))
    assert half.work.weights == found.work.weights
    assert half.work.read == found.work.read // 2
    assert half.way(replace(TORCH, precision="bf16")) != found.way(TORCH)


def test_what_reads_and_what_pytorch_runs_is_not_foretold() -> None:
    speeds = Speeds("m", TEST)
    encoder = folder_facts.facts(tiny_onnx.encoder("bert")[0], ONNX)
    assert encoder.does == "reads"
    assert predict(encoder.key, encoder.work, encoder.way(ONNX), speeds) is None
    torch = folder_facts.facts(tiny_torch.saved("marian")[0], TORCH)
    assert predict(torch.key, torch.work, torch.way(TORCH), speeds) is None
    onnx = folder_facts.facts(tiny_onnx.seq2seq("marian")[0], ONNX)
    found = predict(onnx.key, onnx.work, onnx.way(ONNX), speeds)
    assert found is not None and found.basis == "test"


def test_a_translator_of_the_catalog_is_foretold_from_its_files() -> None:
    card = next(one for one in catalog.load(from_environment()).cards if one.name == "opus-mt-en-fr")
    likely = folder_facts.card_facts(card, 2)
    assert likely is not None
    facts, way = likely
    assert facts.key == f"opus-mt-en-fr:{50_090_398 + 57_381_512}"
    assert facts.work.read == facts.work.weights == 57_381_512
    assert (way.runtime, way.threads) == ("onnx", 2)
    whole = replace(card, quantization="fp32")
    found = folder_facts.card_facts(whole, 2)
    assert found is not None and found[0].work.weights == 57_381_512 // 4


@pytest.mark.parametrize(
    "card",
    [
        ModelCard("e", "E", "", (CardFile("onnx/model.onnx", 90_000_000),), format="onnx", tasks=("embed",)),
        ModelCard("s", "S", "", (CardFile("model.safetensors", 90_000_000),), format="safetensors", tasks=("chat",)),
        ModelCard("n", "N", "", (CardFile("onnx/decoder_model_merged.onnx", None),), format="onnx"),
        ModelCard("o", "O", "", (), format="onnx"),
    ],
)
def test_cards_that_say_too_little_are_not_foretold(card: ModelCard) -> None:
    assert folder_facts.card_facts(card, 2) is None


def test_the_key_of_a_card_needs_every_size() -> None:
    files = (CardFile("a.onnx", 5), CardFile("a.onnx_data", None), CardFile("tokenizer.json", None))
    assert folder_facts.card_key(ModelCard("a", "A", "", files)) == ""
    assert folder_facts.card_key(ModelCard("a", "A", "", files[::2])) == "a:5"


def test_the_plan_says_why_and_what_it_takes() -> None:
    path, _ = tiny_onnx.seq2seq("marian")
    plan = folder_facts.plan("onnx", path, computer(8, 6), Settings())
    assert plan.choice.reason.startswith("Runs on CPU")
    assert plan.budget.need > plan.budget.weights > 0
    assert plan.budget.on_gpu == 0
    path, _ = tiny_torch.saved("qwen3")
    assert folder_facts.plan("safetensors", path, computer(8, 6), Settings()).budget.kv > 0
