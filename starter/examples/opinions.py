"""Words of praise, complaint and plain report for the sentiment examples, written by hand."""

from __future__ import annotations

import random
from dataclasses import dataclass

from starter.examples.example import Source

ASPECTS = [
    "food",
    "service",
    "room",
    "staff",
    "hotel",
    "restaurant",
    "film",
    "book",
    "trip",
    "phone",
    "music",
    "coffee",
    "soup",
    "bread",
    "car",
    "train",
    "concert",
    "party",
    "weather",
    "place",
    "house",
    "beach",
    "museum",
    "teacher",
    "doctor",
    "waiter",
    "price",
    "quality",
    "app",
    "game",
    "product",
    "delivery",
    "meal",
    "cake",
    "view",
    "team",
    "shop",
]
OPENINGS = ("", "", "", "", "Yesterday ", "Honestly, ", "To be honest, ", "In my opinion, ", "Well, ")


@dataclass(frozen=True)
class Opinions:
    """Adjectives and whole sentences of one sentiment; "{}" stands for the thing judged."""

    adjectives: tuple[str, ...]
    frames: tuple[str, ...]
    sentences: tuple[str, ...]

    def draw(self, rng: random.Random, source: Source) -> str:
        """One sentence."""
        text = rng.choice(self.sentences) if not self.adjectives or rng.random() < 0.35 else rng.choice(self.frames)
        thing = rng.choice(ASPECTS) if rng.random() < 0.6 else source.meanings.noun("thing", "food", "place").en
        text = text.replace("{}", thing)
        while "#" in text:
            text = text.replace("#", rng.choice(self.adjectives), 1)
        if not self.adjectives and rng.random() < 0.5:
            text = source.sentence("act", "price", "event", "locate", "live", "have", "depart")
        return text


FRAMES = (
    "The {} was #.",
    "The {} is #.",
    "The {} was really #.",
    "The {} was very # and #.",
    "What a # {}!",
    "This {} is #.",
    "It was a # {}.",
    "The {} was # and the staff were #.",
    "I think the {} is #.",
    "My {} is #.",
    "The {} was so #!",
    "We had a # time at the {}.",
    "This is the most # {} I know.",
    "Everything about the {} was #.",
)
POSITIVE = Opinions(
    tuple(
        [
            "good",
            "great",
            "excellent",
            "wonderful",
            "fantastic",
            "amazing",
            "perfect",
            "lovely",
            "delicious",
            "beautiful",
            "nice",
            "friendly",
            "helpful",
            "fast",
            "clean",
            "comfortable",
            "brilliant",
            "superb",
            "outstanding",
            "pleasant",
            "charming",
            "fresh",
            "tasty",
            "awesome",
            "impressive",
            "delightful",
            "fun",
            "kind",
            "reliable",
            "enjoyable",
            "incredible",
        ]
    ),
    FRAMES,
    (
        "I love the {}.",
        "I really like this {}.",
        "I love it!",
        "I am very happy with the {}.",
        "We enjoyed the {} a lot.",
        "I would recommend the {} to everyone.",
        "Best {} ever!",
        "Thank you for the great {}!",
        "I am so happy today.",
        "The {} made me smile.",
        "Highly recommended.",
        "Everything worked perfectly.",
        "I will come back soon.",
        "The {} was better than I expected.",
        "It was worth every cent.",
        "The {} is my favorite.",
        "We had a lot of fun.",
        "I could not be happier.",
        "Great job!",
        "The {} arrived early and works very well.",
        "Five stars for the {}.",
        "This was the best day of my life.",
        "I like it very much.",
        "The {} never lets me down.",
        "Not bad at all, I liked the {}.",
        "I am glad that we found this {}.",
    ),
)
NEGATIVE = Opinions(
    tuple(
        [
            "bad",
            "terrible",
            "awful",
            "horrible",
            "poor",
            "disgusting",
            "boring",
            "disappointing",
            "rude",
            "slow",
            "dirty",
            "ugly",
            "noisy",
            "broken",
            "dreadful",
            "useless",
            "unfriendly",
            "expensive",
            "cold",
            "annoying",
            "uncomfortable",
            "sad",
            "unpleasant",
            "stupid",
            "weak",
            "lousy",
            "frustrating",
            "unacceptable",
            "late",
            "wrong",
            "ridiculous",
        ]
    ),
    FRAMES,
    (
        "I hate the {}.",
        "I do not like this {}.",
        "I hate it!",
        "I am very unhappy with the {}.",
        "We did not enjoy the {} at all.",
        "I would not recommend the {} to anyone.",
        "Worst {} ever!",
        "Never again!",
        "I am so angry today.",
        "The {} made me cry.",
        "Do not buy this {}.",
        "Nothing worked.",
        "I will never come back.",
        "The {} was worse than I expected.",
        "It was a waste of money.",
        "The {} broke after one day.",
        "What a waste of time.",
        "I want my money back.",
        "The {} does not work.",
        "The {} arrived late and was broken.",
        "One star for the {}.",
        "This was the worst day of my life.",
        "I do not like it at all.",
        "The {} let me down.",
        "Not good at all, I did not like the {}.",
        "I am sorry that we chose this {}.",
        "We waited two hours and nobody helped us.",
    ),
)
NEUTRAL = Opinions(
    (),
    (),
    (
        "The {} opens at nine o'clock.",
        "The {} is on the table.",
        "I saw a {} yesterday.",
        "There is a {} near the station.",
        "The {} has two doors.",
        "The {} is in the city.",
        "We will see the {} tomorrow.",
        "The {} starts on Monday.",
        "He has a {}.",
        "The {} was made in 2019.",
    ),
)
