"""Embedding passages and questions, and ranking passages for a question, through an engine that is loaded.

Some models were trained with words before the texts that say which is which; those are added here. What becomes of the
vectors is left to `documents/vectors.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from edgellm.documents.vectors import Embedder
from edgellm.errors import UsageError
from edgellm.runtimes.base import Cancelled, ModelInfo, Reading, Reply, Vectors

Rank = Callable[[str, tuple[str, ...]], Sequence[float]]
# Part of a model's name -> what stands before a question, and before a passage, as its makers say
_BEFORE = (
    ("-e5-", "query: ", "passage: "),
    ("bge-small-en", "Represent this sentence for searching relevant passages: ", ""),
    ("bge-base-en", "Represent this sentence for searching relevant passages: ", ""),
    ("bge-large-en", "Represent this sentence for searching relevant passages: ", ""),
)


class Reader(Protocol):
    """What of an engine is needed here."""

    @property
    def info(self) -> ModelInfo:
        """The loaded model."""
        ...

    def read(self, reading: Reading, cancelled: Cancelled = ...) -> Reply:
        """Have the model read something."""
        ...


def embedder(reader: Reader, name: str) -> Embedder:
    """The loaded model as one that embeds, called `name`. Raises `UsageError` when it is none."""
    _must(reader, "embed", name)
    before_question, before_passage = before(name)

    def embed(texts: tuple[str, ...], cancelled: Cancelled) -> Vectors:
        return reader.read(Reading("embed", texts=texts), cancelled).vectors or Vectors(0, b"")

    def passages(texts: tuple[str, ...], cancelled: Cancelled) -> Vectors:
        return embed(tuple(before_passage + text for text in texts), cancelled)

    def question(text: str) -> Vectors:
        return embed((before_question + text,), lambda: False)

    return Embedder(name, question("size").size, passages, question)


def ranker(reader: Reader, name: str) -> Rank:
    """The loaded model as one that scores passages for a question. Raises `UsageError` when it is none."""
    _must(reader, "rerank", name)

    def rank(question: str, passages: tuple[str, ...]) -> Sequence[float]:
        scores = reader.read(Reading("rerank", question, passages)).scores
        return scores.values if scores is not None else ()

    return rank


def before(name: str) -> tuple[str, str]:
    """What a model of this name wants before a question, and before a passage."""
    known = (row[1:] for row in _BEFORE if row[0] in name.lower())
    return next(known, ("", ""))


def _must(reader: Reader, kind: str, name: str) -> None:
    if reader.info.kind != kind:
        what = "embed texts" if kind == "embed" else "rank passages"
        raise UsageError(f"The model {name} cannot {what}.", "Choose another one, or search by words alone.")
