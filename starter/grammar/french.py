"""French sentences: elision, contraction, partitive, agreement, and adjectives before or after their noun."""

from __future__ import annotations

from collections.abc import Callable

from starter.grammar.meaning import NUMBERS, Meaning, Phrase, need
from starter.words import Adjective, Entry, Noun, french_plural

VOWELS = tuple("aeiouyhâàéèêëîïôœAEIOUÉ")
PRONOUNS = {"I": "je", "we": "nous", "you": "vous", "he": "il", "she": "elle"}
BE = ("suis", "est", "sommes", "êtes")
HAVE = ("ai", "a", "avons", "avez")
GO = ("vais", "va", "allons", "allez")
MODALS = {
    "want": ("veux", "veut", "voulons", "voulez"),
    "must": ("dois", "doit", "devons", "devez"),
    "can": ("peux", "peut", "pouvons", "pouvez"),
}
FEMININE_NUMBERS = {1: "une"}


def vowel(word: str) -> bool:
    """Whether `word` asks for elision (every h in the lexicon is mute; "huit" never follows an article)."""
    return word.startswith(VOWELS)


def elide(short: str, word: str) -> str:
    """`short` (je, ne, le, la, de) before `word`, elided where a vowel follows."""
    return f"{short[:-1]}'{word}" if vowel(word) else f"{short} {word}"


def agree(adjective: Adjective, feminine: bool, plural: bool, before: str = "") -> str:
    """The adjective's form; `before` is the word that follows it."""
    form = adjective.fr[1] if feminine else adjective.fr[0]
    if not feminine and not plural and vowel(before):
        form = adjective.fr[2]
    return french_plural(form) if plural else form


def core(p: Phrase) -> str:
    """Noun and adjective."""
    noun = need(p.noun)
    word = noun.forms["fr"][1 if p.plural else 0]
    if p.adjective is None:
        return word
    feminine = noun.gender["fr"] == "f"
    if p.adjective.fr_before:
        return f"{agree(p.adjective, feminine, p.plural, word)} {word}"
    return f"{word} {agree(p.adjective, feminine, p.plural)}"


def the(words: str, feminine: bool) -> str:
    return elide("la" if feminine else "le", words)


def of_the(words: str, feminine: bool) -> str:
    """The partitive: du, de la, de l'."""
    if vowel(words):
        return f"de l'{words}"
    return f"de la {words}" if feminine else f"du {words}"


def phrase(p: Phrase) -> str:
    """A noun phrase."""
    if p.pronoun:
        return PRONOUNS[p.pronoun]
    if p.name is not None:
        return p.name.forms["fr"]
    words, feminine = core(p), need(p.noun).gender["fr"] == "f"
    if p.determiner == "the":
        return the(words, feminine)
    if p.determiner == "all":
        return f"les {words}"
    if p.determiner == "mass":
        return of_the(words, feminine)
    if p.determiner == "a":
        return f"{'une' if feminine else 'un'} {words}"
    if p.determiner == "number":
        return f"{NUMBERS['fr'][p.count]} {words}"
    if p.determiner == "our":
        return f"notre {words}"
    return f"{'ma' if feminine and not vowel(words) else 'mon'} {words}"


def at(place: Noun) -> str:
    """Where, with à + le contracted."""
    return to_noun(place.prepositions["fr"], place)


def to_noun(preposition: str, noun: Noun) -> str:
    """A preposition with a definite noun."""
    definite = the(noun.forms["fr"][0], noun.gender["fr"] == "f")
    if preposition == "à" and definite.startswith("le "):
        return f"au {definite[3:]}"
    return f"{preposition} {definite}"


def hour(number: int) -> str:
    return "une heure" if number == 1 else f"{NUMBERS['fr'][number]} heures"


def negated(before: str, rest: str = "") -> str:
    """ne ... pas around one finite verb."""
    return f"{elide('ne', before)} pas" + (f" {rest}" if rest else "")


def join(subject: Phrase, verb: str) -> str:
    """Subject and verb, with j'."""
    return elide("je", verb) if subject.pronoun == "I" else f"{phrase(subject)} {verb}"


def simple(m: Meaning, forms: tuple[str, ...]) -> str:
    """The subject with one finite verb of `forms`, negated where the meaning is."""
    s = need(m.subject)
    verb = forms[s.person]
    return join(s, negated(verb) if m.negative else verb)


def object_words(m: Meaning) -> str:
    """The object; an amount after a negation takes "de"."""
    if m.object is None:
        return ""
    if m.negative and m.object.determiner == "mass":
        return f" {elide('de', core(m.object))}"
    return f" {phrase(m.object)}"


def tail(m: Meaning) -> str:
    words = object_words(m)
    if m.recipient is not None:
        words += f" à {phrase(m.recipient)}"
    if m.place is not None:
        words += f" {at(m.place)}"
    if m.time is not None and not _often(m.time):
        words += f" {m.time.forms['fr']}"
    return words


def _often(time: Entry | None) -> bool:
    return time is not None and time.en == "often"


def verb_group(m: Meaning) -> str:
    """Finite verb, negation, "souvent" and what follows of the verb."""
    verb, person = need(m.verb).fr, need(m.subject).person
    if m.modal:
        finite, rest = MODALS[m.modal][person], verb[0]
    elif m.tense == "future":
        finite, rest = GO[person], verb[0]
    elif m.tense == "past":
        finite, rest = HAVE[person], verb[5]
    else:
        finite, rest = verb[1 + person], ""
    words = elide("ne", finite) + " pas" if m.negative else finite
    words += " souvent" if _often(m.time) else ""
    return f"{words} {rest}" if rest else words


