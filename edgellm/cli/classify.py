"""`edgellm classify`: put a text under one of the person's labels."""

from __future__ import annotations

from argparse import Namespace

from edgellm.cli import source
from edgellm.cli.interrupt import Interrupt
from edgellm.cli.model_options import add_model_options
from edgellm.cli.parser import Parser, typed
from edgellm.cli.session import Session
from edgellm.tasks import classify


def configure(parser: Parser) -> None:
    """Add the arguments."""
    source.add_text_argument(parser, "What to classify")
    parser.add_argument(
        "--labels", type=typed, required=True, metavar="A,B,C", help="The labels, with commas between them."
    )
    add_model_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Print the label."""
    labels = classify.checked(arguments.labels.split(","))
    text = source.read(arguments.text, arguments.file, session.output)
    stop = Interrupt()
    options, generator = session.options(stop), session.generator("classify")
    with stop:
        result = classify.classify(generator, text, labels, options)
    if result.label:
        session.output.chunk(result.label)
        session.output.end()
    scores = dict(result.scores)
    if scores:
        session.output.note(", ".join(f"{label} {100 * score:.0f} %" for label, score in result.scores))
    return session.conclude(
        result.label, result.finish, result.notes, labels=list(labels), exact=result.exact, scores=scores
    )
