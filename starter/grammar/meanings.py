"""Draws meanings at random from a lexicon; each construction has one method and one weight."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable

from starter.grammar import english
from starter.grammar.meaning import PRONOUNS, Determiner, Meaning, Phrase, Tense
from starter.words import Adjective, Entry, Lexicon, Noun, Verb

HELD_OUT_SHARE = 16
TENSES: tuple[Tense, ...] = ("past", "past", "present", "future")
WEIGHTS = {
    "act": 46,
    "ask": 4,
    "give": 5,
    "state": 8,
    "feel": 5,
    "job": 1,
    "weather": 3,
    "event": 5,
    "event_question": 1,
    "depart": 2,
    "go": 4,
    "live": 2,
    "nearest": 2,
    "where": 2,
    "price_question": 2,
    "price": 3,
    "would_like": 3,
    "hurt": 0.6,
    "exist": 4,
    "locate": 4,
    "have": 4,
    "have_question": 2,
    "like": 4,
    "birthday": 1,
    "clock": 0.4,
    "my_name": 0.4,
    "fixed": 2.5,
}


def held_out(canonical: str) -> bool:
    """Whether a meaning, by its canonical English text, is kept out of training."""
    return zlib.crc32(canonical.encode()) % HELD_OUT_SHARE == 0


class Meanings:
    """A source of random meanings over `lexicon`."""

    def __init__(self, lexicon: Lexicon, rng: random.Random) -> None:
        self.lexicon = lexicon
        self.rng = rng
        self._kinds = [kind for kind in WEIGHTS if self.knows(kind)]
        self._weights = [WEIGHTS[kind] for kind in self._kinds]

    def draw(self) -> Meaning:
        """Any meaning."""
        return self.of(self.rng.choices(self._kinds, self._weights)[0])

    def of(self, kind: str) -> Meaning:
        """A meaning of one construction."""
        method: Callable[[], Meaning] = getattr(self, kind)
        return method()

    def split(self, held: bool, kind: str = "") -> Meaning:
        """A meaning of the training part or the held-out one; fixed phrases are all trained: none can be built."""
        while True:
            meaning = self.of(kind) if kind else self.draw()
            if meaning.kind == "fixed":
                if held:
                    continue
                return meaning
            if held_out(english.KINDS[meaning.kind](meaning)) == held:
                return meaning

    def knows(self, kind: str) -> bool:
        """Whether the lexicon has the words that this construction needs."""
        needs = {
            "hurt": "body",
            "job": "person",
            "depart": "ride",
            "locate": "holder",
            "price": "thing",
        }
        known = self.lexicon.by_class
        return (kind not in needs or needs[kind] in known) and (kind != "birthday" or "month" in self.lexicon.by_kind)

    # parts

    def noun(self, *classes: str) -> Noun:
        """A noun of any of these classes (else any thing), a class drawn first so that small classes are heard too."""
        known = [name for name in classes if name in self.lexicon.by_class] or ["thing"]
        return self.rng.choice(self.lexicon.by_class[self.rng.choice(known)])

    def entry(self, kind: str) -> Entry:
        return self.rng.choice(self.lexicon.by_kind[kind])

    def time(self, tense: Tense) -> Entry:
        return self.entry(f"time {tense}")

    def name(self) -> Phrase:
        return Phrase(name=self.entry("name"))

    def person(self, pronouns: bool = True) -> Phrase:
        """A subject."""
        roll = self.rng.random()
        if roll < 0.3 or (roll < 0.55 and not pronouns):
            return self.name()
        if roll < 0.55:
            return Phrase(pronoun=self.rng.choice(PRONOUNS))
        if roll < 0.75:
            return Phrase(self.noun("family"), self.rng.choice(("my", "my", "our")))
        return Phrase(self.noun("person", "human"), "the")

    def adjective(self, noun: Noun) -> Adjective | None:
        fitting = [adjective for adjective in self.lexicon.adjectives if adjective.classes & noun.classes]
        return self.rng.choice(fitting) if fitting else None

    def thing(self, noun: Noun, definite: bool = False, describe: float = 0.3) -> Phrase:
        """A noun phrase around `noun` with a determiner that fits its class."""
        adjective = self.adjective(noun) if self.rng.random() < describe else None
        if noun.classes & {"place", "room", "event"}:
            return Phrase(noun, "the")
        if "family" in noun.classes:
            return Phrase(noun, self.rng.choice(("my", "our")))
        if "mass" in noun.classes:
            mass: Determiner = "the" if definite or self.rng.random() < 0.4 else "mass"
            return Phrase(noun, mass, adjective=adjective)
        if definite:
            return Phrase(noun, "the", adjective=adjective)
        roll = self.rng.random()
        if roll < 0.2 and not noun.classes & {"person", "human", "home", "part"}:
            return Phrase(noun, "number", self.rng.randint(2, 10), adjective)
        return Phrase(noun, "a" if roll < 0.6 else "the", adjective=adjective)

    def object_of(self, verb: Verb, definite: bool = False) -> Phrase:
        """Something that `verb` can be done to."""
        if verb.objects & {"person", "human"} and self.rng.random() < 0.3:
            return self.name()
        return self.thing(self.noun(*sorted(verb.objects)), definite)

    def tensed(self, subject: Phrase, always: bool = False) -> tuple[Tense, Entry | None]:
        """A tense and perhaps its time; with "we" always, since Spanish compramos is present and past."""
        tense = self.rng.choice(TENSES)
        needed = always or subject.pronoun == "we" or self.rng.random() < 0.55
        return tense, self.time(tense) if needed else None

    # constructions

    def act(self) -> Meaning:
        subject = self.person()
        verb = self.rng.choice(self.lexicon.verbs)
        tense, time = self.tensed(subject)
        modal, roll = "", self.rng.random()
        negative = roll < 0.15
        if 0.15 < roll < 0.25:
            modal, tense = self.rng.choice(("want", "must", "can")), "present"
            time = self.time("future") if self.rng.random() < 0.4 else None
        if negative and time is not None and time.en == english.OFTEN:
            time = None if subject.pronoun != "we" else self.time("past")
            tense = "present" if subject.pronoun != "we" else "past"
        thing = self.object_of(verb, definite=negative) if verb.objects else None
        while thing is not None and thing == subject:
            thing = self.object_of(verb, definite=negative)
        if negative and thing is not None and thing.determiner == "a":
            thing = Phrase(thing.noun, "the")
        if negative and thing is not None and thing.noun and "mass" in thing.noun.classes and self.rng.random() < 0.5:
            thing = Phrase(thing.noun, "mass")
        placed = (
            not negative and self.rng.random() < 0.3 and not (thing and thing.noun and "place" in thing.noun.classes)
        )
        place = self.noun("place", "place", "place", "room") if placed else None
        return Meaning("act", subject, verb, thing, place=place, time=time, tense=tense, modal=modal, negative=negative)

    def ask(self) -> Meaning:
        verb = self.rng.choice(self.lexicon.verbs)
        tense: Tense = self.rng.choice(("past", "present"))
        time = self.time(tense) if self.rng.random() < 0.4 else None
        time = None if time is not None and time.en == english.OFTEN else time
        thing = self.object_of(verb, definite=self.rng.random() < 0.5) if verb.objects else None
        return Meaning("ask", Phrase(pronoun="you"), verb, thing, time=time, tense=tense)

    def give(self) -> Meaning:
        subject = self.person()
        recipient = self.name() if self.rng.random() < 0.5 else Phrase(self.noun("family"), "my")
        while recipient == subject or (recipient.noun is not None and recipient.noun == subject.noun):
            recipient = self.name()
        tense: Tense = self.rng.choice(("past", "past", "future"))
        time = self.time(tense) if subject.pronoun == "we" or self.rng.random() < 0.4 else None
        thing = self.thing(self.noun("thing", "food", "thing", "drink"))
        return Meaning("give", subject, object=thing, recipient=recipient, time=time, tense=tense)

    def state(self) -> Meaning:
        while True:
            noun = self.noun(
                "thing", "food", "drink", "animal", "home", "place", "cloth", "machine", "room", "openable"
            )
            adjective = self.adjective(noun)
            if adjective is not None:
                break
        negative = self.rng.random() < 0.25 and adjective.zh[1][0] in "很是"
        return Meaning("state", Phrase(noun, "the"), adjective=adjective, negative=negative)

    def feel(self) -> Meaning:
        time = self.entry("time now") if self.rng.random() < 0.3 else None
        entry = self.entry("feel")
        negative = self.rng.random() < 0.2 and not entry.forms["zh"].startswith("不")
        return Meaning("feel", self.person(), entry=entry, time=time, negative=negative)

    def job(self) -> Meaning:
        return Meaning("job", Phrase(name=self.entry("name m")), noun=self.noun("person"))

    def weather(self) -> Meaning:
        tense = self.rng.choice(TENSES)
        time = self.entry("time now") if tense == "present" else self.time(tense)
        city = self.entry("city") if self.rng.random() < 0.5 else None
        return Meaning("weather", entry=self.rng.choice(self.lexicon.weather), city=city, time=time, tense=tense)

    def event(self) -> Meaning:
        place = self.noun("place") if self.rng.random() < 0.5 else None
        day = self.entry("day") if self.rng.random() < 0.7 else None
        return Meaning("event", noun=self.noun("event"), day=day, number=self.rng.randint(1, 12), place=place)

    def event_question(self) -> Meaning:
        return Meaning("event_question", noun=self.noun("event"))

    def depart(self) -> Meaning:
        day = self.entry("day") if self.rng.random() < 0.4 else None
        number = self.rng.randint(1, 12)
        return Meaning("depart", noun=self.noun("ride"), city=self.entry("city"), day=day, number=number)

    def go(self) -> Meaning:
        subject = self.person()
        tense, time = self.tensed(subject, always=True)
        while time is not None and time.en == english.OFTEN:
            time = self.time(tense)
        noun = self.noun("ride", "fly")
        return Meaning("go", subject, noun=noun, city=self.entry("city"), time=time, tense=tense)

    def live(self) -> Meaning:
        return Meaning("live", self.person(), city=self.entry("city"))

    def nearest(self) -> Meaning:
        return Meaning("nearest", noun=self.noun("place"))

    def where(self) -> Meaning:
        thing = Phrase(self.noun("place", "thing", "room", "animal"), "the")
        return Meaning("where", self.rng.choice((thing, thing, self.person(pronouns=False))))

    def price_question(self) -> Meaning:
        return Meaning("price_question", self.thing(self.noun("thing", "food", "home"), definite=True))

    def price(self) -> Meaning:
        thing = self.thing(self.noun("thing", "food", "drink"), definite=True)
        return Meaning("price", thing, number=self.rng.randint(2, 99))

    def would_like(self) -> Meaning:
        noun = self.noun("food", "drink", "thing")
        cup = "drink" in noun.classes and self.rng.random() < 0.6  # a coffee
        determiner: Determiner = "mass" if "mass" in noun.classes and not cup else "a"
        adjective = self.adjective(noun) if self.rng.random() < 0.2 else None
        return Meaning("would_like", object=Phrase(noun, determiner, adjective=adjective))

    def hurt(self) -> Meaning:
        return Meaning("hurt", noun=self.noun("body"))

    def exist(self) -> Meaning:
        subject = Phrase(self.noun("animal", "thing", "person"), "a")
        places = [n for n in self.lexicon.nouns if n.classes & {"place", "room"} and n.prepositions["en"] != "at"]
        return Meaning("exist", subject, place=self.rng.choice(places))

    def locate(self) -> Meaning:
        small = [noun for noun in self.lexicon.by_class["thing"] if not noun.classes & {"big", "holder"}]
        known = [name for name in ("holder", "top") if name in self.lexicon.by_class]
        return Meaning("locate", Phrase(self.rng.choice(small), "the"), noun=self.noun(*known))

    def have(self) -> Meaning:
        thing = self.thing(self.noun("thing", "animal", "home", "thing"))
        if thing.determiner == "the":
            thing = Phrase(thing.noun, "a", adjective=thing.adjective)
        return Meaning("have", self.person(), object=thing)

    def have_question(self) -> Meaning:
        noun = self.noun("thing", "food", "drink", "animal")
        return Meaning("have_question", object=Phrase(noun, "mass" if "mass" in noun.classes else "a"))

    def like(self) -> Meaning:
        noun = self.noun("food", "drink", "animal", "read")
        return Meaning("like", self.person(), object=Phrase(noun, "mass" if "mass" in noun.classes else "all"))

    def birthday(self) -> Meaning:
        return Meaning("birthday", self.name(), entry=self.entry("month"))

    def clock(self) -> Meaning:
        return Meaning("clock", number=self.rng.randint(1, 12))

    def my_name(self) -> Meaning:
        return Meaning("my_name", self.name())

    def fixed(self) -> Meaning:
        return Meaning("fixed", entry=self.rng.choice(self.lexicon.phrases))
