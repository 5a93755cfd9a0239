"""Texts with a sentiment, a topic or an urgency, under labels whose order and case change."""

from __future__ import annotations

from collections.abc import Callable

from edgellm.tasks.classify import messages
from edgellm.tasks.translate import LANGUAGES as NAMES
from starter.examples.example import Example, Source, capital
from starter.examples.opinions import NEGATIVE, NEUTRAL, POSITIVE, Opinions
from starter.examples.topics import TOPICS, URGENT_LABELS, not_urgent, urgent
from starter.grammar import realize
from starter.words import LANGUAGES

SENTIMENTS = {
    "positive": (POSITIVE, "good"),
    "negative": (NEGATIVE, "bad"),
    "neutral": (NEUTRAL, "neutral"),
}


def _sentiment(source: Source) -> tuple[str, str, tuple[str, ...]]:
    rng = source.rng
    two = rng.random() < 0.5
    label = rng.choice(("positive", "negative") if two else ("positive", "negative", "neutral"))
    opinions: Opinions = SENTIMENTS[label][0]
    text = opinions.draw(rng, source)
    if rng.random() < 0.3:
        text += " " + opinions.draw(rng, source)
    labels = ("positive", "negative") if two else ("positive", "negative", "neutral")
    if rng.random() < 0.15 and two:
        return text, SENTIMENTS[label][1], ("good", "bad")
    return text, label, labels


def _topic(source: Source) -> tuple[str, str, tuple[str, ...]]:
    rng = source.rng
    labels = rng.sample(sorted(TOPICS), rng.randint(2, 5))
    label = labels[0]
    text = TOPICS[label](source)
    if rng.random() < 0.25:
        text += " " + TOPICS[label](source)
    return text, label, tuple(labels)


def _urgency(source: Source) -> tuple[str, str, tuple[str, ...]]:
    yes, no = source.rng.choice(URGENT_LABELS)
    if source.rng.random() < 0.5:
        return urgent(source), yes, (yes, no)
    return not_urgent(source), no, (yes, no)


def _language(source: Source) -> tuple[str, str, tuple[str, ...]]:
    rng = source.rng
    chosen = rng.sample(LANGUAGES, rng.randint(2, 5))
    text = realize(source.meanings.draw(), chosen[0])
    return text, NAMES[chosen[0]], tuple(NAMES[language] for language in chosen)


MAKERS: tuple[tuple[str, float, Callable[[Source], tuple[str, str, tuple[str, ...]]]], ...] = (
    ("sentiment", 5, _sentiment),
    ("topic", 5, _topic),
    ("urgency", 5, _urgency),
    ("language", 1, _language),
)


def classification(source: Source, job: str = "") -> Example:
    """One example."""
    rng = source.rng
    name, _, maker = rng.choices(MAKERS, [weight for _, weight, _ in MAKERS])[0]
    if job:
        name, _, maker = next(row for row in MAKERS if row[0] == job)
    text, label, labels = maker(source)
    shuffled = list(labels)
    rng.shuffle(shuffled)
    if name != "language" and rng.random() < 0.3:
        label, shuffled = capital(label), [capital(word) for word in shuffled]
    return Example(f"classify {name}", messages(text, tuple(shuffled)), label, text, (label,))
