"""A summary as one text: a line or a paragraph about all of a document, or its own sentences in place of one."""

from __future__ import annotations

from collections.abc import Generator as Produces
from collections.abc import Iterator, Sequence
from dataclasses import replace

from edgellm.runtimes.base import Chunk, Finish
from edgellm.tasks import digest, sentences, summarize, summary_styles
from edgellm.tasks.digest import Part, Point, Want
from edgellm.tasks.doubt import doubtful
from edgellm.tasks.keysentences import in_a_line, most_salient
from edgellm.tasks.result import collect, without_model
from edgellm.tasks.scripts import UNSPACED_RUN
from edgellm.tasks.starter import is_starter
from edgellm.tasks.summary_events import Begun, Item, Summary, SummaryEvent
from edgellm.tasks.summary_job import (
    FILL,
    Job,
    Steps,
    concluded,
    cuts_of,
    key_points,
    listed,
    mapped,
    most_of,
    room,
)
from edgellm.tasks.terms import Terms

_AT_ONCE = "The whole text was read at once."
_SINGLE = "This model writes one sentence at a time: {what} made of its sentences, one for each section."
_OWN_WORDS = "The built-in model makes one sentence of each section; the text is shown by its own sentences instead."
_DOUBTFUL = "What the built-in model wrote was doubtful, so the text is shown in its own words."
_LONGER = "The text is longer than what the built-in model makes one sentence of."
_ONE = "The text is one sentence, which stands there."
_CANDIDATES = 5  # key sentences among which a fitting one is looked for
_FEW, _SHORT, _SHORT_LETTERS = 5, 12, 90  # words that a short line has at least and at most, and characters


def line(job: Job) -> Steps:
    """One line about all of it."""
    return (yield from _one_text(job, Want(summary_styles.whole(job.asked), 2)))


def paragraph(job: Job) -> Steps:
    """A paragraph; one put together from single sentences where the model writes no other."""
    if not job.single:
        return (yield from _one_text(job, Want(summary_styles.whole(job.asked), job.asked.count)))
    cuts = cuts_of(job, False)
    chosen = digest.parts(job.generator, job.outline.text, cuts)
    if few := few_of(job, len(chosen)):
        return (yield from own_words(job, few))
    read = yield from mapped(job, Want(), cuts)
    texts = [point.text for point in read.points]
    items = [job.items.make(texts[at], read.points[at]) for at in most_salient(texts, most_of(job))]
    text = " ".join(item.shown for item in items)
    yield Chunk(text)
    return concluded(text, items, read, _SINGLE.format(what="the paragraph is"))


def _one_text(job: Job, want: Want) -> Steps:
    """A text about all of it: at once where the model can read it at once, else from the points of its sections."""
    text = job.outline.text
    if is_starter(job.generator.info):
        return (yield from _starter_line(job))
    if digest.fits(job.direct, text, want):
        yield Begun(1, 0)
        if want.instruction and not job.single:
            whole = Part(text, 0, len(text))
            request = digest.request_for(job.direct, whole, job.options, want)
            events = job.direct.generate(request, job.options.cancelled)
        else:
            events = summarize.run(job.direct, text, job.options)
        said, finish = yield from _streamed(job, events)
        return Summary(said, (), 1, 1, (_AT_ONCE,), finish)
    read = yield from mapped(job, Want(summary_styles.one_point(job.asked)), cuts_of(job, False))
    said, last = "", None
    if read.whole and not job.options.cancelled():
        said, last = yield from _streamed(job, digest.overall(job.generator, read.points, job.options, want))
    items = [job.items.make(line, point) for point in read.points for line in point.lines]
    return replace(concluded(said, items, read), finish=digest.facts(read.points, last))


def few_of(job: Job, parts: int) -> int:
    """How many sentences of its own a text is shown by, because the starter would make too few; 0: it makes enough."""
    if not is_starter(job.generator.info):
        return 0
    most = min(job.asked.count or FILL, room(job.asked.length, job.outline.body))
    return most if most > parts else 0


