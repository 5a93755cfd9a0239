"""German sentences: case, gender, verb second with the time in front, the verb bracket and separable verbs."""

from __future__ import annotations

from collections.abc import Callable

from starter.grammar.meaning import NUMBERS, Meaning, Phrase, need
from starter.words import Entry, Noun

PRONOUNS = {"I": "ich", "we": "wir", "you": "Sie", "he": "er", "she": "sie"}
THE = {"nom": {"m": "der", "f": "die", "n": "das"}, "acc": {"m": "den", "f": "die", "n": "das"}}
THE["dat"] = {"m": "dem", "f": "der", "n": "dem"}
EIN = {"nom": {"m": "", "f": "e", "n": ""}, "acc": {"m": "en", "f": "e", "n": ""}}
EIN["dat"] = {"m": "em", "f": "er", "n": "em"}
MIXED = {"nom": {"m": "er", "f": "e", "n": "es"}, "acc": {"m": "en", "f": "e", "n": "es"}}
MIXED["dat"] = {"m": "en", "f": "en", "n": "en"}
WEAK = {"nom": {"m": "e", "f": "e", "n": "e"}, "acc": {"m": "en", "f": "e", "n": "e"}}
WEAK["dat"] = MIXED["dat"]
BE = ("bin", "ist", "sind", "sind")
HAVE = ("habe", "hat", "haben", "haben")
WILL = ("werde", "wird", "werden", "werden")
MODALS = {
    "want": ("möchte", "möchte", "möchten", "möchten"),
    "must": ("muss", "muss", "müssen", "müssen"),
    "can": ("kann", "kann", "können", "können"),
}
DETERMINERS = {"a": "ein", "my": "mein", "our": "unser"}


def declined(noun: Noun, case: str) -> str:
    """The singular in `case`: weak masculines end in -(e)n outside the nominative."""
    return noun.forms["de"][1] if noun.weak and case != "nom" else noun.forms["de"][0]


def phrase(p: Phrase, case: str = "nom") -> str:
    """A noun phrase in `case`; plurals only as nominative or accusative."""
    if p.pronoun:
        return PRONOUNS[p.pronoun]
    if p.name is not None:
        return p.name.forms["de"]
    noun = need(p.noun)
    gender = noun.gender["de"]
    stem = p.adjective.de[1] if p.adjective else ""
    if p.plural:
        number = f"{NUMBERS['de'][p.count]} " if p.determiner == "number" else ""
        return f"{number}{stem + 'e ' if stem else ''}{noun.forms['de'][1]}"
    word = declined(noun, case)
    if p.determiner == "mass":
        return f"{stem + MIXED[case][gender] + ' ' if stem else ''}{word}"
    if p.determiner == "the":
        return f"{THE[case][gender]} {stem + WEAK[case][gender] + ' ' if stem else ''}{word}"
    start = DETERMINERS[p.determiner] + EIN[case][gender]
    return f"{start} {stem + MIXED[case][gender] + ' ' if stem else ''}{word}"


def on_noun(preposition: str, noun: Noun) -> str:
    """A preposition with a definite noun in the dative, contracted."""
    article = THE["dat"][noun.gender["de"]]
    start = f"{preposition} {article}"
    start = {"in dem": "im", "an dem": "am"}.get(start, start)
    return f"{start} {declined(noun, 'dat')}"


def at(place: Noun) -> str:
    return on_noun(place.prepositions["de"], place)


def hour(number: int) -> str:
    return f"{'ein' if number == 1 else NUMBERS['de'][number]} Uhr"


def clause(time: Entry | None, subject: str, finite: str, *rest: str) -> str:
    """Verb second: the time in front if there is one, else the subject."""
    start = f"{time.forms['de']} {finite} {subject}" if time else f"{subject} {finite}"
    return " ".join((start, *(part for part in rest if part))) + "."


def bracket(m: Meaning) -> tuple[str, str]:
    """The finite verb and what closes the sentence."""
    verb, person = need(m.verb), need(m.subject).person
    infinitive, first, third, participle = verb.de
    if m.modal:
        return MODALS[m.modal][person], infinitive
    if m.tense == "future":
        return WILL[person], infinitive
    if m.tense == "past":
        return (BE if verb.de_sein else HAVE)[person], participle
    return (first, third, infinitive, infinitive)[person], ""


def middle(m: Meaning) -> tuple[str, ...]:
    """Object, place and "nicht" in German order: a definite object before the place, another after it."""
    place = at(m.place) if m.place else ""
    if m.object is None:
        return (place, "nicht" if m.negative else "")
    if m.negative and m.object.determiner == "mass":
        noun = need(m.object.noun)
        return (f"kein{EIN['acc'][noun.gender['de']]} {noun.forms['de'][0]}",)
    words = phrase(m.object, "acc")
    definite = m.object.determiner in ("the", "my", "our") or m.object.name is not None
    return (words, place, "nicht" if m.negative else "") if definite else (place, words)


def act(m: Meaning) -> str:
    finite, end = bracket(m)
    return clause(m.time, phrase(need(m.subject)), finite, *middle(m), end)


def ask(m: Meaning) -> str:
    verb = need(m.verb)
    start = f"{'sind' if verb.de_sein else 'haben'} Sie" if m.tense == "past" else f"{verb.de[0]} Sie"
    time = m.time.forms["de"] if m.time else ""
    parts = (start, time, *middle(m), verb.de[3] if m.tense == "past" else "")
    return " ".join(part for part in parts if part) + "?"


def give(m: Meaning) -> str:
    s = need(m.subject)
    finite, end = (WILL, "geben") if m.tense == "future" else (HAVE, "gegeben")
    things = phrase(need(m.recipient), "dat"), phrase(need(m.object), "acc")
    return clause(m.time, phrase(s), finite[s.person], *things, end)


