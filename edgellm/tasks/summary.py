"""A summary of whole documents in the style, length and language that a person asks for, as a stream of events.

This is the entry for every face of the program: it reads all sections (`digest.py`), links each point to its page and
to the sentence behind it, and goes on with what an earlier run has kept (`kept.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Generator as Steps
from dataclasses import dataclass, replace
from itertools import groupby
from types import MappingProxyType

from edgellm.errors import UsageError
from edgellm.runtimes.base import Chunk, Finish, Generator
from edgellm.tasks import digest, sentences, special, summarize, summary_questions, summary_styles
from edgellm.tasks.answer import Quote
from edgellm.tasks.digest import Cuts, Part, Point, Want
from edgellm.tasks.kept import Kept, Remembered
from edgellm.tasks.keysentences import key_sentences, most_salient
from edgellm.tasks.options import DEFAULT, Options
from edgellm.tasks.outline import Outline
from edgellm.tasks.result import collect, combined, without_model
from edgellm.tasks.starter import is_starter
from edgellm.tasks.summary_events import Begun, Item, Progress, Summary, SummaryEvent
from edgellm.tasks.summary_items import Items
from edgellm.tasks.summary_language import Translator
from edgellm.tasks.summary_styles import EVERY, Asked

_AT_ONCE = "The whole text was read at once."
_SINGLE = "This model writes one sentence at a time: {what} made of its sentences, one for each section."
_OWN_WORDS = "The built-in model makes one sentence of each section; the text is shown by its own sentences instead."
_FILL = 15  # bullets that a short text gets where every section has one
_MOST_LINES = 8  # asked of a section at once
_DOUBTFUL = "What the built-in model wrote was doubtful: the text's most important sentence stands there."


@dataclass(frozen=True, slots=True)
class _Job:
    """What one run works with. `single`: the model was made for one sentence, and takes no instruction.

    `direct` is the model itself, for what is one question; `generator` also keeps the answers.
    """

    generator: Generator
    direct: Generator
    outline: Outline
    asked: Asked
    options: Options
    translate: Translator
    items: Items
    single: bool


@dataclass(frozen=True, slots=True)
class _Read:
    """The sections that were chosen, and the points of those that were read."""

    chosen: tuple[Part, ...]
    points: tuple[Point, ...]

    @property
    def whole(self) -> bool:
        """Whether all of them were read."""
        return len(self.points) == len(self.chosen)


_Steps = Steps[SummaryEvent, None, Summary]


def run(
    generator: Generator, outline: Outline, asked: Asked, kept: Kept | None = None, options: Options = DEFAULT
) -> Iterator[SummaryEvent]:
    """Yield how far it is, items or chunks of text, and at last one `Summary`.

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
    job = _Job(asking, generator, outline, asked, options, translate, Items(outline, translate), single)
    return _run(job, kept)


def _run(job: _Job, kept: Kept | None) -> Iterator[SummaryEvent]:
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


def key_points(outline: Outline, count: int) -> tuple[Item, ...]:
    """The most important sentences of the documents with their places; needs no model."""
    found = key_sentences(outline.body, count) or key_sentences(outline.text, count)
    items = []
    for one in found:
        place = outline.place(one.start, one.end)
        quote = Quote(one.text, place.start, place.end)
        items.append(Item(one.text, place, False, one.score, quote))
    return tuple(items)


def _line(job: _Job) -> _Steps:
    return (yield from _one_text(job, Want(summary_styles.whole(job.asked), 2)))


def _paragraph(job: _Job) -> _Steps:
    if not job.single:
        return (yield from _one_text(job, Want(summary_styles.whole(job.asked), job.asked.count)))
    cuts = _cuts(job, False)
    chosen = digest.parts(job.generator, job.outline.text, cuts)
    if few := _few(job, len(chosen)):
        return (yield from _own_words(job, few))
    read = yield from _mapped(job, Want(), cuts)
    texts = [point.text for point in read.points]
    items = [job.items.make(texts[at], read.points[at]) for at in most_salient(texts, job.asked.count)]
    text = " ".join(item.text for item in items)
    yield Chunk(text)
    return _summary(job, text, items, read, _SINGLE.format(what="the paragraph is"))


def _one_text(job: _Job, want: Want) -> _Steps:
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
    read = yield from _mapped(job, Want(summary_styles.one_point(job.asked)), _cuts(job, False))
    said, last = "", None
    if read.whole and not job.options.cancelled():
        said, last = yield from _streamed(job, digest.overall(job.generator, read.points, job.options, want))
    items = [job.items.make(line, point) for point in read.points for line in point.lines]
    return replace(_summary(job, said, items, read), finish=digest.facts(read.points, last))


