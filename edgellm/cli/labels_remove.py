"""`edgellm labels remove`: forget a set of the person's own labels."""

from __future__ import annotations

from argparse import Namespace

from edgellm.cli.model_options import add_output_options
from edgellm.cli.parser import Parser
from edgellm.cli.session import Session
from edgellm.tasks.label_sets import LabelSets


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("name", metavar="NAME", help="The name of the set.")
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Forget it."""
    LabelSets(session.app.paths.labels).remove(arguments.name)
    session.output.line(f"Removed {arguments.name}.")
    session.output.document(removed=arguments.name)
    return 0
