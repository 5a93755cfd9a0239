"""What a model's `generation_config.json` demands of the next token, and how long an answer may be.

The rules and their order are those of transformers' generation (4.57), so that the same tokens come out; of its many
options only those are known here that translation and summarization models really ship.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edgellm.errors import ModelDamaged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Scores = NDArray[np.float32]

_LONGEST = 4096
_MOST_BEAMS = 16


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers of one generation. Ids are tokens; lengths count tokens, the start token included.

    `early_stopping` None stands for "never": only when no running text can become better.
    """

    start: int
    end: tuple[int, ...]
    pad: int
    max_length: int = 512
    min_length: int = 0
    beams: int = 1
    length_penalty: float = 1.0
    early_stopping: bool | None = False
    repetition_penalty: float = 1.0
    no_repeat_ngram: int = 0
    forced_first: int | None = None
    forced_last: int | None = None
    banned: tuple[int, ...] = ()

    def apply(self, scores: Scores, sequences: Sequence[Sequence[int]]) -> Scores:
        """The scores (texts, vocabulary) after all rules; `sequences` are the tokens so far, the start included."""
        result = scores.copy()
        length = len(sequences[0])
        for row, tokens in enumerate(sequences):
            if self.repetition_penalty != 1.0:
                seen = np.unique(np.asarray(tokens))
                found, factor = result[row, seen], np.float32(self.repetition_penalty)
                result[row, seen] = np.where(found < 0, found * factor, found / factor)
            if self.no_repeat_ngram:
                result[row, _repeated(tokens, self.no_repeat_ngram)] = -np.inf
        result[:, list(self.banned)] = -np.inf
        if length < self.min_length:
            result[:, list(self.end)] = -np.inf
        if self.forced_first is not None and length == 1:
            result = _only(result, self.forced_first)
        if self.forced_last is not None and length == self.max_length - 1:
            result = _only(result, self.forced_last)
        return result


def _repeated(tokens: Sequence[int], size: int) -> list[int]:
    """The tokens that would complete a run of `size` tokens that was there before."""
    if len(tokens) + 1 < size:
        return []
    last = tuple(tokens[len(tokens) + 1 - size :])
    return [tokens[at + size - 1] for at in range(len(tokens) - size + 1) if tuple(tokens[at : at + size - 1]) == last]


def _only(scores: Scores, token: int) -> Scores:
    result = np.full_like(scores, -np.inf)
    result[:, token] = 0
    return result


def rules_of(config: Mapping[str, Any], generation: Mapping[str, Any], vocabulary: int) -> Rules:
    """The rules of a model from its two files; `vocabulary` bounds every id. Raises `ModelDamaged`."""
    given = _Numbers({**config, **generation}, vocabulary)
    end = given.ids("eos_token_id")
    pad = given.id("pad_token_id")
    start = given.id("decoder_start_token_id")
    if start is None:
        start = given.id("bos_token_id")
    if start is None or not end:
        raise ModelDamaged("The model does not say with which token a text starts and ends.", "Download it again.")
    early = given.values.get("early_stopping", False)
    return Rules(
        start=start,
        end=end,
        pad=end[0] if pad is None else pad,
        max_length=given.number("max_length", 2, _LONGEST) or 512,
        min_length=given.number("min_length", 0, _LONGEST) or 0,
        beams=given.number("num_beams", 1, _MOST_BEAMS) or 1,
        length_penalty=given.real("length_penalty", 1.0),
        early_stopping=None if early == "never" else early is True,
        repetition_penalty=given.real("repetition_penalty", 1.0) or 1.0,
        no_repeat_ngram=given.number("no_repeat_ngram_size", 0, 64) or 0,
        forced_first=given.id("forced_bos_token_id"),
        forced_last=given.id("forced_eos_token_id"),
        banned=given.single("bad_words_ids"),
    )


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Reads numbers out of plain JSON; what makes no sense is refused, what is absent is None."""

    values: Mapping[str, Any]
    vocabulary: int

    def id(self, name: str) -> int | None:
        found = self.ids(name)
        return found[0] if found else None

    def ids(self, name: str) -> tuple[int, ...]:
        value = self.values.get(name)
        items = value if isinstance(value, list) else [] if value is None else [value]
        if any(type(item) is not int or not 0 <= item < self.vocabulary for item in items):
            raise ModelDamaged(f"The model's {name} is no token of its vocabulary.", "Download the model again.")
        return tuple(items)

    def single(self, name: str) -> tuple[int, ...]:
        """Forbidden words of one token each; longer ones are not known here."""
        words = self.values.get(name) or []
        if not isinstance(words, list):
            return ()
        found = [word[0] for word in words if isinstance(word, list) and len(word) == 1]
        return tuple(item for item in found if type(item) is int and 0 <= item < self.vocabulary)

    def number(self, name: str, low: int, high: int) -> int | None:
        value = self.values.get(name)
        return min(max(value, low), high) if type(value) is int else None

    def real(self, name: str, default: float) -> float:
        value = self.values.get(name)
        return float(value) if isinstance(value, int | float) and -100 < value < 100 else default
