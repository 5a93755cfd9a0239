"""One training or test example, and what the example makers share."""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass

from edgellm.runtimes.base import Message
from starter.grammar import realize
from starter.grammar.meaning import Meaning
from starter.grammar.meanings import HELD_OUT_SHARE, Meanings
from starter.words import Lexicon


@dataclass(frozen=True)
class Example:
    """A conversation and its answer. `key` decides whether it is held out; `facts` must appear in a good answer."""

    job: str
    messages: tuple[Message, ...]
    answer: str
    key: str
    facts: tuple[str, ...] = ()

    @property
    def held_out(self) -> bool:
        return zlib.crc32(self.key.encode()) % HELD_OUT_SHARE == 0


class Source:
    """Random meanings and English sentences for the example makers."""

    def __init__(self, lexicon: Lexicon, rng: random.Random) -> None:
        self.lexicon = lexicon
        self.rng = rng
        self.meanings = Meanings(lexicon, rng)

    def sentence(self, *kinds: str) -> str:
        """An English sentence of one of these constructions."""
        return realize(self.meanings.of(self.rng.choice(kinds)), "en")


def capital(text: str) -> str:
    """`text` with its first letter in upper case."""
    return text[0].upper() + text[1:]


def english(meaning: Meaning) -> str:
    return realize(meaning, "en")
