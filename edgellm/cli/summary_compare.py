"""`edgellm summarize --compare`: what several files have in common, and what only one of them says."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from edgellm.cli import summary_lines
from edgellm.cli.interrupt import Interrupt
from edgellm.cli.session import Session
from edgellm.documents.document import Document
from edgellm.errors import UsageError
from edgellm.runtimes.base import Finish
from edgellm.tasks import compare, kept, summary
from edgellm.tasks.compare import Comparison, Statement
from edgellm.tasks.function_words import likely
from edgellm.tasks.kept import Kept, Remembered
from edgellm.tasks.languages import english_name
from edgellm.tasks.outline import Outline
from edgellm.tasks.result import combined, without_model
from edgellm.tasks.starter import is_starter
from edgellm.tasks.summary_events import Summary
from edgellm.tasks.summary_styles import Asked


def run(documents: Sequence[Document], asked: Asked, arguments: Namespace, session: Session) -> int:
    """Compare the sentences, or the points of a model that can write them."""
    if len(documents) < 2:
        raise UsageError(
            "There is nothing to compare.", "Name two files or more: edgellm summarize a.pdf b.pdf --compare"
        )
    outlines = [Outline.of(document) for document in documents]
    names = _names(documents)
    found, finish, notes = _statements(outlines, names, asked, arguments, session)
    if len(languages := {language for outline in outlines if (language := likely(outline.text))}) > 1:
        named = ", ".join(sorted(english_name(code) for code in languages))
        if not asked.language:
            notes.append(f"The files are in different languages ({named}), and only words are compared.")
    result = compare.compare(found, len(outlines), compare.SHOWN[asked.length])
    lines = _lines(result, names)
    for line in lines:
        session.output.line(line)
    listed = {
        "common": [[_fields(one, names) for one in group] for group in result.common],
        "different": [[_fields(one, names) for one in group] for group in result.different],
        "only": {name: [_fields(one, names) for one in own] for name, own in zip(names, result.only, strict=True)},
    }
    return session.conclude("\n".join(lines), finish, notes, compared=result.compared, files=names, **listed)


def _statements(
    outlines: Sequence[Outline], names: Sequence[str], asked: Asked, arguments: Namespace, session: Session
) -> tuple[tuple[Statement, ...], Finish, list[str]]:
    if arguments.key_sentences:
        return compare.statements(outlines), without_model(), [compare.BY_WORDS]
    stop = Interrupt()
    options, generator = session.options(stop), session.generator("summarize")
    if is_starter(generator.info):
        note = f"{compare.BY_WORDS} The built-in model is too small to read for this; --model names a larger one."
        return compare.statements(outlines), without_model(), [note]

    wanted = replace(asked, style="bullets", length="long")
    texts = tuple(outline.text for outline in outlines)
    name = kept.name("\0".join(texts), generator.info, (wanted, options.sampling, options.max_tokens, options.system))
    held = Kept(session.app.paths.summaries, name)
    if arguments.fresh:
        held.clear()
    asking, pace = Remembered(generator, held), summary_lines.Pace(session.output)
    found: list[Statement] = []
    done: list[Summary] = []
    notes: list[str] = []
    with stop:
        for number, outline in enumerate(outlines):
            if outline.text.strip() and not stop():
                done.append(pace.follow(summary.run(asking, outline, wanted, None, options)))
                found += [Statement(item.text, number, item.place, item.written) for item in done[-1].items]
                notes += [f"{names[number]}: {note}" for note in done[-1].notes]
    if stop():
        notes.append("Stopped before all files were read; the same command goes on from there.")
    else:
        held.clear()
    finish = combined([one.finish for one in done])
    return tuple(found), replace(finish, reason="cancelled") if stop() else finish, notes


def _names(documents: Sequence[Document]) -> list[str]:
    """What the files are called; equal names are told apart by a number."""
    found: list[str] = []
    for number, document in enumerate(documents, 1):
        name = document.path.name or "standard input"
        found.append(f"{name} [{number}]" if name in [one.path.name for one in documents[: number - 1]] else name)
    return found


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
