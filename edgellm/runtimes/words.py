"""Words, as a person counts them, and how many of them a token is worth."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from edgellm.runtimes.base import Reading

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")

# Words of one token with the vocabularies of 32,000 to 262,000 tokens that today's models have. Rough on purpose: a
# model's own runs replace it. In Chinese and Japanese a word is one character.
WORDS_PER_TOKEN: Mapping[str, float] = MappingProxyType(
    {"en": 0.75, "de": 0.5, "fr": 0.6, "es": 0.6, "it": 0.55, "pt": 0.6, "nl": 0.55, "zh": 1.4, "ja": 1.1}
)
OTHER_LANGUAGE = 0.45


def count(text: str) -> int:
    """Words of a text; in Chinese and Japanese each character counts as one."""
    return sum(1 for _ in _WORD.finditer(text))


def to_read(reading: Reading) -> int:
    """Words that a model has to read: a text that is held against several others counts with each."""
    return count(reading.text) * max(len(reading.texts), 1) + sum(count(text) for text in reading.texts)


def per_token(language: str = "en") -> float:
    """Words of a token in the language of this tag, such as `en` or `pt-BR`."""
    return WORDS_PER_TOKEN.get(language.lower().partition("-")[0], OTHER_LANGUAGE)
