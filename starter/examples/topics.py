"""Texts about one topic each, and messages of more or less urgency, from frames and sentences written by hand."""

from __future__ import annotations

from collections.abc import Callable

from starter.examples.example import Source
from starter.examples.texts import lines

URGENT_LABELS = (
    ("urgent", "not urgent"),
    ("urgent", "normal"),
    ("urgent", "can wait"),
    ("high", "low"),
    ("urgent", "routine"),
)
URGENT = lines("urgent")
NOT_URGENT = lines("not_urgent")


def urgent(source: Source) -> str:
    """A message that cannot wait."""
    return _filled(source, URGENT)


def not_urgent(source: Source) -> str:
    """A message that can."""
    if source.rng.random() < 0.25:
        return source.sentence("act", "like", "have", "weather", "price")
    return _filled(source, NOT_URGENT)


def _filled(source: Source, sentences: tuple[str, ...]) -> str:
    return source.rng.choice(sentences).replace("{}", source.meanings.noun("thing", "machine", "room").en)


def _topic(classes: tuple[str, ...], sentences: tuple[str, ...]) -> Callable[[Source], str]:
    def text(source: Source) -> str:
        words = source.rng.choice(sentences)
        while "{}" in words:
            words = words.replace("{}", source.meanings.noun(*classes).en, 1)
        return words

    return text


def _food(source: Source) -> str:
    food = _topic(
        ("food", "drink"),
        (
            "I eat {} every day.",
            "We cook {} with {} for dinner.",
            "The restaurant serves fresh {}.",
            "Add {} and {} and cook it for ten minutes.",
            "My favorite dish is {}.",
            "The recipe needs {}, {} and salt.",
            "She drinks {} for breakfast.",
            "The {} tastes good.",
            "The cook made {} and {}.",
            "I am hungry, I want {}.",
            "Would you like some {}?",
            "The chef prepared a tasty meal.",
            "The menu has {} and {} today.",
        ),
    )
    return food(source)


HEALTH = _topic(
    ("body",),
    (
        "My {} hurts.",
        "The doctor looked at my {}.",
        "I am sick and have a fever.",
        "The nurse works in the hospital.",
        "He broke his {} and went to the hospital.",
        "Take this medicine twice a day.",
        "She has a cold and a headache.",
        "The dentist helps patients.",
        "I have an appointment with the doctor.",
        "Sleep and sport are good for your health.",
        "The pharmacy sells medicine.",
        "I have pain in my {}.",
        "The patient needs an operation.",
    ),
)
WEATHER = lines("topic_weather")


def _weather(source: Source) -> str:
    return source.sentence("weather") if source.rng.random() < 0.5 else source.rng.choice(WEATHER)


TRAVEL = lines("topic_travel")


def _travel(source: Source) -> str:
    if source.rng.random() < 0.3 and source.meanings.knows("depart"):
        return source.sentence("go", "depart")
    words = source.rng.choice(TRAVEL)
    while "{}" in words:
        words = words.replace("{}", source.meanings.entry("city").en, 1)
    return words


WORK = lines("topic_work")


def _work(source: Source) -> str:
    noun = source.meanings.noun("person").en
    return source.rng.choice(WORK).replace("{}", f"{'an' if noun[0] in 'aeio' else 'a'} {noun}")


ANIMALS = _topic(
    ("animal",),
    (
        "The {} sleeps in the garden.",
        "Our {} is hungry.",
        "I have a {} and a {}.",
        "The {} is small and white.",
        "She feeds the {} every day.",
        "A {} and a {} live on the farm.",
        "The {} ran after the {}.",
        "We saw a {} at the zoo.",
        "The {} has four legs.",
        "The vet looked at our {}.",
    ),
)
SHOPPING = _topic(
    ("cloth", "thing"),
    (
        "The {} costs twenty euros.",
        "I bought a new {} in the shop.",
        "The store sells {}s at a low price.",
        "How much does the {} cost?",
        "There is a sale at the supermarket.",
        "She paid for the {} with a card.",
        "I want to return the {} to the store.",
        "The price of the {} is too high.",
        "The {} is cheap, I will buy it.",
        "The customer wants to buy a {}.",
        "I ordered a {} online.",
    ),
)
HOME = _topic(
    ("room",),
    (
        "We are cleaning the {}.",
        "The {} has a big window.",
        "Our house has a new {}.",
        "The {} is next to the {}.",
        "We moved to a new apartment.",
        "The rent for the apartment is high.",
        "There is a lamp and a bed in the {}.",
        "I painted the walls of the {}.",
        "The furniture in the {} is old.",
        "The roof of the house is broken.",
    ),
)
SPORTS = lines("topic_sports")
SCHOOL = lines("topic_school")
FAMILY = _topic(
    ("family",),
    (
        "My {} and my {} are at home.",
        "I visited my {} on Sunday.",
        "My {} has two children.",
        "It is the birthday of my {}.",
        "My {} loves my {}.",
        "Our family is very big.",
        "My {} is getting married.",
        "The parents play with their children.",
    ),
)
MUSIC = lines("topic_music")
MONEY = lines("topic_money")


def _choice(sentences: tuple[str, ...]) -> Callable[[Source], str]:
    return lambda source: source.rng.choice(sentences)


TOPICS: dict[str, Callable[[Source], str]] = {
    "food": _food,
    "health": HEALTH,
    "weather": _weather,
    "travel": _travel,
    "work": _work,
    "animals": ANIMALS,
    "shopping": SHOPPING,
    "home": HOME,
    "sports": _choice(SPORTS),
    "school": _choice(SCHOOL),
    "family": FAMILY,
    "music": _choice(MUSIC),
    "money": _choice(MONEY),
}
