"""Text to tokens and back, by the `tokenizer.json` of a model, through the tokenizers library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from edgellm.errors import ModelDamaged


@dataclass(frozen=True, slots=True)
class Encoded:
    """Tokens of a text or a pair: ids, which part each belongs to, and the characters it stands for.

    `parts` is 0 or 1, None for tokens that the model adds; `spans` are start and end in that part's text.
    """

    ids: tuple[int, ...]
    types: tuple[int, ...]
    parts: tuple[int | None, ...]
    spans: tuple[tuple[int, int], ...]

    def chosen(self, indices: Sequence[int]) -> Encoded:
        """Only these tokens, in this order."""
        return Encoded(
            tuple(self.ids[index] for index in indices),
            tuple(self.types[index] for index in indices),
            tuple(self.parts[index] for index in indices),
            tuple(self.spans[index] for index in indices),
        )

    def cut(self, limit: int) -> Encoded:
        """At most `limit` tokens: the end of the longer part goes first, what the model adds stays."""
        extra = len(self.ids) - limit
        if extra <= 0:
            return self
        keep = set(range(len(self.ids)))
        parts = [[index for index, part in enumerate(self.parts) if part == number] for number in (0, 1)]
        for _ in range(extra):
            longer = max(parts, key=len)
            if not longer:
                break
            keep.discard(longer.pop())
        return self.chosen(sorted(keep))


class Vocabulary:
    """The tokenizer of one model. Never truncates and never pads: that is for those who know what it means."""

    def __init__(self, path: Path) -> None:
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises plain Exception for whatever is wrong with the file
            raise ModelDamaged("The model's tokenizer cannot be read.", "Download the model again.") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    @property
    def size(self) -> int:
        """Number of tokens, added ones included."""
        return int(self._tokenizer.get_vocab_size(with_added_tokens=True))

    def id(self, token: str) -> int | None:
        """The id of a token, None when there is none."""
        found: int | None = self._tokenizer.token_to_id(token)
        return found

    def encode(self, text: str, pair: str | None = None, special: bool = True) -> Encoded:
        """The tokens of a text, or of a pair. Bytes that are no characters are replaced first."""
        found = self._tokenizer.encode(_clean(text), None if pair is None else _clean(pair), add_special_tokens=special)
        return Encoded(tuple(found.ids), tuple(found.type_ids), tuple(found.sequence_ids), tuple(found.offsets))

    def encode_many(self, texts: Sequence[str]) -> list[Encoded]:
        """The tokens of many texts, several at a time."""
        return [
            Encoded(tuple(one.ids), tuple(one.type_ids), tuple(one.sequence_ids), tuple(one.offsets))
            for one in self._tokenizer.encode_batch([_clean(text) for text in texts])
        ]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of tokens, without special ones."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True))


def _clean(text: str) -> str:
    """Lone surrogates cannot enter the library."""
    return text.encode("utf-8", "replace").decode("utf-8")
