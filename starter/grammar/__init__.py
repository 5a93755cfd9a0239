"""A synchronous grammar: one `Meaning`, one correct sentence in each of five languages."""

from __future__ import annotations

from starter.grammar import chinese, english, french, german, spanish
from starter.grammar.meaning import Meaning

KINDS = {
    "en": english.KINDS,
    "fr": french.KINDS,
    "de": german.KINDS,
    "es": spanish.KINDS,
    "zh": chinese.KINDS,
}


def realize(meaning: Meaning, language: str) -> str:
    """The sentence for `meaning` in `language`, with capital and end mark."""
    text = KINDS[language][meaning.kind](meaning)
    first = 1 if text[0] in "¿¡" else 0
    return text[:first] + text[first].upper() + text[first + 1 :]
