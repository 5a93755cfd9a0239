"""A text as the terms it is about: stems of words, or pairs of characters where words are not spaced.

Stemming is by truncation (McNamee and Mayfield, "Character N-Gram Tokenization for European Language Text Retrieval",
2004, compare it with stemmers): it needs no dictionary and serves every alphabetic language. Overlapping character
bigrams are the usual unit for Chinese, Japanese and Korean retrieval.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from edgellm.tasks.function_words import QUESTION, STOP, irregular
from edgellm.tasks.scripts import UNSPACED_RUN

_STEM = 5
_ENDINGS = ("ing", "ed", "es", "s")
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")


class Terms:
    """Turns texts into terms. Without a language, the function words of all five are left out.

    `question` leaves out question words too; `single` adds the single characters of unspaced scripts, which a short
    question needs to be found.
    """

    def __init__(self, language: str = "", *, question: bool = False, single: bool = False) -> None:
        tables = [STOP] + ([QUESTION] if question else [])
        languages = [language] if language in STOP else list(STOP)
        self._stop = frozenset(word for table in tables for code in languages for word in table[code])
        self._removed = _longest_first(word for word in self._stop if UNSPACED_RUN.fullmatch(word))
        self._single = single
        self._base = irregular()

    def of(self, text: str) -> list[str]:
        """The terms of `text` in order, repeated as they are."""
        folded = unicodedata.normalize("NFKC", text).casefold()
        found: list[str] = []
        for match in re.finditer(rf"{_NUMBER.pattern}|{_WORD.pattern}", folded):
            found.extend(self._cut(match.group()))
        return found

    def _cut(self, word: str) -> Iterator[str]:
        at = 0
        for run in UNSPACED_RUN.finditer(word):
            yield from self._word(word[at : run.start()])
            yield from self._characters(run.group())
            at = run.end()
        yield from self._word(word[at:])

    def _word(self, word: str) -> Iterator[str]:
        if word and word not in self._stop:
            yield stem(self._base.get(word, word))

    def _characters(self, run: str) -> Iterator[str]:
        for part in self._removed.split(run) if self._removed else [run]:
            if self._single or len(part) == 1:
                yield from part
            for at in range(len(part) - 1):
                yield part[at : at + 2]


def stem(word: str) -> str:
    """The beginning of a word, without accents and the commonest endings.

    "hospitals" and "hôpitaux" become "hospi" and "hopit"; "danced" and "dance" become "danc".
    """
    if word[:1].isdigit():
        return word
    plain = "".join(sign for sign in unicodedata.normalize("NFD", word) if not unicodedata.combining(sign))
    for ending in _ENDINGS:
        if plain.endswith(ending) and len(plain) - len(ending) >= 3 and not plain.endswith("ss"):
            plain = plain[: -len(ending)]
            if len(plain) > 3 and plain[-1] == plain[-2] and ending in ("ed", "ing"):
                plain = plain[:-1]
            break
    plain = plain[:_STEM]
    if len(plain) > 3 and plain.endswith("e"):
        plain = plain[:-1]
    return plain[:-1] + "i" if plain.endswith("y") else plain


def _longest_first(words: Iterator[str]) -> re.Pattern[str] | None:
    known = sorted(words, key=lambda word: (-len(word), word))
    return re.compile("|".join(map(re.escape, known))) if known else None
