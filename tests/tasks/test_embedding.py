"""Embedding and ranking through an engine: what stands before a text, and models that cannot do it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from edgellm.errors import UsageError
from edgellm.runtimes.base import Cancelled, Kind, ModelInfo, Reading, Reply, Scores, Vectors
from edgellm.tasks import embedding


@dataclass
class Engine:
    """Answers with vectors of two numbers, or with a falling score, and keeps what it was asked."""

    kind: Kind = "embed"
    asked: list[Reading] = field(default_factory=list)
    empty: bool = False

    @property
    def info(self) -> ModelInfo:
        return ModelInfo("m", "bert", 0, "", 64, 64, 10, kind=self.kind)

    def read(self, reading: Reading, cancelled: Cancelled = lambda: False) -> Reply:
        self.asked.append(reading)
        if self.empty:
            return Reply()
        if reading.kind == "embed":
            return Reply(vectors=Vectors(2, bytes(8 * len(reading.texts))))
        return Reply(scores=Scores((), tuple(1 / (1 + at) for at in range(len(reading.texts)))))


@pytest.mark.parametrize(
    ("name", "question", "passage"),
    [
        ("all-minilm-l6-v2", "Why?", "So."),
        ("multilingual-e5-small", "query: Why?", "passage: So."),
        ("Multilingual-E5-Small@usb", "query: Why?", "passage: So."),
        ("bge-small-en-v1.5-onnx", "Represent this sentence for searching relevant passages: Why?", "So."),
    ],
)
def test_what_a_model_was_trained_with_stands_before_the_text(name: str, question: str, passage: str) -> None:
    engine = Engine()
    made = embedding.embedder(engine, name)
    assert (made.name, made.size) == (name, 2)
    assert made.question("Why?") == Vectors(2, bytes(8))
    assert engine.asked[-1].texts == (question,)
    made.passages(("So.", "And so."), lambda: False)
    assert engine.asked[-1].texts[0] == passage
    assert len(engine.asked[-1].texts) == 2


def test_pairs_are_scored() -> None:
    engine = Engine("rerank")
    assert embedding.ranker(engine, "m")("Why?", ("a", "b")) == (1.0, 0.5)
    assert engine.asked == [Reading("rerank", "Why?", ("a", "b"))]
    assert embedding.ranker(Engine("rerank", empty=True), "m")("Why?", ("a",)) == ()


def test_a_model_that_cannot_do_it_is_named() -> None:
    with pytest.raises(UsageError, match="starter cannot embed texts"):
        embedding.embedder(Engine("decoder"), "starter")
    with pytest.raises(UsageError, match="m cannot rank passages"):
        embedding.ranker(Engine("embed"), "m")
