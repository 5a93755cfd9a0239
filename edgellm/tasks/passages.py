"""The sentences of a text that a question is about, quoted with their place, without a language model.

Ranking is BM25 (S. Robertson and H. Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009) over
the terms of `terms.py`, with the sentences of the text as the collection. Question words and function words do not
count, so that a text that shares nothing with the question gives nothing.
"""

from __future__ import annotations

import heapq
import math
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edgellm.tasks import sentences
from edgellm.tasks.function_words import likely
from edgellm.tasks.sentences import Sentence
from edgellm.tasks.terms import Terms

_SATURATION = 1.2
_LENGTH = 0.5
_FIELDS = 5


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence exactly as it stands in the text from `start` to `end`.

    `score` is its BM25 weight, `shared` the terms of the question that it holds, `coverage` their share (0 to 1).
    """

    text: str
    start: int
    end: int
    score: float
    coverage: float
    shared: frozenset[str]


def find(question: str, text: str, count: int = 3, language: str = "") -> tuple[Passage, ...]:
    """The at most `count` sentences of `text` that share terms with the question, the best first."""
    return tuple(passage for _, passage in among(question, (text,), count, language))


def among(question: str, texts: Sequence[str], count: int = 3, language: str = "") -> tuple[tuple[int, Passage], ...]:
    """The same over several texts, each in its own language: the number of the text with each sentence."""
    if count < 1:
        return ()
    hits, asked = _Hits(), dict[int, list[str]]()
    for number, text in enumerate(texts):
        code = language or likely(text)
        asked[number] = list(dict.fromkeys(Terms(code, question=True, single=True).of(question)))
        hits.expect(asked[number])
        wanted, cut = frozenset(asked[number]), Terms(code, single=True)
        for one in sentences.each(text, code):
            hits.add(number, one, cut.of(one.text), wanted)
    ranked = heapq.nsmallest(count, hits.ranked())
    return tuple((number, _passage(texts[number], hit, asked[number])) for _, number, _, hit in ranked)


@dataclass(frozen=True, slots=True)
class _Hit:
    """A sentence with terms of the question."""

    start: int
    end: int
    score: float
    shared: frozenset[str]


class _Hits:
    """The sentences that hold terms of the question, as bare numbers: a book has very many, and few are shown."""

    def __init__(self) -> None:
        self._size = self._terms = 0  # sentences, and terms in them, of all texts
        self._known: dict[str, int] = {}
        self._frequency: Counter[str] = Counter()
        self._places = array("q")  # of each: text, start, end, terms in it, and where its counts end
        self._counts = array("l")  # term, how often

    def expect(self, asked: Sequence[str]) -> None:
        """Terms in the order in which their weights are added: sums of equal sentences are equal to the last bit."""
        for term in asked:
            self._known.setdefault(term, len(self._known))

    def add(self, number: int, one: Sentence, terms: Sequence[str], wanted: frozenset[str]) -> None:
        """Count a sentence, and keep it if it holds any of the terms that are wanted."""
        self._size += 1
        self._terms += len(terms)
        have = Counter(term for term in terms if term in wanted)
        if not have:
            return
        self._frequency.update(have.keys())
        for term, times in have.items():
            self._counts.extend((self._known[term], times))
        self._places.extend((number, one.start, one.end, len(terms), len(self._counts)))

    def ranked(self) -> Iterator[tuple[float, int, int, _Hit]]:
        """Each with what it is sorted by: the negative score, the number of its text, and its place."""
        names = list(self._known)
        weights = [_weight(self._size, self._frequency[name]) for name in names]
        mean = max(self._terms / max(self._size, 1), 1.0)
        at = 0
        for place in range(0, len(self._places), _FIELDS):
            number, start, end, total, until = self._places[place : place + _FIELDS]
            length = 1 - _LENGTH + _LENGTH * total / mean
            have = dict(zip(self._counts[at:until:2], self._counts[at + 1 : until : 2], strict=True))
            at = until
            score = sum(
                weights[term] * have[term] * (_SATURATION + 1) / (have[term] + _SATURATION * length)
                for term in sorted(have)
            )
            yield -score, number, start, _Hit(start, end, score, frozenset(names[term] for term in have))


def _weight(size: int, seen: int) -> float:
    """How rare a term is; never zero, so that a term in every sentence still counts a little."""
    return math.log(1 + (size - seen + 0.5) / (seen + 0.5))


def _passage(text: str, hit: _Hit, asked: Sequence[str]) -> Passage:
    coverage = len(hit.shared) / len(asked)
    return Passage(text[hit.start : hit.end], hit.start, hit.end, hit.score, coverage, hit.shared)
