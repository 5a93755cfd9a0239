"""Decoder models on PyTorch as a `Generator`: the conversation by the model's template, then token after token."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edgellm.errors import ContextOverflow, EngineError, ModelDamaged, UsageError
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
    never,
)
from edgellm.runtimes.onnx.rules import Rules
from edgellm.runtimes.onnx.search import beam
from edgellm.runtimes.peak import peak_memory
from edgellm.runtimes.stops import TextStream
from edgellm.runtimes.template import ChatTemplate
from edgellm.runtimes.torch.folder import TorchFolder
from edgellm.runtimes.torch.loading import Loaded
from edgellm.runtimes.torch.sampling import Sampler
from edgellm.runtimes.torch.steps import Conversation, Stepper
from edgellm.runtimes.torch.words import ChatVocabulary, Pieces

# For a model that knows neither a template nor the marks of ChatML: it was trained to continue texts.
_PLAIN = "{% for message in messages %}{{ message.content }}{% if not loop.last %}\n{% endif %}{% endfor %}"
_CHATML_MARK = "<|im_start|>"
_MOST_BEAMS = 16
_NEIGHBORS = 4


@dataclass(slots=True)
class _Facts:
    """What a generation knows of itself on its way to `Finish`."""

    prompt_tokens: int
    limit: int
    started: float
    stream: TextStream
    cached: int = 0
    new: int = 0
    first: float = 0.0
    reason: FinishReason = "length"
    tokens: list[int] = field(default_factory=list)


class Decoder:
    """A loaded decoder. One generation at a time; the KV cache is kept for the next one."""

    def __init__(self, folder: TorchFolder, loaded: Loaded, placement: Placement, device: str) -> None:
        self._vocabulary = ChatVocabulary(folder.tokenizer, folder.specials)
        self._plain = not folder.template.strip() and self._vocabulary.id(_CHATML_MARK) is None
        self._template = ChatTemplate(_PLAIN if self._plain else folder.template, folder.specials)
        self._conversation = Conversation(Stepper(loaded, folder.path.name), placement.batch)
        self._words = folder.number("vocab_size")
        self._ends = _ends(folder, self._vocabulary, self._words)
        self._device, self._closed = device, False
        self._current: _Facts | None = None
        self._info = ModelInfo(
            name=folder.path.name,
            architecture=folder.architecture,
            parameters=folder.parameters,
            quantization=loaded.precision,
            context=min(folder.context, placement.context),
            trained_context=folder.context,
            vocabulary=self._vocabulary.size,
            metadata={"device": device, "chat_template": self._said(folder)},
        )

    def _said(self, folder: TorchFolder) -> str:
        if folder.template.strip():
            return "from the model"
        return "none: it continues texts" if self._plain else "ChatML, because the model brings none"

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
        text = self._template.render(safe) + disarm(prefix)
        ids = self._vocabulary.encode_prompt(text, special=self._plain)
        if ids and max(ids) >= self._words:
            raise ModelDamaged(f"The tokenizer of {self._info.name} is that of another model.", "Download it again.")
        return ids

    def generate(self, request: Request, cancelled: Cancelled = never) -> Iterator[Event]:
        """Yield the answer in `Chunk`s, then one `Finish`.

        Raises `ContextOverflow` before anything is computed, `UsageError`, `ModelDamaged` or `EngineError`.
        """
        started = time.perf_counter()
        if request.schema:
            raise UsageError("A safetensors model cannot be held to a JSON schema.", "Use a GGUF model for that.")
        if request.max_tokens is not None and request.max_tokens < 1:
            raise UsageError("max_tokens must be at least 1.", "Leave it out, or ask for one token or more.")
        prompt = self._prompt(request.messages, request.prefix)
        room = self._info.context - len(prompt)
        if room < 1:
            raise ContextOverflow(len(prompt), self._info.context)
        if not prompt:
            raise UsageError("There is nothing to answer.", "Write a message first.")
        limit = min(request.max_tokens or room, room)
        facts = _Facts(len(prompt), limit, started, TextStream(request.stop))
        self._current = facts
        way = self._searched if request.beams > 1 else self._drawn
        yield from way(prompt, request, facts, cancelled)
        yield self._finish(facts)

    def _drawn(self, prompt: list[int], request: Request, facts: _Facts, cancelled: Cancelled) -> Iterator[Chunk]:
        """One token after another; leaves `facts` complete."""
        conversation, sampler = self._conversation, Sampler(request.sampling)
        pieces, stream = Pieces(self._vocabulary, prompt[-_NEIGHBORS:]), facts.stream
        facts.cached = conversation.keep_prefix(prompt)
        logits = self._checked(conversation.compute(prompt[facts.cached :], cancelled))
        while logits is not None:
            token = sampler.draw(logits[0])
            facts.first = facts.first or time.perf_counter()
            if token in self._ends:
                facts.reason = "stop"
                break
            facts.new += 1
            if text := stream.feed(pieces.add(token).encode()):
                yield Chunk(text)
                self._still(facts)
            if stream.stopped:
                facts.reason = "stop"
                return
            if facts.new >= facts.limit:
                break
            logits = conversation.compute((token,), cancelled)
        else:
            facts.reason = "cancelled"
        if rest := stream.feed(pieces.finish().encode()) + stream.finish():
            yield Chunk(rest)

    def _searched(self, prompt: list[int], request: Request, facts: _Facts, cancelled: Cancelled) -> Iterator[Chunk]:
        """The best of several texts; it is known only at the end."""
        conversation = self._conversation
        facts.cached = conversation.keep_prefix(prompt)
        start = conversation.compute(prompt[facts.cached : -1], cancelled)
        if start is None and facts.cached < len(prompt) - 1:
            facts.reason = "cancelled"
            return
        beams = min(request.beams, _MOST_BEAMS)
        rules = Rules(prompt[-1], self._ends, self._ends[0], max_length=facts.limit + 1, beams=beams)
        try:
            tokens = beam(conversation, rules, cancelled)
        finally:
            conversation.clear()
        facts.first, facts.new = time.perf_counter(), len(tokens)
        facts.reason = "cancelled" if cancelled() else "length" if len(tokens) >= facts.limit else "stop"
        pieces = Pieces(self._vocabulary, prompt[-_NEIGHBORS:])
        text = "".join(map(pieces.add, tokens)) + pieces.finish()
        if shown := facts.stream.feed(text.encode()) + facts.stream.finish():
            yield Chunk(shown)

    def _checked(self, logits: Any) -> Any:
        if logits is not None and not np.isfinite(logits).all():
            self._conversation.clear()
            raise ModelDamaged(f"{self._info.name} computes no numbers: its file is damaged.", "Download it again.")
        return logits

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
        del self._conversation


def _ends(folder: TorchFolder, vocabulary: ChatVocabulary, words: int) -> tuple[int, ...]:
    """The tokens that end an answer: those of the generation's config, and the tokenizer's end of text."""
    given = folder.generation.get("eos_token_id")
    found = given if isinstance(given, list) else [given]
    named = vocabulary.id(folder.specials.get("eos_token", ""))
    return tuple(dict.fromkeys(one for one in [*found, named] if type(one) is int and 0 <= one < words))
