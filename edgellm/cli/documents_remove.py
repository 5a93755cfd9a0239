"""`edgellm documents remove`: forget a file, a folder or a whole collection; the files themselves stay."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from edgellm.cli.documents_add import NAME
from edgellm.cli.model_options import add_output_options
from edgellm.cli.parser import Parser, typed
from edgellm.cli.session import Session
from edgellm.errors import UsageError


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("paths", nargs="*", metavar="FILE|FOLDER", help="What was added and is not wanted any more.")
    parser.add_argument("--collection", type=typed, default=NAME, metavar="NAME", help=f"The collection ({NAME}).")
    parser.add_argument("--all", action="store_true", help="Forget the whole collection.")
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Take it out of the index, and say that the files are untouched."""
    from edgellm.documents.library import place

    output, library, name = session.output, session.app.library(), arguments.collection
    if arguments.all == bool(arguments.paths):
        raise UsageError("Name what to forget, or give --all for the whole collection.", "Run: edgellm documents list")
    sources = library.collection(name).sources
    # Earlier versions kept steps upward in a path
    paths = [path if (path := Path(given)) in sources else place(path) for given in arguments.paths]
    for path in paths:
        if path not in sources:
            raise UsageError(f"{path} is not one of the files and folders of {name}.", "Run: edgellm documents list")
    if arguments.all:
        library.delete(name)
    for path in paths:
        library.remove_source(name, path)
    gone = name if arguments.all else ", ".join(str(path) for path in paths)
    output.line(f"{gone} is out of the index. The files themselves were not touched.")
    output.document(collection=name, paths=[str(path) for path in paths], all=arguments.all)
    return 0
