"""The sentences that say most of a text, chosen without a language model, in any language.

LexRank: G. Erkan and D. R. Radev, "LexRank: Graph-based Lexical Centrality as Salience in Text Summarization", Journal
of Artificial Intelligence Research 22 (2004). Sentences are nodes, the cosine of their TF-IDF vectors is the weight of
an edge (continuous LexRank), and the stationary distribution of a damped random walk is each sentence's salience.
Where the paper takes English words, `terms.py` also cuts character pairs out of unspaced scripts. A sentence that
repeats a chosen one is passed over, as the paper's reranker does (cross-sentence information subsumption).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgellm.tasks import sentences
from edgellm.tasks.function_words import likely
from edgellm.tasks.terms import Terms

_DAMPING = 0.85
_TOLERANCE = 1e-6
_STEPS = 200
_SAME = 0.8
_MOST_SENTENCES = 5_000

Matrix = npt.NDArray[np.float64]


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
    found = sentences.split(text, language)[:_MOST_SENTENCES]
    if not found or count < 1:
        return ()
    cut = Terms(language)
    vectors = _tf_idf([cut.of(sentence.text) for sentence in found])
    similarity = vectors @ vectors.T
    scores = _walk(similarity)
    highest = float(scores.max()) or 1.0
    chosen = sorted(_different(scores, similarity, count))
    return tuple(
        KeySentence(found[at].text, found[at].start, found[at].end, round(float(scores[at]) / highest, 4))
        for at in chosen
    )


def _tf_idf(documents: Sequence[Sequence[str]]) -> Matrix:
    """One row of unit length (or zeros) for each sentence."""
    counts = [Counter(document) for document in documents]
    frequency = Counter(term for document in counts for term in document)
    column = {term: at for at, term in enumerate(frequency)}
    rows = np.zeros((len(documents), max(len(column), 1)))
    for at, document in enumerate(counts):
        for term, times in document.items():
            rows[at, column[term]] = times * math.log(1 + len(documents) / frequency[term])
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1.0))


def _walk(similarity: Matrix) -> Matrix:
    """The stationary distribution of the damped walk, by power iteration. A sentence like no other jumps anywhere."""
    size = len(similarity)
    sums = similarity.sum(axis=1, keepdims=True)
    steps = np.where(sums > 0, similarity / np.where(sums > 0, sums, 1.0), 1.0 / size)
    scores = np.full(size, 1.0 / size)
    for _ in range(_STEPS):
        following = (1 - _DAMPING) / size + _DAMPING * (steps.T @ scores)
        if float(np.abs(following - scores).sum()) < _TOLERANCE:
            return np.asarray(following)
        scores = following
    return scores


def _different(scores: Matrix, similarity: Matrix, count: int) -> list[int]:
    """Positions of the highest scores (the earlier first among equals), without near repetitions."""
    chosen: list[int] = []
    for at in sorted(range(len(scores)), key=lambda at: (-round(float(scores[at]), 9), at)):
        if len(chosen) == count:
            break
        if all(similarity[at, other] < _SAME for other in chosen):
            chosen.append(at)
    return chosen
