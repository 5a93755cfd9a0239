"""GGUF models on llama.cpp, through its low-level binding.

The adapter's parts lie beside it: the libraries (`llama_library`), model and KV cache (`llama_context`), tokens
(`llama_vocabulary`), sampling and grammar, the chat template, and the text as it streams (`stops`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edgellm.errors import ContextOverflow, EngineError, ModelDamaged, ModelUnsupported, ResponseFormatError, UsageError
from edgellm.models.gguf import GgufHeader, read_header
from edgellm.runtimes import llama_library
from edgellm.runtimes.architectures import NO_TEXT
from edgellm.runtimes.base import (
    Cancelled,
    Chunk,
    Event,
    Finish,
    FinishReason,
    Message,
    ModelInfo,
    Placement,
    Request,
)
from edgellm.runtimes.cancel import CancelWatch
from edgellm.runtimes.llama_context import LlamaContext
from edgellm.runtimes.llama_grammar import grammar_of
from edgellm.runtimes.llama_sampling import Sampler
from edgellm.runtimes.llama_vocabulary import Vocabulary
from edgellm.runtimes.peak import peak_memory
from edgellm.runtimes.stops import TextStream
from edgellm.runtimes.template import ChatTemplate

_KV_BLOCK = 32


@dataclass(slots=True)
class _Facts:
    """What a generation knows of itself on its way to `Finish`."""

    prompt_tokens: int
    limit: int
    started: float
    cached: int = 0
    new: int = 0
    first: float = 0.0
    reason: FinishReason = "length"
    stream: TextStream = field(default_factory=TextStream)


class LlamaRuntime:
    """A loaded GGUF model. One generation at a time; `close` frees it."""

    def __init__(self, api: Any, native: LlamaContext, header: GgufHeader, placement: Placement, variant: str) -> None:
        """Use `load`."""
        self._api = api
        self._native = native
        self._closed = False
        self._current: _Facts | None = None
        vocabulary = api.llama_model_get_vocab(native.model)
        self._vocabulary = Vocabulary(api, vocabulary)
        self._template = ChatTemplate(header.chat_template, self._vocabulary.specials())
        self._device = _device(api, header, placement, variant)
        self._info = ModelInfo(
            name=header.name,
            architecture=header.architecture,
            parameters=int(api.llama_model_n_params(native.model)),
            quantization=header.quantization,
            context=native.length,
            trained_context=int(api.llama_model_n_ctx_train(native.model)),
            vocabulary=self._vocabulary.size,
            metadata={
                "chat_template": "ChatML, because the file brings none" if self._template.builtin else "from the file",
                "cpu_variant": variant,
                "kv_type": placement.kv_type,
                "device": self._device,
            },
        )

    @classmethod
    def load(cls, path: Path, placement: Placement) -> LlamaRuntime:
        """Load the file as `placement` says.

        Raises `ModelNotFound`, `ModelDamaged`, `ModelUnsupported`, `ModelTooLarge` or `StorageError`.
        """
        header = read_header(path)
        if header.architecture in NO_TEXT or header.metadata.get(f"{header.architecture}.attention.causal") is False:
            raise ModelUnsupported(f"{header.name} is not a model that writes text.", "Choose a chat model.")
        if placement.kv_type != "f16" and (header.key_length % _KV_BLOCK or header.value_length % _KV_BLOCK):
            placement = replace(placement, kv_type="f16")  # its heads do not divide into blocks of q8_0
        api, variant = llama_library.load(placement)
        native = LlamaContext(api, path, placement)
        try:
            return cls(api, native, header, placement, variant)
        except ModelUnsupported:
            native.close()
            raise

    @property
    def info(self) -> ModelInfo:
        """The loaded model."""
        return self._info

    def count(self, messages: tuple[Message, ...]) -> int:
        """Tokens of the prompt that `generate` would send for these messages."""
        return len(self._prompt(messages, ""))

    def _prompt(self, messages: tuple[Message, ...], prefix: str) -> list[int]:
        if self._closed:
            raise EngineError("The model is not loaded any more.", "Load it again.")
        disarm = self._vocabulary.disarm
        safe = [Message(message.role, disarm(message.content)) for message in messages]
        return self._vocabulary.encode_prompt(self._template.render(safe) + disarm(prefix))

    def generate(self, request: Request, cancelled: Cancelled = lambda: False) -> Iterator[Event]:
        """Yield the answer in `Chunk`s, then one `Finish`.

        `cancelled` is also asked from another thread, never from two at once. Raises `ContextOverflow` before
        anything is computed, `UsageError`, `ResponseFormatError`, `ModelDamaged` or `EngineError`.
        """
        started = time.perf_counter()
        prompt = self._prompt(request.messages, request.prefix)
        room = self._native.length - len(prompt)
        if room < 1:
            raise ContextOverflow(len(prompt), self._native.length)
        if not prompt:
            raise UsageError("There is nothing to answer.", "Write a message first.")
        if request.max_tokens is not None and request.max_tokens < 1:
            raise UsageError("max_tokens must be at least 1.", "Leave it out, or ask for one token or more.")
        facts = _Facts(len(prompt), min(request.max_tokens or room, room), started, stream=TextStream(request.stop))
        sampler = self._sampler(request)
        try:
            with CancelWatch(self._native.cancel_buffer, cancelled) as watch:
                yield from self._answer(prompt, facts, sampler, watch)
        finally:
            sampler.close()
        yield self._finish(facts)

    def _sampler(self, request: Request) -> Sampler:
        grammar = grammar_of(request.schema) if request.schema else ""
        sampler = Sampler(self._api, self._vocabulary.pointer, self._vocabulary.size, request.sampling, grammar)
        for token in self._vocabulary.encode(request.prefix) if grammar and request.prefix else ():
            if not sampler.allows(token):
                sampler.close()
                raise ResponseFormatError("The beginning of the answer does not fit the JSON schema.", "Leave it out.")
            sampler.accept(token)
        return sampler

    def _answer(self, prompt: list[int], facts: _Facts, sampler: Sampler, watch: CancelWatch) -> Iterator[Chunk]:
        """Compute the prompt, then one token after another; leaves `facts` complete."""
        native, stream = self._native, facts.stream
        self._current = facts
        facts.cached = native.keep_prefix(prompt)
        if not native.compute(prompt[facts.cached :], watch):
            facts.reason = "cancelled"
            return
        if not native.finite():
            native.clear()
            raise ModelDamaged(f"{self._info.name} computes no numbers: its file is damaged.", "Download it again.")
        while True:
            token = sampler.draw(native.context)
            facts.first = facts.first or time.perf_counter()
            if token < 0 or self._vocabulary.ends(token):
                facts.reason = "stop"
                break
            facts.new += 1
            text = stream.feed(self._vocabulary.piece(token))
            if text:
                yield Chunk(text)
                self._still(facts)
            if stream.stopped:
                facts.reason = "stop"
                return
            if facts.new >= facts.limit:
                facts.reason = "length"
                break
            if not native.compute((token,), watch):
                facts.reason = "cancelled"
                break
        if rest := stream.finish():
            yield Chunk(rest)

    def _still(self, facts: _Facts) -> None:
        """Refuse to go on when another generation, or `close`, has taken the KV cache meanwhile."""
        if self._closed or self._current is not facts:
            raise EngineError("Another answer was begun, or the model was unloaded.", "Ask again.")

    def _finish(self, facts: _Facts) -> Finish:
        now = time.perf_counter()
        decode = now - facts.first if facts.first else 0.0
        return Finish(
            reason=facts.reason,
            prompt_tokens=facts.prompt_tokens,
            cached_tokens=facts.cached,
            new_tokens=facts.new,
            seconds=now - facts.started,
            tokens_per_second=(facts.new - 1) / decode if facts.new > 1 and decode > 0 else 0.0,
            device=self._device,
            peak_memory=peak_memory(),
            truncated=facts.reason == "length",
            prefill_seconds=facts.first - facts.started if facts.first else now - facts.started,
        )

    def close(self) -> None:
        """Free the model."""
        self._closed = True
        self._native.close()


def _device(api: Any, header: GgufHeader, placement: Placement, variant: str) -> str:
    """Where the model runs, in words."""
    threads = f"{placement.threads} thread{'s' if placement.threads != 1 else ''}"
    cpu = f"CPU, {threads}" + (f", {variant} library" if variant else "")
    layers = min(placement.gpu_layers, header.block_count + 1) if placement.gpu_layers >= 0 else header.block_count + 1
    if layers and api.llama_supports_gpu_offload():
        return f"{placement.device}, {layers} of {header.block_count + 1} layers; the rest on the {cpu}"
    return cpu
