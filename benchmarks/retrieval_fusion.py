"""The constants of the fusion, chosen on half of the documents and judged on the other half.

The questions are split by document, not one by one: what suits one passage of a document suits its neighbors. `SEED`
draws the halves once and for all, about as many documents of each language in both. Every combination of the grid is
tried on the tuning half alone; the held-out half is only looked at. Ties are broken in favor of the combination whose
neighbors in the grid are good too, which moves less when a question more or less is asked.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

from edgellm.documents import retrieve, vectors
from edgellm.documents.library import Library
from edgellm.documents.vectors import Embedder

if TYPE_CHECKING:
    from benchmarks.retrieval import Question

SEED = 1
CONSTANTS, COUNTS, WEIGHTS = (0, 1, 2, 5, 20, 60), (10, 20, 60), (0.5, 1.0, 1.5, 2.0, 4.0)
Cell = tuple[int, int, float]


def halves(asked: Sequence[Question]) -> tuple[list[Question], list[Question]]:
    """The questions to tune with, and those held out: those of no document are in both."""
    drawn = random.Random(SEED)
    tuning: set[str] = set()
    for at, language in enumerate(sorted({one.language for one in asked})):
        names = sorted({one.document for one in asked if one.language == language})
        drawn.shuffle(names)
        tuning.update(names[: (len(names) + (at + 1) % 2) // 2])
    return [one for one in asked if one.document in tuning], [one for one in asked if one.document not in tuning]


def used() -> Cell:
    """What the program uses."""
    return retrieve.STEEP, retrieve.FUSED, retrieve.MEANING


def grid(library: Library, embedder: Embedder, limit: int, asked: Sequence[Question]) -> dict[Cell, float]:
    """The share of questions that each combination of constant, length of the rankings and share of meaning finds."""
    pairs = [
        (
            [one.id for one in retrieve.search(library, one.text, max(COUNTS))],
            list(vectors.nearest(library, embedder, one.text, max(COUNTS))),
        )
        for one in asked
    ]
    right = [
        {
            one.id
            for one in retrieve.passages(library, dict.fromkeys([*by_words, *near], 0.0))
            if question.answer in one.text
        }
        for question, (by_words, near) in zip(asked, pairs, strict=True)
    ]
    found: dict[Cell, float] = {}
    for constant, many, weight in product(CONSTANTS, COUNTS, WEIGHTS):
        hits = sum(
            any(key in wanted for key, _ in retrieve.fuse([a[:many], b[:many]], limit, constant, (1.0, weight)))
            for (a, b), wanted in zip(pairs, right, strict=True)
        )
        found[constant, many, weight] = hits / len(asked)
    return found


def best(found: dict[Cell, float]) -> Cell:
    """The combination that a half leads to."""
    return max(found, key=lambda cell: (round(found[cell], 6), _around(found, cell), -cell[0], -cell[1], -cell[2]))


def _around(found: dict[Cell, float], cell: Cell) -> float:
    """The mean of a combination and its neighbors."""
    axes: tuple[Sequence[float], ...] = (CONSTANTS, COUNTS, WEIGHTS)
    at = [axis.index(value) for axis, value in zip(axes, cell, strict=True)]
    near = [
        value
        for other, value in found.items()
        if sum(abs(axis.index(v) - i) for axis, v, i in zip(axes, other, at, strict=True)) <= 1
    ]
    return round(sum(near) / len(near), 6)


def judged(library: Library, embedder: Embedder, limit: int, asked: Sequence[Question]) -> dict[str, Any]:
    """What the tuning half leads to, what that and the program's own constants find in both halves, and all cells."""
    tuning, held = halves(asked)
    tuned, other = (grid(library, embedder, limit, half) for half in (tuning, held))
    chosen = best(tuned)

    def told(cell: Cell) -> dict[str, Any]:
        return {"cell": named(cell), "tuning": round(tuned[cell], 3), "held_out": round(other[cell], 3)}

    return {
        "documents": {
            "tuning": sorted({one.document for one in tuning}),
            "held_out": sorted({one.document for one in held}),
        },
        "questions": {"tuning": len(tuning), "held_out": len(held)},
        "chosen_by_tuning": told(chosen),
        "used": told(used()),
        "best_of_held_out": told(best(other)),
        # The documents of the project are among the passages: the best moves with them, by a question or so
        "follows": tuned[used()] > max(tuned.values()) - 1.5 / len(tuning),
        "cells": [told(cell) for cell in tuned],
    }


def named(cell: Cell) -> str:
    """A combination, for a person."""
    constant, many, weight = cell
    return f"constant {constant}, {many} of each, meaning {weight}"