def _few(job: _Job, parts: int) -> int:
    """How many sentences of its own a text is shown by, because the starter would make too few; 0: it makes enough."""
    if not is_starter(job.generator.info):
        return 0
    most = min(job.asked.count or _FILL, len(sentences.split(job.outline.body)) // 2)
    return most if most > parts else 0


def _own_words(job: _Job, count: int) -> _Steps:
    """A short text by its own sentences, as a paragraph or bullets."""
    yield Begun(1, 0)
    found = [replace(item, text=" ".join(item.text.split())) for item in key_points(job.outline, count)]
    items = [replace(item, text=job.translate(item.text)) for item in found]
    if job.asked.style == "paragraph":
        text = " ".join(item.text for item in items)
        yield Chunk(text)
    else:
        text = _listed(items)
        yield from items
    return Summary(text, tuple(items), 1, 1, (_OWN_WORDS,), without_model())


def _starter_line(job: _Job) -> _Steps:
    """What the starter makes of a text that it was taught to read; else the text's most important sentence."""
    yield Begun(1, 0)
    text = job.outline.body.strip() or job.outline.text
    notes, finish = summarize.notes(job.direct, text), without_model()
    if not notes and digest.fits(job.direct, text):
        said, finish = collect(summarize.run(job.direct, text, job.options))
        if finish.reason == "cancelled" or not digest.doubtful(said, text):
            said = job.translate(said)
            yield Chunk(said)
            return Summary(said, (), 1, 1, (_AT_ONCE,), finish)
        notes = (_DOUBTFUL,)
    items = key_points(job.outline, 1)
    said = job.translate(" ".join(items[0].text.split())) if items else ""
    yield Chunk(said)
    return Summary(said, items, 1, 1, notes, finish)


def _streamed(job: _Job, events: Iterator[Chunk | Finish]) -> Steps[SummaryEvent, None, tuple[str, Finish]]:
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


def _bullets(job: _Job) -> _Steps:
    most, cuts = job.asked.count, _cuts(job, False)
    chosen = digest.parts(job.generator, job.outline.text, cuts)
    if own := _few(job, len(chosen)):
        return (yield from _own_words(job, own))
    lines = min(-(-(most or _FILL) // len(chosen)), _MOST_LINES)
    want = _points_wanted(job, lines)
    few = most == EVERY or len(chosen) * want.count <= most
    at_once = few and not job.asked.language  # a translation has to wait: the model does one thing at a time
    items: list[Item] = []
    read = None
    for event in _reading(job, want, cuts, chosen):
        if isinstance(event, _Read):
            read = event
            continue
        if isinstance(event, Point):
            made = [job.items.make(line, event) for line in event.lines] if at_once else []
            items += made
            yield from made
            continue
        yield event
    assert read is not None
    if not at_once:
        pairs = [(line, point) for point in read.points for line in point.lines]
        shown = range(len(pairs)) if few else most_salient([line for line, _ in pairs], most)
        items = [job.items.make(*pairs[at]) for at in shown]
        yield from items
    note = f"The {len(items)} most important of the points are shown; --length long shows all." if not few else ""
    return _summary(job, _listed(items), items, read, note)


def _sections(job: _Job) -> _Steps:
    """Key points under each heading."""
    cuts, count = _cuts(job, True), job.asked.count
    read = yield from _mapped(job, _points_wanted(job, count), cuts)
    items: list[Item] = []
    for _, group in groupby(read.points, key=lambda point: cuts.section(point.part.start)):
        pairs = [(line, point) for point in group for line in point.lines]
        made = [job.items.make(*pairs[at]) for at in most_salient([line for line, _ in pairs], count)]
        items += made
        yield from made
    return _summary(job, _listed(items), items, read)


def _questions(job: _Job) -> _Steps:
    """Questions with answers that the text supports."""
    cuts = _cuts(job, False)
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


def _points_wanted(job: _Job, count: int) -> Want:
    if job.single or count <= 1:
        return Want(summary_styles.one_point(job.asked))
    return Want(summary_styles.several_points(job.asked, count), count)


def _cuts(job: _Job, sections: bool) -> Cuts:
    return Cuts(job.outline.cuts(sections), job.outline.titles)


def _mapped(job: _Job, want: Want, cuts: Cuts) -> Steps[SummaryEvent, None, _Read]:
    """Read every section; how far it is, is yielded."""
    chosen = digest.parts(job.generator, job.outline.text, cuts)
    for event in _reading(job, want, cuts, chosen):
        if isinstance(event, _Read):
            return event
        if not isinstance(event, Point):
            yield event
    raise AssertionError("the reading has an end")


def _reading(job: _Job, want: Want, cuts: Cuts, chosen: tuple[Part, ...]) -> Iterator[Begun | Progress | Point | _Read]:
    requests = (digest.request_for(job.generator, part, job.options, want, cuts) for part in chosen)
    before = sum(map(job.generator.knows, requests)) if isinstance(job.generator, Remembered) else 0
    yield Begun(len(chosen), before)
    found: list[Point] = []
    for point in digest.points(job.generator, chosen, job.options, want, cuts):
        found.append(point)
        yield point
        yield Progress(len(found), len(chosen))
    yield _Read(chosen, tuple(found))


def _summary(job: _Job, text: str, items: Sequence[Item], read: _Read, *notes: str) -> Summary:
    finish = digest.facts(read.points)
    if not read.whole:
        finish = replace(finish, reason="cancelled")
    said = (digest.coverage(read.points, read.chosen), *filter(None, notes))
    return Summary(text, tuple(items), len(read.points), len(read.chosen), said, finish)


def _listed(items: Sequence[Item]) -> str:
    return "\n".join(f"- {item.text}" for item in items)


_STYLES: Mapping[str, Callable[[_Job], _Steps]] = MappingProxyType(
    {"line": _line, "paragraph": _paragraph, "bullets": _bullets, "sections": _sections, "questions": _questions}
)
