"""Short stories from given names and things, and replies to simple mails."""

from __future__ import annotations

from collections.abc import Callable

from edgellm.tasks.generate import messages
from starter.examples.example import Example, Source
from starter.grammar import english as en
from starter.grammar.meaning import Phrase
from starter.words import Entry, Noun

STORY_REQUESTS = (
    "Write a short story about {}.",
    "Write a story about {}.",
    "Tell me a story about {}.",
    "Tell me a short story about {}.",
    "Please write a short story about {}.",
    "Can you write a short story about {}?",
    "Write a few sentences about {}.",
    "A short story about {}, please.",
    "I would like a story about {}.",
    "write a short story about {}",
    "Write a little story about {}.",
    "Make up a story about {}.",
)
REPLY_REQUESTS = (
    "Write a reply to this mail:\n{}",
    "Write a reply to this email:\n{}",
    "Reply to this mail: {}",
    "Reply to this message: {}",
    "Write a short reply to this mail: {}",
    "Answer this mail:\n{}",
    "Please write a reply to this mail:\n{}",
    "Write a friendly reply to this email: {}",
    "Write an answer to this mail: {}",
)
DECLINES = ("Write a mail that says no to this mail:\n{}", "Say no to this mail: {}", "Decline this mail:\n{}")


def _she(name: Entry) -> tuple[str, str]:
    return ("She", "her") if "f" in name.kind else ("He", "his")


def _a(noun: Noun) -> str:
    return en.phrase(Phrase(noun, "mass" if "mass" in noun.classes else "a"))


def _animal(a: str, she: str, noun: str, thing: str) -> str:
    return (
        f"One day, {a} saw {thing} in the park. The {noun} was alone and hungry. {a} gave the {noun} some food. "
        f"Now {a} and the {noun} are good friends."
    )


def _thing(a: str, she: str, noun: str, thing: str) -> str:
    return (
        f"{a} had {thing}. One day, the {noun} was gone. {a} looked for the {noun} everywhere. "
        f"In the evening, {she.lower()} found the {noun} under the bed. {a} was very happy."
    )


def _food(a: str, she: str, noun: str, thing: str) -> str:
    return (
        f"{a} was very hungry. {she} went to the market and bought {thing}. At home, {a} shared the {noun} with a "
        f"friend. Everyone was happy."
    )


def _place(a: str, she: str, noun: str, thing: str) -> str:
    return (
        f"One morning, {a} went to the {noun}. There {she.lower()} met an old friend. They talked for a long time. "
        f"{a} will never forget that day at the {noun}."
    )


def _pair(a: str, b: str, she: str, noun: str, thing: str) -> str:
    return (
        f"{a} and {b} were good friends. One day, {a} gave {b} {thing}. {b} was very happy about the {noun}. "
        f"They laughed and went home together."
    )


def _two(a: str, b: str) -> str:
    return (
        f"{a} and {b} were good friends. One day, {a} was sad. {b} came and made some tea. They talked and laughed. "
        f"Then {a} was happy again."
    )


def _things(a: str, she: str, x: tuple[str, str], y: tuple[str, str]) -> str:
    return (
        f"{a} had {x[1]} and {y[1]}. One day, the {x[0]} and the {y[0]} were gone. {a} looked for them everywhere. "
        f"In the evening, {she.lower()} found the {x[0]} and the {y[0]} in the garden. {a} was very happy."
    )


def _single(a: str, she: str, noun: Noun) -> str:
    makers: tuple[tuple[str, Callable[[str, str, str, str], str]], ...] = (
        ("animal", _animal),
        ("food", _food),
        ("drink", _food),
        ("place", _place),
    )
    maker = next((maker for name, maker in makers if name in noun.classes), _thing)
    return maker(a, she, noun.en, _a(noun))


