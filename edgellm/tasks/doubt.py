"""Whether the sentence that the starter made of a text had better not be shown."""

from __future__ import annotations

import re

from edgellm.tasks import sentences
from edgellm.tasks.terms import Terms

_OCLOCK = "o'clock"  # says nothing that the number before it does not
_VERBS = frozenset("is are was were am be been has have had will can could must should would does do did".split())
_THIRD = frozenset("it its he him his she her they them their this that these those there".split())
_PERSONS = (frozenset("i me my mine".split()), frozenset("we us our ours".split()), frozenset("you your yours".split()))
_WORD = re.compile(r"[^\W\d_]+")
_LETTERS = frozenset("ai")  # the words of one letter


def doubtful(said: str, text: str) -> bool:
    """Whether a small model's sentence about a text had better not be shown.

    It brings in other words or numbers, says a thing twice, asks, is a sentence of the text that lost its verb, or
    puts together what sentences say that have nothing to do with each other.
    """
    cut = Terms()
    found = cut.of(said)
    terms = set(found)
    held = {*cut.of(text), *cut.of(_OCLOCK)}
    if not terms or len(found) > len(terms) or not terms <= held or said.rstrip().endswith("?"):
        return True
    words, known = _words(said), _words(text)
    if len(words) < 2 or any(len(word) == 1 and word not in known | _LETTERS for word in words):
        return True
    source = [one.text for one in sentences.split(text)]
    if not _connected(terms & set(cut.of(text)), source, cut):
        return True
    if _VERBS & words:
        return False
    holding = [one for one in source if terms <= set(cut.of(one))]
    return bool(holding) and all(_VERBS & _words(one) for one in holding)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))


def _connected(terms: set[str], source: list[str], cut: Terms) -> bool:
    """Whether the terms come from sentences that belong together: "The house is old. I drink water." are two matters.

    A sentence goes on with the one before when it has a pronoun for something in it, or speaks of the same thing or
    person.
    """
    holding = [(set(cut.of(one)), _words(one)) for one in source]
    taken: list[tuple[set[str], set[str]]] = []
    left = set(terms)
    while left:
        best = max(holding, key=lambda pair: len(pair[0] & left))
        if not best[0] & left:
            return True  # a term that only the text as a whole has
        left -= best[0]
        taken.append(best)
    reached, others = taken[:1], taken[1:]
    while others:
        near = next((one for one in others if any(_linked(one, other) for other in reached)), None)
        if near is None:
            return False
        others.remove(near)
        reached.append(near)
    return True


def _linked(one: tuple[set[str], set[str]], other: tuple[set[str], set[str]]) -> bool:
    if one[0] & other[0] or (one[1] | other[1]) & _THIRD:
        return True
    return any(one[1] & person and other[1] & person for person in _PERSONS)
