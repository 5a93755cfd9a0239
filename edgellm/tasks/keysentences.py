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
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

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
_BLOCK = 1 << 15  # sentences that are computed together
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
    if count < 1:
        return ()
    language = language or likely(text)
    cut, places, ranks = Terms(language), array("q"), array("d")

    def read() -> Iterator[list[str]]:
        for one in sentences.each(text, language):
            places.extend((one.start, one.end))
            ranks.append(_rank(one.text))
            yield cut.of(one.text)

    graph = _Graph(read())
    if not ranks:
        return ()
    scores = graph.salience() * np.array(ranks)
    highest = float(scores.max()) or 1.0
    spans = [(places[2 * at], places[2 * at + 1], float(scores[at])) for at in sorted(graph.different(scores, count))]
    return tuple(KeySentence(text[low:high], low, high, round(score / highest, 4)) for low, high, score in spans)


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
    cut = Terms(language or likely(" ".join(texts)))
    graph = _Graph(cut.of(text) for text in texts)
    return tuple(sorted(graph.different(graph.salience(), count)))


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
    """The sentences as nodes, their vectors (as of `_tf_idf`) as a sparse matrix V: the entries of row `at` are those
    from `_edges[at]` to `_edges[at + 1]`. It is computed in blocks of rows, for a book has millions of entries."""

    def __init__(self, documents: Iterable[Sequence[str]]) -> None:
        column: dict[str, int] = {}
        columns, times, edges = array("i"), array("d"), array("q", [0])
        for document in documents:
            counted = Counter(document)
            columns.extend(column.setdefault(term, len(column)) for term in counted)
            times.extend(counted.values())
            edges.append(len(columns))
        self._size, self._terms = len(edges) - 1, max(len(column), 1)
        del column
        self._columns = np.frombuffer(columns, dtype=np.intc) if columns else np.zeros(0, dtype=np.intc)
        self._weights: Numbers = np.frombuffer(times, dtype=np.float64) if times else np.zeros(0)
        self._edges = np.array(edges, dtype=np.int64)
        self._weigh()

    def _weigh(self) -> None:
        """From how often a term is in a sentence to its weight."""
        frequency = np.bincount(self._columns, minlength=self._terms)
        rare = np.log(1 + self._size / np.maximum(frequency, 1))
        for _, entries, rows in self._blocks():
            weights = self._weights[entries]
            weights *= rare[self._columns[entries]]
            lengths = np.sqrt(np.bincount(rows, weights * weights))
            weights /= lengths[rows]

    def _blocks(self) -> Iterator[tuple[int, slice, Places]]:
        """Stretches of entries: their first row, where they are, and the row of each, counted from the first."""
        for first in range(0, self._size, _BLOCK):
            edges = self._edges[first : first + _BLOCK + 1]
            low, high = int(edges[0]), int(edges[-1])
            if high > low:
                yield first, slice(low, high), np.repeat(np.arange(len(edges) - 1), np.diff(edges))

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
        by_term, found = np.zeros(self._terms), np.zeros(self._size)
        for first, entries, rows in self._blocks():
            weighted = self._weights[entries] * values[first + rows]
            by_term += np.bincount(self._columns[entries], weighted, minlength=self._terms)
        for first, entries, rows in self._blocks():
            sums = np.bincount(rows, self._weights[entries] * by_term[self._columns[entries]])
            found[first : first + len(sums)] = sums
        return found

    def different(self, scores: Numbers, count: int) -> list[int]:
        """Places of the highest scores (the earlier first among equals), without near repetitions."""
        chosen: list[tuple[int, dict[int, float]]] = []
        for at in np.argsort(-np.round(scores, 9), kind="stable"):
            if len(chosen) == count:
                break
            vector = self._vector(int(at))
            if all(cosine(vector, other) < _SAME for _, other in chosen):
                chosen.append((int(at), vector))
        return [at for at, _ in chosen]

    def _vector(self, at: int) -> dict[int, float]:
        stretch = slice(int(self._edges[at]), int(self._edges[at + 1]))
        return dict(zip(self._columns[stretch].tolist(), self._weights[stretch].tolist(), strict=True))


Name = TypeVar("Name", str, int)


def cosine(one: Mapping[Name, float], other: Mapping[Name, float]) -> float:
    """How alike two texts are, from 0 to 1, by their `weights`."""
    return sum(weight * other.get(term, 0.0) for term, weight in one.items())
