"""What is written into the word index, and what is asked of it, for every script.

SQLite's tokenizers part words at spaces, so a run of Chinese or Japanese would be a single word. Such runs are written
as overlapping pairs of characters, the last one alone as well: 東京都 becomes 東京 京都 都. A single character is then
found as the beginning of a pair. (SQLite's own trigram tokenizer cannot find words of two characters, which most
Chinese words are.)
"""

from __future__ import annotations

import re
import unicodedata

from edgellm.documents.chunk import DENSE
from edgellm.documents.stop_words import QUESTION, STOP

# Vowel signs belong to the word in Hindi, Thai and others; accents do not count: "lauft" finds "läuft"
TOKENIZER = "porter unicode61 remove_diacritics 2 categories 'L* N* Co Mc Mn'"
_RUN = re.compile(f"[{DENSE}]+")
_WORD = re.compile(f"[{DENSE}]+|[^{DENSE}\\s]+")
_PLAIN = re.compile(r"[^\W\d_]+")
# They ask for something, but texts are about them as well
_ABOUT = frozenset("text time day job color kind say tell".split())
_LARGEST = 4000
_MOST = 64


def indexed(text: str) -> str:
    """The text as the word index gets it."""
    text = _plain(text)
    return text if text.isascii() else _RUN.sub(lambda run: f" {_pairs(run.group())} ", text)


def terms(text: str) -> tuple[str, ...]:
    """The FTS5 expressions for the words of a question, each once. Nothing in the text is read as an operator."""
    found: dict[str, None] = {}
    for word in _WORD.findall(_plain(text[:_LARGEST])):
        if not _RUN.match(word):
            if any(sign.isalnum() for sign in word):
                found[_quoted(word)] = None
        elif len(word) == 1:
            found[_quoted(word) + "*"] = None
        else:
            found.update((_quoted(word[at : at + 2]), None) for at in range(len(word) - 1))
    return tuple(found)[:_MOST]


def without_function_words(text: str) -> str:
    """A question without the words that are in every text of its language; all of it where there would be nothing left.

    They are rare in some libraries, where a text that says "how do I" is not about what a person asks.
    """
    said = [word.casefold() for word in _PLAIN.findall(_plain(text[:_LARGEST]))]
    counts = {code: sum(word in STOP[code] or word in QUESTION[code] for word in said) for code in STOP}
    code = max(counts, key=lambda one: counts[one])
    if not counts[code]:
        return text
    empty = (STOP[code] | QUESTION[code]) - _ABOUT
    kept = _PLAIN.sub(lambda word: " " if word.group().casefold() in empty else word.group(), _plain(text[:_LARGEST]))
    return kept if any(sign.isalnum() for sign in kept) else text


def _pairs(run: str) -> str:
    return " ".join(run[at : at + 2] for at in range(len(run)))


def _plain(text: str) -> str:
    """Full-width letters as plain ones, accents joined to their letters, nothing that SQLite cannot hold."""
    text = text.replace("\0", " ")
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text.encode("utf-8", "replace").decode("utf-8"))


def _quoted(word: str) -> str:
    return '"' + word.casefold().replace('"', '""') + '"'
