"""A comparison of several files for the Summarize page: what they share, where they differ, what only one of them says.

What is compared, and how, is `tasks/summary_compare.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from edgellm.ui.language import tr
from edgellm.ui.summarize_result import Point, Result, State
from edgellm.ui.summarize_work import KEYS, Heard, Step, Texts, Wanted, grown, options_of, path_of
from edgellm.ui.task_work import TaskWork

if TYPE_CHECKING:
    from edgellm.app import App
    from edgellm.documents.document import Document
    from edgellm.tasks.compare import Statement
    from edgellm.tasks.summary_compare import Compared


def run(app: App, texts: Texts, wanted: Wanted, engine: Heard, work: TaskWork) -> tuple[Result, ...]:
    """Compare; what is common comes first, notes last. Puts a `Step` for what is read of each file.

    What an earlier run had stays until this one reads something that is new.
    """
    from edgellm.tasks import summary_compare, summary_styles
    from edgellm.tasks.outline import Outline
    from edgellm.tasks.summary_compare import Compared, Keeping
    from edgellm.tasks.summary_events import Begun

    asked = summary_styles.asked("bullets", wanted.length, wanted.language)
    outlines = [Outline.of(document) for document in texts.documents]
    generator = None if wanted.style == KEYS else engine
    reading = [Result(title, state="working") for title in texts.titles]
    done = None
    fresh, known = not texts.before, 0
    for event in summary_compare.run(generator, outlines, asked, Keeping(app.paths.summaries), options_of(app, work)):
        if isinstance(event, Compared):
            done = event
            continue
        at = event.number
        reading[at], _ = grown(reading[at], event.event, outlines[at].text, path_of(texts.documents[at]))
        before = event.event.kept if isinstance(event.event, Begun) else 0
        known = before if isinstance(event.event, Begun) else known
        if not fresh and reading[at].read > known:
            fresh = True
            for number in range(at):
                work.put(Step(number, len(outlines), replace(reading[number], notes=())))
        if fresh:
            work.put(Step(at, len(outlines), replace(reading[at], notes=()), before))
    assert done is not None, "a comparison has an end"
    if work.cancelled() and not fresh:
        return texts.before
    maker = _Maker(texts.documents, [outline.text for outline in outlines])
    results = [maker.groups(tr("In common"), done.result.common)]
    if done.result.different:
        results.append(maker.groups(tr("Alike, but not the same"), done.result.different))
    for title, own in zip(texts.titles, done.result.only, strict=True):
        results.append(maker.groups(tr("Only in {name}").format(name=title), [(one,) for one in own]))
    state: State = "stopped" if work.cancelled() else "done"
    return (*results, Result(state=state, notes=tuple(dict.fromkeys(_notes(done, texts)))))


def _notes(done: Compared, texts: Texts) -> Iterator[str]:
    from edgellm.tasks.languages import NAMES

    for title, document in zip(texts.titles, texts.documents, strict=True):
        yield from (f"{title}: {note}" for note in document.notes)
    if done.by_words:
        yield tr("The sentences of the files were compared, word by word and without a model.")
    if done.small:
        yield tr("The built-in model is too small to read for this; a larger one compares what it reads.")
    yield from (f"{texts.titles[number]}: {note}" for number, note in done.notes)
    if done.languages:
        named = ", ".join(NAMES[code][1] for code in done.languages if code in NAMES)
        yield tr("The files are in different languages ({names}), and only words are compared.").format(names=named)


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
