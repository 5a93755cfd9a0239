"""Writes assets/starter/words.json: per language every word form the grammar can emit, in lower case.

The translate task compares a text with it and says which words the starter does not know. Chinese is read by longest
match. Made by sampling until no new form appears, and from the lexicon's own columns.
"""

from __future__ import annotations

import json
import random
import re
import sys
from pathlib import Path

from starter.grammar import realize
from starter.grammar.chinese import WORDS
from starter.grammar.meanings import Meanings
from starter.words import LANGUAGES, Lexicon

PATH = Path("assets/starter/words.json")
WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*", re.UNICODE)
PATIENCE = 60_000


def split(text: str) -> list[str]:
    """The words of a sentence in a language with spaces, in lower case; an apostrophe parts (l'eau: l, eau)."""
    return [word.lower() for word in WORD.findall(text)]


def forms(lexicon: Lexicon, seed: int = 0) -> dict[str, list[str]]:
    """All forms per language."""
    meanings = Meanings(lexicon, random.Random(seed))
    found: dict[str, set[str]] = {language: set() for language in LANGUAGES}
    quiet = 0
    while quiet < PATIENCE:
        meaning = meanings.draw()
        before = sum(len(words) for words in found.values())
        for language in LANGUAGES:
            if language == "zh":
                for word in WORDS[meaning.kind](meaning):
                    found["zh"].update(re.findall(r"[\u4e00-\u9fff]+", word))
            else:
                found[language].update(split(realize(meaning, language)))
        quiet = quiet + 1 if sum(len(words) for words in found.values()) == before else 0
    return {language: sorted(words) for language, words in found.items()}


def main() -> int:
    """Write the file."""
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(json.dumps(forms(Lexicon.read()), ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
