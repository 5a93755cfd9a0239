"""Encoders: the numbers of torch, for every architecture; labels, spans and scores mean what they say."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from edgellm.errors import ContextOverflow, UsageError
from edgellm.runtimes.base import Placement
from edgellm.runtimes.onnx.encoder import Encoder
from edgellm.runtimes.onnx.folder import read_folder
from tests import tiny_onnx

NLI = ("entailment", "neutral", "contradiction")
TEXTS = tuple(tiny_onnx.texts())
SHORT = tuple(text[:18] for text in TEXTS)  # a pair of them fits the tiny models, which torch does not cut
pytestmark = pytest.mark.filterwarnings("ignore")


def load(path: Path) -> Encoder:
    return Encoder(read_folder(path), Placement(threads=1))


def torch_inputs(path: Path, text: str, pair: str | None = None) -> dict[str, Any]:
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(path / "tokenizer.json")).encode(text, pair)
    return {"input_ids": torch.tensor([found.ids]), "attention_mask": torch.ones(1, len(found.ids), dtype=torch.long)}


def with_types(model: Any, inputs: dict[str, Any], path: Path, text: str, pair: str | None) -> dict[str, Any]:
    """Type ids where the architecture has more than one type."""
    from tokenizers import Tokenizer

    if model.config.model_type in ("bert", "electra", "albert", "mobilebert"):
        found = Tokenizer.from_file(str(path / "tokenizer.json")).encode(text, pair)
        inputs["token_type_ids"] = torch.tensor([found.type_ids])
    return inputs


@pytest.mark.parametrize("name", tiny_onnx.ENCODERS)
def test_vectors_are_those_of_torch(name: str) -> None:
    path, model = tiny_onnx.encoder(name)
    found = load(path).embed(TEXTS)
    vectors = np.frombuffer(found.data, "<f4").reshape(len(TEXTS), found.size)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for text, vector in zip(TEXTS, vectors, strict=True):
        with torch.no_grad():
            tokens = model(**with_types(model, torch_inputs(path, text), path, text, None)).last_hidden_state[0]
        mean = tokens.mean(dim=0).numpy()
        assert float(vector @ mean / np.linalg.norm(mean)) > 0.9999


@pytest.mark.parametrize("name", ["bert", "distilbert", "roberta", "deberta-v2"])
def test_own_labels_are_scored_as_in_torch(name: str) -> None:
    labels = ("negative", "neutral", "positive")
    path, model = tiny_onnx.encoder(name, "labels", labels)
    encoder = load(path)
    assert encoder.info.kind == "classify"
    for text in TEXTS:
        with torch.no_grad():
            logits = model(**with_types(model, torch_inputs(path, text), path, text, None)).logits[0]
        found = encoder.classify(text)
        assert found.labels == labels
        assert np.allclose(found.values, torch.softmax(logits, -1).numpy(), atol=1e-4)
    some = encoder.classify(TEXTS[0], ("Positive", "negative"))
    assert some.labels == ("Positive", "negative")
    assert sum(some.values) == pytest.approx(1)
    with pytest.raises(UsageError, match="only its own labels"):
        encoder.classify(TEXTS[0], ("urgent", "negative"))


def test_zero_shot_is_that_of_the_transformers_pipeline() -> None:
    hf: Any = importlib.import_module("transformers")
    path, model = tiny_onnx.encoder("bert", "labels", NLI)
    fast = hf.PreTrainedTokenizerFast(tokenizer_file=str(path / "tokenizer.json"), pad_token="<pad>", unk_token="<unk>")
    reference = hf.pipeline("zero-shot-classification", model=model, tokenizer=fast)
    encoder, labels = load(path), ("trip", "food", "rain")
    for text in SHORT:
        for several in (False, True):
            theirs = reference(text, list(labels), multi_label=several)
            expected = dict(zip(theirs["labels"], theirs["scores"], strict=True))
            found = encoder.classify(text, labels, several)
            assert found.values == pytest.approx([expected[label] for label in labels], abs=1e-4)


def test_scores_of_pairs() -> None:
    path, model = tiny_onnx.encoder("bert", "labels", ("score",))
    encoder = load(path)
    assert encoder.info.kind == "rerank"
    found = encoder.rank("Where is the station?", SHORT)
    assert len(found.values) == len(SHORT)
    for text, value in zip(SHORT, found.values, strict=True):
        inputs = with_types(
            model, torch_inputs(path, "Where is the station?", text), path, "Where is the station?", text
        )
        with torch.no_grad():
            assert value == pytest.approx(float(torch.sigmoid(model(**inputs).logits[0, 0])), abs=1e-4)


def exhaustive(model: Any, path: Path, question: str, passage: str) -> tuple[float, int, int, float]:
    """The best span by trying every pair: score, start, end in characters, and the score of no answer."""
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(path / "tokenizer.json")).encode(question, passage)
    with torch.no_grad():
        output = model(**with_types(model, torch_inputs(path, question, passage), path, question, passage))
    starts, ends = output.start_logits[0].numpy(), output.end_logits[0].numpy()
    inside = [index for index, part in enumerate(found.sequence_ids) if part == 1]
    pairs = [(float(starts[a] + ends[b]), a, b) for a in inside for b in inside if a <= b < a + 40]
    score, a, b = max(pairs)
    return score, found.offsets[a][0], found.offsets[b][1], float(starts[0] + ends[0])


@pytest.mark.parametrize("name", ["bert", "distilbert", "roberta", "electra"])
def test_spans_are_the_best_there_are(name: str) -> None:
    path, model = tiny_onnx.encoder(name, "span")
    encoder = load(path)
    answered = 0
    for text in TEXTS:
        score, start, end, nothing = exhaustive(model, path, "Who?", text)
        found = encoder.find("Who?", text)
        assert (found.start, found.end) == ((start, end) if score > nothing else (0, 0))
        assert 0 <= found.score <= 1
        answered += found.end > 0
    assert answered, "no text was answered: the test shows nothing"


def test_a_long_passage_is_read_in_windows() -> None:
    path, _ = tiny_onnx.encoder("bert", "span")
    encoder = load(path)
    passage = " ".join(TEXTS * 4)
    found = encoder.find("Who?", passage)
    assert 0 <= found.start <= found.end <= len(passage)
    with pytest.raises(ContextOverflow):
        encoder.find(passage, "Anna.")


def test_longer_texts_are_cut_and_counted() -> None:
    path, _ = tiny_onnx.encoder("bert")
    long = " ".join(TEXTS * 10)
    found = load(path).embed(("short", long))
    assert found.truncated == 1
    assert len(found.data) == 2 * found.size * 4


def test_a_model_is_not_asked_for_what_it_cannot_do() -> None:
    path, _ = tiny_onnx.encoder("bert")
    encoder = load(path)
    with pytest.raises(UsageError, match="gives vectors, not labels"):
        encoder.classify("text", ("a", "b"))
    with pytest.raises(UsageError):
        encoder.find("Who?", "Anna.")


def test_first_token_pooling_is_read_from_the_folder(tmp_path: Path) -> None:
    path, model = tiny_onnx.encoder("bert")
    copy = tmp_path / "model"
    shutil.copytree(path, copy)
    (copy / "1_Pooling").mkdir()
    (copy / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    found = np.frombuffer(load(copy).embed(TEXTS[:1]).data, "<f4")
    with torch.no_grad():
        first = model(**with_types(model, torch_inputs(path, TEXTS[0]), path, TEXTS[0], None)).last_hidden_state[0, 0]
    assert float(found @ first.numpy() / np.linalg.norm(first.numpy())) > 0.9999
