"""`edgellm models where`: the folders that models are kept in, or the file of one of them."""

from __future__ import annotations

from argparse import Namespace

from edgellm.cli.model_options import add_output_options
from edgellm.cli.parser import Parser, typed
from edgellm.cli.session import Session


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("name", nargs="?", type=typed, metavar="NAME", help="Print the file of this model instead.")
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Print the path of a model, or the folders, the one that takes new models first."""
    output = session.output
    if arguments.name is not None:
        path = session.app.model_path(arguments.name)
        output.line(str(path))
        output.document(name=arguments.name, path=str(path))
        return 0
    folders = [str(folder) for folder in session.app.models().folders]
    for folder in folders:
        output.line(folder)
    catalog = str(session.app.paths.catalog)
    output.note(f"A catalog of your own would stand in {catalog}")
    output.document(folder=folders[0], folders=folders, catalog=catalog)
    return 0
