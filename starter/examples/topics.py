"""Texts about one topic each, and messages of more or less urgency, from frames and sentences written by hand."""

from __future__ import annotations

from collections.abc import Callable

from starter.examples.example import Source

URGENT_LABELS = (
    ("urgent", "not urgent"),
    ("urgent", "normal"),
    ("urgent", "can wait"),
    ("high", "low"),
    ("urgent", "routine"),
)
URGENT = (
    "Help! The {} is on fire.",
    "Please call me back immediately.",
    "We need a doctor now!",
    "The server is down and nobody can work.",
    "Call an ambulance, quickly!",
    "I need your answer today, please.",
    "There is water everywhere in the {}.",
    "My {} was stolen, please block my card at once.",
    "The deadline is in one hour.",
    "Please come at once, my {} is hurt.",
    "This is an emergency.",
    "The customer is waiting and the {} is broken, please fix it right now.",
    "We must leave immediately.",
    "Please reply as soon as possible.",
    "I cannot breathe well, please hurry.",
    "The child is lost, please help us now.",
    "Payment is due today.",
    "The system has stopped and we lose money every minute.",
    "Please send the {} right away.",
    "I need the {} within ten minutes!",
)
NOT_URGENT = (
    "When you have time, please send me the {}.",
    "There is no hurry.",
    "Here are the photos of our trip.",
    "I wish you a nice weekend.",
    "Can we talk about the {} some time next month?",
    "Please read the {} when you are free.",
    "Thank you for the nice {}.",
    "The newsletter for this month is here.",
    "Let us have lunch some day.",
    "You can give me the {} back whenever you like.",
    "Just to let you know, the {} has arrived.",
    "No rush, but I would like to see the {} again.",
    "It can wait until next week.",
    "I only wanted to say hello.",
    "Maybe we can buy a new {} next year.",
    "Have a look at the {} at your leisure.",
)


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
WEATHER = (
    "The sun is shining.",
    "There is a storm coming.",
    "It is twenty degrees outside.",
    "The snow is deep this winter.",
    "Take an umbrella, it will rain.",
    "The wind is strong today.",
    "The forecast says rain and clouds.",
    "It was a warm and sunny day.",
    "Tomorrow will be cold and foggy.",
    "The temperature falls at night.",
)


def _weather(source: Source) -> str:
    return source.sentence("weather") if source.rng.random() < 0.5 else source.rng.choice(WEATHER)


TRAVEL = (
    "The train to {} leaves at nine.",
    "We are flying to {} next week.",
    "I booked a hotel in {}.",
    "Our flight to {} was late.",
    "The tourists took a bus from {} to {}.",
    "I need a ticket to {}.",
    "Pack your suitcase, we are going to {}.",
    "My passport is in the suitcase.",
    "We spent our holiday at the beach.",
    "The plane lands at the airport.",
    "She travels to {} by ship.",
    "The trip to {} takes three hours.",
)


def _travel(source: Source) -> str:
    if source.rng.random() < 0.3 and source.meanings.knows("depart"):
        return source.sentence("go", "depart")
    words = source.rng.choice(TRAVEL)
    while "{}" in words:
        words = words.replace("{}", source.meanings.entry("city").en, 1)
    return words


WORK = (
    "The meeting starts at nine in the office.",
    "My boss wants the report today.",
    "I have a new job.",
    "The company hired ten people.",
    "Our team finished the project.",
    "She works as {} in a big company.",
    "Please send the report to all colleagues.",
    "The manager called a meeting.",
    "I have an interview for the job tomorrow.",
    "He works in a factory every day.",
    "My salary is too low.",
    "The office is closed on Friday.",
    "We have a lot of work this week.",
    "The deadline for the project is Monday.",
)


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
SPORTS = (
    "Our team won the match.",
    "He plays football every Sunday.",
    "The player scored two goals.",
    "She runs five kilometers every morning.",
    "The game ended two to one.",
    "They swim in the pool every day.",
    "The coach is happy with the team.",
    "Tennis is my favorite sport.",
    "The stadium was full for the final.",
    "He won a gold medal in the race.",
)
SCHOOL = (
    "The teacher gave us homework.",
    "The students have an exam on Monday.",
    "I learn English at school.",
    "The class starts at eight.",
    "She studies at the university.",
    "The children read a book in class.",
    "He passed the math test.",
    "The school has two hundred students.",
    "Our teacher explains the lesson well.",
    "I did not do my homework.",
)
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
MUSIC = (
    "She plays the guitar.",
    "The singer sang a beautiful song.",
    "We went to a concert last night.",
    "The band has a new album.",
    "He sings every day.",
    "I listen to music on the radio.",
    "The orchestra played for two hours.",
    "This song is very famous.",
    "The piano is in the concert hall.",
)
MONEY = (
    "I opened an account at the bank.",
    "The bill is fifty euros.",
    "Please pay the invoice this week.",
    "The bank gave us a loan.",
    "I save money every month.",
    "The tax is due in April.",
    "My credit card does not work.",
    "Interest rates are high this year.",
    "You owe me ten euros.",
)


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
