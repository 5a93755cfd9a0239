"""The two halves of an encoder-decoder model and the KV cache between steps: the `Decoder` of a search.

The merged decoder has two branches: the first token computes the keys and values of the encoder's text, later tokens
reuse them (`use_cache_branch`). Arrays are (texts, heads, positions, size per head).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgellm.errors import ModelUnsupported
from edgellm.runtimes.onnx.session import Session

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_PAST, _PRESENT = "past_key_values.", "present."


def encode(encoder: Session, ids: tuple[int, ...]) -> Array:
    """The hidden states (1, tokens, width) of a text."""
    tokens = np.array([ids], np.int64)
    found = encoder.run({"input_ids": tokens, "attention_mask": np.ones_like(tokens)}, encoder.outputs[:1])
    return found[encoder.outputs[0]]


class CachedDecoder:
    """The decoder for one encoded text and any number of running texts."""

    def __init__(self, session: Session, hidden: Array) -> None:
        self._session = session
        self._hidden = hidden
        self._past = tuple(name for name in session.inputs if name.startswith(_PAST))
        if not self._past or "use_cache_branch" not in session.inputs or "logits" not in session.outputs:
            raise ModelUnsupported(
                f"{session.name} has no merged decoder with a KV cache.", "Export it again, with its past."
            )
        self._own = {name: name.replace(_PAST, _PRESENT) for name in self._past if ".decoder." in name}
        self._cache: dict[str, Array] = {}
        self._texts = 0

    def step(self, tokens: NDArray[np.int64], origin: NDArray[np.int64] | None) -> NDArray[np.float32]:
        """Logits (texts, vocabulary) after `tokens` (texts); `origin`: which former text each one continues."""
        if not self._cache:
            return self._first(tokens)
        if origin is not None:
            for name in self._own:
                self._cache[name] = self._cache[name][origin]
        found = self._run(tokens, np.array([True]), self._cache, ["logits", *self._own.values()])
        self._cache.update({name: found[present] for name, present in self._own.items()})
        return self._logits(found)

    def _first(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        """All texts start alike: the first step is computed once, then multiplied."""
        self._texts = len(tokens)
        empty = {name: np.zeros((1, *self._sizes(name)), self._session.inputs[name][0]) for name in self._past}
        presents = [name.replace(_PAST, _PRESENT) for name in self._past]
        found = self._run(tokens[:1], np.array([False]), empty, ["logits", *presents])
        self._cache = {
            name: np.repeat(found[present], self._texts, axis=0)
            for name, present in zip(self._past, presents, strict=True)
        }
        self._hidden = np.repeat(self._hidden, self._texts, axis=0)
        return np.repeat(self._logits(found), self._texts, axis=0)

    def _sizes(self, name: str) -> tuple[int, int, int]:
        _, heads, _, width = self._session.inputs[name][1]
        return heads or 1, 0, width or 1

    def _run(
        self, tokens: NDArray[np.int64], cached: NDArray[np.bool_], cache: dict[str, Array], outputs: list[str]
    ) -> dict[str, Array]:
        length = self._hidden.shape[1]
        values = {
            "input_ids": tokens[:, None],
            "encoder_hidden_states": self._hidden,
            "encoder_attention_mask": np.ones((len(tokens), length), np.int64),
            "use_cache_branch": cached,
            **cache,
        }
        return self._session.run(values, outputs)

    @staticmethod
    def _logits(found: dict[str, Array]) -> NDArray[np.float32]:
        return found["logits"][:, -1, :].astype(np.float32, copy=False)
