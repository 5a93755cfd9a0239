"""The lexicon as values: nouns, verbs, adjectives, phrases, weather and small words, in five languages.

Reads the tab-separated files beside it and derives regular forms; leaves sentences to `grammar/`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

LANGUAGES = ("en", "fr", "de", "es", "zh")
FOLDER = Path(__file__).parent / "lexicon"


@dataclass(frozen=True)
class Noun:
    """A noun; `forms` holds (singular, plural) per language, `gender` m, f or n, `prepositions` those of a place."""

    forms: dict[str, tuple[str, str]] = field(hash=False)
    gender: dict[str, str] = field(hash=False)
    classes: frozenset[str]
    measure: str
    weak: bool
    el_article: bool
    prepositions: dict[str, str] = field(hash=False)
    small: bool

    @property
    def en(self) -> str:
        return self.forms["en"][0]


@dataclass(frozen=True)
class Verb:
    """A verb; `objects` are the noun classes it takes, empty for none. Forms are documented at each reader below."""

    en: tuple[str, str, str]  # base, third person, past
    fr: tuple[str, ...]  # infinitive, je, il, nous, vous, participle
    de: tuple[str, str, str, str]  # infinitive, ich, er, participle
    de_sein: bool
    es: tuple[str, ...]  # infinitive, yo, él, nosotros; past yo, él, nosotros
    zh: str
    objects: frozenset[str]
    small: bool


@dataclass(frozen=True)
class Adjective:
    """An adjective; Chinese has an attributive and a predicative form, Spanish its copula."""

    en: str
    fr: tuple[str, str, str]  # masculine, feminine, masculine before a vowel
    fr_before: bool
    de: tuple[str, str]  # predicative, stem
    es: tuple[str, str]
    estar: bool
    zh: tuple[str, str]
    classes: frozenset[str]
    small: bool


@dataclass(frozen=True)
class Entry:
    """Any other row: `kind` is its first column split (("time", "past")), `forms` its text per language."""

    kind: tuple[str, ...]
    forms: dict[str, str] = field(hash=False)
    small: bool = False

    @property
    def en(self) -> str:
        return self.forms["en"]


def _rows(name: str) -> list[tuple[bool, list[str]]]:
    with (FOLDER / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if row]
    return [(row[0].startswith("*"), [row[0].removeprefix("*"), *row[1:]]) for row in rows]


def english_plural(word: str) -> str:
    """The regular plural, which is also the regular third person of a verb."""
    if word.endswith(("s", "x", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


def french_plural(word: str) -> str:
    """The regular plural of a French noun or adjective."""
    if word.endswith(("s", "x", "z")):
        return word
    return word + ("x" if word.endswith("eau") else "s")


def spanish_plural(word: str) -> str:
    """The regular plural of a Spanish noun or adjective."""
    if word[-1] in "aeioué":
        return word + "s"
    if word.endswith("z"):
        return word[:-1] + "ces"
    for accented, plain in zip("áéíóú", "aeiou", strict=True):
        if word[-1] in "ns" and word[-2] == accented:
            return word[:-2] + plain + word[-1] + "es"
    return word + "es"


def _pair(text: str, plural: str) -> tuple[str, str]:
    singular, _, given = text.partition("/")
    return singular, given or plural


def _nouns() -> tuple[Noun, ...]:
    nouns = []
    for small, row in _rows("nouns"):
        en, classes, fr, de, es, zh = row[:6]
        fr, fr_gender = fr.rsplit(" ", 1)
        de, de_gender = de.rsplit(" ", 1)
        es, es_gender = es.rsplit(" ", 1)
        zh, measure = zh.split(" ")
        preps = row[6].split(" ") if len(row) > 6 else ["in", "dans", "in"]
        forms = {
            "en": _pair(en, english_plural(en.partition("/")[0])),
            "fr": _pair(fr, french_plural(fr.partition("/")[0])),
            "de": _pair(de, de.partition("/")[0]),
            "es": _pair(es, spanish_plural(es.partition("/")[0])),
            "zh": (zh, zh),
        }
        nouns.append(
            Noun(
                forms,
                {"fr": fr_gender, "de": de_gender[0], "es": es_gender[0]},
                frozenset(classes.split(" ")),
                measure,
                de_gender == "mn",
                es_gender == "f*",
                dict(zip(("en", "fr", "de"), preps, strict=True)),
                small,
            )
        )
    return tuple(nouns)


def _french_verb(text: str) -> tuple[str, ...]:
    parts = tuple(text.split(" "))
    if len(parts) == 6:
        return parts
    stem = parts[0][:-2]
    return (parts[0], stem + "e", stem + "e", stem + "ons", stem + "ez", stem + "é")


def _spanish_verb(text: str) -> tuple[str, ...]:
    parts = tuple(text.split(" "))
    if len(parts) == 7:
        return parts
    stem, ending = parts[0][:-2], parts[0][-2:]
    present = {"ar": ("o", "a", "amos"), "er": ("o", "e", "emos"), "ir": ("o", "e", "imos")}[ending]
    past = ("é", "ó", "amos") if ending == "ar" else ("í", "ió", "imos")
    return (parts[0], *(stem + end for end in present), *(stem + end for end in past))


def _german_verb(text: str) -> tuple[tuple[str, str, str, str], bool]:
    sein = text.endswith("+")
    parts = text.removesuffix("+").split(" ")
    return (parts[0], parts[1], parts[2], parts[3]), sein


def _verbs() -> tuple[Verb, ...]:
    verbs = []
    for small, (en, objects, past, fr, de, es, zh) in _rows("verbs"):
        head, _, rest = en.partition(" ")
        third = english_plural(head) + (f" {rest}" if rest else "")
        german, sein = _german_verb(de)
        taken = frozenset() if objects == "-" else frozenset(objects.split(" "))
        verbs.append(Verb((en, third, past), _french_verb(fr), german, sein, _spanish_verb(es), zh, taken, small))
    return tuple(verbs)


def _adjectives() -> tuple[Adjective, ...]:
    adjectives = []
    for small, (en, classes, fr, de, es, zh) in _rows("adjectives"):
        french, _, before = fr.partition(" ")
        forms = french.split("/")
        german = de.split("/")
        spanish, copula = es.split(" ")
        es_m, _, es_f = spanish.partition("/")
        zh_a, zh_p = zh.split("/")
        adjectives.append(
            Adjective(
                en,
                (forms[0], forms[1], forms[2] if len(forms) > 2 else forms[0]),
                before == "pre",
                (german[0], german[-1]),
                (es_m, es_f or es_m),
                copula == "estar",
                (zh_a, zh_p),
                frozenset(classes.split(" ")),
                small,
            )
        )
    return tuple(adjectives)


def _entries(name: str, kinds: bool) -> tuple[Entry, ...]:
    entries = []
    for small, row in _rows(name):
        kind = tuple(row[0].split(" ")) if kinds else (name,)
        texts = row[1:] if kinds else row
        entries.append(Entry(kind, dict(zip(LANGUAGES, texts, strict=True)), small))
    return tuple(entries)


@dataclass(frozen=True)
class Lexicon:
    """All words, or those of the first stage."""

    nouns: tuple[Noun, ...]
    verbs: tuple[Verb, ...]
    adjectives: tuple[Adjective, ...]
    phrases: tuple[Entry, ...]
    weather: tuple[Entry, ...]
    words: tuple[Entry, ...]

    @classmethod
    def read(cls) -> Lexicon:
        """The full lexicon."""
        return cls(
            _nouns(),
            _verbs(),
            _adjectives(),
            _entries("phrases", False),
            _entries("weather", False),
            _entries("words", True),
        )

    def first_stage(self) -> Lexicon:
        """Only the rows marked with a star."""
        return Lexicon(
            tuple(noun for noun in self.nouns if noun.small),
            tuple(verb for verb in self.verbs if verb.small),
            tuple(adjective for adjective in self.adjectives if adjective.small),
            tuple(phrase for phrase in self.phrases if phrase.small),
            tuple(entry for entry in self.weather if entry.small),
            tuple(entry for entry in self.words if entry.small),
        )

    @cached_property
    def by_class(self) -> dict[str, tuple[Noun, ...]]:
        """Nouns per class."""
        table: dict[str, list[Noun]] = {}
        for noun in self.nouns:
            for name in noun.classes:
                table.setdefault(name, []).append(noun)
        return {name: tuple(nouns) for name, nouns in table.items()}

    @cached_property
    def by_kind(self) -> dict[str, tuple[Entry, ...]]:
        """Small words per first word of their kind, and per two words ("time", "time past")."""
        table: dict[str, list[Entry]] = {}
        for entry in self.words:
            for size in range(1, len(entry.kind) + 1):
                table.setdefault(" ".join(entry.kind[:size]), []).append(entry)
        return {name: tuple(entries) for name, entries in table.items()}
