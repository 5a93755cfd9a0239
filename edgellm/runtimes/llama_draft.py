"""Guesses the next tokens of an answer from what was already read: where it repeats its input, they are right.

Prompt lookup decoding (Saxena 2023): the last tokens are looked for earlier in the text, and what followed them there
is the guess. The model checks all of it in one batch, which costs little more than one token; what it would not have
said itself is thrown away. Guesses that are rejected become shorter and rarer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgellm.runtimes.cancel import CancelWatch
from edgellm.runtimes.llama_answer import Answer
from edgellm.runtimes.llama_context import LlamaContext

_GRAM = 3
_FIRST, _LONGEST = 4, 15
_COST = 0.3  # what checking a guessed token costs, in tokens computed singly: half of the guesses must be better
_PAUSE = 32
_UNSURE = 0.25  # logits: closer than this, rounding could decide, and the token is computed again by itself


class Drafter:
    """Holds the text so far; with `on` false it guesses nothing.

    `drafted` counts the tokens it guessed, `accepted` those that were right.
    """

    def __init__(self, tokens: Sequence[int], on: bool = True) -> None:
        self._on = on
        self._tokens: list[int] = []
        self._after: dict[tuple[int, ...], int] = {}
        self._length = _FIRST
        self._resume, self._pause = 0, _PAUSE
        self._rate = 0.5
        self.drafted = 0
        self.accepted = 0
        self.add(tokens)

    def add(self, tokens: Sequence[int]) -> None:
        """The text goes on."""
        text, after = self._tokens, self._after
        for token in tokens if self._on else ():
            if len(text) >= _GRAM:
                after[tuple(text[-_GRAM:])] = len(text)  # known one token late, so that the end never finds itself
            text.append(token)

    def guess(self, most: int) -> list[int]:
        """The next tokens, at most so many; none when nothing is found, or while guesses were bad."""
        text = self._tokens
        if len(text) < self._resume:
            return []
        at = self._after.get(tuple(text[-_GRAM:]))
        return text[at : at + min(self._length, most)] if at is not None else []

    def checked(self, drafted: int, accepted: int) -> None:
        """Learn from a guess: how many of its tokens were right."""
        self.drafted += drafted
        self.accepted += accepted
        self._rate += (accepted / drafted - self._rate) * min(drafted / 16, 0.5)
        if accepted == drafted:
            self._length, self._pause = min(2 * self._length, _LONGEST), _PAUSE
        else:
            self._length = max(accepted + 1, 2)
        if self._rate < _COST:
            self._resume, self._rate, self._length = len(self._tokens) + self._pause, _COST, 2
            self._pause *= 2


def written_tokens(native: LlamaContext, answer: Answer, watch: CancelWatch, drafter: Drafter) -> Iterator[int]:
    """The tokens of an answer whose prompt is computed, as they would come without guessing; ends when cancelled.

    Whoever takes them must not use the KV cache in between.
    """
    token = answer.sampler.draw(native.context)
    while True:
        yield token
        drafter.add((token,))
        guess, base = drafter.guess(min(answer.left, native.batch.room) - 1), len(native.tokens)
        known = (token, *guess)
        if not native.compute(known, watch, every=bool(guess)):
            return
        if not guess:
            token = answer.sampler.draw(native.context)
            continue
        for row, expected in enumerate((*guess, None)):
            if native.close_call(row, _UNSURE):
                native.cut(base + row)
                if not native.compute(known[row : row + 1], watch):
                    return
                token = answer.sampler.draw(native.context)
                break
            token = answer.sampler.draw(native.context, row)
            if token != expected:
                break
            yield token
            drafter.add((token,))
        native.cut(base + row + 1)
        drafter.checked(len(guess), row)
