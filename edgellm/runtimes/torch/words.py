"""The tokenizer of a decoder: prompts to tokens, no way in for control tokens, and tokens to text as it streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from edgellm.runtimes.onnx.tokens import Vocabulary

_BREAK = "\ue000"
_INCOMPLETE = "\ufffd"
_LONGEST_CHARACTER = 12  # tokens; what is no character by then is shown as it is


class ChatVocabulary(Vocabulary):
    """A vocabulary that also encodes rendered prompts. `specials` are the texts of the model's special tokens."""

    def __init__(self, path: Path, specials: Mapping[str, str]) -> None:
        super().__init__(path)
        added = self._tokenizer.get_added_tokens_decoder().values()
        names = {token.content for token in added if token.special} | set(specials.values())
        self._controls = sorted((name for name in names if len(name) > 1), key=len, reverse=True)

    def encode_prompt(self, text: str, special: bool) -> list[int]:
        """Tokens of a prompt. Texts that `disarm` marked are split at the marks.

        `special`: add what the tokenizer puts around a text, for a model without a template.
        """
        if _BREAK not in text:
            return list(self.encode(text, special=special).ids)
        first, *others = text.split(_BREAK)
        found = list(self.encode(first, special=special).ids)
        for piece in others:
            found += self.encode(piece, special=False).ids
        return found

    def disarm(self, text: str) -> str:
        """`text` as a message may bring it: what looks like a control token in it stays plain text.

        A document that contains `<|im_end|>` must not end the message that quotes it.
        """
        text = text.replace(_BREAK, "")
        for name in self._controls:
            text = text.replace(name, name[:1] + _BREAK + name[1:])
        return text


class Pieces:
    """Token after token, the text that each adds: whole characters only.

    A tokenizer decodes a token by its neighbors (spaces, parts of characters), so the last few are decoded twice, with
    and without the new ones, and the difference is what is new.
    """

    def __init__(self, vocabulary: Vocabulary, before: Sequence[int] = ()) -> None:
        """`before` are the last tokens of the prompt, so that the first word keeps its space."""
        self._vocabulary = vocabulary
        self._ids = list(before)
        self._start, self._shown = 0, len(self._ids)

    def add(self, token: int) -> str:
        """The text that can be shown now."""
        self._ids.append(token)
        text = self._new()
        if text.endswith(_INCOMPLETE) and len(self._ids) - self._shown < _LONGEST_CHARACTER:
            return ""
        if text:
            self._start, self._shown = self._shown, len(self._ids)
        return text

    def finish(self) -> str:
        """What was held back, without a character that never was complete."""
        return self._new().rstrip(_INCOMPLETE)

    def _new(self) -> str:
        before = self._vocabulary.decode(self._ids[self._start : self._shown])
        return self._vocabulary.decode(self._ids[self._start :])[len(before) :]
