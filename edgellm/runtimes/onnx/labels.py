"""What the numbers of a classification model mean: its own labels, or whether a sentence follows from a text.

Zero-shot classification asks a model of natural language inference whether "This example is LABEL." follows (Yin
et al., 2019): the share of entailment against contradiction for each label alone, or among all labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_MOST = 10_000
SENTENCE = "This example is {}."


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels in the order of the outputs; where the model judges entailment, which of them mean it."""

    names: tuple[str, ...]
    entailment: int = -1
    contradiction: int = -1
    independent: bool = False

    @classmethod
    def of(cls, config: Mapping[str, Any], shape: Sequence[int | None]) -> Labels:
        """From `id2label` of the configuration; from the size of the output where there is none."""
        given = config.get("id2label")
        names = _names(given if isinstance(given, dict) else {})
        if not names:
            size = shape[-1] if shape else 0
            names = tuple(f"label {number}" for number in range(min(size or 0, _MOST)))
        found = {name.casefold(): index for index, name in enumerate(names)}
        entailment = next((index for name, index in found.items() if name.startswith("entail")), -1)
        contradiction = next((index for name, index in found.items() if name.startswith(("contra", "not_entail"))), -1)
        several = config.get("problem_type") == "multi_label_classification"
        return cls(names, entailment, contradiction if contradiction >= 0 else -1, several)

    @property
    def entails(self) -> bool:
        """Whether this is a model of natural language inference."""
        return self.entailment >= 0

    @property
    def facts(self) -> dict[str, object]:
        """What a task must know: whether any labels can be asked for, and otherwise which."""
        return {"zero_shot": self.entails, "labels": () if self.entails else self.names}

    @staticmethod
    def sentence(label: str) -> str:
        """What the model is asked about a label."""
        return SENTENCE.format(label)

    def own(self, logits: Array) -> tuple[float, ...]:
        """Probabilities of the model's own labels from the logits (labels)."""
        values = logits.astype(np.float64)
        if self.independent:
            return tuple((1 / (1 + np.exp(-values))).tolist())
        return tuple(_softmax(values).tolist())

    def zero_shot(self, logits: Array, several: bool) -> tuple[float, ...]:
        """Scores from the logits (labels asked, own labels). `several`: each for itself, else they sum to 1."""
        values = logits.astype(np.float64)
        if several or len(values) == 1:
            others = [self.contradiction] if self.contradiction >= 0 else []
            pair = values[:, [*others, self.entailment]]
            return tuple(_softmax(pair)[:, -1].tolist())
        return tuple(_softmax(values[:, self.entailment]).tolist())


def _names(given: Mapping[Any, Any]) -> tuple[str, ...]:
    numbered = {int(key): str(value)[:200] for key, value in list(given.items())[:_MOST] if str(key).isdigit()}
    return (
        tuple(numbered[index] for index in range(len(numbered))) if set(numbered) == set(range(len(numbered))) else ()
    )


def _softmax(values: Array) -> Array:
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    result: Array = powers / powers.sum(axis=-1, keepdims=True)
    return result
