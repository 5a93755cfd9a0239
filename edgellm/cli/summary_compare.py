"""`edgellm summarize --compare`: what several files have in common, and what only one of them says."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from edgellm.cli import summary_lines
from edgellm.cli.interrupt import Interrupt
from edgellm.cli.session import Session
from edgellm.documents.document import Document
from edgellm.errors import UsageError
from edgellm.tasks import compare, summary_compare
from edgellm.tasks.compare import Comparison, Statement
from edgellm.tasks.languages import english_name
from edgellm.tasks.outline import Outline
from edgellm.tasks.summary_compare import Compared, Keeping
from edgellm.tasks.summary_styles import Asked


def run(documents: Sequence[Document], asked: Asked, arguments: Namespace, session: Session) -> int:
    """Compare the sentences, or the points of a model that can write them."""
    if len(documents) < 2:
        raise UsageError(
            "There is nothing to compare.", "Name two files or more: edgellm summarize a.pdf b.pdf --compare"
        )
    names = summary_compare.names(documents, "standard input")
    stop = Interrupt()
    options = session.options(stop)
    generator = None if arguments.key_sentences else session.generator("summarize")
    outlines = [Outline.of(document) for document in documents]
    pace, done = summary_lines.Pace(session.output), None
    with stop:
        for event in summary_compare.run(
            generator, outlines, asked, Keeping(session.app.paths.summaries, arguments.fresh), options
        ):
            if isinstance(event, Compared):
                done = event
            else:
                pace.hear(event.event)
    assert done is not None, "a comparison has an end"
    lines = _lines(done.result, names)
    for line in lines:
        session.output.line(line)
    result = done.result
    listed = {
        "common": [[_fields(one, names) for one in group] for group in result.common],
        "different": [[_fields(one, names) for one in group] for group in result.different],
        "only": {name: [_fields(one, names) for one in own] for name, own in zip(names, result.only, strict=True)},
    }
    notes = list(_notes(done, names))
    return session.conclude("\n".join(lines), done.finish, notes, compared=result.compared, files=names, **listed)


def _notes(done: Compared, names: Sequence[str]) -> Iterator[str]:
    yield from (f"{names[number]}: {note}" for number, note in done.notes)
    if done.by_words:
        more = " The built-in model is too small to read for this; --model names a larger one." if done.small else ""
        yield compare.BY_WORDS + more
    if done.finish.reason == "cancelled":
        yield "Stopped before all files were read; the same command goes on from there."
    if done.languages:
        named = ", ".join(sorted(english_name(code) for code in done.languages))
        yield f"The files are in different languages ({named}), and only words are compared."


def _lines(result: Comparison, names: Sequence[str]) -> list[str]:
    lines = ["In common:"]
    for group in result.common:
        said = dict.fromkeys(one.text for one in group)
        lines.append(f"- {group[0].text} ({'; '.join(_source(one, names) for one in group)})")
        lines += [f"  “{text}”" for text in list(said)[1:]]
    lines += ["- nothing was found"] if not result.common else []
    if result.different:
        lines += ["", "Alike, but not the same:"]
        for group in result.different:
            lines += [f"{'-' if at == 0 else ' '} {one.text} ({_source(one, names)})" for at, one in enumerate(group)]
    for name, own in zip(names, result.only, strict=True):
        lines += ["", f"Only in {name}:"]
        lines += [f"- {one.text}{summary_lines.where(one.place)}" for one in own] or ["- nothing was found"]
    return lines


def _source(one: Statement, names: Sequence[str]) -> str:
    page = f", page {one.place.page}" if one.place.page else ""
    return f"{names[one.document]}{page}"


def _fields(one: Statement, names: Sequence[str]) -> dict[str, Any]:
    return {"text": one.text, "written": one.written, **asdict(one.place), "file": names[one.document]}
