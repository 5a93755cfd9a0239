"""The work behind a question to the documents: find passages, let the model answer from them, or list them.

Each gives an `Entry` of the page. No widget here; answers run in the engine's thread, a search in the background.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgellm.errors import UsageError
from edgellm.ui import documents_shelf
from edgellm.ui.documents_shelf import Removal
from edgellm.ui.documents_view import Entry, Quote
from edgellm.ui.engine_client import EngineClient
from edgellm.ui.language import tr
from edgellm.ui.task_work import TaskWork

if TYPE_CHECKING:
    from edgellm.app import App
    from edgellm.documents.library import Library
    from edgellm.documents.retrieve import Passage
    from edgellm.tasks.consult import Consulted

_READ, _LISTED = 8, 10
_WORD = re.compile(r"\w+")
_BY_HAND = "Run: edgellm documents update"  # the window embeds by itself
_ANSWERS = ("decoder", "seq2seq", "span")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a collection, or to all documents. `removals` are done first; `notes` go with what is found."""

    question: str
    collection: str = ""
    removals: tuple[Removal, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """What is being done now, in words."""

    words: str


def answer(app: App, asked: Asked, engine: EngineClient, work: TaskWork) -> Entry:
    """Answer from the passages nearest to the question. Raises what the library and the engine raise."""
    from edgellm.runtimes.base import Chunk, Sampling
    from edgellm.tasks import consult, whole_files
    from edgellm.tasks.consultation import prepare
    from edgellm.tasks.extract import Extract
    from edgellm.tasks.options import Options
    from edgellm.tasks.special import NO_CHAT

    if engine.info.kind not in _ANSWERS:
        sentence = tr(NO_CHAT.get(engine.info.kind, ""))
        raise UsageError(sentence, tr("Choose another model at the top of the window."))
    work.put(Stage(tr("Searching")))
    library = app.library()
    found, notes = _passages(app, library, asked, _READ)
    settings = app.settings
    sampling = Sampling(temperature=settings.temperature)
    options = Options(sampling=sampling, max_tokens=settings.max_tokens or None, cancelled=work.cancelled)
    wider = whole_files.of(library, found, asked.collection)
    plan = prepare(engine, asked.question, [Extract.of(one) for one in found], None, options, wider)
    whole = bool(plan.read) and all(one.whole for one in plan.read)
    many = tr("Reading whole files: {n}") if whole else tr("Reading {n} passages")
    work.put(Stage(many.format(n=len(plan.read))))
    ended: Consulted | None = None
    for event in consult.run(engine, plan, options):
        if isinstance(event, Chunk):
            work.put(event)
        else:
            ended = event
            work.put(event.finish)
    assert ended is not None
    stopped = ended.finish.reason == "cancelled"
    return Entry(
        asked.question,
        asked.collection,
        state="stopped" if stopped else "done",
        text=ended.text,
        said=ended.said,
        quotes=tuple(map(Quote.of, ended.quotes)),
        near=() if ended.said or stopped else tuple(map(Quote.of, ended.near)),
        notes=(*ended.notes, *notes),
        basis=ended.basis,
    )


def search(app: App, asked: Asked) -> Entry:
    """List the passages, the best first. Raises what the library raises."""
    found, notes = _passages(app, app.library(), asked, _LISTED)
    quotes = tuple(Quote.of_passage(one, tuple(marks(asked.question, one.text))) for one in found)
    return Entry(asked.question, asked.collection, search=True, state="done", quotes=quotes, notes=notes)


def _passages(app: App, library: Library, asked: Asked, count: int) -> tuple[tuple[Passage, ...], tuple[str, ...]]:
    from edgellm.documents import retrieve

    documents_shelf.take_out(library, asked.removals)
    means = app.meaning().means(library)
    found = retrieve.search(library, asked.question, count, asked.collection, means.aids)
    return found, (*asked.notes, *(note.removesuffix(_BY_HAND).rstrip() for note in means.notes))


def marks(question: str, text: str) -> Iterator[tuple[int, int]]:
    """Where the words of a question are in a text, by their stems; pairs of characters in scripts without spaces."""
    from edgellm.tasks.scripts import UNSPACED_RUN
    from edgellm.tasks.terms import Terms

    cut = Terms()
    asked = set(Terms(question=True).of(question))
    last = -1
    for word in _WORD.finditer(text):
        if not UNSPACED_RUN.search(word.group()):
            if asked.intersection(cut.of(word.group())):
                yield word.span()
            continue
        for at in range(word.start(), word.end() - 1):
            if text[at : at + 2] in asked and at >= last:
                last = at + 2
                yield at, last
