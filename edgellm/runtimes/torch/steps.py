"""A model of transformers, one step at a time, over a KV cache of our own: for chats, for beams, for two-part models.

A step can be given up: each layer first asks whether it should go on.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from edgellm.runtimes.base import Cancelled, never
from edgellm.runtimes.text_to_text import Interrupted
from edgellm.runtimes.torch.loading import Loaded, translated

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Ints = NDArray[np.int64]


class Stepper:
    """Runs one forward pass after another, and stops within one when asked to."""

    def __init__(self, loaded: Loaded, name: str) -> None:
        self.model, self.device, self.name = loaded.model, loaded.device, name
        self._cancelled: Cancelled = never
        for module in self.model.modules():
            if isinstance(module, torch.nn.ModuleList):
                for layer in module:
                    layer.register_forward_pre_hook(self._ask)

    def _ask(self, module: Any, arguments: Any) -> None:
        if self._cancelled():
            raise Interrupted

    def forward(self, cancelled: Cancelled, part: Any = None, **values: Any) -> Any:
        """What the model, or a part of it, makes of the values. Raises `Interrupted`, `ModelDamaged`, `OutOfMemory`."""
        self._cancelled = cancelled
        try:
            with torch.inference_mode(), translated(self.name):
                return (self.model if part is None else part)(**values, return_dict=True)
        finally:
            self._cancelled = never

    def tokens(self, ids: Sequence[int] | Ints) -> torch.Tensor:
        """Tokens where the model is; a list is one row."""
        rows = np.asarray(ids, np.int64)
        return torch.from_numpy(rows.reshape(1, -1) if rows.ndim == 1 else rows).to(self.device)


def rows(logits: torch.Tensor) -> Floats:
    """The logits (texts, vocabulary) of the last position, as numbers to search in."""
    with torch.inference_mode():
        found: Floats = logits[:, -1, :].float().cpu().numpy().copy()
    return found


def _dynamic_cache() -> Any:
    """An empty KV cache that keeps every position, also those out of a sliding window, so that it can be cut back."""
    library: Any = importlib.import_module("transformers")
    return library.DynamicCache()


class Conversation:
    """The KV cache of a decoder, kept from one prompt to the next. `batch` tokens of a prompt are read at a time."""

    def __init__(self, stepper: Stepper, batch: int) -> None:
        self._stepper, self._batch = stepper, max(1, batch)
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._cache, self._held = _dynamic_cache(), list[int]()

    def keep_prefix(self, prompt: Sequence[int]) -> int:
        """Cut the cache back to what it shares with the prompt, the last token of which is computed again; its size."""
        most = min(len(self._held), len(prompt) - 1)
        same = next((at for at in range(most) if self._held[at] != prompt[at]), most)
        self._cut(same)
        return same

    def compute(self, tokens: Sequence[int], cancelled: Cancelled) -> Floats | None:
        """The logits after these tokens (one row); None when it was asked to stop, and then as much is kept as is
        whole."""
        logits: Floats | None = None
        for at in range(0, len(tokens), self._batch):
            part = list(tokens[at : at + self._batch])
            try:
                logits = rows(self._forward(self._stepper.tokens(part), cancelled))
            except Interrupted:
                self._cut(len(self._held))
                return None
            self._held += part
        return logits

    def step(self, tokens: Ints, origin: Ints | None) -> Floats:
        """One more token for each of several texts, as a beam search asks for it; afterwards only `clear` is right."""
        if origin is not None:
            self._cache.reorder_cache(torch.from_numpy(origin).to(self._stepper.device))
        elif len(tokens) > 1:
            self._cache.batch_repeat_interleave(len(tokens))
        return rows(self._forward(self._stepper.tokens(tokens[:, None]), never))

    def _forward(self, tokens: torch.Tensor, cancelled: Cancelled) -> torch.Tensor:
        found: torch.Tensor = self._stepper.forward(
            cancelled, input_ids=tokens, past_key_values=self._cache, use_cache=True
        ).logits
        return found

    def _cut(self, length: int) -> None:
        if length:
            self._cache.crop(length)
            self._held = self._held[:length]
        else:
            self.clear()


class EncodedText:
    """The decoder of a two-part model over one encoded text: the `Decoder` of a search."""

    def __init__(self, stepper: Stepper, ids: Sequence[int], cancelled: Cancelled) -> None:
        self._stepper, self._cancelled = stepper, cancelled
        tokens = stepper.tokens(ids)
        self._mask = torch.ones_like(tokens)
        encoder = stepper.model.get_encoder()
        found = stepper.forward(cancelled, encoder, input_ids=tokens, attention_mask=self._mask)
        self._hidden = found.last_hidden_state
        library: Any = importlib.import_module("transformers")
        self._cache = library.EncoderDecoderCache(_dynamic_cache(), _dynamic_cache())

    def step(self, tokens: Ints, origin: Ints | None) -> Floats:
        """Logits (texts, vocabulary) after one more token for each text; `origin`: which former text each continues."""
        count = len(tokens)
        if origin is not None:
            self._cache.self_attention_cache.reorder_cache(torch.from_numpy(origin).to(self._stepper.device))
        found = self._stepper.forward(
            self._cancelled,
            attention_mask=self._mask.expand(count, -1),
            encoder_outputs=(self._hidden.expand(count, -1, -1),),
            decoder_input_ids=self._stepper.tokens(tokens[:, None]),
            past_key_values=self._cache,
            use_cache=True,
        )
        return rows(found.logits)
