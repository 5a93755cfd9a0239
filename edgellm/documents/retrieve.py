"""Finding the passages that a question is about: by words (BM25 in SQLite), and the fusion of several rankings.

Reciprocal rank fusion: G. Cormack, C. Clarke and S. Buettcher, "Reciprocal Rank Fusion outperforms Condorcet and
individual Rank Learning Methods", SIGIR 2009.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from edgellm.documents import words
from edgellm.documents.library import Library

Key = TypeVar("Key", bound=Hashable)
# Words of the title and the headings count less than those of the passage itself
_WEIGHTS = "0.5, 1.0"
_FUSION = 60
# As many rows may be weighed for one question: the rarest words come first, "the" is left out of a large library
_ROWS = 30_000
# Passages that no file has any more are found until the next update has swept them
_SPARE = 20
# Of so many best passages of the whole library, enough mostly belong to the collection that was named
_WIDE = 400


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that was found: where it stands, and how well it fits (`score`, higher is better, only to compare).

    `start` and `stop` are character offsets in the document's whole text; `page` is 0 where there are no pages.
    """

    id: int
    path: Path
    title: str
    page: int
    headings: tuple[str, ...]
    text: str
    start: int
    stop: int
    score: float


def search(library: Library, text: str, limit: int = 10, collection: str = "") -> tuple[Passage, ...]:
    """The passages that share words with any text, the best first; those of one collection if it is named.

    Raises `UsageError` without such a collection.
    """
    within = library.collection(collection).id if collection else None
    asked = _rarest(library, words.terms(text))
    if not asked or limit < 1:
        return ()
    count = limit + _SPARE if within is None else max(_WIDE, 10 * limit)
    ranked = _ranked(library, asked, count)
    if within is not None:
        full = len(ranked) == count
        ranked = _members(library, ranked, within)
        if full and len(ranked) < limit:
            ranked = _ranked(library, asked, limit, within)
    return passages(library, dict(list(ranked.items())[: limit + _SPARE]), within)[:limit]


def _ranked(library: Library, asked: Sequence[str], count: int, within: int | None = None) -> dict[int, float]:
    """The best passages of all, or of one collection alone, which takes longer: id -> score, best first."""
    # The plus keeps SQLite from asking the word index once for every passage of the collection
    only = """ AND +passage_words.rowid IN (SELECT passage.id FROM source JOIN file ON file.source = source.id
               JOIN passage ON passage.content = file.content WHERE source.collection = ?)"""
    found = library.rows(
        f"""SELECT rowid, bm25(passage_words, {_WEIGHTS}) AS weight FROM passage_words
            WHERE passage_words MATCH ?{"" if within is None else only} ORDER BY weight, rowid LIMIT ?""",
        (" OR ".join(asked), *([] if within is None else [within]), count),
    )
    return {key: -weight for key, weight in found}


def _members(library: Library, ranked: dict[int, float], within: int) -> dict[int, float]:
    """Those that belong to a collection, in the same order."""
    rows = library.rows(
        """SELECT DISTINCT passage.id FROM passage JOIN file ON file.content = passage.content
           JOIN source ON source.id = file.source
           WHERE passage.id IN (SELECT value FROM json_each(?)) AND source.collection = ?""",
        (json.dumps(list(ranked)), within),
    )
    members = {key for (key,) in rows}
    return {key: score for key, score in ranked.items() if key in members}


def passages(library: Library, scores: dict[int, float], within: int | None = None) -> tuple[Passage, ...]:
    """The passages of these ids with their scores, in the order given. `within` is the id of a collection."""
    found: dict[int, Passage] = {}
    for key, score in scores.items():
        rows = library.rows(
            """SELECT file.path, content.title, passage.page, passage.headings, passage.text, passage.start,
                      passage.stop
               FROM passage JOIN content ON content.id = passage.content JOIN file ON file.content = content.id
               JOIN source ON source.id = file.source
               WHERE passage.id = ?1 AND (?2 IS NULL OR source.collection = ?2) ORDER BY file.id LIMIT 1""",
            (key, within),
        )
        for path, title, page, headings, text, start, stop in rows:
            found[key] = Passage(key, Path(path), title, page, tuple(json.loads(headings)), text, start, stop, score)
    return tuple(found.values())


def fuse(rankings: Sequence[Sequence[Key]], limit: int = 10, constant: int = _FUSION) -> tuple[tuple[Key, float], ...]:
    """Several rankings as one: each gives 1 / (constant + rank) to what it holds. Best first, with the scores."""
    scores: dict[Key, float] = {}
    for ranking in rankings:
        for rank, key in enumerate(dict.fromkeys(ranking), 1):
            scores[key] = scores.get(key, 0.0) + 1.0 / (constant + rank)
    return tuple(sorted(scores.items(), key=lambda one: -one[1])[:limit])


def _rarest(library: Library, asked: Sequence[str]) -> list[str]:
    """The terms that are in the library, without the most frequent ones where all together are in too many rows."""
    counts: list[tuple[int, str]] = []
    for term in asked:
        sql = "SELECT count(*) FROM (SELECT 1 FROM passage_words WHERE passage_words MATCH ? LIMIT ?)"
        ((count,),) = library.rows(sql, (term, _ROWS))
        if count:
            counts.append((count, term))
    kept: list[str] = []
    total = 0
    for count, term in sorted(counts):
        total += count
        if kept and total > _ROWS:
            break
        kept.append(term)
    return kept
