"""`edgellm summarize`: one sentence or a point for each part by the model, or key sentences without one.

A text that does not fit the model is read part by part, whole.
"""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict, replace

from edgellm.cli import source
from edgellm.cli.interrupt import Interrupt
from edgellm.cli.model_options import add_model_options
from edgellm.cli.parser import Parser, whole_number
from edgellm.cli.session import Session
from edgellm.errors import ContextOverflow
from edgellm.runtimes.base import Finish, Generator
from edgellm.tasks import digest, summarize
from edgellm.tasks.result import without_model


def configure(parser: Parser) -> None:
    """Add the arguments."""
    source.add_text_argument(parser, "What to summarize")
    parser.add_argument(
        "--key-sentences",
        type=whole_number(1),
        metavar="N",
        help="Show the N most important sentences instead, word for word; needs no model and works in any language.",
    )
    parser.add_argument(
        "--style",
        choices=("sentence", "points"),
        default="sentence",
        help="One sentence about the whole text, or a point for each part of it (default: sentence).",
    )
    add_model_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Summarize in the way that was asked for."""
    text = source.read(arguments.text, arguments.file, session.output)
    if arguments.key_sentences:
        return _key_sentences(text, arguments.key_sentences, session)
    stop = Interrupt()
    options, generator = session.options(stop), session.generator("summarize")
    if arguments.style == "points":
        return _points(text, generator, stop, session)
    try:
        with stop:
            summary, finish = session.stream(summarize.run(generator, text, options))
    except ContextOverflow:
        return _whole(text, generator, stop, session)
    return session.conclude(summary, finish, summarize.notes(generator, text))


def _points(text: str, generator: Generator, stop: Interrupt, session: Session) -> int:
    """A line for each part, as soon as it is read."""
    chosen, found = digest.parts(generator, text), list[digest.Point]()
    with stop:
        for point in digest.points(generator, chosen, session.options(stop)):
            session.output.line(f"- {point.text}")
            found.append(point)
    joined = "\n".join(f"- {point.text}" for point in found)
    return _concluded(joined, found, chosen, digest.facts(found), session)


def _whole(text: str, generator: Generator, stop: Interrupt, session: Session) -> int:
    """One sentence about a text that is longer than the model's context."""
    options, chosen, found = session.options(stop), digest.parts(generator, text), list[digest.Point]()
    session.output.note(f"The text is longer than the model reads at once: it is read in {len(chosen)} sections.")
    summary, last = "", None
    with stop:
        for point in digest.points(generator, chosen, options):
            found.append(point)
            session.output.progress(f"{len(found)} of {len(chosen)} sections: {point.text}")
        if len(found) == len(chosen):
            summary, last = session.stream(digest.overall(generator, found, options))
    return _concluded(summary, found, chosen, digest.facts(found, last), session)


def _concluded(
    text: str, found: list[digest.Point], chosen: tuple[digest.Part, ...], finish: Finish, session: Session
) -> int:
    if len(found) < len(chosen):
        finish = replace(finish, reason="cancelled")
    listed = [
        {"text": point.text, "start": point.part.start, "end": point.part.end, "written": point.written}
        for point in found
    ]
    note = digest.coverage(found, chosen)
    return session.conclude(text, finish, (note,), points=listed, sections=len(chosen))


def _key_sentences(text: str, count: int, session: Session) -> int:
    from edgellm.tasks.keysentences import key_sentences

    found = key_sentences(text, count)
    for sentence in found:
        session.output.line(" ".join(sentence.text.split()))
    joined = "\n".join(sentence.text for sentence in found)
    return session.conclude(joined, without_model(), sentences=[asdict(sentence) for sentence in found])
