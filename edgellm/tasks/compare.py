"""What several documents have in common, what only one of them says, and where two nearly agree but differ.

Statements (sentences, or the points of a model) are compared by the cosine of their TF-IDF weights. Two that are alike
but hold other numbers, or of which only one is negated, are shown side by side as different, not as common.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from edgellm.tasks import sentences
from edgellm.tasks.function_words import likely
from edgellm.tasks.keysentences import most_salient, weights
from edgellm.tasks.outline import Outline, Place
from edgellm.tasks.scripts import UNSPACED_RUN, has_letters
from edgellm.tasks.terms import Terms

SHOWN = MappingProxyType({"short": 5, "medium": 12, "long": 0})  # of each kind; 0 is all
BY_WORDS = "The sentences of the files were compared, word by word and without a model."
_ALIKE = 0.5  # cosine from which two statements are about the same
_LEAST_TERMS = 2
_COMMON_TERM = 400  # statements: a term in more says nothing about which of them are alike
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_NEGATIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "en": frozenset("not no never none nobody nothing cannot without".split()),
        "fr": frozenset("ne n pas jamais aucun aucune sans rien".split()),
        "de": frozenset("nicht kein keine keinen keiner keinem nie niemals ohne nichts".split()),
        "es": frozenset("no nunca ningún ninguna ninguno sin nada jamás".split()),
    }
)
_NEGATED_CHINESE = re.compile("[不没未无]")


@dataclass(frozen=True, slots=True)
class Statement:
    """Something that document `document` (its place in the order) says. `written`: in a model's words."""

    text: str
    document: int
    place: Place
    written: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """`common` and `different` are groups of alike statements, one of each document; `only` are the others of each.

    `compared` counts all statements, so that what is left out can be said.
    """

    common: tuple[tuple[Statement, ...], ...]
    different: tuple[tuple[Statement, ...], ...]
    only: tuple[tuple[Statement, ...], ...]
    compared: int


def statements(outlines: Sequence[Outline]) -> tuple[Statement, ...]:
    """Every sentence of the documents that says something, once; headings and near-empty lines are left out."""
    found: list[Statement] = []
    for document, outline in enumerate(outlines):
        text = outline.body
        language = likely(text)
        cut = Terms(language)
        found += [
            Statement(" ".join(one.text.split()), document, outline.place(one.start, one.end))
            for one in sentences.split(text, language)
            if has_letters(one.text) and len(set(cut.of(one.text))) >= _LEAST_TERMS
        ]
    return tuple(found)


def compare(found: Sequence[Statement], documents: int, most: int = 0) -> Comparison:
    """Group the statements of so many documents; at most `most` of a kind, those that say most (0: all)."""
    once: dict[tuple[int, str], Statement] = {}
    for one in found:
        once.setdefault((one.document, one.text.casefold()), one)
    found = list(once.values())
    vectors = weights([_NEGATED_CHINESE.sub("", one.text) for one in found])  # a denial would change pairs of signs
    near = _nearest(found, vectors)
    groups = _groups(found, near)
    together = {at for group in groups for at in group}
    common: list[tuple[Statement, ...]] = []
    different: list[tuple[Statement, ...]] = []
    for group in groups:
        alike = tuple(found[at] for at in group)
        (different if _differ(alike) else common).append(alike)
    alone = (
        [found[at] for at in range(len(found)) if at not in together and found[at].document == number]
        for number in range(documents)
    )
    return Comparison(
        _chosen(common, most), _chosen(different, most), tuple(_alone(one, most) for one in alone), len(found)
    )


def _nearest(
    found: Sequence[Statement], vectors: Sequence[Mapping[str, float]]
) -> dict[tuple[int, int], tuple[float, int]]:
    """For each statement and each other document: the most alike statement there, with its cosine."""
    holders: dict[str, list[int]] = defaultdict(list)
    for at, vector in enumerate(vectors):
        for term in vector:
            holders[term].append(at)
    best: dict[tuple[int, int], tuple[float, int]] = {}
    for at, vector in enumerate(vectors):
        cosines: dict[int, float] = defaultdict(float)
        for term, weight in vector.items():
            if len(holders[term]) > _COMMON_TERM:
                continue
            for other in holders[term]:
                if found[other].document != found[at].document:
                    cosines[other] += weight * vectors[other][term]
        for other, cosine in cosines.items():
            key = (at, found[other].document)
            if cosine >= _ALIKE and (key not in best or (cosine, -other) > (best[key][0], -best[key][1])):
                best[key] = (cosine, other)
    return best


def _groups(found: Sequence[Statement], near: Mapping[tuple[int, int], tuple[float, int]]) -> list[list[int]]:
    """Statements that are each other's nearest, at most one of each document, the most alike first."""
    pairs = sorted(
        (
            (cosine, at, other)
            for (at, _), (cosine, other) in near.items()
            if at < other and near.get((other, found[at].document), (0.0, -1))[1] == at
        ),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    group_of: dict[int, list[int]] = {}
    for _, at, other in pairs:
        one, two = group_of.get(at, [at]), group_of.get(other, [other])
        if one is two or {found[place].document for place in one} & {found[place].document for place in two}:
            continue
        joined = sorted({*one, *two})
        for place in joined:
            group_of[place] = joined
    return [list(group) for group in sorted({tuple(group) for group in group_of.values()})]


def _differ(group: Iterable[Statement]) -> bool:
    """Whether statements that are alike hold other numbers, or only some of them are negated."""
    numbers = [frozenset(_NUMBER.findall(_folded(one.text))) for one in group]
    other = any(not (one <= two or two <= one) for one in numbers for two in numbers)
    return other or len({_negated(one.text) for one in group}) > 1


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _negated(text: str) -> bool:
    folded = _folded(text)
    if UNSPACED_RUN.search(folded):
        return _NEGATED_CHINESE.search(folded) is not None
    words = set(re.findall(r"[^\W\d_]+", folded))
    return bool(words & _NEGATIONS.get(likely(text), _NEGATIONS["en"])) or "n't" in folded.replace("’", "'")


def _chosen(groups: Sequence[tuple[Statement, ...]], most: int) -> tuple[tuple[Statement, ...], ...]:
    if not most or len(groups) <= most:
        return tuple(groups)
    return tuple(groups[at] for at in most_salient([group[0].text for group in groups], most))


def _alone(found: Sequence[Statement], most: int) -> tuple[Statement, ...]:
    if not most or len(found) <= most:
        return tuple(found)
    return tuple(found[at] for at in most_salient([one.text for one in found], most))
