"""`edgellm models pause`: stop a download for now, also one that another EdgeLLM is at."""

from __future__ import annotations

from argparse import Namespace

from edgellm.cli import models_unfinished
from edgellm.cli.model_options import add_output_options
from edgellm.cli.models_text import percent, size
from edgellm.cli.parser import Parser, typed
from edgellm.cli.session import Session


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("name", type=typed, metavar="NAME", help="The model that is being downloaded.")
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Pause it."""
    downloads, output, name = session.app.downloads(), session.output, arguments.name.strip()
    record = models_unfinished.find(session.app, name)
    name = record.name if record is not None else name
    downloads.pause(name)
    found = next((one for one in downloads.progress() if one.name == name), None)
    received, total = (found.received, found.total) if found else (0, None)
    here = f" at {percent(received, total)} of {size(total)}" if total else ""
    output.line(f"{name} is paused{here}; what has arrived is kept. Go on with: edgellm models pull {name}")
    output.document(name=name, state="paused", received=received, total=total)
    return 0
