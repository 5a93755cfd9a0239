"""A summary of whole documents in the style, length and language that a person asks for, as a stream of events.

This is the entry for every face of the program: it reads all sections (`digest.py`), links each point to its page and
to the sentence behind it, and goes on with what an earlier run has kept (`kept.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from types import MappingProxyType

from edgellm.errors import UsageError
from edgellm.runtimes.base import Generator
from edgellm.tasks import digest, special, summary_questions
from edgellm.tasks.digest import Point
from edgellm.tasks.kept import Kept, Remembered
from edgellm.tasks.keysentences import most_salient
from edgellm.tasks.options import DEFAULT, Options
from edgellm.tasks.outline import Outline
from edgellm.tasks.result import combined
from edgellm.tasks.starter import is_starter
from edgellm.tasks.summary_events import Begun, Item, Progress, Summary, SummaryEvent
from edgellm.tasks.summary_items import Items
from edgellm.tasks.summary_job import (
    FILL,
    MOST_LINES,
    Job,
    Read,
    Steps,
    concluded,
    cuts_of,
    listed,
    mapped,
    most_of,
    points_wanted,
    reading,
    room,
)
from edgellm.tasks.summary_language import Translator
from edgellm.tasks.summary_styles import EVERY, Asked
from edgellm.tasks.summary_whole import few_of, line, own_section, own_words, paragraph


def run(
    generator: Generator, outline: Outline, asked: Asked, kept: Kept | None = None, options: Options = DEFAULT
) -> Iterator[SummaryEvent]:
    """Yield how far it is, items or chunks of text, drafts of what is chosen from, and at last one `Summary`.

    A canceled run ends in a `Summary` of what is there, whose finish says so; `kept` then holds what was written, and
    is empty after a run that came to its end. Whoever needs several runs gives a `Remembered` generator instead.
    Raises `UsageError` before anything is asked.
    """
    if not outline.text.strip():
        raise UsageError("There is nothing to summarize.", "Give a text with at least one sentence.")
    if generator.info.kind in special.NO_CHAT and not special.is_seq2seq(generator.info):
        raise UsageError(
            f"{generator.info.name} cannot write a summary.", "Run: edgellm models recommend --task summarize"
        )
    asking = generator if kept is None else Remembered(generator, kept)
    single = is_starter(generator.info) or special.is_seq2seq(generator.info)
    translate = Translator(asking, asked.language, options)
    job = Job(asking, generator, outline, asked, options, translate, Items(outline, translate), single)
    return _run(job, kept)


def _run(job: Job, kept: Kept | None) -> Iterator[SummaryEvent]:
    summary = yield from _STYLES[job.asked.style](job)
    if job.translate.finishes:
        facts = combined([*job.translate.finishes, summary.finish])
        summary = replace(summary, finish=replace(facts, device=job.translate.finishes[0].device))
    if job.options.cancelled():
        summary = replace(summary, finish=replace(summary.finish, reason="cancelled"))
    elif kept is not None:
        kept.clear()
    notes = tuple(dict.fromkeys((*summary.notes, *job.items.notes, *job.translate.notes)))
    yield replace(summary, notes=notes)


def collected(events: Iterator[SummaryEvent]) -> Summary:
    """The whole at once."""
    for event in events:
        if isinstance(event, Summary):
            return event
    raise AssertionError("a summary has an end")


def _bullets(job: Job) -> Steps:
    most, cuts = most_of(job), cuts_of(job, False)
    chosen = digest.parts(job.generator, job.outline.text, cuts)
    if own := few_of(job, len(chosen)):
        return (yield from own_words(job, own))
    lines = min(-(-(most or min(FILL, room("long", job.outline.body))) // len(chosen)), MOST_LINES)
    want = points_wanted(job, lines)
    few = most == EVERY or len(chosen) * want.count <= most
    at_once = few and not job.asked.language  # a translation has to wait: the model does one thing at a time
    items: list[Item] = []
    read = None
    for event in reading(job, want, cuts, chosen):
        if isinstance(event, Read):
            read = event
            continue
        if isinstance(event, Point):
            made = [job.items.make(line, event) for line in event.lines] if at_once else []
            items += made
            yield from made if at_once else job.items.drafts(event)
            continue
        yield event
    assert read is not None
    if not at_once:
        pairs = [(line, point) for point in read.points for line in point.lines]
        shown = range(len(pairs)) if few else most_salient([line for line, _ in pairs], most)
        items = [job.items.make(*pairs[at]) for at in shown]
        yield from items
    note = (
        f"The {len(items)} most important of the points are shown; --length long shows all."
        if items and not few
        else ""
    )
    return concluded(listed(items), items, read, note)


def _sections(job: Job) -> Steps:
    """Key points under each heading."""
    cuts, count = cuts_of(job, True), job.asked.count
    read = yield from mapped(job, points_wanted(job, count), cuts)
    items: list[Item] = []
    for _, group in groupby(read.points, key=lambda point: cuts.section(point.part.start)):
        points = list(group)
        pairs = [(line, point) for point in points for line in point.lines]
        made = list(own_section(job, points, len(pairs)))
        if not made:
            made = [job.items.make(*pairs[at]) for at in most_salient([line for line, _ in pairs], count)]
        items += made
        yield from made
    return concluded(listed(items), items, read)


def _questions(job: Job) -> Steps:
    """Questions with answers that the text supports."""
    cuts = cuts_of(job, False)
    chosen = digest.parts(job.generator, job.outline.text, cuts)
    asked = summary_questions.Asking(job.generator, job.asked, job.options, job.single)
    parts = asked.chosen(chosen)
    yield Begun(len(parts), 0)
    items: list[Item] = []
    done = 0
    for part in parts:
        for pair in asked.about(part, digest.without_titles(part, cuts)):
            item = job.items.answered(pair, part)
            items.append(item)
            yield item
        if job.options.cancelled():
            break
        done += 1
        yield Progress(done, len(parts))
    notes = (f"{len(parts)} of {len(chosen)} sections of the text were asked about.", *asked.notes)
    if not items and not job.options.cancelled():
        notes = (*notes, "No question could be made from this text; --style bullets shows its points.")
    text = "\n\n".join(f"{item.question}\n{item.text}" for item in items)
    return Summary(text, tuple(items), done, len(parts), notes, asked.facts)


_STYLES: Mapping[str, Callable[[Job], Steps]] = MappingProxyType(
    {"line": line, "paragraph": paragraph, "bullets": _bullets, "sections": _sections, "questions": _questions}
)
