"""Whether the sentence that the starter made of a text had better not be shown.

A summary of the starter is believed when one sentence of the text says it: the same subject and verb, and phrases of
that sentence. Sentences of the same paragraph about the same subject may add where and when. All else is doubted: the
model is small, and readily puts together what belongs to different people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edgellm.tasks import sentences
from edgellm.tasks.terms import Terms

Words = tuple[str, ...]
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|,")
_BLANK = re.compile(r"\n\s*\n")
_COPY = 3  # words from which a sentence of the text is one, whatever its verb is
_BE = frozenset("am is are was were be been".split())
_HELPING = _BE | frozenset("has have had will can could must should would does do did".split())
# The verbs that the starter was taught; it makes no others, and of the text's others it only copies sentences.
_TAUGHT = (
    "arrive ask bring buy call carry choose clean close come cook cost cry dance drink draw eat feed find forget get "
    "give go greet hear help hide know laugh learn leave like live look lose love make meet need open order paint "
    "photograph play put read receive repair run say see sell send sing sleep speak start study swim take tell think "
    "use visit wait walk want wash work write break"
).split()
_PAST = frozenset(
    "arrived asked brought bought called carried chose cleaned closed came cooked cried danced drank drew ate fed "
    "found forgot got gave went greeted heard helped hid knew laughed learned left liked lived looked lost loved made "
    "met needed opened ordered painted photographed played put read received repaired ran said saw sold sent sang "
    "slept spoke started studied swam took told thought used visited waited walked wanted washed worked wrote "
    "broke".split()
)
_ARTICLES = frozenset("a an the".split())
_BEFORE_NOUN = _ARTICLES | frozenset("my our your his her its their this that these those no some".split())
_PREPOSITIONS = frozenset("at in on to by for from with of into near behind under over after before about".split())
_WHEN = frozenset("yesterday today tomorrow often now soon every last next this".split())
_TIME = frozenset("day days week month year morning afternoon evening night summer winter spring autumn".split())
_PRONOUNS = frozenset("he she it they".split())
_WEATHER = frozenset("rain rained raining rains snow snowed snowing snows".split())
_PLACING = _BE | frozenset("start starts will meet met go goes went take takes see wants want to be".split())


def _forms() -> frozenset[str]:
    """The words that can begin a predicate."""
    third = {f"{verb[:-1]}ies" if verb.endswith(("ry", "dy")) else f"{verb}s" for verb in _TAUGHT}
    hissing = {f"{verb}es" for verb in _TAUGHT if verb.endswith(("sh", "ch", "o", "s"))}
    return frozenset((*_HELPING, *_TAUGHT, *third, *hissing, *_PAST))


_VERBS = _forms()


@dataclass(frozen=True, slots=True)
class _Clause:
    """A sentence as the words of its subject and verb, and its other phrases; articles are all "the"."""

    subject: Words
    verb: Words
    phrases: tuple[Words, ...]

    @property
    def adverbials(self) -> set[Words]:
        """Where, when and how."""
        return {phrase for phrase in self.phrases if phrase[0] in _PREPOSITIONS or phrase[0] in _WHEN}

    @property
    def placing(self) -> bool:
        """Whether its verb says little more than where or when its subject is."""
        return set(self.verb) <= _PLACING


def doubtful(said: str, text: str) -> bool:
    """Whether a small model's sentence about a text had better not be shown.

    It asks, has no verb, brings in other words or numbers, or puts together what sentences say that have nothing to
    do with each other.
    """
    if said.rstrip().endswith("?"):
        return True
    words = _words(said)
    if len(words) >= _COPY and any(words == _words(one.text) for one in sentences.split(text)):
        return False
    claim = _clause(words)
    return claim is None or not any(_supported(claim, paragraph) for paragraph in _BLANK.split(text))


def nearest(said: str, text: str) -> str:
    """The sentence of the text that a doubted one was probably made of; empty where none shares half of its terms.

    With the sentence before it, when it begins with a pronoun.
    """
    cut, found = Terms(), sentences.split(text)
    wanted = set(cut.of(said))
    shared = [len(wanted & set(cut.of(one.text))) for one in found]
    most = max(shared, default=0)
    if not most or most * 2 < len(wanted):
        return ""
    at = shared.index(most)
    clause = _clause(_words(found[at].text))
    if clause is None:
        return ""
    start = found[at].start
    if at and clause.subject[0] in _PRONOUNS and not _BLANK.search(text, found[at - 1].end, start):
        start = found[at - 1].start
    return text[start : found[at].end]


def _supported(claim: _Clause, paragraph: str) -> bool:
    """Whether a sentence of the paragraph says it, with where and when from others about the same subject."""
    clauses = _resolved([_clause(_words(one.text)) for one in sentences.split(paragraph)])
    return any(
        one.verb == claim.verb
        and one.subject == claim.subject
        and _adds_up(claim, one, [other for other in clauses if other is not one and other.subject == one.subject])
        for one in clauses
    )


def _adds_up(claim: _Clause, core: _Clause, others: Sequence[_Clause]) -> bool:
    """Whether each phrase is one of the sentence itself, or tells where or when and stands in one of the others."""
    more = [phrase for phrase in claim.phrases if phrase not in core.phrases]
    if not more:
        return True
    if not core.adverbials <= set(claim.phrases):
        return False  # it would say that of another time or place
    lent = [other for other in others if other.placing]
    return all(any(_lends(other, phrase) for other in lent) for phrase in more)


def _lends(other: _Clause, phrase: Words) -> bool:
    if phrase in other.adverbials:
        return True
    if phrase[0] == "to":  # who will be in a city goes to it
        return ("in", *phrase[1:]) in other.phrases or ("see" in other.verb and phrase[1:] in other.phrases)
    return phrase[0] == "by" and "take" in other.verb and ("the", *phrase[1:]) in other.phrases


def _resolved(clauses: Sequence[_Clause | None]) -> list[_Clause]:
    """The clauses with what a pronoun stands for in its place; those about the weather are left out."""
    found: list[_Clause] = []
    last: Words = ()
    for one in clauses:
        if one is None or _impersonal(one):
            continue
        if len(one.subject) == 1 and one.subject[0] in _PRONOUNS and last:
            found.append(_Clause(last, one.verb, one.phrases))
        else:
            last = one.subject
        found.append(one)
    return found


def _impersonal(one: _Clause) -> bool:
    """Whether "it" stands for nothing: it rains, it is cold, it was a long day."""
    if one.subject != ("it",):
        return False
    if set(one.verb) & _WEATHER or any(set(phrase) & _WEATHER for phrase in one.phrases):
        return True
    return set(one.verb) <= _BE | {"will"} and any(phrase not in one.adverbials for phrase in one.phrases)


def _words(text: str) -> Words:
    return tuple(match.group().replace("’", "'") for match in _WORD.finditer(text.casefold()))


def _clause(words: Words) -> _Clause | None:
    """What a sentence consists of; None for one without a subject or a verb."""
    at = next((at for at in range(1, len(words)) if _begins_predicate(words, at)), 0)
    if not at:
        return None
    end = at + 1
    while end < len(words) and (words[end] in _VERBS | {"not"} or (words[end] == "to" and _verb_at(words, end + 1))):
        end += 1
    start = max((place + 1 for place in range(at) if words[place] == ","), default=0)
    start = _after_time(words, start, at)
    subject = words[start:at]
    if not subject:
        return None
    return _Clause(_plain(subject), words[at:end], (*_phrases(words[:start]), *_phrases(words[end:])))


def _begins_predicate(words: Words, at: int) -> bool:
    return words[at] in _VERBS and words[at - 1] not in _BEFORE_NOUN | _PREPOSITIONS | {","}


def _verb_at(words: Words, at: int) -> bool:
    return at < len(words) and words[at] in _VERBS


def _after_time(words: Words, start: int, end: int) -> int:
    """Where the subject begins, when the sentence begins with a time."""
    first = words[start]
    if first in ("yesterday", "today", "tomorrow"):
        start += 1
        return start + 1 if start < end and words[start] in _TIME else start
    if first in _WHEN and start + 1 < end and words[start + 1] in _TIME:
        return start + 2
    if first in ("in", "on") and start + 2 < end:
        return start + (3 if words[start + 1] in _ARTICLES else 2)
    return start


def _phrases(words: Words) -> Iterator[Words]:
    """The words cut before each preposition, article or time."""
    held: list[str] = []
    for word in (*words, ","):
        begins = word == "," or word in _PREPOSITIONS or word in _WHEN
        begins |= word in _BEFORE_NOUN and bool(held) and held[-1] not in _PREPOSITIONS
        if begins and held:
            yield _plain(held)
            held = []
        held += [word] if word != "," else []


def _plain(words: Sequence[str]) -> Words:
    return tuple("the" if word in _ARTICLES else word for word in words)
