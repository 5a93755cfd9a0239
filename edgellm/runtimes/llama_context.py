"""One model and one context of llama.cpp: loading, the tokens in its KV cache, and computing more of them.

Sequence 0 is the conversation that is kept from one answer to the next. The others belong to whoever decodes several
answers at once; all of them share the cells of one KV cache.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from edgellm.errors import EdgeError, EngineError, ModelDamaged, ModelTooLarge, ModelUnsupported
from edgellm.runtimes.base import Placement
from edgellm.runtimes.cancel import CancelWatch, read_flag
from edgellm.runtimes.llama_batch import Batch
from edgellm.runtimes.llama_library import captured

SEQUENCES = 16  # rows that processors with wide vectors compute at a time
_KV_TYPES = {"f16": 1, "q8_0": 8}
_NO_MEMORY = ("unable to allocate", "failed to allocate", "bad_alloc", "out of memory", "cannot allocate memory")
_SMALLER = "Choose a smaller model, a smaller context, or close other programs."


class LlamaContext:
    """Native model and context. `tokens` are those of sequence 0 in the KV cache, in order.

    `length` is the context in tokens. `sequences` is how many more can be computed at once, numbered from 1: none for a
    recurrent model, whose state cannot be shared or cut back (then `rewinds` is false).
    """

    def __init__(self, api: Any, path: Path, placement: Placement) -> None:
        """Load. Raises `ModelDamaged`, `ModelUnsupported` or `ModelTooLarge`; nothing stays loaded then."""
        self._api = api
        self.tokens: list[int] = []
        self._others: set[int] = set()
        self.model: Any = None
        self.context: Any = None
        self.cancel_buffer = ctypes.create_string_buffer(2)
        with captured(api) as lines:
            try:
                self.model = api.llama_model_load_from_file(str(path).encode(), _model_params(api, placement))
                if not self.model:
                    raise _why(path.name, lines)
                _check_kind(api, self.model, path.name)
                self.rewinds = not (api.llama_model_is_recurrent(self.model) or api.llama_model_is_hybrid(self.model))
                self.sequences = min(SEQUENCES, max(placement.batch - 1, 0)) if self.rewinds else 0
                params = _context_params(api, placement, self.sequences + 1)
                self.context = api.llama_init_from_model(self.model, params)
                if not self.context:
                    raise _why(
                        path.name, lines, ModelTooLarge(f"{path.name} leaves no room for its context.", _SMALLER)
                    )
                self._memory = api.llama_get_memory(self.context)
                if not self._memory:
                    raise ModelUnsupported(f"{path.name} does not write text.", "Choose a chat model.")
            except EdgeError:
                self.close()
                raise
        self.length = int(api.llama_n_ctx_seq(self.context))
        self.batch = Batch(api, int(api.llama_n_batch(self.context)))
        self._stop = api.ggml_abort_callback(read_flag())
        api.llama_set_abort_callback(self.context, self._stop, ctypes.addressof(self.cancel_buffer))

    def keep_prefix(self, prompt: Sequence[int]) -> int:
        """Drop from the cache what `prompt` does not begin with; how many of its tokens need no computing.

        The last token is always computed again, since its logits are needed. A recurrent model cannot go back: it
        keeps its cache only when the prompt continues it exactly. What other sequences hold is dropped.
        """
        for sequence in sorted(self._others):
            self.forget(sequence)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(self.tokens, prompt, strict=False)))
        same = min(same, len(prompt) - 1)
        if same < len(self.tokens) and not (same and self._api.llama_memory_seq_rm(self._memory, 0, same, -1)):
            self.clear()
            return 0
        del self.tokens[same:]
        return same

    def clear(self) -> None:
        """Empty the KV cache."""
        self._api.llama_memory_clear(self._memory, True)
        self.tokens.clear()

    def cut(self, length: int) -> None:
        """Keep the first `length` tokens in the cache. Not for a recurrent model."""
        if length < len(self.tokens):
            self._api.llama_memory_seq_rm(self._memory, 0, length, -1)
            del self.tokens[length:]

    def compute(self, tokens: Sequence[int], watch: CancelWatch, every: bool = False) -> bool:
        """Put `tokens` after those in the cache, in batches. False when it was cancelled in between.

        Logits are those of the last token, with `every` of each one in the last batch.

        Raises `EngineError` when llama.cpp cannot compute them. The cache stays true to `self.tokens` in each case.
        """
        most = self.batch.room
        for start in range(0, len(tokens), most):
            part = tokens[start : start + most]
            if watch.check():
                return False
            if not self._put(part, every):
                return False
        return True

    def _put(self, part: Sequence[int], every: bool) -> bool:
        self.batch.clear()
        self.batch.add(part, len(self.tokens), 0, every)
        code = self.batch.compute(self.context)
        self.tokens.extend(part)
        if code:
            del self.tokens[int(self._api.llama_memory_seq_pos_max(self._memory, 0)) + 1 :]
        return self.came_through(code)

    def came_through(self, code: int) -> bool:
        """Whether a batch was computed; False when it was cancelled. Raises `EngineError`."""
        if code not in (0, 2):
            raise EngineError(f"The model stopped computing (code {code}).", "Try again, or load the model again.")
        return code == 0

    def state_size(self) -> int:
        """Bytes of sequence 0 outside of this process."""
        return int(self._api.llama_state_seq_get_size(self.context, 0))

    def save_state(self, file: Path, tokens: Sequence[int]) -> bool:
        """Write sequence 0 into a file, with its tokens; False when that fails."""
        values = (ctypes.c_int32 * len(tokens))(*tokens)
        return bool(self._api.llama_state_seq_save_file(self.context, str(file).encode(), 0, values, len(tokens)))

    def load_state(self, file: Path, tokens: Sequence[int]) -> bool:
        """Read sequence 0 from a file that holds these tokens; False, and an unknown state, when it does not."""
        values, count = (ctypes.c_int32 * len(tokens))(), ctypes.c_size_t(0)
        read = self._api.llama_state_seq_load_file(
            self.context, str(file).encode(), 0, values, len(tokens), ctypes.byref(count)
        )
        last = int(self._api.llama_memory_seq_pos_max(self._memory, 0))
        if not read or values[: count.value] != list(tokens) or last != len(tokens) - 1:
            return False
        self.tokens = list(tokens)
        return True

    def share(self, count: int, sequence: int) -> None:
        """Let another sequence begin with the first `count` tokens of sequence 0."""
        self._others.add(sequence)
        self._api.llama_memory_seq_cp(self._memory, 0, sequence, 0, count)

    def forget(self, sequence: int) -> None:
        """Empty another sequence."""
        self._others.discard(sequence)
        if self.context:
            self._api.llama_memory_seq_rm(self._memory, sequence, -1, -1)

    def finite(self, row: int = -1) -> bool:
        """False when the logits of a row (-1: the last) are no numbers, as a damaged model's are."""
        logits = self._api.llama_get_logits_ith(self.context, row)
        size = int(self._api.llama_vocab_n_tokens(self._api.llama_model_get_vocab(self.model)))
        return all(value - value == 0 for value in logits[: min(size, 1024)])

    def close_call(self, row: int, margin: float) -> bool:
        """Whether the two largest logits of a row are closer to each other than `margin`."""
        import numpy as np

        size = int(self._api.llama_vocab_n_tokens(self._api.llama_model_get_vocab(self.model)))
        logits = np.ctypeslib.as_array(self._api.llama_get_logits_ith(self.context, row), shape=(size,))
        return int(np.count_nonzero(logits > logits.max() - margin)) > 1

    def close(self) -> None:
        """Free everything; more than once does no harm."""
        if self.context:
            if hasattr(self, "batch"):
                self.batch.close()
            self._api.llama_free(self.context)
        if self.model:
            self._api.llama_model_free(self.model)
        self.context = self.model = None
        self.tokens.clear()


