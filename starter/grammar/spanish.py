"""Spanish sentences: gender and number, ser and estar, personal a, al, dropped and kept subject pronouns."""

from __future__ import annotations

from collections.abc import Callable

from starter.grammar.meaning import NUMBERS, Meaning, Phrase, need
from starter.words import Noun, spanish_plural

PRONOUNS = {"I": "", "we": "", "you": "usted", "he": "él", "she": "ella"}
BE = ("estoy", "está", "estamos", "está")
HAVE = ("tengo", "tiene", "tenemos", "tiene")
GO = ("voy", "va", "vamos", "va")
MODALS = {
    "want": ("quiero", "quiere", "queremos", "quiere"),
    "must": ("tengo que", "tiene que", "tenemos que", "tiene que"),
    "can": ("puedo", "puede", "podemos", "puede"),
}


def agree(forms: tuple[str, str], feminine: bool, plural: bool = False) -> str:
    """An adjective's form."""
    form = forms[1] if feminine else forms[0]
    return spanish_plural(form) if plural else form


def core(p: Phrase) -> str:
    """Noun and adjective."""
    noun = need(p.noun)
    word = noun.forms["es"][1 if p.plural else 0]
    if p.adjective is None:
        return word
    return f"{word} {agree(p.adjective.es, noun.gender['es'] == 'f', p.plural)}"


def the(noun: Noun, words: str, plural: bool = False) -> str:
    feminine = noun.gender["es"] == "f"
    if plural:
        return f"{'las' if feminine else 'los'} {words}"
    return f"{'la' if feminine and not noun.el_article else 'el'} {words}"


def phrase(p: Phrase) -> str:
    """A noun phrase; empty for a dropped pronoun."""
    if p.pronoun:
        return PRONOUNS[p.pronoun]
    if p.name is not None:
        return p.name.forms["es"]
    noun, words = need(p.noun), core(p)
    feminine = noun.gender["es"] == "f"
    if p.determiner == "the":
        return the(noun, words)
    if p.determiner in ("mass", "all"):
        return words
    if p.determiner == "a":
        return f"{'una' if feminine and not noun.el_article else 'un'} {words}"
    if p.determiner == "number":
        return f"{NUMBERS['es'][p.count]} {words}"
    if p.determiner == "our":
        return f"{'nuestra' if feminine else 'nuestro'} {words}"
    return f"mi {words}"


def to(words: str) -> str:
    """The preposition a, contracted with el."""
    return f"al {words[3:]}" if words.startswith("el ") else f"a {words}"


def direct(p: Phrase) -> str:
    """A direct object: definite people take the personal a."""
    return to(phrase(p)) if p.human else phrase(p)


def at(place: Noun) -> str:
    return f"en {the(place, place.forms['es'][0])}"


def hour(number: int) -> str:
    return "la una" if number == 1 else f"las {NUMBERS['es'][number]}"


def start(p: Phrase, verb: str, negative: bool = False) -> str:
    """Subject, "no" and verb."""
    return " ".join(part for part in (phrase(p), "no" if negative else "", verb) if part)


def verb_group(m: Meaning) -> str:
    verb, person = need(m.verb).es, need(m.subject).person
    if m.modal:
        return f"{MODALS[m.modal][person]} {verb[0]}"
    if m.tense == "future":
        return f"{GO[person]} a {verb[0]}"
    column = (0, 1, 2, 1)[person] + (4 if m.tense == "past" else 1)
    return verb[column]


def tail(m: Meaning) -> str:
    words = f" {direct(m.object)}" if m.object else ""
    if m.recipient is not None:
        words += f" {to(phrase(m.recipient))}"
    if m.place is not None:
        words += f" {at(m.place)}"
    if m.time is not None:
        words += f" {m.time.forms['es']}"
    return words


def act(m: Meaning) -> str:
    return f"{start(need(m.subject), verb_group(m), m.negative)}{tail(m)}."


def ask(m: Meaning) -> str:
    verb = need(m.verb).es[5 if m.tense == "past" else 2]
    return f"¿{verb} usted{tail(m)}?"


def give(m: Meaning) -> str:
    s = need(m.subject)
    verb = f"le {GO[s.person]} a dar" if m.tense == "future" else f"le {('di', 'dio', 'dimos', 'dio')[s.person]}"
    return f"{start(s, verb)}{tail(m)}."


def state(m: Meaning) -> str:
    s, adjective = need(m.subject), need(m.adjective)
    singular, plural = ("está", "están") if adjective.estar else ("es", "son")
    form = agree(adjective.es, s.feminine("es"), s.plural)
    return f"{start(s, plural if s.plural else singular, m.negative)} {form}."