def _subject(source: Source) -> tuple[str, str, tuple[str, ...]]:
    """What the story is about, the story and what it must name."""
    rng, meanings = source.rng, source.meanings
    first, second = rng.sample(source.lexicon.by_kind["name"], 2)
    a, b, she = first.en, second.en, _she(first)[0]
    noun = meanings.noun("animal", "animal", "thing", "thing", "food", "place")
    roll = rng.random()
    if roll < 0.5:
        about = f"{a} and {_article(source, noun)}"
        if rng.random() < 0.25:
            about = f"{_article(source, noun)} and {a}"
        return about, _single(a, she, noun), (a, noun.en)
    if roll < 0.62:
        return f"{a} and {b}", _two(a, b), (a, b)
    noun = meanings.noun("thing", "animal")
    if roll < 0.8:
        join = rng.choice((f"{a}, {b} and {_a(noun)}", f"{a} and {b} and {_a(noun)}", f"{a}, {b}, and {_a(noun)}"))
        return join, _pair(a, b, she, noun.en, _a(noun)), (a, b, noun.en)
    if roll < 0.9:
        other = meanings.noun("thing", "animal")
        while other == noun:
            other = meanings.noun("thing", "animal")
        about = rng.choice((f"{a}, {_a(noun)} and {_a(other)}", f"{a}, {_a(noun)}, and {_a(other)}"))
        return about, _things(a, she, (noun.en, _a(noun)), (other.en, _a(other))), (a, noun.en, other.en)
    noun = meanings.noun("animal", "thing")
    return _a(noun), _single(a, she, noun), (noun.en,)


def _article(source: Source, noun: Noun) -> str:
    return f"the {noun.en}" if source.rng.random() < 0.2 or "place" in noun.classes else _a(noun)


def story(source: Source) -> Example:
    """A story from an instruction."""
    about, text, facts = _subject(source)
    prompt = source.rng.choice(STORY_REQUESTS).format(about)
    return Example("generate story", messages(prompt), text, prompt, facts)


def _mail(source: Source) -> tuple[str, str, str]:
    """What the mail says, the reply that agrees and the reply that does not."""
    rng, meanings = source.rng, source.meanings
    day, hour = meanings.entry("day").en, en.hour(rng.randint(1, 12))
    noun = meanings.noun("event").en
    thing = meanings.noun("thing").en
    place = en.at(meanings.noun("place"))
    return rng.choice(
        (
            (
                f"can we meet on {day} at {hour}?",
                f"thank you for your mail. Yes, {day} at {hour} is fine. See you on {day}!",
                f"thank you for your mail. I am sorry, but I have no time on {day}.",
            ),
            (
                f"can you come to the {noun} on {day}?",
                f"thank you for your mail. Yes, I will come to the {noun} on {day}. See you soon!",
                f"thank you for your mail. I am sorry, but I cannot come to the {noun} on {day}.",
            ),
            (
                f"the {noun} is on {day} at {hour} {place}.",
                f"thank you for your mail. I will be at the {noun} on {day} at {hour}. See you there!",
                f"thank you for your mail. I am sorry, but I cannot come to the {noun} on {day}.",
            ),
            (
                f"can you send me the {thing}, please?",
                f"thank you for your mail. Yes, I will send you the {thing} today.",
                f"thank you for your mail. I am sorry, but I cannot send you the {thing}.",
            ),
            (
                f"thank you for the {thing}.",
                f"thank you for your mail. I am happy that you like the {thing}.",
                f"thank you for your mail. I am happy that you like the {thing}.",
            ),
        )
    )


def reply(source: Source) -> Example:
    """A reply to a mail: yes, or no where the instruction says so."""
    rng = source.rng
    writer, reader = (name.en for name in rng.sample(source.lexicon.by_kind["name"], 2))
    body, yes, no = _mail(source)
    declined = rng.random() < 0.2
    request = rng.choice(DECLINES if declined else REPLY_REQUESTS)
    gap = rng.choice((" ", "\n"))
    greeting = rng.choice(("Dear", "Hello", "Hi", "Dear"))
    closing = rng.choice(("", "Best regards, ", "Best wishes, ", "See you soon, "))
    body = body if rng.random() < 0.5 else body[0].upper() + body[1:]
    prompt = request.format(f"{greeting} {reader},{gap}{body}{gap}{closing}{writer}")
    text = f"Dear {writer}, {no if declined else yes} Best regards, {reader}"
    return Example("generate reply", messages(prompt), text, prompt, (writer, reader))
