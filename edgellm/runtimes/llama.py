"""GGUF models on llama.cpp, through its low-level binding.

The adapter's parts lie beside it: the libraries (`llama_library`), model and KV cache (`llama_context`), tokens
(`llama_vocabulary`), sampling and grammar, the chat template, and the text as it streams (`stops`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgellm.errors import ContextOverflow, EngineError, ModelDamaged, ModelUnsupported, ResponseFormatError, UsageError
from edgellm.models.gguf import GgufHeader, read_header
from edgellm.runtimes import llama_library
from edgellm.runtimes.architectures import NO_TEXT
from edgellm.runtimes.base import (
    WEIGHS,
    Cancelled,
    Chunk,
    Dropped,
    Event,
    Message,
    ModelInfo,
    Placement,
    Reading,
    Reply,
    Request,
    Scores,
    never,
    never_dropped,
)
from edgellm.runtimes.cancel import CancelWatch
from edgellm.runtimes.llama_answer import Answer
from edgellm.runtimes.llama_context import LlamaContext
from edgellm.runtimes.llama_draft import Drafter, written_tokens
from edgellm.runtimes.llama_grammar import grammar_of
from edgellm.runtimes.llama_many import Many
from edgellm.runtimes.llama_sampling import Sampler
from edgellm.runtimes.llama_scores import AnswerScores
from edgellm.runtimes.llama_spin import Spin
from edgellm.runtimes.llama_state import PromptCache, key_of
from edgellm.runtimes.llama_vocabulary import Vocabulary
from edgellm.runtimes.many import one_by_one
from edgellm.runtimes.stops import TextStream
from edgellm.runtimes.template import ChatTemplate

_KV_BLOCK = 32
_log = logging.getLogger(__name__)


class LlamaRuntime:
    """A loaded GGUF model. One generation at a time; `close` frees it.

    `drafts` lets it guess ahead where an answer repeats what was read; the answer is the same without.
    """

    def __init__(
        self, api: Any, native: LlamaContext, header: GgufHeader, path: Path, placement: Placement, variant: str
    ) -> None:
        """Use `load`."""
        self._api = api
        self._native = native
        self._closed = False
        self.drafts = True
        self._kept: PromptCache | None = None
        self._source = (path, replace(placement, cpu_variant=variant))
        self._current: Answer | None = None
        self._spin = Spin(llama_library.computing(api, variant), placement.threads)
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
                WEIGHS: native.sequences > 0,
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
            return cls(api, native, header, path, placement, variant)
        except ModelUnsupported:
            native.close()
            raise

    @property
    def info(self) -> ModelInfo:
        """The loaded model."""
        return self._info

    def remember(self, folder: Path, room: int) -> None:
        """Keep long prompts in `folder`, at most `room` bytes of them, and use what is kept there."""
        if self._native.rewinds:
            self._kept = PromptCache(folder, room, key_of(*self._source))

    def count(self, messages: tuple[Message, ...]) -> int:
        """Tokens of the prompt that `generate` would send for these messages."""
        return len(self._prompt(messages, ""))

    def _prompt(self, messages: tuple[Message, ...], prefix: str) -> list[int]:
        if self._closed:
            raise EngineError("The model is not loaded any more.", "Load it again.")
        disarm = self._vocabulary.disarm
        safe = [Message(message.role, disarm(message.content)) for message in messages]
        return self._vocabulary.encode_prompt(self._template.render(safe) + disarm(prefix))

    def generate(self, request: Request, cancelled: Cancelled = never) -> Iterator[Event]:
        """Yield the answer in `Chunk`s, then one `Finish`.

        `cancelled` is also asked from another thread, never from two at once. Raises `ContextOverflow` before
        anything is computed, `UsageError`, `ResponseFormatError`, `ModelDamaged` or `EngineError`.
        """
        answer = self._prepare(request, time.perf_counter())
        try:
            with self._watch(cancelled) as watch:
                for text in self._write(answer, watch):
                    yield Chunk(text)
                    self._still(answer)
        finally:
            answer.sampler.close()
        finish = answer.finish(self._device)
        if self._kept is not None and answer.reason != "cancelled":
            self._kept.keep(self._native)  # before the last event: whoever has that may end this process
        yield finish

    def generate_many(
        self, requests: tuple[Request, ...], cancelled: Cancelled = never, dropped: Dropped = never_dropped
    ) -> Iterator[tuple[int, Event]]:
        """Answer several requests at once; each event comes with the index of its request.

        `cancelled` and the errors are those of `generate`; `dropped` is asked between two steps, for each request.
        At temperature 0 the tokens are those of one request after the other, except where two are so close to equally
        likely that rounding decides: sums over several rows are added up in another order.
        """
        if not self._native.sequences:
            yield from one_by_one(self, requests, cancelled, dropped)
            return
        started, answers = time.perf_counter(), list[Answer]()
        try:
            for request in requests:
                answers.append(self._prepare(request, started))
            if answers:
                yield from self._run(answers, cancelled, dropped)
        finally:
            for answer in answers:
                answer.sampler.close()

    def read(self, reading: Reading, cancelled: Cancelled = never) -> Reply:
        """How likely each of the answers is. Raises `UsageError` for anything else, `ContextOverflow`."""
        if reading.kind != "decoder" or not self._native.sequences or not reading.texts:
            raise UsageError(f"{self._info.name} only writes text.", "Choose a model that is made for this task.")
        prompts = [self._prompt(reading.messages, text) for text in reading.texts]
        self._current = None
        scores = AnswerScores(self._api, self._native, self._vocabulary.size, self._vocabulary.enders())
        with self._watch(cancelled) as watch:
            values = scores.probabilities(prompts, watch)
        return Reply(scores=Scores(reading.texts if values else (), values))

    def _watch(self, cancelled: Cancelled) -> CancelWatch:
        self._spin.begin()
        return CancelWatch(self._native.cancel_buffer, cancelled, self._spin.look)

    def _run(self, answers: list[Answer], cancelled: Cancelled, dropped: Dropped) -> Iterator[tuple[int, Event]]:
        self._current = answers[0]
        with self._watch(cancelled) as watch:
            many = Many(self._native, answers, watch, self._device)
            try:
                for index, event in many.run(dropped):
                    yield index, event
                    self._still(answers[0])
            finally:
                if self._current is answers[0]:
                    many.close()
        _log.info("%d answers in %d steps, %d gave way", len(answers), many.steps, many.gave_way)

    def _prepare(self, request: Request, started: float) -> Answer:
        """Everything that can be wrong with a request is raised here."""
        prompt = self._prompt(request.messages, request.prefix)
        room = self._native.length - len(prompt)
        if room < 1:
            raise ContextOverflow(len(prompt), self._native.length)
        if not prompt:
            raise UsageError("There is nothing to answer.", "Write a message first.")
        if request.max_tokens is not None and request.max_tokens < 1:
            raise UsageError("max_tokens must be at least 1.", "Leave it out, or ask for one token or more.")
        limit = min(request.max_tokens or room, room)
        return Answer(prompt, limit, self._sampler(request), self._vocabulary, TextStream(request.stop), started)

    def _sampler(self, request: Request) -> Sampler:
        grammar = grammar_of(request.schema) if request.schema else ""
        sampler = Sampler(self._api, self._vocabulary.pointer, self._vocabulary.size, request.sampling, grammar)
        for token in self._vocabulary.encode(request.prefix) if grammar and request.prefix else ():
            if not sampler.allows(token):
                sampler.close()
                raise ResponseFormatError("The beginning of the answer does not fit the JSON schema.", "Leave it out.")
            sampler.accept(token)
        return sampler

    def _write(self, answer: Answer, watch: CancelWatch) -> Iterator[str]:
        """Compute the prompt, then one token after another; the pieces of text. `answer` is over in the end."""
        native = self._native
        self._current = answer
        if self._kept is not None:
            self._kept.restore(native, answer.prompt)
        answer.cached = native.keep_prefix(answer.prompt)
        if not native.compute(answer.prompt[answer.cached :], watch):
            answer.end("cancelled")
            return
        if not native.finite():
            native.clear()
            raise ModelDamaged(f"{self._info.name} computes no numbers: its file is damaged.", "Download it again.")
        drafter = Drafter(answer.prompt, self.drafts and answer.sampler.greedy and native.rewinds)
        for token in written_tokens(native, answer, watch, drafter):
            if text := answer.take(token):
                yield text
            if answer.reason:
                break
        else:
            if text := answer.end("cancelled"):
                yield text
        if drafter.drafted:
            _log.info("%d of %d guessed tokens were right", drafter.accepted, drafter.drafted)

    def _still(self, answer: Answer) -> None:
        """Refuse to go on when another generation, or `close`, has taken the KV cache meanwhile."""
        if self._closed or self._current is not answer:
            raise EngineError("Another answer was begun, or the model was unloaded.", "Ask again.")

    def close(self) -> None:
        """Free the model."""
        self._closed = True
        self._spin.close()
        self._native.close()


def _device(api: Any, header: GgufHeader, placement: Placement, variant: str) -> str:
    """Where the model runs, in words."""
    threads = f"{placement.threads} thread{'s' if placement.threads != 1 else ''}"
    cpu = f"CPU, {threads}" + (f", {variant} library" if variant else "")
    layers = min(placement.gpu_layers, header.block_count + 1) if placement.gpu_layers >= 0 else header.block_count + 1
    if layers and api.llama_supports_gpu_offload():
        return f"{placement.device}, {layers} of {header.block_count + 1} layers; the rest on the {cpu}"
    return cpu
