"""Put a text under one of the given labels.

A model that was made for it scores every label. A general model is held to the labels by a JSON schema, so it cannot
answer anything else. The starter was trained to answer the bare label; its answer is matched to the labels letter for
letter, and the nearest is taken, and said, when it matches none.
"""

from __future__ import annotations

import difflib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from edgellm.errors import UsageError
from edgellm.runtimes.base import Chunk, Event, Finish, Generator, Message
from edgellm.tasks import special
from edgellm.tasks.options import DEFAULT, Options
from edgellm.tasks.result import collect, without_model
from edgellm.tasks.starter import is_starter


@dataclass(frozen=True, slots=True)
class Classification:
    """The label; `exact` says that the model answered it letter for letter, `raw` is what it wrote.

    `scores` are labels with their probabilities, the likeliest first, where the model gives any.
    """

    label: str
    exact: bool
    raw: str
    finish: Finish
    scores: tuple[tuple[str, float], ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What the person should see beside the label."""
        if self.exact:
            return ()
        return (f"The model answered {self.raw.strip()[:60]!r}, which is no label; the nearest was taken.",)


def messages(text: str, labels: tuple[str, ...]) -> tuple[Message, ...]:
    """The prompt; the answer is one of `labels`, letter for letter."""
    return (Message("user", f"Classify the text as one of: {', '.join(labels)}\nText: {text}"),)


def run(generator: Generator, text: str, labels: Sequence[str], options: Options = DEFAULT) -> Iterator[Event]:
    """Yield the label as one chunk, then the `Finish`. Raises `UsageError` for fewer than two different labels."""
    result = classify(generator, text, labels, options)
    if result.label:
        yield Chunk(result.label)
    yield result.finish


def classify(generator: Generator, text: str, labels: Sequence[str], options: Options = DEFAULT) -> Classification:
    """The label of `text`. It is empty when the person canceled before the model had written it."""
    names = checked(labels)
    started = time.perf_counter()
    if (scores := special.labels_by(generator, text.strip(), names)) is not None:
        ranked = sorted(zip(scores.labels, scores.values, strict=True), key=lambda pair: -pair[1])
        finish = replace(without_model(), seconds=time.perf_counter() - started, device=special.device(generator.info))
        return Classification(ranked[0][0], True, ranked[0][0], finish, tuple(ranked))
    starter = is_starter(generator.info)
    request = options.request(messages(text.strip(), names), schema=None if starter else _schema(names))
    raw, finish = collect(generator.generate(request, options.cancelled))
    answer = raw if starter else _value(raw)
    if finish.reason == "cancelled" and answer.strip() not in names:
        return Classification("", True, answer, finish)
    label, exact = match(answer, names)
    return Classification(label, exact, answer, finish)


def checked(labels: Sequence[str]) -> tuple[str, ...]:
    """The labels without spaces around them, empty ones and repetitions. Raises `UsageError` for fewer than two."""
    names = tuple(dict.fromkeys(label.strip() for label in labels if label.strip()))
    if len(names) < 2:
        raise UsageError("There must be at least two different labels.", "For example: --labels positive,negative")
    return names


def match(answer: str, labels: Sequence[str]) -> tuple[str, bool]:
    """The label the answer means, and whether it says so letter for letter (white space and a final dot aside)."""
    plain = answer.strip()
    for candidate in (plain, plain.rstrip(".。")):
        if candidate in labels:
            return candidate, True
    folded = plain.casefold()
    inside = [label for label in labels if label.casefold() in folded]
    if inside:
        return max(inside, key=len), False
    return max(labels, key=lambda label: difflib.SequenceMatcher(None, folded, label.casefold()).ratio()), False


def _schema(labels: Sequence[str]) -> str:
    return json.dumps({"type": "string", "enum": list(labels)}, ensure_ascii=False)


def _value(raw: str) -> str:
    """The label that the JSON answer holds; the text itself when it was cut off."""
    try:
        found = json.loads(raw)
    except ValueError:
        return raw.strip().strip('"')
    return found if isinstance(found, str) else raw