def _model_params(api: Any, placement: Placement) -> Any:
    params = api.llama_model_default_params()
    params.n_gpu_layers = placement.gpu_layers
    params.load_mode = api.LLAMA_LOAD_MODE_MMAP if placement.mmap else api.LLAMA_LOAD_MODE_NONE
    params.use_extra_bufts = placement.repack
    return params


def _context_params(api: Any, placement: Placement, sequences: int) -> Any:
    params = api.llama_context_default_params()
    params.n_seq_max, params.kv_unified = sequences, True
    params.n_ctx = max(placement.context, 0)
    params.n_batch = params.n_ubatch = max(placement.batch, 1)
    params.n_threads = params.n_threads_batch = max(placement.threads, 1)
    params.type_k = params.type_v = _KV_TYPES[placement.kv_type]
    quantized = placement.kv_type != "f16"
    flash = api.LLAMA_FLASH_ATTN_TYPE_AUTO if placement.flash else api.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.flash_attn_type = api.LLAMA_FLASH_ATTN_TYPE_ENABLED if quantized else flash
    params.offload_kqv = placement.gpu_layers != 0
    params.op_offload = placement.gpu_layers != 0
    params.swa_full = True
    params.no_perf = True
    return params


def _check_kind(api: Any, model: Any, name: str) -> None:
    chat = "Choose a chat model."
    if api.llama_model_has_encoder(model):
        raise ModelUnsupported(f"{name} has an encoder, which this runtime cannot run.", chat)
    if not api.llama_model_has_decoder(model) or api.llama_model_is_diffusion(model):
        raise ModelUnsupported(f"{name} does not write text token by token.", chat)
    if api.llama_vocab_n_tokens(api.llama_model_get_vocab(model)) < 1:
        raise ModelUnsupported(f"{name} has no vocabulary.", chat)


def _why(name: str, lines: Sequence[str], default: EdgeError | None = None) -> EdgeError:
    """The error that llama.cpp's last words stand for."""
    said = "\n".join(lines).lower()
    if any(words in said for words in _NO_MEMORY):
        return ModelTooLarge(f"There is not enough memory for {name}.", _SMALLER)
    if "unknown model architecture" in said or "unknown pre-tokenizer" in said:
        return ModelUnsupported(f"{name} is of a kind that this llama.cpp does not know.", "Update EdgeLLM.")
    return default or ModelDamaged(f"{name} cannot be loaded: it is damaged.", "Download or copy the file again.")
