"""The measures of the starter, each over held-out examples, asked through the program's own tasks and runtime."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from edgellm.runtimes.base import Chunk, Generator, Message, Request
from edgellm.tasks import answer as answer_task
from edgellm.tasks import translate as translate_task
from starter.examples.answer import answering
from starter.examples.chat import chat
from starter.examples.classify import classification
from starter.examples.example import Example, Source
from starter.examples.refusals import HELD_OUT
from starter.examples.stories import reply, story
from starter.examples.summarize import summary
from starter.examples.translate import DIRECTIONS, translation
from starter.grammar import realize
from starter.words import LANGUAGES, Lexicon

SEED = 20_240
LIMIT = 160


@dataclass(frozen=True)
class Outcome:
    """A measure's share of right answers over `count` examples, its target (0: for information), some mistakes."""

    name: str
    share: float
    count: int
    target: float
    mistakes: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return self.share >= self.target


def ask(generator: Generator, messages: tuple[Message, ...]) -> str:
    """The greedy answer."""
    events = generator.generate(Request(messages, max_tokens=LIMIT))
    return "".join(event.text for event in events if isinstance(event, Chunk))


def exact(example: Example, said: str) -> bool:
    return said == example.answer


def facts(example: Example, said: str) -> bool:
    """Every fact appears, whatever its case; an answer that copies the whole passage is not a summary."""
    folded = said.casefold()
    short = len(said) <= 1.5 * len(example.answer) + 20
    return short and all(fact.casefold() in folded for fact in example.facts)


def named(example: Example, said: str) -> bool:
    """Every name and thing appears."""
    folded = said.casefold()
    return all(fact.casefold() in folded for fact in example.facts)


def refused(said: str) -> bool:
    """Whether an answer names the way to a larger model as a refusal does."""
    return "Models page" in said and "outside what I know" in said


def held_out(make: Callable[[Source], Example], count: int, salt: str) -> Iterator[Example]:
    """`count` different held-out examples, always the same for the same salt."""
    source = Source(Lexicon.read(), random.Random(f"{SEED} {salt}"))
    seen: set[str] = set()
    while len(seen) < count:
        example = make(source)
        if example.held_out and example.key not in seen:
            seen.add(example.key)
            yield example


def _measure(
    generator: Generator,
    name: str,
    target: float,
    examples: Iterator[Example],
    good: Callable[[Example, str], bool] = exact,
    asked: Callable[[Generator, Example], str] | None = None,
) -> Outcome:
    right, count = 0, 0
    mistakes: list[str] = []
    for example in examples:
        said = asked(generator, example) if asked else ask(generator, example.messages)
        count += 1
        if good(example, said):
            right += 1
        elif len(mistakes) < 3:
            mistakes.append(f"{example.messages[-1].content!r} -> {said!r}, not {example.answer!r}")
    return Outcome(name, right / max(count, 1), count, target, tuple(mistakes))


def _through_task(generator: Generator, example: Example) -> str:
    """The answer task with its retrieval; the prompt's own lines give passage and question back."""
    passage, question = example.messages[-1].content.split("\nText: ", 1)[1].rsplit("\nQuestion: ", 1)
    return answer_task.answer(generator, question, passage, narrow=True).text


def translations(generator: Generator, count: int) -> Iterator[Outcome]:
    """One outcome per direction, then their mean."""
    outcomes = []
    for pair in DIRECTIONS:
        name = "-".join(pair)
        found = held_out(lambda source, pair=pair: translation(source, True, pair), count, name)  # type: ignore[misc]
        outcomes.append(_measure(generator, f"translate {name}", 0.0, found))
        yield outcomes[-1]
    mean = sum(outcome.share for outcome in outcomes) / len(outcomes)
    yield Outcome("translate", mean, count * len(outcomes), 0.90, ())


def by_pivot(generator: Generator, count: int) -> Outcome:
    """The twelve directions without English, through the translate task."""
    source = Source(Lexicon.read(), random.Random(f"{SEED} pivot"))
    pairs = [(a, b) for a in LANGUAGES for b in LANGUAGES if a != b and "en" not in (a, b)]
    right = 0
    mistakes: list[str] = []
    for number in range(count):
        first, second = pairs[number % len(pairs)]
        meaning = source.meanings.split(True)
        text, wanted = realize(meaning, first), realize(meaning, second)
        said = translate_task.translate(generator, text, second, first).text
        right += said == wanted
        if said != wanted and len(mistakes) < 3:
            mistakes.append(f"{text!r} -> {said!r}, not {wanted!r}")
    return Outcome("translate by pivot", right / count, count, 0.0, tuple(mistakes))


def answers(generator: Generator, count: int) -> Iterator[Outcome]:
    """Answerable and open questions, through the task and raw, always together."""
    for said, name in ((True, "said"), (False, "open")):

        def make(source: Source, said: bool = said) -> Example:
            return answering(source, said, source.rng.randint(1, 4))

        yield _measure(generator, f"answer {name}", 0.80, held_out(make, count, name), asked=_through_task)
        yield _measure(generator, f"answer {name}, raw", 0.0, held_out(make, count, name))


def classifications(generator: Generator, count: int) -> Iterator[Outcome]:
    """One outcome per kind of label, then their mean."""
    outcomes = []
    for job in ("sentiment", "topic", "urgency", "language"):
        found = held_out(lambda source, job=job: classification(source, job), count, job)  # type: ignore[misc]
        outcomes.append(_measure(generator, f"classify {job}", 0.0, found))
        yield outcomes[-1]
    mean = sum(outcome.share for outcome in outcomes) / len(outcomes)
    yield Outcome("classify", mean, count * len(outcomes), 0.95, ())


def refusals(generator: Generator) -> Outcome:
    """The natural prompts that training never shows."""
    right = 0
    mistakes: list[str] = []
    for prompt in HELD_OUT:
        said = ask(generator, (Message("user", prompt),))
        right += refused(said)
        if not refused(said):
            mistakes.append(f"{prompt!r} -> {said!r}")
    return Outcome("refusal", right / len(HELD_OUT), len(HELD_OUT), 0.95, tuple(mistakes[:8]))


def measures(generator: Generator, count: int) -> Iterator[Outcome]:
    """All outcomes; `count` examples for each."""
    yield from translations(generator, count)
    yield by_pivot(generator, count)
    yield _measure(generator, "summarize", 0.85, held_out(summary, count, "summary"), facts)
    yield from classifications(generator, count)
    yield from answers(generator, count)
    yield _measure(generator, "story", 0.95, held_out(story, count, "story"), named)
    yield _measure(generator, "reply", 0.95, held_out(reply, count, "reply"), named)
    source = Source(Lexicon.read(), random.Random(SEED))
    yield _measure(generator, "chat", 0.95, (chat(source) for _ in range(count)))
    yield refusals(generator)
