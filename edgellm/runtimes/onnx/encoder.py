"""Encoder models as a `Reader`: vectors, labels, scores of pairs, and spans that answer a question.

What a model is for is read from the outputs of its ONNX file. Longer texts than the model reads are cut for vectors
and labels, which is counted, and read in overlapping windows for questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from edgellm.errors import ModelUnsupported, UsageError
from edgellm.runtimes.base import Cancelled, Kind, ModelInfo, Placement, Reading, Reply, Scores, Span, Vectors, never
from edgellm.runtimes.onnx import spans
from edgellm.runtimes.onnx.folder import OnnxFolder
from edgellm.runtimes.onnx.labels import Labels
from edgellm.runtimes.onnx.pooling import pool, pooling_of
from edgellm.runtimes.onnx.session import Session, device_text
from edgellm.runtimes.onnx.tokens import Encoded, Vocabulary
from edgellm.runtimes.text_to_text import languages_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_BATCH = 32
_POSITIONS = 512
_WHAT = {
    "decoder": "text",
    "seq2seq": "text",
    "embed": "vectors",
    "classify": "labels",
    "rerank": "scores",
    "span": "answers from a passage",
}


class Encoder:
    """A loaded encoder model."""

    def __init__(self, folder: OnnxFolder, placement: Placement) -> None:
        self._vocabulary = Vocabulary(folder.tokenizer)
        self._session = Session(folder.files["model"].path, placement)
        self._labels = Labels.of(folder.config, self._session.shapes.get("logits", ()))
        self._pooling = pooling_of(folder.path)
        self._device = device_text(placement)
        pad = folder.config.get("pad_token_id")
        self._pad = pad if type(pad) is int else 0
        self._info = self._describe(folder)

    @property
    def info(self) -> ModelInfo:
        """The loaded model; `kind` says which method it has."""
        return self._info

    def read(self, reading: Reading, cancelled: Cancelled = never) -> Reply:
        """Answer by the method that the model has. Raises `UsageError` for what it cannot do."""
        self._must(reading.kind)
        if reading.kind == "embed":
            return Reply(vectors=self.embed(reading.texts, cancelled))
        if reading.kind == "classify":
            return Reply(scores=self.classify(reading.text, reading.texts, reading.several))
        if reading.kind == "rerank":
            return Reply(scores=self.rank(reading.text, reading.texts, cancelled))
        return Reply(span=self.find(reading.text, reading.texts[0] if reading.texts else ""))

    def embed(self, texts: tuple[str, ...], cancelled: Cancelled = never) -> Vectors:
        """Vectors of unit length (texts, size), as float32. Texts of like length are computed together."""
        self._must("embed")
        encoded, cut = self._cut([self._vocabulary.encode(text) for text in texts])
        order = sorted(range(len(encoded)), key=lambda index: len(encoded[index].ids))
        found: dict[int, Array] = {}
        for start in range(0, len(order), _BATCH):
            if cancelled():
                break
            chosen = order[start : start + _BATCH]
            values, mask = self._padded([encoded[index] for index in chosen])
            vectors = pool(self._session.run(values), mask, self._pooling)
            found.update(zip(chosen, vectors, strict=True))
        size = len(next(iter(found.values()))) if found else 0
        rows = [found[index] for index in range(len(texts)) if index in found]
        data = np.asarray(rows, "<f4").tobytes() if rows else b""
        return Vectors(size, data, cut)

    def classify(self, text: str, labels: tuple[str, ...] = (), several: bool = False) -> Scores:
        """Scores of `labels`, by entailment of a sentence about each; of the model's own labels when none are given."""
        self._must("classify")
        if not labels:
            if self._labels.entails:
                raise UsageError("This model needs labels to choose from.", "Give at least two labels.")
            encoded, cut = self._cut([self._vocabulary.encode(text)])
            return Scores(self._labels.names, self._labels.own(self._logits(encoded)[0]), cut)
        if not self._labels.entails:
            return self._own_only(text, labels)
        pairs, cut = self._cut([self._vocabulary.encode(text, self._labels.sentence(label)) for label in labels])
        return Scores(labels, self._labels.zero_shot(self._logits(pairs), several), cut)

    def rank(self, question: str, passages: tuple[str, ...], cancelled: Cancelled = never) -> Scores:
        """Scores (passages) between 0 and 1, each for itself."""
        self._must("rerank")
        pairs, cut = self._cut([self._vocabulary.encode(question, passage) for passage in passages])
        values: list[float] = []
        for start in range(0, len(pairs), _BATCH):
            if cancelled():
                break
            logits = self._logits(pairs[start : start + _BATCH])[:, -1].astype(np.float64)
            values += (1 / (1 + np.exp(-logits))).tolist()
        return Scores((), tuple(values), cut)

    def find(self, question: str, passage: str) -> Span:
        """The stretch of the passage that answers the question; an empty one where nothing does."""
        self._must("span")
        return spans.read(self._vocabulary, self._outputs, (question, passage), self._info.context)

    def close(self) -> None:
        """ONNX Runtime frees its memory with the session."""
        del self._session

    def _own_only(self, text: str, labels: tuple[str, ...]) -> Scores:
        """A model with labels of its own can only choose among those."""
        known = {name.casefold(): index for index, name in enumerate(self._labels.names)}
        missing = [label for label in labels if label.casefold() not in known]
        if missing:
            raise UsageError(
                f"This model knows only its own labels: {', '.join(self._labels.names)[:200]}.",
                "Use those, or a zero-shot model for labels of your own.",
            )
        found = self.classify(text)
        values = np.array([found.values[known[label.casefold()]] for label in labels])
        return Scores(labels, tuple((values / max(float(values.sum()), 1e-12)).tolist()), found.truncated)

    def _cut(self, encoded: list[Encoded]) -> tuple[list[Encoded], int]:
        """Texts that the model can read, and how many of them were longer."""
        limit = self._info.context
        return [one.cut(limit) for one in encoded], sum(len(one.ids) > limit for one in encoded)

    def _logits(self, encoded: Sequence[Encoded]) -> Array:
        return self._outputs(encoded)["logits"]

    def _outputs(self, encoded: Sequence[Encoded]) -> dict[str, Array]:
        return self._session.run(self._padded(encoded)[0])

    def _padded(self, encoded: Sequence[Encoded]) -> tuple[dict[str, Array], Array]:
        """The inputs (texts, longest), and the mask that tells tokens from padding."""
        longest = max(len(one.ids) for one in encoded)
        ids = np.full((len(encoded), longest), self._pad, np.int64)
        types, mask = np.zeros_like(ids), np.zeros_like(ids)
        for row, one in enumerate(encoded):
            ids[row, : len(one.ids)] = one.ids
            types[row, : len(one.types)] = one.types
            mask[row, : len(one.ids)] = 1
        return {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}, mask

    def _must(self, kind: Kind) -> None:
        if self._info.kind != kind:
            what = f"{self._info.name} gives {_WHAT[self._info.kind]}, not {_WHAT[kind]}."
            raise UsageError(what, "Choose another model for this.")

    def _describe(self, folder: OnnxFolder) -> ModelInfo:
        outputs = set(self._session.outputs)
        if {"start_logits", "end_logits"} <= outputs:
            kind: Kind = "span"
        elif "logits" in outputs:
            kind = "rerank" if len(self._labels.names) == 1 else "classify"
        elif outputs & {"last_hidden_state", "token_embeddings", "sentence_embedding"}:
            kind = "embed"
        else:
            raise ModelUnsupported(f"{folder.path.name} has outputs that mean nothing here.", "Choose another export.")
        positions = folder.config.get("max_position_embeddings")
        limit = positions if type(positions) is int and 4 <= positions <= 65_536 else _POSITIONS
        if folder.architecture in ("roberta", "xlm-roberta"):
            limit -= 2  # their positions start after the padding id
        return ModelInfo(
            name=folder.path.name,
            architecture=folder.architecture,
            parameters=0,
            quantization=folder.precision,
            context=limit,
            trained_context=limit,
            vocabulary=self._vocabulary.size,
            kind=kind,
            languages=languages_of(folder.path),
            metadata={"device": self._device, **(self._labels.facts if kind == "classify" else {})},
        )
