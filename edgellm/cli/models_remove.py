"""`edgellm models remove`: take a model away; until it is discarded it can be restored."""

from __future__ import annotations

from argparse import Namespace

from edgellm.cli import models_unfinished
from edgellm.cli.model_options import add_output_options
from edgellm.cli.models_text import size
from edgellm.cli.parser import Parser, typed
from edgellm.cli.session import Session
from edgellm.errors import ModelNotFound


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "name", type=typed, metavar="NAME", help="The model, or an unfinished download that is not wanted any more."
    )
    parser.add_argument("--now", action="store_true", help="Free the space at once; it cannot be restored then.")
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Remove it, and say how to get it back."""
    app, output, name = session.app, session.output, arguments.name.strip()
    store = app.models()
    try:
        removed = store.remove(name)
    except ModelNotFound:
        if (record := models_unfinished.find(app, name)) is not None:
            app.downloads().cancel(record.name)
            output.line(f"The download of {record.name} is given up, and what had arrived is removed.")
            output.document(name=record.name, download=True, restorable=False)
            return 0
        if arguments.now and any(one.name == name for one in store.bin()):
            return _discard(name, session)
        raise
    if arguments.now:
        return _discard(removed.name, session)
    output.line(f"{removed.name} is removed. For a day it can be brought back: edgellm models restore {removed.name}")
    output.document(name=removed.name, size=removed.size, download=False, restorable=True)
    return 0


def _discard(name: str, session: Session) -> int:
    freed = session.app.models().discard(name)
    session.output.line(f"{name} is removed for good; {size(freed)} are free again.")
    session.output.document(name=name, size=freed, download=False, restorable=False)
    return 0
