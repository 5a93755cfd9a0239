"""Notes, mails and stories of one to five sentences with a one-sentence summary and the facts it must keep."""

from __future__ import annotations

from dataclasses import replace

from edgellm.tasks.summarize import messages
from starter.examples.example import Example, Source, capital, english
from starter.examples.questions import tellable
from starter.grammar import english as en
from starter.grammar.meaning import Meaning, Phrase, need

AFTER = (
    "It was a good day.",
    "The weather was good.",
    "Everyone was happy.",
    "It was a long day.",
    "It was very nice.",
    "That was not easy.",
)
CLOSINGS = ("See you soon!", "See you there!", "Please be on time.", "Please come early.", "Please do not forget it.")
GREETINGS = ("Dear {}, ", "Hello {}, ", "Hi {}, ")


def _she(p: Phrase) -> str:
    return "she" if p.feminine("fr") else "he"


def _event(source: Source) -> tuple[str, str, tuple[str, ...]]:
    rng, meanings = source.rng, source.meanings
    m = meanings.of("event")
    m = replace(m, day=m.day or meanings.entry("day"), place=m.place or meanings.noun("place"))
    noun, day, hour, place = need(m.noun).en, need(m.day).en, en.hour(m.number), en.at(need(m.place))
    sender, reader = rng.sample(source.lexicon.by_kind["name"], 2)
    parts = rng.choice(
        (
            f"the {noun} is on {day}. It starts at {hour} {place}.",
            f"the {noun} is {place}. It starts on {day} at {hour}.",
            f"the {noun} starts on {day} at {hour} {place}.",
            f"the {noun} will be on {day} {place}. It starts at {hour}.",
        )
    )
    text = rng.choice(GREETINGS).format(reader.en) + parts if rng.random() < 0.6 else capital(parts)
    if rng.random() < 0.5:
        text += " " + rng.choice(CLOSINGS)
    if rng.random() < 0.4:
        text += f" {sender.en}"
    return text, english(m), (noun, day, hour, place)


def _deed(source: Source) -> tuple[str, str, tuple[str, ...]]:
    rng, meanings = source.rng, source.meanings
    while True:
        m = tellable(meanings, "act")
        thing = m.object.noun if m.object is not None else None
        if m.tense == "past" and thing is not None and "place" not in thing.classes:
            break
    m = replace(m, time=m.time or meanings.time("past"), place=m.place or meanings.noun("place"))
    subject, what = en.phrase(need(m.subject)), en.phrase(need(m.object), False)
    verb, time, place = need(m.verb).en[2], need(m.time).en, en.at(need(m.place))
    she = _she(need(m.subject)) if need(m.subject).name is not None else subject
    text = rng.choice(
        (
            f"{capital(time)} {subject} was {place}. {capital(she)} {verb} {what}.",
            f"{capital(subject)} was {place} {time}. {capital(she)} {verb} {what}.",
            f"{capital(subject)} {verb} {what} {time}. {capital(she)} was {place}.",
        )
    )
    return text + _filler(source, she), english(m), (subject, what, time, place)


def _filler(source: Source, she: str) -> str:
    rng = source.rng
    words = ""
    for _ in range(rng.choice((0, 1, 1, 2))):
        feel = rng.choice(source.lexicon.by_kind["feel"]).en
        words += " " + rng.choice((rng.choice(AFTER), f"{capital(she)} was {feel}.", rng.choice(AFTER)))
    return words


def _journey(source: Source) -> tuple[str, str, tuple[str, ...]]:
    rng, meanings = source.rng, source.meanings
    subject = meanings.name()
    m = Meaning("go", subject, noun=meanings.noun("ride", "fly"), city=meanings.entry("city"), tense="future")
    m = replace(m, time=meanings.time("future"))
    name, she, city = en.phrase(subject), capital(_she(subject)), need(m.city).en
    ride, time = need(m.noun).en, need(m.time).en
    text = rng.choice(
        (
            f"{name} wants to see {city}. {she} will go by {ride} {time}.",
            f"{name} will go to {city}. {she} will go {time}. {she} will take the {ride}.",
            f"{capital(time)} {name} will be in {city}. {she} will go by {ride}.",
        )
    )
    if rng.random() < 0.5:
        text += f" {she} is {rng.choice(source.lexicon.by_kind['feel']).en}."
    return text, english(m), (name, city, ride, time)


def _gift(source: Source) -> tuple[str, str, tuple[str, ...]]:
    rng, meanings = source.rng, source.meanings
    giver, taker = (Phrase(name=name) for name in rng.sample(source.lexicon.by_kind["name"], 2))
    noun, place = meanings.noun("thing"), meanings.noun("place")
    thing = Phrase(noun, "a")
    m = Meaning("give", giver, object=thing, recipient=taker, place=place, tense="past", time=meanings.time("past"))
    a, b, words, time, where = en.phrase(giver), en.phrase(taker), en.phrase(thing), need(m.time).en, en.at(place)
    text = rng.choice(
        (
            f"{a} met {b} {where} {time}. {capital(_she(giver))} gave {words} to {b}.",
            f"{capital(time)} {a} was {where}. {b} was there too. {a} gave {words} to {b}.",
            f"{a} bought {words}. {a} gave the {noun.en} to {b} {where} {time}.",
        )
    )
    return text + _filler(source, b), english(m), (a, b, words, time, where)


def _sentences(source: Source) -> tuple[str, str, tuple[str, ...]]:
    """One fact among weather and feelings."""
    rng, meanings = source.rng, source.meanings
    m = tellable(meanings, rng.choice(("act", "act", "go", "depart", "give")))
    if not meanings.knows(m.kind):
        return _event(source)
    around = [source.sentence("weather", "feel") for _ in range(rng.choice((0, 1, 2, 3)))]
    around.insert(rng.randint(0, len(around)), english(m))
    answer = english(m)
    return " ".join(around), answer, (answer.rstrip("."),)


MAKERS = (_event, _event, _deed, _deed, _deed, _journey, _gift, _sentences)


def summary(source: Source) -> Example:
    """One example."""
    while True:
        maker = source.rng.choice(MAKERS)
        if maker is _journey and "ride" not in source.lexicon.by_class:
            continue
        text, answer, facts = maker(source)
        return Example("summarize", messages(text), answer, text, facts)
