"""Answer a question from a passage, or say that the text does not say.

The sentences that share the question's words are found first, without a model (`passages.py`). A small model is given
only the best of them, two when they are close, and is not asked at all when none shares a content word; a general
model reads the whole passage, or its most relevant sentences when it does not fit the context. Whatever is quoted is
a stretch of the passage, character for character.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from edgellm.runtimes.base import Chunk, Event, Finish, Generator, Message
from edgellm.tasks import passages, sentences, special
from edgellm.tasks.options import DEFAULT, Options
from edgellm.tasks.passages import Passage
from edgellm.tasks.quotes import Folded, Guard
from edgellm.tasks.result import collect, without_model
from edgellm.tasks.starter import is_starter, out_of_reach
from edgellm.tasks.terms import Terms
from edgellm.tasks.typography import as_taught

NOT_SAID = "The text does not say."
_CANDIDATES = 40
_CLOSE = 0.9
_ENOUGH = 0.5
READ_IN_PART = "The text is longer than the model's context; it read the sentences nearest to the question."
UNSUPPORTED = "No sentence of the text supports this answer; do not rely on it."
_NEAR = 3
_CONTEXT_SHARE = 0.7


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence of the passage that supports the answer: `passage[start:end]` is `text`."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the model will read. `found` are the sentences that share words with the question, the best first; `text`
    is empty when there are none and the model need not be asked; `in_part` says that not all of it fitted;
    `quoted` is why the sentence itself must be the answer, because the starter cannot read it."""

    question: str
    text: str
    found: tuple[Passage, ...]
    in_part: bool = False
    quoted: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """`said` is false when the text does not say; then `near` are the nearest sentences, if any shares a word."""

    text: str
    said: bool
    quote: Quote | None
    near: tuple[Passage, ...]
    finish: Finish
    notes: tuple[str, ...] = ()


def messages(question: str, passage: str) -> tuple[Message, ...]:
    """The prompt; the answer is a span of `passage` or `NOT_SAID`."""
    return (
        Message(
            "user",
            f"Answer from the text, or reply: {NOT_SAID}\nText: {passage}\nQuestion: {question}",
        ),
    )


def prepare(
    generator: Generator, question: str, passage: str, narrow: bool | None = None, options: Options = DEFAULT
) -> Evidence:
    """Choose what the model reads. `narrow` None means: only the best sentences when the model is the starter."""
    question, narrow = question.strip(), is_starter(generator.info) if narrow is None else narrow
    found = passages.find(question, passage, _CANDIDATES)
    if narrow:
        text = _text_of(_close(found))
        starter = text and is_starter(generator.info)
        return Evidence(question, text, found, quoted=out_of_reach(text) if starter else "")
    if generator.info.kind == "span":
        return Evidence(question, passage, found)  # it reads a passage of any length, in windows
    room = int(generator.info.context * _CONTEXT_SHARE)

    def fits(text: str) -> bool:
        return generator.count(options.with_system(messages(question, text))) <= room

    if fits(passage):
        return Evidence(question, passage, found)
    return Evidence(question, _most(found, fits), found, True)


def run(generator: Generator, evidence: Evidence, options: Options = DEFAULT) -> Iterator[Event]:
    """Stream the answer; `NOT_SAID` without asking the model when there is nothing to read."""
    if not evidence.text:
        yield Chunk(NOT_SAID)
        yield without_model()
        return
    if evidence.quoted:
        yield Chunk(evidence.text)
        yield without_model()
        return
    started = time.perf_counter()
    if (span := special.span_by(generator, evidence.question, evidence.text)) is not None:
        yield Chunk(evidence.text[span.start : span.end].strip() or NOT_SAID)
        yield replace(without_model(), seconds=time.perf_counter() - started, device=special.device(generator.info))
        return
    question = as_taught(evidence.question, "en") if is_starter(generator.info) else evidence.question
    prompt = messages(question, evidence.text)
    yield from generator.generate(options.request(prompt), options.cancelled)


def answer(
    generator: Generator, question: str, passage: str, narrow: bool | None = None, options: Options = DEFAULT
) -> Answer:
    """The whole answer at once, with the sentence that supports it."""
    evidence = prepare(generator, question, passage, narrow, options)
    text, finish = collect(run(generator, evidence, options))
    return judge(text, finish, passage, evidence)


def judge(text: str, finish: Finish, passage: str, evidence: Evidence) -> Answer:
    """Find the sentence that supports an answer, and say what is to be doubted about it.

    What stands between quotation marks without being in the passage loses them.
    """
    notes: tuple[str, ...] = (READ_IN_PART,) if evidence.in_part else ()
    if evidence.quoted:
        notes += (f"{evidence.quoted} This is the sentence nearest to the question.",)
    near = evidence.found[:_NEAR]
    if is_refusal(text):
        return Answer(text.strip() or NOT_SAID, False, None, near, finish, notes)
    text = _verified(text, passage)
    quote = support(text, passage, evidence)
    if quote is None and finish.reason != "cancelled":
        notes += (UNSUPPORTED,)
    return Answer(text.strip(), True, quote, near, finish, notes)


def _verified(text: str, passage: str) -> str:
    source = Folded.of(passage)

    def own(quote: str) -> str | None:
        place = source.find(quote)
        return " ".join(passage[slice(*place)].split()) if place else None

    guard = Guard(own)
    return guard.feed(text) + guard.end()


def is_refusal(text: str) -> bool:
    """Whether the model answered that the text does not say."""
    return text.strip().rstrip(".").casefold() in ("", NOT_SAID.rstrip(".").casefold())


def support(text: str, passage: str, evidence: Evidence) -> Quote | None:
    """The sentence that holds the answer: word for word if there is one, else the one that shares most of its terms.

    Among several, the one that shares most with the question. None when no sentence shares anything with the answer.
    """
    wanted = " ".join(text.split()).strip().rstrip(".。!！").casefold()
    cut = Terms(single=True)
    terms = set(cut.of(text))
    rank = {(one.start, one.end): one.score for one in evidence.found}
    best: tuple[float, float, Quote] | None = None
    for sentence in sentences.split(passage):
        literal = bool(wanted) and wanted in " ".join(sentence.text.split()).casefold()
        shared = len(terms & set(cut.of(sentence.text))) / len(terms) if terms else 0.0
        grade = (2.0 if literal else shared, rank.get((sentence.start, sentence.end), 0.0))
        if grade[0] > 0 and (best is None or grade > best[:2]):
            best = (*grade, Quote(sentence.text, sentence.start, sentence.end))
    return best[2] if best else None


def _close(found: tuple[Passage, ...]) -> list[Passage]:
    """The best sentence, and the second where its score is close, or where only both hold enough of the question.

    None when even both hold only half of it: the text speaks of the same person or thing, but not of what is asked.
    """
    if not found:
        return []
    best, others = found[0], found[1:2]
    if best.coverage > _ENOUGH:
        return [best, *(one for one in others if one.score >= _CLOSE * best.score)]
    asked = round(len(best.shared) / best.coverage)
    both = [best, *others]
    together = frozenset[str]().union(*(one.shared for one in both))
    return both if len(together) > _ENOUGH * asked else []


def _most(found: tuple[Passage, ...], fits: Callable[[str], bool]) -> str:
    """As many of the sentences, the best first, as fit, in the order of the text."""
    chosen: list[Passage] = []
    for one in found:
        if not fits(_text_of([*chosen, one])):
            break
        chosen.append(one)
    return _text_of(chosen)


def _text_of(chosen: list[Passage]) -> str:
    return " ".join(one.text for one in sorted(chosen, key=lambda one: one.start))
