"""`edgellm summarize`: one sentence by the model, or key sentences without one."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict

from edgellm.cli import source
from edgellm.cli.interrupt import Interrupt
from edgellm.cli.model_options import add_model_options
from edgellm.cli.parser import Parser, whole_number
from edgellm.cli.session import Session
from edgellm.tasks import summarize
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
    add_model_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Summarize in the way that was asked for."""
    text = source.read(arguments.text, arguments.file, session.output)
    if arguments.key_sentences:
        return _key_sentences(text, arguments.key_sentences, session)
    stop = Interrupt()
    options, generator = session.options(stop), session.generator("summarize")
    with stop:
        summary, finish = session.stream(summarize.run(generator, text, options))
    return session.conclude(summary, finish, summarize.notes(generator, text))


def _key_sentences(text: str, count: int, session: Session) -> int:
    from edgellm.tasks.keysentences import key_sentences

    found = key_sentences(text, count)
    for sentence in found:
        session.output.line(" ".join(sentence.text.split()))
    joined = "\n".join(sentence.text for sentence in found)
    return session.conclude(joined, without_model(), sentences=[asdict(sentence) for sentence in found])
