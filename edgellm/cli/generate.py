"""`edgellm generate`: write a text from an instruction."""

from __future__ import annotations

from argparse import Namespace

from edgellm.cli import source
from edgellm.cli.interrupt import Interrupt
from edgellm.cli.model_options import add_model_options
from edgellm.cli.parser import Parser
from edgellm.cli.session import Session
from edgellm.tasks import generate


def configure(parser: Parser) -> None:
    """Add the arguments."""
    source.add_text_argument(parser, "The instruction")
    add_model_options(parser, schema=True)


def run(arguments: Namespace, session: Session) -> int:
    """Stream the answer."""
    prompt = source.read(arguments.text, arguments.file, session.output)
    stop = Interrupt()
    options, generator = session.options(stop), session.generator()
    with stop:
        text, finish = session.stream(generate.run(generator, prompt.strip(), options))
    return session.conclude(text, finish)
