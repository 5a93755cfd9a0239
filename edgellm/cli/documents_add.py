"""`edgellm documents add`: put files and folders into a collection, and read them."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from edgellm.cli.documents_update import add_embedding_options, update
from edgellm.cli.model_options import add_output_options
from edgellm.cli.parser import Parser, typed
from edgellm.cli.session import Session
from edgellm.errors import UsageError

NAME = "documents"


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("paths", nargs="+", metavar="FILE|FOLDER", help="What to read; a folder with all below it.")
    parser.add_argument(
        "--collection", type=typed, default=NAME, metavar="NAME", help=f"The collection to put it in ({NAME})."
    )
    add_embedding_options(parser)
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Nothing is added when one of the paths is not there. The exit status is 1 when none of the files can be read."""
    paths = [Path(path).expanduser() for path in arguments.paths]
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path} does not exist.", "Check the name and the folder.")
    library = session.app.library()
    name = library.create(arguments.collection).name
    for path in paths:
        library.add_source(name, path)
    return update([name], False, session, None if arguments.words_only else arguments.embedder, paths)
