"""The sentences that say most of a text, chosen without a language model, in any language and at any length.

LexRank: G. Erkan and D. R. Radev, "LexRank: Graph-based Lexical Centrality as Salience in Text Summarization", Journal
of Artificial Intelligence Research 22 (2004). Sentences are nodes, the cosine of their TF-IDF vectors is the weight of
an edge (continuous LexRank), and the stationary distribution of a damped random walk is each sentence's salience.
Where the paper takes English words, `terms.py` also cuts character pairs out of unspaced scripts. A sentence that
repeats a chosen one is passed over, as the paper's reranker does (cross-sentence information subsumption), and one or
two words, such as a heading or a table's first row, come behind the sentences, as do greetings and a letter's head.

The matrix of similarities S = V Vᵀ is never built: a step of the walk multiplies by the sparse V twice, so that a
book takes memory in proportion to its words.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgellm.tasks import sentences
from edgellm.tasks.function_words import likely
from edgellm.tasks.scripts import UNSPACED_RUN
from edgellm.tasks.terms import Terms

_DAMPING = 0.85
_TOLERANCE = 1e-6
_STEPS = 200
_SAME = 0.8
_WORD = re.compile(r"[^\W\d_]+")
_FEW = 3  # words that a sentence has at least
_BEHIND = 1e-3
_UNENDED = 0.5  # what has no full stop is rather a heading, a row or an item of a list
_ENDS, _CLOSING, _OPEN_ENDS = tuple(".!?…。！？"), "\"'”’»)）」", tuple(",:，：")
_HEAD_LINE = re.compile(r"[^\W\d_][\w-]*: .*@")
_MARK = re.compile(r"(?:[>|•*#]+\s*|[-–—·]\s+|\d{1,3}[.)]\s+)+(?=\S)")

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class KeySentence:
    """A sentence exactly as it stands in the text from `start` to `end`, with its salience (1.0 is the highest)."""

    text: str
    start: int
    end: int
    score: float


def key_sentences(text: str, count: int = 3, language: str = "") -> tuple[KeySentence, ...]:
    """The `count` most salient sentences of `text`, in the order of the text; fewer when it has fewer."""
    language = language or likely(text)
    found = sentences.split(text, language)
    if not found or count < 1:
        return ()
    vectors = weights([sentence.text for sentence in found], language)
    scores = _Graph(vectors).salience() * [_rank(one.text) for one in found]
    highest = float(scores.max()) or 1.0
    return tuple(
        KeySentence(found[at].text, found[at].start, found[at].end, round(float(scores[at]) / highest, 4))
        for at in sorted(_different(scores, vectors, count))
    )


def says_something(text: str) -> bool:
    """Whether the sentence says something: it is no greeting, no line of a letter's head and no bare word."""
    few = len(_WORD.findall(text)) < _FEW and not UNSPACED_RUN.search(text)
    return not (few or text.endswith(_OPEN_ENDS) or _HEAD_LINE.match(text))


def _rank(text: str) -> float:
    if not says_something(text):
        return _BEHIND
    return 1.0 if text.rstrip(_CLOSING).endswith(_ENDS) else _UNENDED


def in_a_line(text: str) -> str:
    """A sentence of a text as a person reads it alone: in one line, without the mark of a list or a quotation."""
    line = " ".join(text.split())
    return _MARK.sub("", line, count=1) or line


def most_salient(texts: Sequence[str], count: int, language: str = "") -> tuple[int, ...]:
    """Which of several short texts say most of all of them, in their order; near repetitions are passed over."""
    if not texts:
        return ()
    vectors = weights(texts, language or likely(" ".join(texts)))
    return tuple(sorted(_different(_Graph(vectors).salience(), vectors, count)))


def weights(texts: Sequence[str], language: str = "") -> list[dict[str, float]]:
    """For each text the weights (TF-IDF) of its terms, as a vector of length one; empty for one without terms."""
    cut = Terms(language)
    return _tf_idf([cut.of(text) for text in texts])


def _tf_idf(documents: Sequence[Sequence[str]]) -> list[dict[str, float]]:
    """For each sentence the weights of its terms, as a vector of length one (empty for a sentence without terms)."""
    counts = [Counter(document) for document in documents]
    frequency = Counter(term for document in counts for term in document)
    vectors = []
    for document in counts:
        weights = {term: times * math.log(1 + len(documents) / frequency[term]) for term, times in document.items()}
        length = math.hypot(*weights.values()) or 1.0
        vectors.append({term: weight / length for term, weight in weights.items()})
    return vectors


class _Graph:
    """The sentences as nodes, their vectors as a sparse matrix V in three arrays."""

    def __init__(self, vectors: Sequence[dict[str, float]]) -> None:
        column: dict[str, int] = {}
        entries = [
            (row, column.setdefault(term, len(column)), weight)
            for row, vector in enumerate(vectors)
            for term, weight in vector.items()
        ]
        self._size, self._terms = len(vectors), max(len(column), 1)
        self._rows: Places = np.array([row for row, _, _ in entries], dtype=np.intp)
        self._columns: Places = np.array([place for _, place, _ in entries], dtype=np.intp)
        self._weights: Numbers = np.array([weight for _, _, weight in entries], dtype=np.float64)

    def salience(self) -> Numbers:
        """The stationary distribution of the walk, by power iteration; a sentence without terms jumps anywhere."""
        sums = self._similar(np.ones(self._size))
        alone = sums <= 0
        sums = np.where(alone, 1.0, sums)
        scores = np.full(self._size, 1.0 / self._size)
        for _ in range(_STEPS):
            jumps = (1 - _DAMPING + _DAMPING * float(scores[alone].sum())) / self._size
            following = jumps + _DAMPING * self._similar(np.where(alone, 0.0, scores / sums))
            if float(np.abs(following - scores).sum()) < _TOLERANCE:
                return following
            scores = following
        return scores

    def _similar(self, values: Numbers) -> Numbers:
        """V Vᵀ times a vector of one number for each sentence."""
        by_term = np.bincount(self._columns, self._weights * values[self._rows], minlength=self._terms)
        weighted = self._weights * by_term[self._columns]
        return np.asarray(np.bincount(self._rows, weighted, minlength=self._size), dtype=np.float64)


def _different(scores: Numbers, vectors: Sequence[dict[str, float]], count: int) -> list[int]:
    """Places of the highest scores (the earlier first among equals), without near repetitions."""
    chosen: list[int] = []
    for at in sorted(range(len(scores)), key=lambda at: (-round(float(scores[at]), 9), at)):
        if len(chosen) == count:
            break
        if all(cosine(vectors[at], vectors[other]) < _SAME for other in chosen):
            chosen.append(at)
    return chosen


def cosine(one: dict[str, float], other: dict[str, float]) -> float:
    """How alike two texts are, from 0 to 1, by their `weights`."""
    return sum(weight * other.get(term, 0.0) for term, weight in one.items())
