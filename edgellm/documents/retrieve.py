"""Finding the passages that a question is about: by words (BM25 in SQLite), by meaning, and by both together.

Without a model words alone decide. With one that embeds, the ranking by vectors is fused with that by words; one that
ranks pairs puts the best of them in order. The models come in from outside (`Aids`).

Reciprocal rank fusion: G. Cormack, C. Clarke and S. Buettcher, "Reciprocal Rank Fusion outperforms Condorcet and
individual Rank Learning Methods", SIGIR 2009.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from edgellm.documents import vectors, words
from edgellm.documents.library import Library

Key = TypeVar("Key", bound=Hashable)
# Words of the title and the headings count less than those of the passage itself
_WEIGHTS = "0.5, 1.0"
_FUSION = 60
# For words and meaning: as many of each ranking, a smaller constant, and the share of meaning. With 60 of each
# and the constant 60, what stands far down in both came before what one of them puts first. Half of the documents of
# `benchmarks.retrieval` led to these
FUSED, STEEP, MEANING = 20, 0, 2.0
# As many are put in order by a model that ranks
_ORDERED = 20
# As many rows may be weighed for one question: the rarest words come first, "the" is left out of a large library
_ROWS = 30_000
# Passages that no file has any more are found until the next update has swept them
_SPARE = 20
# Of so many best passages of the whole library, enough mostly belong to the collection that was named
_WIDE = 400


@dataclass(frozen=True, slots=True)
class Aids:
    """The models that help the words. `rank` scores passages for a question, higher is better, fewer when canceled;
    `ranker` is its name."""

    embedder: vectors.Embedder | None = None
    rank: Callable[[str, tuple[str, ...]], Sequence[float]] | None = None
    ranker: str = ""

    def means(self) -> str:
        """How is searched with them, as part of a sentence."""
        meaning = f" and by meaning ({self.embedder.name})" if self.embedder else ""
        return f"by words{meaning}{f', put in order by {self.ranker}' if self.rank else ''}"


WORDS = Aids()


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


def search(
    library: Library, text: str, limit: int = 10, collection: str = "", aids: Aids = WORDS
) -> tuple[Passage, ...]:
    """The passages that fit a text, the best first; those of one collection if it is named.

    By words alone, those that share any with it. Raises `UsageError` without such a collection, and what the models of
    `aids` raise.
    """
    within = library.collection(collection).id if collection else None
    if limit < 1:
        return ()
    shown = limit if aids.rank is None else max(limit, _ORDERED)
    wide = shown if aids.embedder is None else max(shown, FUSED)
    ranked = _by_words(library, text, wide, within)
    if aids.embedder is not None:
        near = vectors.nearest(library, aids.embedder, text, wide + _SPARE, within)
        if near:
            ranked = dict(fuse([list(ranked)[:wide], list(near)[:wide]], wide, STEEP, (1.0, MEANING)))
    found = passages(library, dict(list(ranked.items())[: shown + _SPARE]), within)[:shown]
    return (found if aids.rank is None else _ordered(text, found, aids.rank))[:limit]


def _ordered(
    text: str, found: tuple[Passage, ...], rank: Callable[[str, tuple[str, ...]], Sequence[float]]
) -> tuple[Passage, ...]:
    """The same by what a model that ranks pairs says of each; as they were when it was stopped."""
    scores = rank(text, tuple("\n".join((*one.headings, one.text)) for one in found)) if found else ()
    if len(scores) != len(found):
        return found
    scored = [replace(one, score=float(score)) for one, score in zip(found, scores, strict=True)]
    return tuple(sorted(scored, key=lambda one: -one.score))


def _by_words(library: Library, text: str, limit: int, within: int | None) -> dict[int, float]:
    asked, frequent = _rarest(library, words.terms(words.without_function_words(text)))
    if not asked:
        return {}
    count = limit + _SPARE if within is None else max(_WIDE, 10 * limit)
    ranked = _ranked(library, asked, count)
    if within is not None:
        full = len(ranked) == count
        ranked = _members(library, ranked, within)
        if full and len(ranked) < limit:
            ranked = _ranked(library, asked, limit, within)
        if not ranked and frequent:  # what is rare in the library need not be in the collection
            ranked = _ranked(library, frequent, limit, within)
    return ranked


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


def fuse(
    rankings: Sequence[Sequence[Key]],
    limit: int = 10,
    constant: int = _FUSION,
    weights: Sequence[float] = (),
) -> tuple[tuple[Key, float], ...]:
    """Several rankings as one: each gives weight / (constant + rank) to what it holds. Best first, with the scores."""
    scores: dict[Key, float] = {}
    for ranking, weight in zip(rankings, weights or [1.0] * len(rankings), strict=True):
        for rank, key in enumerate(dict.fromkeys(ranking), 1):
            scores[key] = scores.get(key, 0.0) + weight / (constant + rank)
    return tuple(sorted(scores.items(), key=lambda one: -one[1])[:limit])


def _rarest(library: Library, asked: Sequence[str]) -> tuple[list[str], list[str]]:
    """The terms that are in the library, the rarest first; and of them the most frequent, which are left out.

    That is where all of them together are in too many rows.
    """
    counts: list[tuple[int, str]] = []
    for term in asked:
        sql = "SELECT count(*) FROM (SELECT 1 FROM passage_words WHERE passage_words MATCH ? LIMIT ?)"
        ((count,),) = library.rows(sql, (term, _ROWS))
        if count:
            counts.append((count, term))
    counts.sort()
    total = kept = 0
    for count, _ in counts:
        total += count
        if kept and total > _ROWS:
            break
        kept += 1
    ordered = [term for _, term in counts]
    return ordered[:kept], ordered[kept:]
