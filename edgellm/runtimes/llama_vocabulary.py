"""Text to tokens and back, with the vocabulary of one loaded model."""

from __future__ import annotations

import ctypes
from typing import Any

_BREAK = "\ue000"


class Vocabulary:
    """The tokenizer inside a GGUF model. `api` is the binding, `pointer` the native vocabulary."""

    def __init__(self, api: Any, pointer: Any) -> None:
        self._api = api
        self.pointer = pointer
        self.size = int(api.llama_vocab_n_tokens(pointer))
        self._bos = int(api.llama_vocab_bos(pointer))
        self._add_bos = bool(api.llama_vocab_get_add_bos(pointer)) and self._bos >= 0
        self._room = ctypes.create_string_buffer(256)

    def specials(self) -> dict[str, str]:
        """The names under which chat templates know special tokens, and their texts.

        Where a file names none, llama.cpp falls back to a number that may be any word: only control tokens count.
        """
        api, pointer = self._api, self.pointer
        numbers = {
            "bos_token": self._bos,
            "eos_token": api.llama_vocab_eos(pointer),
            "unk_token": -1,
            "pad_token": api.llama_vocab_pad(pointer),
        }
        return {name: self._text(number) if self._is_control(number) else "" for name, number in numbers.items()}

    def _is_control(self, token: int) -> bool:
        return 0 <= token < self.size and bool(self._api.llama_vocab_is_control(self.pointer, token))

    def _text(self, token: int) -> str:
        raw = self._api.llama_vocab_get_text(self.pointer, token) if 0 <= token < self.size else b""
        return (raw or b"").decode("utf-8", "replace")

    def encode(self, text: str, special: bool = True) -> list[int]:
        """Tokens of `text`. With `special` the texts of control tokens become those tokens."""
        data = text.encode("utf-8", "replace")
        room = len(data) + 16
        tokens = (ctypes.c_int32 * room)()
        count = self._api.llama_tokenize(self.pointer, data, len(data), tokens, room, False, special)
        if count < 0:
            room = -count
            tokens = (ctypes.c_int32 * room)()
            count = self._api.llama_tokenize(self.pointer, data, len(data), tokens, room, False, special)
        return tokens[: max(count, 0)]

    def encode_prompt(self, text: str) -> list[int]:
        """Tokens of a rendered prompt; the beginning-of-text token is there once if the model wants it.

        Texts that `disarm` marked are split at the marks, so that no control token comes out of them.
        """
        tokens = [token for part in text.split(_BREAK) for token in self.encode(part)]
        if self._add_bos and tokens[:1] != [self._bos]:
            tokens.insert(0, self._bos)
        return tokens

    def disarm(self, text: str) -> str:
        """`text` as a message may bring it: what looks like a control token in it stays plain text.

        A document that contains `<|im_end|>` must not end the message that quotes it.
        """
        text = text.replace(_BREAK, "")
        for _ in range(64):
            pieces = text.split(_BREAK)
            found = {name for piece in pieces for name in self._controls(piece)}
            if not found:
                return text
            for name in sorted(found, key=len, reverse=True):
                text = text.replace(name, name[:1] + _BREAK + name[1:])
        return text.replace(_BREAK, "")

    def _controls(self, text: str) -> set[str]:
        tokens = self.encode(text)
        if tokens == self.encode(text, special=False):
            return set()
        names = {self._text(token) for token in set(tokens) if self._is_control(token)}
        return {name for name in names if len(name) > 1 and name in text}

    def ends(self, token: int) -> bool:
        """True for a token that ends the answer."""
        return bool(self._api.llama_vocab_is_eog(self.pointer, token))

    def enders(self) -> tuple[int, ...]:
        """The usual tokens that end an answer: those of the end of a turn and of the text."""
        usual = (int(self._api.llama_vocab_eot(self.pointer)), int(self._api.llama_vocab_eos(self.pointer)))
        return tuple(sorted({token for token in usual if 0 <= token < self.size and self.ends(token)}))

    def piece(self, token: int) -> bytes:
        """The bytes that a token adds to the text; none for a control token."""
        size = self._api.llama_token_to_piece(self.pointer, token, self._room, len(self._room), 0, False)
        if size < 0:
            self._room = ctypes.create_string_buffer(-size)
            size = self._api.llama_token_to_piece(self.pointer, token, self._room, len(self._room), 0, False)
        return self._room.raw[: max(size, 0)]
