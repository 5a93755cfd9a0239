"""The work behind the Summarize page: one summary for each text, or its key sentences.

It runs in the engine's thread and tells each time what a `Result` is now. A comparison is left to
`summarize_compare.py`. No widget here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edgellm.runtimes.base import Cancelled, Chunk, Dropped, Event, Message, ModelInfo, Request, never, never_dropped
from edgellm.ui.engine_client import EngineClient
from edgellm.ui.language import tr
from edgellm.ui.summarize_result import Point, Result, State
from edgellm.ui.task_work import TaskWork

if TYPE_CHECKING:
    from edgellm.app import App
    from edgellm.documents.document import Document
    from edgellm.tasks.kept import Kept
    from edgellm.tasks.options import Options
    from edgellm.tasks.summary_events import Item, SummaryEvent
    from edgellm.tasks.summary_styles import Asked

KEYS = "keys"  # the style that needs no model


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for. `style` is one of the task's or `KEYS`; `compare` is for several files."""

    style: str = "bullets"
    length: str = "medium"
    language: str = ""
    compare: bool = False


@dataclass(frozen=True, slots=True)
class Texts:
    """The documents, the titles of their results (empty for a single one), and what an earlier run made of them."""

    documents: tuple[Document, ...]
    titles: tuple[str, ...]
    before: tuple[Result, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """Result `number` of `count` as it is now; `kept` of its sections an earlier run has read."""

    number: int
    count: int
    result: Result
    kept: int = 0


class Heard:
    """The engine, whose words the window's meter counts as they come."""

    def __init__(self, engine: EngineClient, work: TaskWork) -> None:
        self._engine, self._work = engine, work

    @property
    def info(self) -> ModelInfo:
        """The loaded model."""
        return self._engine.info

    def count(self, messages: tuple[Message, ...]) -> int:
        """Tokens of a prompt."""
        return self._engine.count(messages)

    def generate(self, request: Request, cancelled: Cancelled = never) -> Iterator[Event]:
        """Stream an answer."""
        for event in self._engine.generate(request, cancelled):
            self._work.put(event)
            yield event

    def generate_many(
        self, requests: tuple[Request, ...], cancelled: Cancelled = never, dropped: Dropped = never_dropped
    ) -> Iterator[tuple[int, Event]]:
        """Stream several."""
        from edgellm.runtimes.many import answer_all

        for index, event in answer_all(self._engine, requests, cancelled, dropped):
            self._work.put(event)
            yield index, event


def run(app: App, texts: Texts, wanted: Wanted, engine: EngineClient, work: TaskWork) -> tuple[Result, ...]:
    """Do what is wanted, putting a `Step` for each change; returns all results.

    Raises what the tasks and the engine raise; what was told before it stays true.
    """
    if wanted.compare:
        from edgellm.ui import summarize_compare

        return summarize_compare.run(app, texts, wanted, Heard(engine, work), work)
    count = len(texts.documents)
    results: list[Result] = []
    for number, (document, name) in enumerate(zip(texts.documents, texts.titles, strict=True)):
        before = texts.before[number] if number < len(texts.before) else Result()
        fresh = Result(name, document.sha256)
        result = before if before.sha256 == document.sha256 else fresh
        if result.state != "done" and not work.cancelled():
            for now, kept in _steps(app, document, fresh, wanted, Heard(engine, work), work):
                result = meanwhile(now, before)
                work.put(Step(number, count, result, kept))
        results.append(result)
    return tuple(results)


def _steps(
    app: App, document: Document, result: Result, wanted: Wanted, engine: Heard, work: TaskWork
) -> Iterator[tuple[Result, int]]:
    from edgellm.tasks import summary, summary_job, summary_styles
    from edgellm.tasks.outline import Outline

    outline = Outline.of(document)
    path = path_of(document)
    result = replace(result, state="working")
    yield result, 0
    if not outline.text.strip():
        yield replace(result, state="done", notes=(*document.notes, tr("There is no text in it."))), 0
        return
    asked = summary_styles.asked("bullets" if wanted.style == KEYS else wanted.style, wanted.length, wanted.language)
    if wanted.style == KEYS:
        found = summary_job.keys(outline, asked.length)
        points = tuple(_point(item, outline.text, path) for item in found)
        yield replace(result, state="done", points=points, notes=(*document.notes, tr("No model was used."))), 0
        return
    options = options_of(app, work)
    held = kept_of(app, (outline.text,), engine.info, asked, options)
    for event in summary.run(engine, outline, asked, held, options):
        result, kept = grown(result, event, outline.text, path)
        if result.state == "done":
            result = replace(result, notes=(*document.notes, *result.notes))
        yield result, kept


def meanwhile(now: Result, before: Result) -> Result:
    """What there is while an earlier run is gone on with: what that one had, until as much has come again."""
    if now.state == "done" or before.sha256 != now.sha256:
        return now
    behind = now.read < before.read or (now.read == before.read and len(now.points) < len(before.points))
    if not behind:
        return replace(now, text=now.text or before.text, points=now.points or before.points)
    now = replace(now, text=before.text, points=before.points, draft=before.draft)
    return replace(now, read=before.read, sections=before.sections)


def grown(result: Result, event: SummaryEvent, whole: str, path: str) -> tuple[Result, int]:
    """The result after one more event, and how many sections an earlier run had read."""
    from edgellm.tasks.summary_events import Begun, Draft, Item, Progress

    if isinstance(event, Progress):
        return replace(result, read=event.done), 0
    if isinstance(event, Begun):
        return replace(result, sections=event.sections), event.kept
    if isinstance(event, Draft):
        return replace(result, points=(*result.points, _point(event.item, whole, path)), draft=True), 0
    final = () if result.draft else result.points
    if isinstance(event, Item):
        return replace(result, points=(*final, _point(event, whole, path)), draft=False), 0
    if isinstance(event, Chunk):
        return replace(result, text=result.text + event.text), 0
    points = tuple(_point(item, whole, path) for item in event.items)
    state: State = "stopped" if event.finish.reason == "cancelled" else "done"
    ended = replace(result, state=state, text=event.text, points=points, draft=False)
    return replace(ended, read=event.read, sections=event.sections, notes=event.notes), 0


def path_of(document: Document) -> str:
    """The file of a document; empty for a text that was typed."""
    return str(document.path) if document.path.name else ""


def _point(item: Item, whole: str, path: str) -> Point:
    place = item.place
    stretch = (item.quote.start, item.quote.end) if item.quote is not None else (place.start, place.end)
    return Point.cut(
        item.shown, whole, stretch, path=path, page=place.page, headings=place.headings, question=item.question
    )


def options_of(app: App, work: TaskWork) -> Options:
    """How the model is asked, by the person's settings."""
    from edgellm.runtimes.base import Sampling
    from edgellm.tasks.options import Options

    settings = app.settings
    sampling = Sampling(temperature=settings.temperature)
    return Options(sampling=sampling, max_tokens=settings.max_tokens or None, cancelled=work.cancelled)


def kept_of(app: App, texts: Sequence[str], info: ModelInfo, asked: Asked, options: Options) -> Kept:
    """What an earlier run of the same has kept."""
    from edgellm.tasks import kept

    name = kept.name("\0".join(texts), info, (asked, options.sampling, options.max_tokens, options.system))
    return kept.Kept(app.paths.summaries, name)
