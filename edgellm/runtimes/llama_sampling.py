"""Draws the next token: llama.cpp's own samplers in the usual order, and a grammar when the answer must be JSON."""

from __future__ import annotations

import ctypes
import secrets
from typing import Any

from edgellm.errors import ResponseFormatError
from edgellm.runtimes.base import Sampling

_LOOK_BACK = 256
_NONE = (1.0, 0.0, 0.0)


class Sampler:
    """The samplers of one generation. Penalties look at the answer only: copying from the prompt is often right.

    With a grammar the token is drawn freely first and only checked; the whole vocabulary is filtered just when
    that token is not allowed, since filtering 150,000 tokens costs as much as a forward pass of a small model.
    `greedy` says that it always takes the likeliest.
    """

    def __init__(self, api: Any, vocabulary: Any, size: int, sampling: Sampling, grammar: str = "") -> None:
        """`vocabulary` is the native pointer, `size` its tokens. Raises `ResponseFormatError` for a bad grammar."""
        self._api = api
        self._size = size
        self.greedy = sampling.temperature <= 0 and _penalties(sampling) == _NONE
        self._chain = _chain(api, size, sampling)
        self._grammar: Any = None
        self._table: Any = None
        if grammar:
            import numpy as np

            self._grammar = api.llama_sampler_init_grammar(vocabulary, grammar.encode(), b"root")
            if not self._grammar:
                self.close()
                raise ResponseFormatError("The JSON schema cannot be turned into a grammar.", "Use a simpler schema.")
            self._table = np.zeros(size, dtype=[("id", "<i4"), ("logit", "<f4"), ("p", "<f4")])

    def draw(self, context: Any, row: int = -1) -> int:
        """The next token after the one in `row` of the last batch (-1: its last); -1 when the grammar allows none."""
        if self._grammar is None:
            return int(self._api.llama_sampler_sample(self._chain, context, row))
        token = self._pick(context, row, constrained=False)
        if not self.allows(token):
            token = self._pick(context, row, constrained=True)
        if token >= 0:
            self.accept(token)
            self._api.llama_sampler_accept(self._chain, token)
        return token

    def allows(self, token: int) -> bool:
        """True when the grammar lets `token` come next."""
        one = self._api.llama_token_data(token, 1.0, 0.0)
        array = self._api.llama_token_data_array(ctypes.pointer(one), 1, -1, False)
        self._api.llama_sampler_apply(self._grammar, ctypes.byref(array))
        return bool(one.logit == 1.0)

    def accept(self, token: int) -> None:
        """Move the grammar past `token`, which it allows."""
        self._api.llama_sampler_accept(self._grammar, token)

    def _pick(self, context: Any, row: int, constrained: bool) -> int:
        import numpy as np

        api, table = self._api, self._table
        logits = api.llama_get_logits_ith(context, row)
        table["id"] = np.arange(self._size, dtype=np.int32)
        table["logit"] = np.ctypeslib.as_array(logits, shape=(self._size,))
        data = table.ctypes.data_as(ctypes.POINTER(api.llama_token_data))
        array = api.llama_token_data_array(data, self._size, -1, False)
        if constrained:
            api.llama_sampler_apply(self._grammar, ctypes.byref(array))
            if not np.isfinite(table["logit"]).any():
                return -1
        api.llama_sampler_apply(self._chain, ctypes.byref(array))
        return int(array.data[array.selected].id) if array.selected >= 0 else -1

    def close(self) -> None:
        """Free the native samplers."""
        for name in ("_grammar", "_chain"):
            sampler = getattr(self, name)
            if sampler:
                self._api.llama_sampler_free(sampler)
            setattr(self, name, None)


def _penalties(sampling: Sampling) -> tuple[float, float, float]:
    return sampling.repeat_penalty, sampling.frequency_penalty, sampling.presence_penalty


def _chain(api: Any, size: int, sampling: Sampling) -> Any:
    parameters = api.llama_sampler_chain_default_params()
    parameters.no_perf = True
    chain = api.llama_sampler_chain_init(parameters)
    penalties = _penalties(sampling)
    if penalties != _NONE:
        api.llama_sampler_chain_add(chain, api.llama_sampler_init_penalties(size, _LOOK_BACK, *penalties))
    if sampling.temperature <= 0:
        api.llama_sampler_chain_add(chain, api.llama_sampler_init_greedy())
        return chain
    seed = secrets.randbits(32) if sampling.seed is None else sampling.seed & 0xFFFFFFFF
    if sampling.top_k > 0:
        api.llama_sampler_chain_add(chain, api.llama_sampler_init_top_k(sampling.top_k))
    if sampling.top_p < 1:
        api.llama_sampler_chain_add(chain, api.llama_sampler_init_top_p(sampling.top_p, 1))
    if sampling.min_p > 0:
        api.llama_sampler_chain_add(chain, api.llama_sampler_init_min_p(sampling.min_p, 1))
    api.llama_sampler_chain_add(chain, api.llama_sampler_init_temp(sampling.temperature))
    api.llama_sampler_chain_add(chain, api.llama_sampler_init_dist(seed))
    return chain