def act(m: Meaning) -> str:
    return f"{join(need(m.subject), verb_group(m))}{tail(m)}."


def ask(m: Meaning) -> str:
    verb = need(m.verb).fr
    start = f"avez-vous {verb[5]}" if m.tense == "past" else f"{verb[4]}-vous"
    return f"{start}{tail(m)} ?"


def give(m: Meaning) -> str:
    s = need(m.subject)
    verb = f"{GO[s.person]} donner" if m.tense == "future" else f"{HAVE[s.person]} donné"
    return f"{join(s, verb)}{tail(m)}."


def state(m: Meaning) -> str:
    s = need(m.subject)
    verb = "sont" if s.plural else "est"
    verb = negated(verb) if m.negative else verb
    return f"{phrase(s)} {verb} {agree(need(m.adjective), s.feminine('fr'), s.plural)}."


def feel(m: Meaning) -> str:
    s, entry = need(m.subject), need(m.entry)
    time = f" {m.time.forms['fr']}" if m.time else ""
    masculine, _, feminine = entry.forms["fr"].partition("/")
    if "have" in entry.kind:
        return f"{simple(m, HAVE)} {masculine}{time}."
    form = feminine if s.feminine("fr") else masculine
    if s.pronoun == "we" and "en " not in form:
        form = french_plural(form)
    return f"{simple(m, BE)} {form}{time}."


def job(m: Meaning) -> str:
    return f"{phrase(need(m.subject))} est {need(m.noun).forms['fr'][0]}."


def weather(m: Meaning) -> str:
    form = need(m.entry).forms["fr"].split(",")[("present", "past", "future").index(m.tense)]
    city = f" à {m.city.forms['fr']}" if m.city else ""
    return f"{form}{city} {need(m.time).forms['fr']}."


def event(m: Meaning) -> str:
    noun = need(m.noun)
    day = f" {m.day.forms['fr']}" if m.day else ""
    place = f" {at(m.place)}" if m.place else ""
    return f"{the(noun.forms['fr'][0], noun.gender['fr'] == 'f')} commence{day} à {hour(m.number)}{place}."


def event_question(m: Meaning) -> str:
    noun = need(m.noun)
    return f"quand commence {the(noun.forms['fr'][0], noun.gender['fr'] == 'f')} ?"


def depart(m: Meaning) -> str:
    noun = need(m.noun)
    day = f" {m.day.forms['fr']}" if m.day else ""
    ride = the(noun.forms["fr"][0], noun.gender["fr"] == "f")
    return f"{ride} pour {need(m.city).forms['fr']} part{day} à {hour(m.number)}."


def go(m: Meaning) -> str:
    s = need(m.subject)
    tail = f"à {need(m.city).forms['fr']} en {need(m.noun).forms['fr'][0]} {need(m.time).forms['fr']}."
    if m.tense == "past":
        plural = s.pronoun == "we"
        gone = "allé" + ("e" if s.feminine("fr") else "") + ("s" if plural else "")
        return f"{join(s, BE[s.person])} {gone} {tail}"
    if m.tense == "future":
        return f"{join(s, GO[s.person])} aller {tail}"
    return f"{join(s, GO[s.person])} {tail}"


def live(m: Meaning) -> str:
    return f"{simple(m, ('habite', 'habite', 'habitons', 'habitez'))} à {need(m.city).forms['fr']}."


def nearest(m: Meaning) -> str:
    noun = need(m.noun)
    feminine = noun.gender["fr"] == "f"
    article = "la" if feminine else "le"
    return f"où est {the(noun.forms['fr'][0], feminine)} {article} plus proche, s'il vous plaît ?"


def where(m: Meaning) -> str:
    return f"où est {phrase(need(m.subject))} ?"


def price_question(m: Meaning) -> str:
    return f"combien coûte {phrase(need(m.subject))} ?"


def price(m: Meaning) -> str:
    return f"{phrase(need(m.subject))} coûte {m.number} euros."


def would_like(m: Meaning) -> str:
    return f"je voudrais {phrase(need(m.object))}, s'il vous plaît."


def hurt(m: Meaning) -> str:
    return f"j'ai mal {to_noun('à', need(m.noun))}."


def exist(m: Meaning) -> str:
    return f"il y a {phrase(need(m.subject))} {at(need(m.place))}."


def locate(m: Meaning) -> str:
    noun = need(m.noun)
    return f"{phrase(need(m.subject))} est {to_noun('sur' if 'top' in noun.classes else 'dans', noun)}."


def have(m: Meaning) -> str:
    return f"{simple(m, HAVE)} {phrase(need(m.object))}."


def have_question(m: Meaning) -> str:
    return f"avez-vous {phrase(need(m.object))} ?"


def like(m: Meaning) -> str:
    p = need(m.object)
    words = phrase(p) if p.determiner == "all" else the(core(p), need(p.noun).gender["fr"] == "f")
    return f"{simple(m, ('aime', 'aime', 'aimons', 'aimez'))} {words}."


def birthday(m: Meaning) -> str:
    return f"l'anniversaire {elide('de', phrase(need(m.subject)))} est en {need(m.entry).forms['fr']}."


def clock(m: Meaning) -> str:
    return f"il est {hour(m.number)}."


def my_name(m: Meaning) -> str:
    return f"je m'appelle {phrase(need(m.subject))}."


def fixed(m: Meaning) -> str:
    return need(m.entry).forms["fr"]


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
