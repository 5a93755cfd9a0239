"""A summary as one text: a line or a paragraph about all of a document, or its own sentences in place of one."""

from __future__ import annotations

from collections.abc import Generator as Produces
from collections.abc import Iterator
from dataclasses import replace

from edgellm.runtimes.base import Chunk, Finish
from edgellm.tasks import digest, sentences, summarize, summary_styles
from edgellm.tasks.digest import Part, Want
from edgellm.tasks.doubt import doubtful
from edgellm.tasks.keysentences import most_salient
from edgellm.tasks.result import collect, without_model
from edgellm.tasks.starter import is_starter
from edgellm.tasks.summary_events import Begun, Summary, SummaryEvent
from edgellm.tasks.summary_job import (
    FILL,
    Job,
    Steps,
    concluded,
    cuts_of,
    key_points,
    listed,
    mapped,
)

_AT_ONCE = "The whole text was read at once."
_SINGLE = "This model writes one sentence at a time: {what} made of its sentences, one for each section."
_OWN_WORDS = "The built-in model makes one sentence of each section; the text is shown by its own sentences instead."
_DOUBTFUL = "What the built-in model wrote was doubtful: the text's most important sentence stands there."
_LONGER = (
    "The text is longer than what the built-in model makes one sentence of. This is its most important sentence; "
    "--key-sentences 3 shows more."
)


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
    items = [job.items.make(texts[at], read.points[at]) for at in most_salient(texts, job.asked.count)]
    text = " ".join(item.text for item in items)
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
    most = min(job.asked.count or FILL, len(sentences.split(job.outline.body)) // 2)
    return most if most > parts else 0


def own_words(job: Job, count: int) -> Steps:
    """A short text by its own sentences, as a paragraph or bullets."""
    yield Begun(1, 0)
    found = [replace(item, text=" ".join(item.text.split())) for item in key_points(job.outline, count)]
    items = [replace(item, text=job.translate(item.text)) for item in found]
    if job.asked.style == "paragraph":
        text = " ".join(item.text for item in items)
        yield Chunk(text)
    else:
        text = listed(items)
        yield from items
    return Summary(text, tuple(items), 1, 1, (_OWN_WORDS,), without_model())


def _starter_line(job: Job) -> Steps:
    """What the starter makes of a text that it was taught to read; else the text's most important sentence."""
    yield Begun(1, 0)
    text = job.outline.body.strip() or job.outline.text
    notes, finish = summarize.notes(job.direct, text), without_model()
    if not notes and not digest.fits(job.direct, text):
        notes = (_LONGER,)
    if not notes:
        said, finish = collect(summarize.run(job.direct, text, job.options))
        if finish.reason == "cancelled" or not doubtful(said, text):
            said = job.translate(said)
            yield Chunk(said)
            return Summary(said, (), 1, 1, (_AT_ONCE,), finish)
        notes = (_DOUBTFUL,)
    items = key_points(job.outline, 1)
    said = job.translate(" ".join(items[0].text.split())) if items else ""
    yield Chunk(said)
    return Summary(said, items, 1, 1, notes, finish)


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
