"""`edgellm ask`: answer a question from files or collections, with the sentence that says so, or show sentences."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from edgellm.cli import source
from edgellm.cli.interrupt import Interrupt
from edgellm.cli.model_options import add_model_options
from edgellm.cli.output import Output
from edgellm.cli.parser import Parser, typed, whole_number
from edgellm.cli.session import Session
from edgellm.documents import retrieve
from edgellm.errors import UsageError
from edgellm.runtimes.base import Chunk, Event
from edgellm.tasks import consult, whole_files
from edgellm.tasks.consult import Consulted
from edgellm.tasks.consultation import Wider, nothing_wider, prepare
from edgellm.tasks.extract import Cited, Extract
from edgellm.tasks.result import without_model

_SEARCHED = 8


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("question", type=typed, metavar="QUESTION", help="What you want to know.")
    parser.add_argument("files", nargs="*", metavar="FILE", help="Text files, or - for standard input.")
    parser.add_argument(
        "--documents",
        nargs="?",
        const="",
        type=typed,
        metavar="NAME",
        help="Answer from the documents of this collection, of all without a name (see edgellm documents).",
    )
    parser.add_argument(
        "--passages", action="store_true", help="Show the sentences nearest to the question; needs no model."
    )
    parser.add_argument("--count", type=whole_number(1), default=3, metavar="N", help="How many of them (3).")
    parser.add_argument(
        "--whole", action="store_true", help="Let the model read the whole text, even the small built-in one."
    )
    add_model_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Answer, or quote."""
    question = arguments.question.strip()
    if not question:
        raise UsageError("There is no question.", 'For example: edgellm ask "Where is the meeting?" notes.txt')
    wider: Wider = nothing_wider
    if arguments.documents is None:
        extracts = _read(arguments.files, session.output)
    else:
        extracts, wider = _found(question, arguments, session)
    if arguments.passages:
        return _passages(question, extracts, arguments.count, session)
    stop, kept = Interrupt(), list[Consulted]()
    options, generator = session.options(stop), session.generator("answer")
    with stop:
        plan = prepare(generator, question, extracts, False if arguments.whole else None, options, wider)
        session.stream(_events(consult.run(generator, plan, options), kept))
    (result,) = kept
    for quote in result.quotes:
        session.output.line(quote.line)
    if not result.said and result.finish.reason != "cancelled":
        for near in result.near:
            session.output.line(near.line)
    return session.conclude(
        result.text,
        result.finish,
        (*result.notes, result.basis),
        mode=result.mode,
        said=result.said,
        quote=_fields(result.quotes[0]) if result.quotes else None,
        quotes=[_fields(quote) for quote in result.quotes],
        near=[_fields(near) for near in result.near],
        basis=result.basis,
        tokens_read=result.tokens,
    )


def _events(events: Iterable[Chunk | Consulted], kept: list[Consulted]) -> Iterator[Event]:
    """The events as those of a generation; the whole answer goes into `kept`."""
    for event in events:
        if isinstance(event, Consulted):
            kept.append(event)
            yield event.finish
        else:
            yield event


def _read(names: Sequence[str], output: Output) -> list[Extract]:
    if not names:
        if sys.stdin is None or sys.stdin.isatty():
            hint = "Name a file after the question, or give --documents for what edgellm documents add has read."
            raise UsageError("There is nothing to look in.", hint)
        text = source.read([], [], output)
        return [Extract(text, "", whole=True)]
    texts = source.readable(names, lambda name: source.read_file(name, output), output)
    extracts = [_extract(one) for one in texts]
    if not any(one.text.strip() for one in extracts):
        raise source.nothing_in(one.document for one in texts)
    return extracts


def _extract(read: source.Text) -> Extract:
    """A file as it stands, or with its pages and headings where it must be read as a document."""
    if read.document is not None:
        return Extract.of_document(read.document)
    if read.name == source.PIPED:
        return Extract(read.text, read.name, whole=True)
    return Extract.of_text(read.text, Path(read.name))


def _found(question: str, arguments: Namespace, session: Session) -> tuple[list[Extract], Wider]:
    """The passages of the person's documents that are nearest to the question, and the files as a whole."""
    if arguments.files:
        raise UsageError(
            "Give files or --documents, not both.", 'Put the question first: edgellm ask "..." --documents'
        )
    library = session.app.library()
    if not library.collections():
        raise UsageError("There are no documents yet.", "Add a folder first: edgellm documents add FOLDER")
    means = session.app.meaning().means(library)
    for note in means.notes:
        session.output.note(note)
    found = retrieve.search(library, question, _SEARCHED, arguments.documents, means.aids)
    return [Extract.of(one) for one in found], whole_files.of(library, found, arguments.documents)


def _passages(question: str, extracts: Sequence[Extract], count: int, session: Session) -> int:
    found = consult.search(question, extracts, count)
    for cited, _ in found:
        session.output.line(cited.line)
    if not found:
        session.output.line(consult.NOTHING_NEAR)
    text = "\n".join(cited.text for cited, _ in found) or consult.NOTHING_NEAR
    places = [{**_fields(cited), "score": one.score, "coverage": one.coverage} for cited, one in found]
    return session.conclude(text, without_model(), mode="search", passages=places)


def _fields(cited: Cited) -> dict[str, Any]:
    """A citation for `--json`."""
    return {
        "file": cited.path or cited.document,
        "text": cited.text,
        "page": cited.page,
        "headings": list(cited.headings),
        "start": cited.start,
        "end": cited.end,
    }
