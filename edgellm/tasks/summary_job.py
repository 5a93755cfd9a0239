"""What every style of a summary works with: the run's parts, reading section by section, and the end of it."""

from __future__ import annotations

from collections.abc import Generator as Produces
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from edgellm.runtimes.base import Generator
from edgellm.tasks import digest, sentences, summary_styles
from edgellm.tasks.answer import Quote
from edgellm.tasks.digest import Cuts, Part, Point, Want
from edgellm.tasks.kept import Remembered
from edgellm.tasks.keysentences import key_sentences
from edgellm.tasks.options import Options
from edgellm.tasks.outline import Outline
from edgellm.tasks.summary_events import Begun, Item, Progress, Summary, SummaryEvent
from edgellm.tasks.summary_items import Items
from edgellm.tasks.summary_language import Translator
from edgellm.tasks.summary_styles import EVERY, KEY_SENTENCES, Asked, Length

FILL = 15  # bullets that a short text gets where every section has one
MOST_LINES = 8  # asked of a section at once
_COUNTED = 20_000  # characters in which sentences are counted; what is longer has enough of them


@dataclass(frozen=True, slots=True)
class Job:
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
class Read:
    """The sections that were chosen, and the points of those that were read."""

    chosen: tuple[Part, ...]
    points: tuple[Point, ...]

    @property
    def whole(self) -> bool:
        """Whether all of them were read."""
        return len(self.points) == len(self.chosen)


Steps = Produces[SummaryEvent, None, Summary]


def room(length: Length, text: str) -> int:
    """How many sentences a summary of the text has at most, so that a longer one always says more."""
    return summary_styles.share(length, len(sentences.split(text[:_COUNTED])))


def most_of(job: Job) -> int:
    """How many points or sentences are wanted of this text; `EVERY` only where each section has one."""
    count = job.asked.count
    return count if count == EVERY else min(count, room(job.asked.length, job.outline.body))


def keys(outline: Outline, length: Length) -> tuple[Item, ...]:
    """Key sentences, as many as the length asks for."""
    return key_points(outline, min(KEY_SENTENCES[length], room(length, outline.body)))


def key_points(outline: Outline, count: int, start: int = 0, end: int | None = None) -> tuple[Item, ...]:
    """The most important sentences of the documents, or of a stretch, with their places; needs no model."""
    found = key_sentences(outline.body[start:end], count) or key_sentences(outline.text[start:end], count)
    items = []
    for one in found:
        place = outline.place(start + one.start, start + one.end)
        quote = Quote(one.text, place.start, place.end)
        items.append(Item(one.text, place, False, one.score, quote))
    return tuple(items)


def points_wanted(job: Job, count: int) -> Want:
    """What each section is asked for: so many points, or one where the model writes no more."""
    if job.single or count <= 1:
        return Want(summary_styles.one_point(job.asked))
    return Want(summary_styles.several_points(job.asked, count), count)


def cuts_of(job: Job, sections: bool) -> Cuts:
    """The shape of the text; with `sections` no part reaches across a heading."""
    return Cuts(job.outline.cuts(sections), job.outline.titles)


def mapped(job: Job, want: Want, cuts: Cuts) -> Produces[SummaryEvent, None, Read]:
    """Read every section; how far it is, is yielded, and what was read."""
    chosen = digest.parts(job.generator, job.outline.text, cuts)
    for event in reading(job, want, cuts, chosen):
        if isinstance(event, Read):
            return event
        if isinstance(event, Point):
            yield from job.items.drafts(event)
        else:
            yield event
    raise AssertionError("the reading has an end")


def reading(job: Job, want: Want, cuts: Cuts, chosen: tuple[Part, ...]) -> Iterator[Begun | Progress | Point | Read]:
    """The same with each point as it comes; what was read is the last event."""
    requests = (digest.request_for(job.generator, part, job.options, want, cuts) for part in chosen)
    before = sum(map(job.generator.knows, requests)) if isinstance(job.generator, Remembered) else 0
    yield Begun(len(chosen), before)
    found: list[Point] = []
    for point in digest.points(job.generator, chosen, job.options, want, cuts):
        found.append(point)
        yield point
        yield Progress(len(found), len(chosen))
    yield Read(chosen, tuple(found))


def concluded(text: str, items: Sequence[Item], read: Read, *notes: str) -> Summary:
    """The summary, with how much was read; one that was stopped says so."""
    finish = digest.facts(read.points)
    if not read.whole:
        finish = replace(finish, reason="cancelled")
    said = (digest.coverage(read.points, read.chosen), *filter(None, notes))
    return Summary(text, tuple(items), len(read.points), len(read.chosen), said, finish)


def listed(items: Sequence[Item]) -> str:
    """The items for copying."""
    return "\n".join(f"- {item.shown}" for item in items)
