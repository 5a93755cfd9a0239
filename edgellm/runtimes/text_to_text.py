"""Encoder-decoder models (translation, summarization) as a `Generator`: one text in, one text out.

The text is the last message of the request; there is no conversation and no template. Greedy search streams; a beam
search knows its text only at the end. A text that is longer than the encoder's positions is refused with its count.
What computes the numbers is left to the runtimes: a subclass says how a search over one text begins.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgellm.errors import ContextOverflow, UsageError
from edgellm.models import manifest
from edgellm.runtimes.base import Cancelled, Chunk, Event, Finish, FinishReason, Message, ModelInfo, Request, never
from edgellm.runtimes.onnx.languages import tell
from edgellm.runtimes.onnx.rules import Rules
from edgellm.runtimes.onnx.search import Decoder, beam, greedy
from edgellm.runtimes.onnx.tokens import Vocabulary
from edgellm.runtimes.peak import peak_memory
from edgellm.runtimes.stops import TextStream

_POSITIONS = 512
_INCOMPLETE = "\ufffd"


class Interrupted(Exception):
    """A step of a decoder was given up, because it was asked to stop."""


class TextToText(ABC):
    """A loaded encoder-decoder model. `device` is where it runs, for a person."""

    def __init__(self, vocabulary: Vocabulary, rules: Rules, info: ModelInfo, device: str) -> None:
        self._vocabulary, self._rules, self._info, self._device = vocabulary, rules, info, device

    @abstractmethod
    def begin(self, ids: tuple[int, ...], cancelled: Cancelled) -> Decoder:
        """Encode the tokens of a text; the decoder that continues from there. May raise `Interrupted`."""

    @abstractmethod
    def close(self) -> None:
        """Free the model."""

    @property
    def info(self) -> ModelInfo:
        """The loaded model."""
        return self._info

    def generate(self, request: Request, cancelled: Cancelled = never) -> Iterator[Event]:
        """Yield the text and then the `Finish`. Raises `ContextOverflow` and `UsageError`."""
        if request.schema or request.prefix:
            raise UsageError("A translation model cannot be held to a format.", "Use a chat model for that.")
        started = time.perf_counter()
        ids, rules = self._prepare(request)
        run = _Run(self, request, rules, cancelled)
        yield from run.events(ids)
        yield run.finish(len(ids), started, self._device)

    def count(self, messages: tuple[Message, ...]) -> int:
        """Tokens of the last message, with those that the model adds."""
        return len(self._vocabulary.encode(_text(messages)).ids) + 1

    def decode(self, tokens: list[int]) -> str:
        """The text of tokens."""
        return self._vocabulary.decode(tokens)

    def _prepare(self, request: Request) -> tuple[tuple[int, ...], Rules]:
        """The tokens of the source text, and the rules of this request."""
        told = tell(self._vocabulary, request.source, request.target)
        if told.before:
            plain = self._vocabulary.encode(_text(request.messages), special=False).ids
            ids = (*told.before, *plain, self._rules.end[0])
        else:
            ids = self._vocabulary.encode(_text(request.messages)).ids
            if not ids or ids[-1] not in self._rules.end:
                ids = (*ids, self._rules.end[0])
        if len(ids) > self._info.context:
            raise ContextOverflow(len(ids), self._info.context)
        longest = min(self._info.context, 2 * len(ids) + 32) if request.source else self._info.context
        longest = min(longest, (request.max_tokens or longest) + 1)
        rules = replace(self._rules, max_length=max(2, longest), beams=max(1, min(request.beams, 16)))
        rules = replace(rules, min_length=min(rules.min_length, rules.max_length // 2))
        return ids, rules if told.first is None else replace(rules, forced_first=told.first)


@dataclass(slots=True)
class _Run:
    """One answer while it is made."""

    model: TextToText
    request: Request
    rules: Rules
    cancelled: Cancelled
    tokens: int = 0
    reason: FinishReason = "stop"
    first: float = 0.0

    def events(self, ids: tuple[int, ...]) -> Iterator[Event]:
        try:
            decoder = self.model.begin(ids, self.cancelled)
            yield from self._whole(decoder) if self.rules.beams > 1 else self._streamed(decoder)
        except Interrupted:
            self.reason = "cancelled"

    def _streamed(self, decoder: Decoder) -> Iterator[Event]:
        shown, tokens, stream = "", list[int](), TextStream(self.request.stop)
        self.reason = "stop"
        for token in greedy(decoder, self.rules):
            self.first = self.first or time.perf_counter()
            tokens.append(token)
            self.tokens += 1
            text = self.model.decode(tokens)
            if not text.endswith(_INCOMPLETE) and text.startswith(shown):
                piece, shown = text[len(shown) :], text
                if piece and (ready := stream.feed(piece.encode())):
                    yield Chunk(ready)
            if stream.stopped:
                return
            if self.cancelled():
                self.reason = "cancelled"
                break
        else:
            self._ended(len(tokens))
        rest = self.model.decode(tokens)[len(shown) :].rstrip(_INCOMPLETE)
        if last := stream.feed(rest.encode()) + stream.finish():
            yield Chunk(last)

    def _whole(self, decoder: Decoder) -> Iterator[Event]:
        tokens = beam(decoder, self.rules, self.cancelled)
        self.first = time.perf_counter()
        self.tokens = len(tokens)
        if self.cancelled():
            self.reason = "cancelled"
        else:
            self._ended(len(tokens))
        stream = TextStream(self.request.stop)
        if text := stream.feed(self.model.decode(tokens).encode()) + stream.finish():
            yield Chunk(text)

    def _ended(self, count: int) -> None:
        """Cut when the search used all of its length (the start token is one of it)."""
        self.reason = "length" if count + 1 >= self.rules.max_length else "stop"

    def finish(self, prompt: int, started: float, device: str) -> Finish:
        now = time.perf_counter()
        first = self.first or now
        decoding = now - (started if self.rules.beams > 1 else first)
        return Finish(
            reason=self.reason,
            prompt_tokens=prompt,
            cached_tokens=0,
            new_tokens=self.tokens,
            seconds=now - started,
            tokens_per_second=self.tokens / decoding if decoding > 0 else 0.0,
            device=device,
            peak_memory=peak_memory(),
            truncated=self.reason == "length",
            prefill_seconds=first - started,
        )


def _text(messages: tuple[Message, ...]) -> str:
    if not messages or messages[-1].role != "user":
        raise UsageError("There is no text to work on.", "Give a text.")
    return messages[-1].content


def positions_of(config: Mapping[str, Any]) -> int:
    """The most tokens of a text, as the model's config says it."""
    found = [config.get(name) for name in ("max_position_embeddings", "n_positions")]
    return next((value for value in found if type(value) is int and 2 <= value <= 65_536), _POSITIONS)


def languages_of(path: Path) -> tuple[str, ...]:
    """The languages that the model's manifest names: for a pair, source and target."""
    return manifest.read(path).languages if (path / manifest.FILE_NAME).is_file() else ()
