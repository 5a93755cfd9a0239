"""The sentences of a text that a question is about, quoted with their place, without a language model.

Ranking is BM25 (S. Robertson and H. Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009) over
the terms of `terms.py`, with the sentences of the text as the collection. Question words and function words do not
count, so that a text that shares nothing with the question gives nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from edgellm.tasks import sentences
from edgellm.tasks.function_words import likely
from edgellm.tasks.sentences import Sentence
from edgellm.tasks.terms import Terms

_SATURATION = 1.2
_LENGTH = 0.5


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
    found: list[tuple[int, Sentence, Counter[str], list[str]]] = []
    for number, text in enumerate(texts):
        code = language or likely(text)
        asked = list(dict.fromkeys(Terms(code, question=True, single=True).of(question)))
        cut = Terms(code, single=True)
        found += [(number, one, Counter(cut.of(one.text)), asked) for one in sentences.split(text, code)]
    if not found or count < 1:
        return ()
    counts = [have for _, _, have, _ in found]
    weights = _weights(list(dict.fromkeys(term for _, _, _, asked in found for term in asked)), counts)
    mean = _mean(counts)
    ranked = [
        (number, _passage(one, have, {term: weights[term] for term in asked}, mean))
        for number, one, have, asked in found
        if asked
    ]
    shared = [pair for pair in ranked if pair[1].score > 0]
    return tuple(sorted(shared, key=lambda pair: (-pair[1].score, pair[0], pair[1].start))[:count])


def _weights(asked: Sequence[str], counts: Sequence[Counter[str]]) -> dict[str, float]:
    """How rare each asked term is; never zero, so that a term in every sentence still counts a little."""
    size = len(counts)
    frequency = {term: sum(term in have for have in counts) for term in asked}
    return {term: math.log(1 + (size - seen + 0.5) / (seen + 0.5)) for term, seen in frequency.items()}


def _mean(counts: Sequence[Counter[str]]) -> float:
    return max(sum(have.total() for have in counts) / len(counts), 1.0)


def _passage(sentence: Sentence, have: Counter[str], weights: dict[str, float], mean: float) -> Passage:
    length = 1 - _LENGTH + _LENGTH * have.total() / mean
    score = sum(
        weight * have[term] * (_SATURATION + 1) / (have[term] + _SATURATION * length)
        for term, weight in weights.items()
        if term in have
    )
    shared = frozenset(term for term in weights if term in have)
    return Passage(sentence.text, sentence.start, sentence.end, score, len(shared) / len(weights), shared)
