"""Which installed models translate between two languages: one, or two of them through English.

A model for the very pair is best, then one that was made to translate, then a large general one. Two models for one
pair each come before a general one that is small or slow here: they are small too, but translating is all they learned.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from edgellm.models.catalog import ModelCard
from edgellm.models.installed import Installed
from edgellm.runtimes import fitting, ranking
from edgellm.runtimes.advice import Here
from edgellm.runtimes.base import Choice
from edgellm.runtimes.preference import OTHER, Candidate, Wish, directed, rank, reason

PIVOT = "en"
_LARGE = 3.5  # billions of weights from which a general model is trusted with any pair of languages
_BYTES = 0.6e9  # of a file for a billion weights, where nothing else is known


def route(
    wish: Wish, installed: Iterable[Installed], cards: Iterable[ModelCard], here: Here
) -> Choice[tuple[Installed, ...]] | None:
    """The models to take, in their order, with the reason in a sentence; None where none can do it."""
    there, known = tuple(installed), tuple(cards)
    ranked = rank(wish, there, known, here)
    best = ranked[0] if ranked else None
    if best is not None and _trusted(best):
        return Choice((best.model,), reason(ranked))
    legs = _legs(wish, there, known, here)
    if legs:
        return Choice(tuple(one.model for one in legs), _why(legs, best))
    return Choice((best.model,), reason(ranked)) if best is not None else None


def _trusted(one: Candidate) -> bool:
    """Whether nothing through English would be better."""
    if one.pair:
        return True
    if one.model.builtin or one.slow or one.advice.fit != "fits":
        return False
    return one.alone or (ranking.size(one.card) or one.model.size / _BYTES) >= _LARGE


def _legs(wish: Wish, installed: tuple[Installed, ...], cards: tuple[ModelCard, ...], here: Here) -> list[Candidate]:
    """A model to English and one from English that fit into the memory together; nothing where one is missing."""
    if wish.task != "translate" or not wish.source or not wish.target or PIVOT in (wish.source, wish.target):
        return []
    found = []
    for source, target in ((wish.source, PIVOT), (PIVOT, wish.target)):
        ranked = rank(replace(wish, source=source, target=target), installed, cards, here)
        made = [one for one in ranked if directed(one.card)]
        if not made:
            return []
        found.append(made[0])
    budgets = [one.advice.budget for one in found if one.advice.budget is not None]
    need = sum(one.in_main for one in budgets)
    if found[0].model == found[1].model or (budgets and fitting.grade(need, budgets[0].free) == "swap"):
        return []
    return found


def _why(legs: list[Candidate], best: Candidate | None) -> str:
    """The reason as a sentence."""
    first, second = (one.name for one in legs)
    text = f"Translated through English: {first}, then {second}"
    if best is None or best.model.builtin:
        return f"{text}. {OTHER}"
    if best.slow or best.advice.fit != "fits":
        return f"{text}, because {best.name} is {'slow' if best.slow else 'tight in memory'} here. {OTHER}"
    return f"{text}, because {best.name} is small and was not made to translate. {OTHER}"
