"""What a sentence means, free of any language: the one value that the five grammars put into words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

from starter.words import Adjective, Entry, Noun, Verb

Determiner = Literal["the", "a", "mass", "number", "my", "our", "all"]
T = TypeVar("T")
Tense = Literal["past", "present", "future"]
PRONOUNS = ("I", "we", "you", "he", "she")
NUMBERS = {
    "en": ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"],
    "fr": ["zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze"],
    "de": ["null", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"],
    "es": ["cero", "una", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce"],
    "zh": ["零", "一", "两", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"],
}


@dataclass(frozen=True)
class Phrase:
    """A noun phrase: a noun with its determiner, or a name, or a pronoun.

    `determiner` "mass" is an amount without article, "all" a kind of thing in general (apples), "number" counts.
    """

    noun: Noun | None = None
    determiner: Determiner = "the"
    count: int = 1
    adjective: Adjective | None = None
    name: Entry | None = None
    pronoun: str = ""

    @property
    def person(self) -> int:
        """0 I, 1 he, she or it, 2 we, 3 polite you."""
        return {"I": 0, "we": 2, "you": 3}.get(self.pronoun, 1)

    @property
    def plural(self) -> bool:
        return self.determiner == "all" or (self.determiner == "number" and self.count > 1)

    @property
    def human(self) -> bool:
        return self.noun is None or bool(self.noun.classes & {"person", "human", "family"})

    def feminine(self, language: str) -> bool:
        """Whether words that agree with it are feminine."""
        if self.noun is not None:
            return self.noun.gender[language] == "f"
        if self.name is not None:
            return "f" in self.name.kind
        return self.pronoun == "she"


@dataclass(frozen=True)
class Meaning:
    """A sentence: `kind` names the construction, the other fields its parts (`meanings.py` says which)."""

    kind: str
    subject: Phrase | None = None
    verb: Verb | None = None
    object: Phrase | None = None
    recipient: Phrase | None = None
    noun: Noun | None = None
    place: Noun | None = None
    city: Entry | None = None
    time: Entry | None = None
    day: Entry | None = None
    entry: Entry | None = None
    adjective: Adjective | None = None
    number: int = 0
    tense: Tense = "present"
    modal: str = ""
    negative: bool = False
    question: bool = False


def need(value: T | None) -> T:
    """The part that this construction always has."""
    assert value is not None
    return value
