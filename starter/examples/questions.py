"""English questions about a meaning with the span that answers each, and questions it leaves open."""

from __future__ import annotations

from dataclasses import dataclass, replace

from starter.grammar import english as en
from starter.grammar.meaning import Meaning, Phrase, need
from starter.grammar.meanings import Meanings
from starter.words import Entry

KINDS: tuple[str, ...] = (
    *("act",) * 8,
    "give",
    "give",
    "event",
    "event",
    "depart",
    "go",
    "go",
    "live",
    "price",
    "locate",
    "like",
)
KINDS += ("have", "birthday", "feel", "job", "exist", "state")


@dataclass(frozen=True)
class Question:
    """A question, the span that answers it, and the part of the meaning it asks for."""

    text: str
    answer: str
    asks: str


def _cap(text: str) -> str:
    return text[0].upper() + text[1:]


def _do(m: Meaning) -> tuple[str, str]:
    """The question's auxiliary and nothing else of the verb."""
    return {"past": "did", "future": "will"}.get(m.tense, "does"), need(m.verb).en[0]


def _when(time: Entry | None) -> str:
    return f" {time.en}" if time else ""


def _again(p: Phrase) -> Phrase | None:
    """The thing as one speaks of it again: a red bag, the bag."""
    return Phrase(p.noun, "the") if p.noun is not None and p.determiner == "a" else None


def _act(m: Meaning) -> list[Question]:
    found = _asked_with(m, f" {en.phrase(m.object, False)}" if m.object else "")
    again = _again(m.object) if m.object else None
    if again is not None:
        found += [q for q in _asked_with(m, f" {en.phrase(again)}") if q.asks != "object"]
    return found


def _asked_with(m: Meaning, thing: str) -> list[Question]:
    do, verb = _do(m)
    subject = en.phrase(need(m.subject))
    place = f" {en.at(m.place)}" if m.place else ""
    time = _when(m.time)
    group = en.verb_group(m)
    questions = [
        Question(f"Who {group}{thing}?", subject, "subject"),
        Question(f"Who {group}{thing}{place}{time}?", subject, "subject"),
    ]
    if m.object is not None:
        what = "Who" if m.object.human else "What"
        answer = en.phrase(m.object, False)
        questions.append(Question(f"{what} {do} {subject} {verb}?", answer, "object"))
        questions.append(Question(f"{what} {do} {subject} {verb}{place}{time}?", answer, "object"))
    if m.place is not None:
        questions.append(Question(f"Where {do} {subject} {verb}{thing}?", place[1:], "place"))
    if m.time is not None:
        questions.append(Question(f"When {do} {subject} {verb}{thing}?", time[1:], "time"))
    return questions


def _give(m: Meaning) -> list[Question]:
    do = "will" if m.tense == "future" else "did"
    subject, thing, to = en.phrase(need(m.subject)), en.phrase(need(m.object)), en.phrase(need(m.recipient))
    questions = [
        Question(f"What {do} {subject} give to {to}?", thing, "object"),
        Question(f"Who {'will give' if do == 'will' else 'gave'} {thing} to {to}?", subject, "subject"),
        Question(f"Who {do} {subject} give {thing} to?", to, "recipient"),
    ]
    if m.time is not None:
        questions.append(Question(f"When {do} {subject} give {thing} to {to}?", m.time.en, "time"))
    return questions


def _event(m: Meaning) -> list[Question]:
    noun = need(m.noun).en
    at = f"at {en.hour(m.number)}"
    questions = [Question(f"What time does the {noun} start?", at, "number")]
    if m.day is not None:
        questions.append(Question(f"When does the {noun} start?", f"on {m.day.en} {at}", "day"))
        questions.append(Question(f"When is the {noun}?", f"on {m.day.en} {at}", "day"))
        questions.append(Question(f"What day is the {noun}?", m.day.en, "day"))
    else:
        questions.append(Question(f"When is the {noun}?", at, "number"))
        questions.append(Question(f"When does the {noun} start?", at, "number"))
    if m.place is not None:
        questions.append(Question(f"Where is the {noun}?", en.at(m.place), "place"))
        questions.append(Question(f"Where does the {noun} start?", en.at(m.place), "place"))
    return questions


def _depart(m: Meaning) -> list[Question]:
    ride, city, at = need(m.noun).en, need(m.city).en, f"at {en.hour(m.number)}"
    when = f"on {m.day.en} {at}" if m.day else at
    return [
        Question(f"When does the {ride} leave?", when, "number"),
        Question(f"Where does the {ride} go?", f"to {city}", "city"),
        Question(f"When does the {ride} to {city} leave?", when, "number"),
        Question(f"What time does the {ride} to {city} leave?", at, "number"),
    ]


def _go(m: Meaning) -> list[Question]:
    do = {"past": "did", "future": "will"}.get(m.tense, "does")
    went = {"past": "went", "future": "will go"}.get(m.tense, "goes")
    subject, city, ride, time = en.phrase(need(m.subject)), need(m.city).en, need(m.noun).en, need(m.time).en
    return [
        Question(f"Where {do} {subject} go {time}?", f"to {city}", "city"),
        Question(f"Where {do} {subject} go?", f"to {city}", "city"),
        Question(f"How {do} {subject} go to {city}?", f"by {ride}", "noun"),
        Question(f"When {do} {subject} go to {city}?", time, "time"),
        Question(f"Who {went} to {city}?", subject, "subject"),
    ]


