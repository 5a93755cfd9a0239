"""`edgellm ask`: answer a question from files or collections, with the sentence that says so, or show sentences."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from edgellm.cli import source
from edgellm.cli.interrupt import Interrupt
from edgellm.cli.model_options import add_model_options
from edgellm.cli.output import Output
from edgellm.cli.parser import Parser, typed, whole_number
from edgellm.cli.session import Session
from edgellm.cli.source import Text
from edgellm.documents import retrieve
from edgellm.errors import UsageError
from edgellm.tasks import answer, passages
from edgellm.tasks.answer import Quote
from edgellm.tasks.passages import Passage
from edgellm.tasks.result import without_model

_SEARCHED = 8
_BETWEEN = "\n\n"


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
    if arguments.documents is None:
        texts = _read(arguments.files, session.output)
    else:
        texts = _found(question, arguments, session)
    passage = _BETWEEN.join(text.text for text in texts)
    if arguments.passages:
        return _passages(passages.find(question, passage, arguments.count), texts, session)
    stop = Interrupt()
    options, generator = session.options(stop), session.generator("answer")
    with stop:
        evidence = answer.prepare(generator, question, passage, False if arguments.whole else None, options)
        text, finish = session.stream(answer.run(generator, evidence, options))
    result = answer.judge(text, finish, passage, evidence)
    if result.quote and finish.reason != "cancelled":
        session.output.line(_quoted(result.quote, texts))
    elif not result.said:
        for near in result.near[:1]:
            session.output.note(f"The nearest sentence is: {_quoted(near, texts)}")
    return session.conclude(
        result.text,
        finish,
        result.notes,
        said=result.said,
        quote=_place(result.quote, texts) if result.quote else None,
        near=[_place(near, texts) for near in result.near],
    )


def _read(names: Sequence[str], output: Output) -> list[Text]:
    texts = [source.read_file(name, output) for name in names]
    if not texts:
        texts = [Text("", source.read([], [], output))]
    if not any(text.text.strip() for text in texts):
        raise UsageError("The text is empty.", "Give a file that has words in it.")
    return texts


def _found(question: str, arguments: Namespace, session: Session) -> list[Text]:
    """The passages of the person's documents that are nearest to the question."""
    if arguments.files:
        raise UsageError(
            "Give files or --documents, not both.", 'Put the question first: edgellm ask "..." --documents'
        )
    library = session.app.library()
    if not library.collections():
        raise UsageError("There are no documents yet.", "Add a folder first: edgellm documents add FOLDER")
    found = retrieve.search(library, question, _SEARCHED, arguments.documents)
    session.output.note(f"{len(found)} passages of your documents share words with the question; only they are read.")
    return [Text(f"{one.path}{f', page {one.page}' if one.page else ''}", one.text, one.start) for one in found]


def _passages(found: Sequence[Passage], texts: Sequence[Text], session: Session) -> int:
    for passage in found:
        session.output.line(_quoted(passage, texts))
    if not found:
        session.output.line(answer.NOT_SAID)
    text = "\n".join(passage.text for passage in found) or answer.NOT_SAID
    places = [{**_place(passage, texts), "score": passage.score, "coverage": passage.coverage} for passage in found]
    return session.conclude(text, without_model(), passages=places)


def _place(quote: Quote | Passage, texts: Sequence[Text]) -> dict[str, Any]:
    """Where a quote of the joined texts is in its own file."""
    at = 0
    for text in texts:
        end = at + len(text.text)
        if quote.end <= end:
            start, end = (text.at + place - at for place in (quote.start, quote.end))
            return {"file": text.name, "text": quote.text, "start": start, "end": end}
        at = end + len(_BETWEEN)
    return {"file": "", "text": quote.text, "start": quote.start, "end": quote.end}


def _quoted(quote: Quote | Passage, texts: Sequence[Text]) -> str:
    place = _place(quote, texts)
    where = f" ({place['file']}, characters {place['start']}-{place['end']})" if place["file"] else ""
    return f"“{' '.join(quote.text.split())}”{where}"
