"""A comparison of several files for the Summarize page: what they share, where they differ, what only one of them says.

The sentences are compared, or the points that a model writes of them where it can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from edgellm.ui.language import tr
from edgellm.ui.summarize_result import Point, Result, State
from edgellm.ui.summarize_work import KEYS, Heard, Step, Texts, Wanted, grown, kept_of, options_of, path_of
from edgellm.ui.task_work import TaskWork

if TYPE_CHECKING:
    from edgellm.app import App
    from edgellm.documents.document import Document
    from edgellm.tasks.compare import Statement


def run(app: App, texts: Texts, wanted: Wanted, engine: Heard, work: TaskWork) -> tuple[Result, ...]:
    """Compare; what is common comes first, notes last. Puts a `Step` for what is read of each file."""
    from edgellm.tasks import compare
    from edgellm.tasks.outline import Outline
    from edgellm.tasks.starter import is_starter

    wholes = [Outline.of(document).text for document in texts.documents]
    notes = [f"{title}: {note}" for title, one in zip(texts.titles, texts.documents, strict=True) for note in one.notes]
    if wanted.style == KEYS or is_starter(engine.info):
        found = compare.statements([Outline.of(document) for document in texts.documents])
        notes.append(tr("The sentences of the files were compared, word by word and without a model."))
        if wanted.style != KEYS:
            notes.append(tr("The built-in model is too small to read for this; a larger one compares what it reads."))
    else:
        found, said = _points(app, texts, wanted, engine, work)
        notes += said
    notes += _languages(wholes, wanted.language)
    made = compare.compare(found, len(wholes), compare.SHOWN[wanted.length])
    maker = _Maker(texts.documents, wholes)
    results = [maker.groups(tr("In common"), made.common)]
    if made.different:
        results.append(maker.groups(tr("Alike, but not the same"), made.different))
    for title, own in zip(texts.titles, made.only, strict=True):
        results.append(maker.groups(tr("Only in {name}").format(name=title), [(one,) for one in own]))
    state: State = "stopped" if work.cancelled() else "done"
    return (*results, Result(state=state, notes=tuple(dict.fromkeys(notes))))


def _points(
    app: App, texts: Texts, wanted: Wanted, engine: Heard, work: TaskWork
) -> tuple[tuple[Statement, ...], list[str]]:
    """The points that the model writes of each file, and notes."""
    from edgellm.tasks import summary, summary_styles
    from edgellm.tasks.compare import Statement
    from edgellm.tasks.kept import Remembered
    from edgellm.tasks.outline import Outline
    from edgellm.tasks.summary_events import Begun, Summary

    asked = summary_styles.asked("bullets", "long", wanted.language)
    options = options_of(app, work)
    outlines = [Outline.of(document) for document in texts.documents]
    held = kept_of(app, [outline.text for outline in outlines], engine.info, asked, options)
    asking, count = Remembered(engine, held), len(outlines)
    found: list[Statement] = []
    notes: list[str] = []
    for number, (outline, title) in enumerate(zip(outlines, texts.titles, strict=True)):
        result = Result(title, state="working")
        if not outline.text.strip() or work.cancelled():
            continue
        for event in summary.run(asking, outline, asked, None, options):
            result, _ = grown(result, event, outline.text, path_of(texts.documents[number]))
            kept = event.kept if isinstance(event, Begun) else 0
            work.put(Step(number, count, replace(result, notes=()), kept))
            if isinstance(event, Summary):
                found += [Statement(item.text, number, item.place, item.written) for item in event.items]
                notes += [f"{title}: {note}" for note in event.notes]
    if not work.cancelled():
        held.clear()
    return tuple(found), notes


def _languages(wholes: Sequence[str], language: str) -> list[str]:
    from edgellm.tasks.function_words import likely
    from edgellm.tasks.languages import NAMES

    found = sorted({code for whole in wholes if (code := likely(whole))})
    if language or len(found) < 2:
        return []
    named = ", ".join(NAMES[code][1] for code in found if code in NAMES)
    return [tr("The files are in different languages ({names}), and only words are compared.").format(names=named)]


class _Maker:
    """Makes points of statements."""

    def __init__(self, documents: Sequence[Document], wholes: Sequence[str]) -> None:
        self._documents, self._wholes = documents, wholes

    def groups(self, title: str, groups: Sequence[Sequence[Statement]]) -> Result:
        """One part of the comparison."""
        points = tuple(self._point(one, at > 0) for group in groups for at, one in enumerate(group))
        return Result(title, state="done", points=points, notes=() if points else (tr("Nothing was found."),))

    def _point(self, one: Statement, joined: bool) -> Point:
        place, path = one.place, path_of(self._documents[one.document])
        return Point.cut(
            one.text,
            self._wholes[one.document],
            (place.start, place.end),
            path=path,
            page=place.page,
            headings=place.headings,
            joined=joined,
        )