def _simple(m: Meaning) -> list[Question]:
    """The constructions with one question or two."""
    subject = en.phrase(need(m.subject)) if m.subject else ""
    if m.kind == "live":
        city = need(m.city).en
        return [
            Question(f"Where does {subject} live?", f"in {city}", "city"),
            Question(f"Who lives in {city}?", subject, "subject"),
        ]
    if m.kind == "price":
        return [Question(f"How much does {subject} cost?", f"{m.number} euros", "number")]
    if m.kind == "locate":
        noun = need(m.noun)
        side = "on" if "top" in noun.classes else "in"
        return [Question(f"Where is {subject}?", f"{side} the {noun.en}", "noun")]
    if m.kind in ("like", "have"):
        thing = en.phrase(need(m.object))
        verb = "likes" if m.kind == "like" else "has"
        return [
            Question(f"What does {subject} {m.kind}?", thing, "object"),
            Question(f"Who {verb} {thing}?", subject, "subject"),
        ]
    if m.kind == "birthday":
        return [Question(f"When is {subject}'s birthday?", f"in {need(m.entry).en}", "entry")]
    if m.kind == "feel":
        word = need(m.entry).en
        return [Question(f"How is {subject}?", word, "entry"), Question(f"Who is {word}?", subject, "subject")]
    if m.kind == "job":
        word = need(m.noun).en
        job = f"{en.article(word)} {word}"
        return [Question(f"What is {subject}'s job?", job, "noun"), Question(f"Who is {job}?", subject, "subject")]
    if m.kind == "exist":
        return [Question(f"What is {en.at(need(m.place))}?", subject, "subject")]
    return [Question(f"How is {subject}?", need(m.adjective).en, "adjective")]


TABLE = {"act": _act, "give": _give, "event": _event, "depart": _depart, "go": _go}


def questions(m: Meaning) -> list[Question]:
    """All questions that `m` answers."""
    return TABLE.get(m.kind, _simple)(m)


def _parts(m: Meaning) -> dict[str, object]:
    names = ("subject", "verb", "object", "recipient", "noun", "place", "city", "entry")
    return {name: getattr(m, name) for name in names if getattr(m, name) is not None}


def open_question(m: Meaning, meanings: Meanings) -> str:
    """A question close to `m` that it does not answer: another person, thing, deed or place, or a part not told."""
    rng = meanings.rng
    missing = [name for name in ("time", "place") if m.kind == "act" and getattr(m, name) is None]
    if missing and rng.random() < 0.3:
        asks = rng.choice(missing)
        full = replace(m, time=meanings.time(m.tense)) if asks == "time" else replace(m, place=meanings.noun("place"))
        return rng.choice([q for q in questions(full) if q.asks == asks]).text
    told = {q.text for q in questions(m)}
    while True:
        other = tellable(meanings, m.kind)
        if rng.random() < 0.8:
            parts = [name for name in _parts(m) if getattr(other, name) is not None]
            if m.kind == "act" and "verb" in parts and (m.object is None) != (other.object is None):
                continue
            kept = rng.choice([n for n in parts if n not in ("verb", "object")] or parts)
            changed = replace(m, **{kept: getattr(other, kept)}) if rng.random() < 0.6 else other
        else:
            changed = tellable(meanings)
        candidates = [q for q in questions(changed) if q.text not in told and not _answers(m, changed, q)]
        if candidates:
            return rng.choice(candidates).text


def _answers(m: Meaning, changed: Meaning, question: Question) -> bool:
    """Whether everything that the question tells, but what it asks, holds in `m` too."""
    if m.kind != changed.kind:
        return False
    names = ("subject", "verb", "object", "recipient", "noun", "place", "city", "entry", "time", "day")
    same = [n for n in names if getattr(changed, n) is not None and _same(getattr(m, n), getattr(changed, n))]
    told = [n for n in names if getattr(changed, n) is not None and n != question.asks]
    essential = [n for n in told if n not in ("place", "time", "day") or getattr(m, n) is not None]
    return all(n in same for n in essential)


def _same(first: object, second: object) -> bool:
    """Equal, or the same thing under another article or adjective."""
    if isinstance(first, Phrase) and isinstance(second, Phrase):
        return first.noun == second.noun and first.name == second.name
    return first == second


def tellable(meanings: Meanings, kind: str = "") -> Meaning:
    """A meaning fit for a passage: no pronouns, no negation, no modal."""
    while True:
        choice = kind or meanings.rng.choice(KINDS)
        if not meanings.knows(choice):
            continue
        m = meanings.of(choice)
        subject: Phrase | None = m.subject
        often = m.time is not None and m.time.en == en.OFTEN
        if not m.negative and not m.modal and not often and not (subject is not None and subject.pronoun):
            return m
