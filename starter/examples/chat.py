"""Small talk, help about the program, date arithmetic, and refusals of everything else."""

from __future__ import annotations

import calendar
import random

from edgellm.runtimes.base import Message
from starter.examples.example import Example, Source
from starter.examples.refusals import REFUSAL, request
from starter.examples.texts import talk
from starter.grammar.meaning import NUMBERS

TALK = talk()
DAYS = list(calendar.day_name)
MONTHS = list(calendar.month_name)[1:]
LENGTHS = {"February": "28 days, and 29 in a leap year", "April": "30 days", "June": "30 days", "September": "30 days"}
LENGTHS["November"] = "30 days"


def _date(rng: random.Random) -> tuple[str, str]:
    """A question about days, months or hours, with its answer."""
    names, word = rng.choice(((DAYS, "day"), (MONTHS, "month")))
    at, steps = rng.randrange(len(names)), rng.randint(2, 6)
    name, later, before = names[at], names[(at + 1) % len(names)], names[at - 1]
    if rng.random() < 0.25:
        month = rng.choice(MONTHS)
        asked = (f"How many days does {month} have?", f"How many days are in {month}?", f"How long is {month}?")
        return rng.choice(asked), f"{month} has {LENGTHS.get(month, '31 days')}."
    if rng.random() < 0.3:
        count = NUMBERS["en"][steps]
        text = f"What {word} is it {count} {word}s after {name}?"
        if rng.random() < 0.5:
            text = f"Today is {name}. What day is it in {count} days?" if word == "day" else text
        return text, f"It is {names[(at + steps) % len(names)]}."
    if rng.random() < 0.5:
        forms = (
            f"What {word} comes after {name}?",
            f"Which {word} comes after {name}?",
            f"What {word} is after {name}?",
            f"Which {word} follows {name}?",
            f"What is the {word} after {name}?",
        )
        return rng.choice(forms), f"{later} comes after {name}."
    before_forms = (
        f"What {word} comes before {name}?",
        f"Which {word} comes before {name}?",
        f"What {word} is before {name}?",
    )
    return rng.choice(before_forms), f"{before} comes before {name}."


FIXED_DATES: tuple[tuple[str, str], ...] = (
    ("How many days are in a week?", "A week has 7 days."),
    ("How many days does a week have?", "A week has 7 days."),
    ("How many months are in a year?", "A year has 12 months."),
    ("How many days are in a year?", "A year has 365 days, and 366 in a leap year."),
    ("How many hours are in a day?", "A day has 24 hours."),
    ("How many minutes are in an hour?", "An hour has 60 minutes."),
    ("How many weeks are in a year?", "A year has 52 weeks."),
    ("How many seconds are in a minute?", "A minute has 60 seconds."),
)


def _talk(rng: random.Random) -> tuple[str, str]:
    prompts, answer = rng.choice(TALK)
    return rng.choice(prompts), answer


def chat(source: Source) -> Example:
    """Small talk, help or a date, sometimes after an earlier turn."""
    rng = source.rng
    roll = rng.random()
    if roll < 0.62:
        job, (prompt, answer) = "chat talk", _talk(rng)
    elif roll < 0.95:
        job, (prompt, answer) = "chat date", _date(rng)
    else:
        job, (prompt, answer) = "chat date", rng.choice(FIXED_DATES)
    return Example(job, _history(rng, prompt), answer, prompt, (answer,))


def refusal(source: Source) -> Example:
    """A request from outside."""
    prompt = request(source.rng)
    return Example("refusal", _history(source.rng, prompt), REFUSAL, prompt, ("Models page",))


def _history(rng: random.Random, prompt: str) -> tuple[Message, ...]:
    """The prompt, sometimes after an earlier exchange."""
    turns = [Message("user", prompt)]
    if rng.random() < 0.2:
        before, answer = _talk(rng) if rng.random() < 0.6 else (request(rng), REFUSAL)
        turns = [Message("user", before), Message("assistant", answer), *turns]
    return tuple(turns)
