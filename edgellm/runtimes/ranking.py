"""What a model of the catalog is worth for a task, from its card alone: whom it is for, how large, how marked.

Weighing that against this computer is left to `recommend.py`.
"""

from __future__ import annotations

import re

from edgellm.models.catalog import ModelCard
from edgellm.runtimes import card_shape, words
from edgellm.runtimes.prediction import ordinary_speed
from edgellm.runtimes.workload import TYPICAL, work

# How much more (or less) a model counts: as the catalog's pick, with a mark of some kind, or with none; made for this
# task alone; under a license with conditions, or an unknown one
_PICK, _MARKED, _PLAIN, _ALONE, _CONDITIONS = 1.4, 1.0, 0.5, 2.0, 0.75
_FREE = frozenset({"apache-2.0", "mit", "bsd-3-clause", "cc-by-4.0", "cc0-1.0"})
_BY_INSTRUCTION = frozenset({"generate", "classify"})  # what any chat model does when it is asked to
_CLASS = re.compile(r"\d+gb", re.IGNORECASE)
_THINKS = ("always thinks", "always reasons")
_ASIDE = ("distilled", "plain", "old-runtime", "reasoning")


def is_for(card: ModelCard, task: str) -> bool:
    """Whether it can be asked to do the task."""
    return task in card.tasks or bool(_marks(card, task)) or (task in _BY_INSTRUCTION and "chat" in card.tasks)


def _marks(card: ModelCard, task: str) -> list[str]:
    """What the catalog marks it for: the classes of `task:class`."""
    return [mark.partition(":")[2] for mark in card.recommended if mark.partition(":")[0] == task]


def _marks_or_chat(card: ModelCard, task: str) -> list[str]:
    """A good chat model is good at whatever can be asked in words; translating is a craft of its own."""
    return _marks(card, task) or (_marks(card, "chat") if task != "translate" else [])


def speaks(card: ModelCard, language: str) -> bool:
    """Whether a model is meant for a language; yes where the card does not say."""
    wanted = language.lower().partition("-")[0]
    known = {tag.lower().partition("-")[0] for tag in card.languages}
    return not known or "mul" in known or wanted in known


def size(card: ModelCard) -> float:
    """Billions of weights, as a stand-in for what it can do; of experts most are idle, which costs some of it."""
    total, active = card_shape.parameters(card)
    if not total:
        shape = card_shape.of(card)
        total = active = shape.header.parameters if shape else 0
    return float(total**0.7 * active**0.3 / 1e9)


def is_pick(card: ModelCard, task: str) -> bool:
    """Whether the catalog names it as the one to take on some class of machine."""
    return any(_CLASS.fullmatch(mark) for mark in _marks_or_chat(card, task))


def is_free(card: ModelCard) -> bool:
    """Whether its license asks for nothing but to be named; an unknown one may ask for more."""
    return card.license.lower() in _FREE


def capability(card: ModelCard, task: str) -> float:
    """Its size, weighed by what the catalog says of it."""
    worth = _PICK if is_pick(card, task) else _MARKED if _marks_or_chat(card, task) else _PLAIN
    if card.tasks == (task,) and task != "chat":
        worth *= _ALONE
    if not is_free(card):
        worth *= _CONDITIONS
    return size(card) * worth


def is_aside(card: ModelCard, task: str) -> bool:
    """Whether it is no default: it thinks aloud, or the catalog names it for another reason."""
    marks = _marks(card, task)
    return thinks(card) or (bool(marks) and all(any(word in mark for word in _ASIDE) for mark in marks))


def thinks(card: ModelCard) -> bool:
    """Whether it always thinks aloud before it answers."""
    return any(word in card.template.lower() for word in _THINKS)


def ordinary_words(card: ModelCard, language: str) -> float:
    """Words a second on an ordinary laptop; without limit where not even its size is known."""
    shape = card_shape.of(card)
    if shape is None:
        return float("inf")
    token = work(shape.header, shape.header.context_length or TYPICAL, shape.active)
    return words.per_token(language or "en") * ordinary_speed(token)
