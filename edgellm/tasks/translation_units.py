"""Cut a text into what a model is asked at once: sentences, or as much as fits its context.

No cut goes through what must stay together, such as an address with a full stop in it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from edgellm.runtimes.base import Generator, Message
from edgellm.tasks import sentences, special
from edgellm.tasks.languages import english_name
from edgellm.tasks.options import Options
from edgellm.tasks.protect import Stretch
from edgellm.tasks.translation_plan import Plan, messages

_CONTEXT_SHARE = 0.4
_FULL = 0.9  # of what a translation model reads at once
Span = tuple[int, int]


def spans(
    generator: Generator, text: str, plan: Plan, options: Options, stretches: Sequence[Stretch] = ()
) -> Iterator[Span]:
    """Sentences for the starter, without their list marks; for others as much as fits, the whole text if it can be.

    A text with `stretches` goes by paragraphs, so that one that has to be asked again is no more than that.
    """
    found = list(_unbroken(_sentences(text, plan.source), stretches))
    if plan.by_sentence:
        for start, end in found:
            yield from _short(generator, text, start, end)
        return
    room = int(generator.info.context * _CONTEXT_SHARE)
    names = english_name(plan.source), english_name(plan.target)

    def fits(start: int, end: int) -> bool:
        return generator.count(options.with_system(messages(text[start:end], *names))) <= room

    if found and not stretches and fits(found[0][0], found[-1][1]):
        yield found[0][0], found[-1][1]
        return
    start = end = found[0][0] if found else 0
    for one in found:
        ends = bool(stretches) and "\n" in text[end : one[0]]
        if end > start and (ends or not fits(start, one[1])):
            yield start, end
            start = one[0]
        end = one[1]
    if end > start:
        yield start, end


def _sentences(text: str, language: str) -> Iterator[Span]:
    for sentence in sentences.split(text, language):
        yield sentences.after_mark(sentence), sentence.end


def _unbroken(found: Iterable[Span], stretches: Sequence[Stretch]) -> Iterator[Span]:
    """Join the sentences between which a stretch would be cut; one may begin in what looked like a list mark."""
    held: Span | None = None
    for start, end in found:
        before = bisect_left(stretches, start, key=lambda one: one.start) - 1  # they are in order
        begun = stretches[before].start if before >= 0 and start < stretches[before].end else start
        if held is not None and begun < held[1]:
            held = (held[0], end)
            continue
        if held is not None:
            yield held
        held = (begun, end)
    if held is not None:
        yield held


def _short(generator: Generator, text: str, start: int, end: int) -> Iterator[Span]:
    """The sentence itself; one that is longer than a translation model reads is cut at its spaces, in halves."""
    too_long = special.is_seq2seq(generator.info) and (
        generator.count((Message("user", text[start:end]),)) > _FULL * generator.info.context
    )
    middle = text.rfind(" ", start + 1, (start + end) // 2 + 1) if too_long else -1
    if middle <= start:
        yield start, end
        return
    yield from _short(generator, text, start, middle)
    yield from _short(generator, text, middle + 1, end)
