"""Guesses the next tokens of an answer from what was already read: where it repeats its input, they are right.

Prompt lookup decoding (Saxena 2023): the last tokens are looked for earlier in the text, and what followed them there
is the guess. The model checks all of it in one batch; what it would not have said itself is thrown away. Checking is
not free on a processor, least of all on a busy one (`python -m benchmarks.speedups`). So a guess is handed out only
where the tokens before it had been foreseen too, and an account of what guesses gained and cost bounds the loss.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgellm.runtimes.cancel import CancelWatch
from edgellm.runtimes.llama_answer import Answer
from edgellm.runtimes.llama_context import LlamaContext

_GRAM = 3
_LEAST, _SHORT, _LONG = 3, 4, 15  # 15 guesses and the token before them are 16 rows, which cost little more than 8
_FORESEEN, _SURE = 2, 6  # tokens foreseen in a row before a guess is made, and before one is long or repeats the answer
_EACH, _MOST = 0.53, 4.0  # what checking a guess costs, and a long guess in all, in tokens computed singly
_START, _INTEREST = 2.2, 0.03  # what may be lost: one short guess, and so much more with each token of the answer
_UNSURE = 0.25  # logits: closer than this, rounding could decide, and the token is computed again by itself


class Drafter:
    """Holds the text so far; with `on` false it guesses nothing.

    `drafted` counts the tokens it guessed, `accepted` those that were right.
    """

    def __init__(self, tokens: Sequence[int], on: bool = True) -> None:
        self._on = on
        self._text: list[int] = []
        self._after: dict[tuple[int, ...], int] = {}
        self._next: int | None = None  # where in the text the next token is foreseen
        self._foreseen = 0
        self._account = 0.0
        self.drafted = 0
        self.accepted = 0
        self.add(tokens)
        self._foreseen, self._account, self._prompt = 0, _START, len(tokens)

    def add(self, tokens: Sequence[int]) -> None:
        """The text goes on."""
        text, after = self._text, self._after
        for token in tokens if self._on else ():
            right = self._next is not None and text[self._next] == token
            self._foreseen = self._foreseen + 1 if right else 0
            if len(text) >= _GRAM:
                after[tuple(text[-_GRAM:])] = len(text)  # known one token late, so that the end never finds itself
            text.append(token)
            self._next = after.get(tuple(text[-_GRAM:]))
            self._account += _INTEREST

    def guess(self, most: int) -> list[int]:
        """The next tokens, at most so many; none where too few before them were foreseen, or too many were wrong.

        A text that runs in a circle is foreseen to go on so.
        """
        if self._next is None or self._foreseen < (_FORESEEN if self._next < self._prompt else _SURE):
            return []
        length = min(_LONG if self._foreseen >= _SURE else _SHORT, most)
        if length < _LEAST or self._account < _cost(length):
            return []
        period = len(self._text) - self._next
        return [self._text[self._next + index % period] for index in range(length)]

    def checked(self, drafted: int, accepted: int) -> None:
        """Learn from a guess: how many of its tokens were right."""
        self.drafted += drafted
        self.accepted += accepted
        self._account += accepted - _cost(drafted)


def _cost(drafted: int) -> float:
    return min(_EACH * drafted, _MOST)


def written_tokens(native: LlamaContext, answer: Answer, watch: CancelWatch, drafter: Drafter) -> Iterator[int]:
    """The tokens of an answer whose prompt is computed, as they would come without guessing; ends when cancelled.

    Whoever takes them must not use the KV cache in between.
    """
    token, drawn = answer.sampler.draw(native.context), -1  # and the row of logits it was drawn from
    while True:
        yield token
        drafter.add((token,))
        guess, base = drafter.guess(min(answer.left, native.batch.room) - 1), len(native.tokens)
        if guess and native.close_call(drawn, _UNSURE):
            guess = []  # a model that is undecided now would be so over the guess, which would be thrown away
        known = (token, *guess)
        if not native.compute(known, watch, every=bool(guess)):
            return
        if not guess:
            token, drawn = answer.sampler.draw(native.context), -1
            continue
        for row, expected in enumerate((*guess, None)):
            drawn = row
            if native.close_call(row, _UNSURE):
                native.cut(base + row)
                if not native.compute(known[row : row + 1], watch):
                    return
                token, drawn = answer.sampler.draw(native.context), -1
                break
            token = answer.sampler.draw(native.context, row)
            if token != expected:
                break
            yield token
            drafter.add((token,))
        native.cut(base + row + 1)
        drafter.checked(len(guess), row)
