"""English sentences. Also the canonical form of a meaning, and the parts that questions ask for."""

from __future__ import annotations

from collections.abc import Callable

from starter.grammar.meaning import NUMBERS, Meaning, Phrase, need
from starter.words import Noun

A_VOWEL = (*"aeio", "umbrella", "uncle")
MODALS = {"want": ("want to", "wants to"), "must": ("must", "must"), "can": ("can", "can")}
OFTEN = "often"


def article(word: str) -> str:
    """The indefinite article before `word`."""
    return "an" if word.startswith(A_VOWEL) and not word.startswith("one") else "a"


def phrase(p: Phrase, subject: bool = True) -> str:
    """A noun phrase; a pronoun only as subject."""
    if p.pronoun:
        return p.pronoun if subject else {"I": "me", "we": "us", "he": "him", "she": "her"}.get(p.pronoun, p.pronoun)
    if p.name is not None:
        return p.name.en
    noun = need(p.noun)
    words = f"{p.adjective.en} " if p.adjective else ""
    words += noun.forms["en"][1 if p.plural else 0]
    if p.determiner in ("mass", "all"):
        return words
    if p.determiner == "a":
        return f"{article(words)} {words}"
    if p.determiner == "number":
        return f"{NUMBERS['en'][p.count]} {words}"
    return f"{p.determiner} {words}"


def at(place: Noun) -> str:
    """Where: "at the school"."""
    return f"{place.prepositions['en']} the {place.en}"


def hour(number: int) -> str:
    return f"{NUMBERS['en'][number]} o'clock"


def be(p: Phrase) -> str:
    return {0: "am", 1: "is"}.get(p.person, "are")


def verb_group(m: Meaning) -> str:
    """The verb with tense, modal and negation."""
    verb, subject = need(m.verb), need(m.subject)
    base, third, past = verb.en
    singular = subject.person == 1
    if m.modal:
        return f"{MODALS[m.modal][1 if singular else 0]} {base}"
    if m.tense == "future":
        return f"will {'not ' if m.negative else ''}{base}"
    if m.tense == "past":
        return f"did not {base}" if m.negative else past
    if m.negative:
        return f"{'does' if singular else 'do'} not {base}"
    return third if singular else base


def tail(m: Meaning, with_object: bool = True) -> str:
    """Object, place and time, each with a space before it."""
    words = ""
    if m.object is not None and with_object:
        words += f" {phrase(m.object, False)}"
    if m.recipient is not None:
        words += f" to {phrase(m.recipient, False)}"
    if m.place is not None:
        words += f" {at(m.place)}"
    if m.time is not None and m.time.en != OFTEN:
        words += f" {m.time.en}"
    return words


def act(m: Meaning) -> str:
    often = "often " if m.time is not None and m.time.en == OFTEN else ""
    return f"{phrase(need(m.subject))} {often}{verb_group(m)}{tail(m)}."


def ask(m: Meaning) -> str:
    do = "did" if m.tense == "past" else "do"
    return f"{do} you {need(m.verb).en[0]}{tail(m)}?"


def give(m: Meaning) -> str:
    verb = "will give" if m.tense == "future" else "gave"
    return f"{phrase(need(m.subject))} {verb}{tail(m)}."


def state(m: Meaning) -> str:
    s = need(m.subject)
    return f"{phrase(s)} {be(s)} {'not ' if m.negative else ''}{need(m.adjective).en}."


def feel(m: Meaning) -> str:
    s = need(m.subject)
    time = f" {m.time.en}" if m.time else ""
    return f"{phrase(s)} {be(s)} {'not ' if m.negative else ''}{need(m.entry).en}{time}."


def job(m: Meaning) -> str:
    noun = need(m.noun).en
    return f"{phrase(need(m.subject))} is {article(noun)} {noun}."


def weather(m: Meaning) -> str:
    form = need(m.entry).en.split(",")[("present", "past", "future").index(m.tense)]
    city = f" in {m.city.en}" if m.city else ""
    return f"{form}{city} {need(m.time).en}."


def event(m: Meaning) -> str:
    place = f" {at(m.place)}" if m.place else ""
    day = f" on {m.day.en}" if m.day else ""
    return f"the {need(m.noun).en} starts{day} at {hour(m.number)}{place}."


def event_question(m: Meaning) -> str:
    return f"when does the {need(m.noun).en} start?"


def depart(m: Meaning) -> str:
    day = f" on {m.day.en}" if m.day else ""
    return f"the {need(m.noun).en} to {need(m.city).en} leaves{day} at {hour(m.number)}."


def go(m: Meaning) -> str:
    s = need(m.subject)
    verb = {"past": "went", "future": "will go"}.get(m.tense, "goes" if s.person == 1 else "go")
    return f"{phrase(s)} {verb} to {need(m.city).en} by {need(m.noun).en} {need(m.time).en}."


def live(m: Meaning) -> str:
    s = need(m.subject)
    return f"{phrase(s)} {'lives' if s.person == 1 else 'live'} in {need(m.city).en}."


def nearest(m: Meaning) -> str:
    return f"where is the nearest {need(m.noun).en}, please?"


def where(m: Meaning) -> str:
    return f"where is {phrase(need(m.subject))}?"


def price_question(m: Meaning) -> str:
    return f"how much does {phrase(need(m.subject))} cost?"


def price(m: Meaning) -> str:
    return f"{phrase(need(m.subject))} costs {m.number} euros."


def would_like(m: Meaning) -> str:
    return f"I would like {phrase(need(m.object))}, please."


def hurt(m: Meaning) -> str:
    return f"my {need(m.noun).en} hurts."


def exist(m: Meaning) -> str:
    return f"there is {phrase(need(m.subject))} {at(need(m.place))}."


def locate(m: Meaning) -> str:
    noun = need(m.noun)
    return f"{phrase(need(m.subject))} is {'on' if 'top' in noun.classes else 'in'} the {noun.en}."


def have(m: Meaning) -> str:
    s = need(m.subject)
    return f"{phrase(s)} {'has' if s.person == 1 else 'have'} {phrase(need(m.object))}."


def have_question(m: Meaning) -> str:
    return f"do you have {phrase(need(m.object))}?"


def like(m: Meaning) -> str:
    s = need(m.subject)
    return f"{phrase(s)} {'likes' if s.person == 1 else 'like'} {phrase(need(m.object))}."


def birthday(m: Meaning) -> str:
    return f"{phrase(need(m.subject))}'s birthday is in {need(m.entry).en}."


def clock(m: Meaning) -> str:
    return f"it is {hour(m.number)}."


def my_name(m: Meaning) -> str:
    return f"my name is {phrase(need(m.subject))}."


def fixed(m: Meaning) -> str:
    return need(m.entry).en


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