def own_section(job: Job, points: Sequence[Point], written: int) -> Iterator[Item]:
    """The sentences of a section, where the starter wrote fewer than its length asks for; else nothing."""
    if not is_starter(job.generator.info):
        return
    start, end = points[0].part.start, points[-1].part.end
    count = min(job.asked.count, room(job.asked.length, job.outline.body[start:end]))
    if count > written:
        for item in key_points(job.outline, count, start, end):
            line = _in_a_line(job, item)
            yield replace(line, quoted=line.text == in_a_line(item.text))  # beside sections that the model wrote


def _in_a_line(job: Job, item: Item) -> Item:
    return replace(item, text=job.translate(in_a_line(item.text)))


def own_words(job: Job, count: int) -> Steps:
    """A short text by its own sentences, as a paragraph or bullets."""
    yield Begun(1, 0)
    items = [_in_a_line(job, item) for item in key_points(job.outline, count)]
    if job.asked.style == "paragraph":
        text = " ".join(item.text for item in items)
        yield Chunk(text)
    else:
        text = listed(items)
        yield from items
    return Summary(text, tuple(items), 1, 1, (_OWN_WORDS,), without_model())


def _starter_line(job: Job) -> Steps:
    """What the starter makes of a text that it was taught to read; else the text's most important sentence.

    A long line has a second sentence, which is one of the text.
    """
    yield Begun(1, 0)
    text = job.outline.body.strip() or job.outline.text
    long = job.asked.length == "long"
    single = len(sentences.split(text)) == 1
    why, finish = _ONE if single else summarize.beyond(text), without_model()
    if not why and not digest.fits(job.direct, text):
        why = _LONGER
    if not why:
        said, finish = collect(summarize.run(job.direct, text, job.options))
        if finish.reason == "cancelled" or not doubtful(said, text):
            second = [_in_a_line(job, one) for one in _another(job, said)] if long else []
            said = " ".join([job.translate(said), *(f"“{one.text}”" for one in second)])
            yield Chunk(said)
            return Summary(said, tuple(second), 1, 1, (_AT_ONCE,), finish)
        why = _DOUBTFUL
    items = [_in_a_line(job, one) for one in (key_points(job.outline, 2) if long else _one_line(job))]
    said = " ".join(item.text for item in items)
    yield Chunk(said)
    if single:
        return Summary(said, tuple(items), 1, 1, (why,), finish)
    many = "These are its two most important sentences" if len(items) > 1 else "This is its most important sentence"
    return Summary(said, tuple(items), 1, 1, (f"{why} {many}; --key-sentences 3 shows more.",), finish)


def _one_line(job: Job) -> Sequence[Item]:
    """The most important sentence; of the most important ones the best short one, where that is asked for."""
    short = job.asked.length == "short"
    found = sorted(key_points(job.outline, _CANDIDATES if short else 1), key=lambda item: -item.score)
    return [one for one in found if short and _brief(one.text)][:1] or found[:1]


def _brief(text: str) -> bool:
    """Whether it is a whole sentence that is short."""
    whole = text.endswith(tuple(".!?。！？")) and (len(text.split()) >= _FEW or UNSPACED_RUN.search(text) is not None)
    return whole and len(text.split()) <= _SHORT and len(text) <= _SHORT_LETTERS


def _another(job: Job, said: str) -> Sequence[Item]:
    """The most important sentence of those that say something else."""
    cut = Terms()
    known = set(cut.of(said))
    found = sorted(key_points(job.outline, _CANDIDATES), key=lambda item: -item.score)
    return [one for one in found if 2 * len(known & set(terms := cut.of(one.text))) < len(set(terms))][:1]


def _streamed(job: Job, events: Iterator[Chunk | Finish]) -> Produces[SummaryEvent, None, tuple[str, Finish]]:
    """Chunks as they come; all at once where the text may have to be translated first."""
    if job.asked.language:
        text, finish = collect(events)
        text = job.translate(text)
        yield Chunk(text)
        return text, finish
    said, finish = "", without_model()
    for event in events:
        if isinstance(event, Chunk):
            said += event.text
            yield event
        else:
            finish = event
    return said, finish
