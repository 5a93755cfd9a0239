"""Requests outside the starter's world: a varied training set, and a list of natural ones that is never trained on."""

from __future__ import annotations

import random

from starter.examples.texts import lines

REFUSAL = (
    "I am only the small built-in model, and this is outside what I know. "
    "For this, get a larger model on the Models page or with `edgellm models`."
)

TOPICS = lines("refusal_topics")
TEMPLATES = lines("refusal_templates")
CODE = lines("refusal_code")
CODE_TEMPLATES = lines("refusal_code_templates")
PLACES = lines("refusal_places")
PLACE_TEMPLATES = lines("refusal_place_templates")
PLAIN = lines("refusal_plain")
FOREIGN = lines("refusal_foreign")
STRANGE = lines("refusal_strange")
HELD_OUT = lines("refusal_held_out")
_SYLLABLES = "ba co di fu ge ha ki lo mu ne pra qui ro sti tra vu wex yo zan blor fli gra sna thre"
SYLLABLES = tuple(_SYLLABLES.split(" "))


def _invented(rng: random.Random) -> str:
    return "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(2, 4)))


def _subject(rng: random.Random) -> str:
    return _invented(rng) if rng.random() < 0.25 else rng.choice(TOPICS)


def request(rng: random.Random) -> str:
    """A request that the starter must refuse, never one of `HELD_OUT`."""
    while True:
        roll = rng.random()
        if roll < 0.30:
            text = rng.choice(TEMPLATES)
            while "{}" in text:
                text = text.replace("{}", _subject(rng), 1)
        elif roll < 0.38:
            text = rng.choice(CODE_TEMPLATES).format(rng.choice(CODE))
        elif roll < 0.44:
            text = rng.choice(PLACE_TEMPLATES).format(rng.choice(PLACES))
        elif roll < 0.74:
            text = rng.choice(PLAIN)
        elif roll < 0.86:
            text = rng.choice(FOREIGN)
        elif roll < 0.97:
            text = rng.choice(STRANGE).format(*(_invented(rng) for _ in range(3)))
        else:
            text = " ".join(_invented(rng) for _ in range(rng.randint(1, 6)))
        roll = rng.random()
        if roll < 0.15:
            text = text.lower().rstrip(".?!")
        elif roll < 0.2:
            text = "Please " + text[0].lower() + text[1:]
        if text not in HELD_OUT:
            return text
