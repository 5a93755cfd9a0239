"""What llama.cpp computes in one go: tokens with their places and sequences, and which of them need an answer."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any


class Batch:
    """A native batch, filled anew for each computation. `room` is the most tokens it holds."""

    def __init__(self, api: Any, room: int) -> None:
        self._api = api
        self.room = room
        self._native = api.llama_batch_init(room, 0, 1)
        for index in range(room):
            self._native.n_seq_id[index] = 1
        self._native.n_tokens = 0

    def __len__(self) -> int:
        return int(self._native.n_tokens)

    def clear(self) -> None:
        """Empty it."""
        self._native.n_tokens = 0

    def add(self, tokens: Sequence[int], first: int, sequence: int, every: bool = False) -> int:
        """Add tokens of a sequence whose first one stands at `first`; where the first of them lies in the batch.

        The logits of the last one are computed, with `every` those of each.
        """
        native, at, count = self._native, int(self._native.n_tokens), len(tokens)
        if count == 1:
            native.token[at], native.pos[at], native.seq_id[at][0], native.logits[at] = tokens[0], first, sequence, 1
        else:
            _copy(native.token, at, tokens)
            _copy(native.pos, at, range(first, first + count))
            for index in range(at, at + count):
                native.seq_id[index][0] = sequence
            address = ctypes.cast(native.logits, ctypes.c_void_p).value or 0
            ctypes.memset(address + at, int(every), count)
            native.logits[at + count - 1] = 1
        native.n_tokens = at + count
        return at

    def compute(self, context: Any) -> int:
        """Have it computed: 0, or llama.cpp's code (1: the KV cache is full, 2: it was aborted)."""
        return int(self._api.llama_decode(context, self._native))

    def close(self) -> None:
        """Free it; more than once does no harm."""
        if self._native is not None:
            self._api.llama_batch_free(self._native)
            self._native = None


def _copy(target: Any, at: int, values: Sequence[int]) -> None:
    address = ctypes.cast(target, ctypes.c_void_p).value or 0
    ctypes.memmove(address + 4 * at, (ctypes.c_int32 * len(values))(*values), 4 * len(values))