def state(m: Meaning) -> str:
    s = need(m.subject)
    verb = "sind" if s.plural else "ist"
    return f"{phrase(s)} {verb} {'nicht ' if m.negative else ''}{need(m.adjective).de[0]}."


def feel(m: Meaning) -> str:
    s, entry = need(m.subject), need(m.entry)
    word = entry.forms["de"]
    if "have" not in entry.kind:
        return clause(m.time, phrase(s), BE[s.person], "nicht" if m.negative else "", word)
    no = {"Angst": "keine"}.get(word, "keinen") if m.negative else ""
    return clause(m.time, phrase(s), HAVE[s.person], no, word)


def job(m: Meaning) -> str:
    return f"{phrase(need(m.subject))} ist {need(m.noun).forms['de'][0]}."


def weather(m: Meaning) -> str:
    form = need(m.entry).forms["de"].split(",")[("present", "past", "future").index(m.tense)]
    time = need(m.time).forms["de"]
    if m.city is None:
        return f"{time} {form}."
    finite, it, *rest = form.split(" ")
    return " ".join((f"in {m.city.forms['de']}", finite, it, time, *rest)) + "."


def event(m: Meaning) -> str:
    noun = need(m.noun)
    day = f" am {m.day.forms['de']}" if m.day else ""
    place = f" {at(m.place)}" if m.place else ""
    return f"{THE['nom'][noun.gender['de']]} {noun.forms['de'][0]} beginnt{day} um {hour(m.number)}{place}."


def event_question(m: Meaning) -> str:
    noun = need(m.noun)
    return f"wann beginnt {THE['nom'][noun.gender['de']]} {noun.forms['de'][0]}?"


def depart(m: Meaning) -> str:
    noun = need(m.noun)
    day = f" am {m.day.forms['de']}" if m.day else ""
    ride = f"{THE['nom'][noun.gender['de']]} {noun.forms['de'][0]}"
    return f"{ride} nach {need(m.city).forms['de']} fährt{day} um {hour(m.number)} ab."


def go(m: Meaning) -> str:
    s, noun = need(m.subject), need(m.noun)
    fly = noun.en == "plane"
    middle = f"mit {THE['dat'][noun.gender['de']]} {noun.forms['de'][0]} nach {need(m.city).forms['de']}"
    if m.tense == "past":
        return clause(m.time, phrase(s), BE[s.person], middle, "geflogen" if fly else "gefahren")
    infinitive = "fliegen" if fly else "fahren"
    if m.tense == "future":
        return clause(m.time, phrase(s), WILL[s.person], middle, infinitive)
    forms = ("fliege", "fliegt", infinitive, infinitive) if fly else ("fahre", "fährt", infinitive, infinitive)
    return clause(m.time, phrase(s), forms[s.person], middle)


def live(m: Meaning) -> str:
    s = need(m.subject)
    return f"{phrase(s)} {('wohne', 'wohnt', 'wohnen', 'wohnen')[s.person]} in {need(m.city).forms['de']}."


def nearest(m: Meaning) -> str:
    noun = need(m.noun)
    return f"wo ist {THE['nom'][noun.gender['de']]} nächste {noun.forms['de'][0]}, bitte?"


def where(m: Meaning) -> str:
    return f"wo ist {phrase(need(m.subject))}?"


def price_question(m: Meaning) -> str:
    return f"wie viel kostet {phrase(need(m.subject))}?"


def price(m: Meaning) -> str:
    return f"{phrase(need(m.subject))} kostet {m.number} Euro."


def would_like(m: Meaning) -> str:
    return f"ich hätte gern {phrase(need(m.object), 'acc')}, bitte."


def hurt(m: Meaning) -> str:
    noun = need(m.noun)
    return f"mein{EIN['nom'][noun.gender['de']]} {noun.forms['de'][0]} tut weh."


def exist(m: Meaning) -> str:
    return f"{at(need(m.place))} ist {phrase(need(m.subject))}."


def locate(m: Meaning) -> str:
    noun = need(m.noun)
    return f"{phrase(need(m.subject))} ist {on_noun('auf' if 'top' in noun.classes else 'in', noun)}."


def have(m: Meaning) -> str:
    s = need(m.subject)
    return f"{phrase(s)} {HAVE[s.person]} {phrase(need(m.object), 'acc')}."


def have_question(m: Meaning) -> str:
    return f"haben Sie {phrase(need(m.object), 'acc')}?"


def like(m: Meaning) -> str:
    s = need(m.subject)
    return f"{phrase(s)} {('mag', 'mag', 'mögen', 'mögen')[s.person]} {phrase(need(m.object), 'acc')}."


def birthday(m: Meaning) -> str:
    return f"der Geburtstag von {phrase(need(m.subject))} ist im {need(m.entry).forms['de']}."


def clock(m: Meaning) -> str:
    return f"es ist {hour(m.number)}."


def my_name(m: Meaning) -> str:
    return f"ich heiße {phrase(need(m.subject))}."


def fixed(m: Meaning) -> str:
    return need(m.entry).forms["de"]


KINDS: dict[str, Callable[[Meaning], str]] = {
    "act": act,
    "ask": ask,
    "give": give,
    "state": state,
    "feel": feel,
    "job": job,
    "weather": weather,
    "event": event,
    "event_question": event_question,
    "depart": depart,
    "go": go,
    "live": live,
    "nearest": nearest,
    "where": where,
    "price_question": price_question,
    "price": price,
    "would_like": would_like,
    "hurt": hurt,
    "exist": exist,
    "locate": locate,
    "have": have,
    "have_question": have_question,
    "like": like,
    "birthday": birthday,
    "clock": clock,
    "my_name": my_name,
    "fixed": fixed,
}
