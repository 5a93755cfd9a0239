"""`edgellm documents rename`: give a collection another name; nothing is read again."""

from __future__ import annotations

from argparse import Namespace

from edgellm.cli.model_options import add_output_options
from edgellm.cli.parser import Parser, typed
from edgellm.cli.session import Session


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("old", type=typed, metavar="OLD", help="The name it has.")
    parser.add_argument("new", type=typed, metavar="NEW", help="The name it is to have.")
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Rename it, and say so."""
    old = session.app.library().collection(arguments.old).name
    new = session.app.library().rename(old, arguments.new).name
    session.output.line(f"{old} is called {new} now.")
    session.output.document(old=old, new=new)
    return 0