def feel(m: Meaning) -> str:
    s, entry = need(m.subject), need(m.entry)
    masculine, _, feminine = entry.forms["es"].partition("/")
    time = f" {m.time.forms['es']}" if m.time else ""
    if "have" in entry.kind:
        return f"{start(s, HAVE[s.person], m.negative)} {masculine}{time}."
    form = agree((masculine, feminine), s.feminine("es"), s.pronoun == "we")
    return f"{start(s, BE[s.person], m.negative)} {form}{time}."


def job(m: Meaning) -> str:
    return f"{phrase(need(m.subject))} es {need(m.noun).forms['es'][0]}."


def weather(m: Meaning) -> str:
    form = need(m.entry).forms["es"].split(",")[("present", "past", "future").index(m.tense)]
    city = f" en {m.city.forms['es']}" if m.city else ""
    return f"{form}{city} {need(m.time).forms['es']}."


def event(m: Meaning) -> str:
    noun = need(m.noun)
    day = f" el {m.day.forms['es']}" if m.day else ""
    place = f" {at(m.place)}" if m.place else ""
    return f"{the(noun, noun.forms['es'][0])} empieza{day} a {hour(m.number)}{place}."


def event_question(m: Meaning) -> str:
    noun = need(m.noun)
    return f"¿cuándo empieza {the(noun, noun.forms['es'][0])}?"


def depart(m: Meaning) -> str:
    noun = need(m.noun)
    day = f" el {m.day.forms['es']}" if m.day else ""
    return f"{the(noun, noun.forms['es'][0])} a {need(m.city).forms['es']} sale{day} a {hour(m.number)}."


def go(m: Meaning) -> str:
    s = need(m.subject)
    forms = {"past": ("fui", "fue", "fuimos", "fue"), "future": tuple(f"{form} a ir" for form in GO)}.get(m.tense, GO)
    tail = f"a {need(m.city).forms['es']} en {need(m.noun).forms['es'][0]} {need(m.time).forms['es']}."
    return f"{start(s, forms[s.person])} {tail}"


def live(m: Meaning) -> str:
    s = need(m.subject)
    return f"{start(s, ('vivo', 'vive', 'vivimos', 'vive')[s.person])} en {need(m.city).forms['es']}."


def nearest(m: Meaning) -> str:
    noun = need(m.noun)
    close = "cercana" if noun.gender["es"] == "f" else "cercano"
    return f"¿dónde está {the(noun, noun.forms['es'][0])} más {close}, por favor?"


def where(m: Meaning) -> str:
    return f"¿dónde está {phrase(need(m.subject))}?"


def price_question(m: Meaning) -> str:
    return f"¿cuánto cuesta {phrase(need(m.subject))}?"


def price(m: Meaning) -> str:
    return f"{phrase(need(m.subject))} cuesta {m.number} euros."


def would_like(m: Meaning) -> str:
    return f"quisiera {phrase(need(m.object))}, por favor."


def hurt(m: Meaning) -> str:
    noun = need(m.noun)
    return f"me duele {the(noun, noun.forms['es'][0])}."


def exist(m: Meaning) -> str:
    return f"hay {phrase(need(m.subject))} {at(need(m.place))}."


def locate(m: Meaning) -> str:
    noun = need(m.noun)
    preposition = "sobre" if "top" in noun.classes else "en"
    return f"{phrase(need(m.subject))} está {preposition} {the(noun, noun.forms['es'][0])}."


def have(m: Meaning) -> str:
    s = need(m.subject)
    return f"{start(s, HAVE[s.person])} {phrase(need(m.object))}."


def have_question(m: Meaning) -> str:
    return f"¿tiene usted {phrase(need(m.object))}?"


def like(m: Meaning) -> str:
    """A Anna le gusta el pan: the thing liked is the subject."""
    s, p = need(m.subject), need(m.object)
    words = the(need(p.noun), core(p), p.plural)
    verb = "gustan" if p.plural else "gusta"
    if s.pronoun in ("I", "we"):
        return f"{'me' if s.pronoun == 'I' else 'nos'} {verb} {words}."
    return f"{to(phrase(s))} le {verb} {words}."


def birthday(m: Meaning) -> str:
    return f"el cumpleaños de {phrase(need(m.subject))} es en {need(m.entry).forms['es']}."


def clock(m: Meaning) -> str:
    return f"{'es' if m.number == 1 else 'son'} {hour(m.number)}."


def my_name(m: Meaning) -> str:
    return f"me llamo {phrase(need(m.subject))}."


def fixed(m: Meaning) -> str:
    return need(m.entry).forms["es"]


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
