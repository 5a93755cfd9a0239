"""`edgellm models restore`: bring back a model that was removed."""

from __future__ import annotations

from argparse import Namespace

from edgellm.cli.model_options import add_output_options
from edgellm.cli.models_text import size
from edgellm.cli.parser import Parser, typed
from edgellm.cli.session import Session


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "name", nargs="?", type=typed, metavar="NAME", help="The model; without a name: what can be restored."
    )
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Bring it back, or list the bin."""
    store, output = session.app.models(), session.output
    if arguments.name is None:
        kept = store.bin()
        for one in kept:
            output.line(f"{one.name}  {size(one.size)}")
        if not kept:
            output.line("Nothing was removed in the last day.")
        output.document(removed=[{"name": one.name, "size": one.size, "folder": str(one.folder)} for one in kept])
        return 0
    model = store.restore(arguments.name.strip())
    output.line(f"{model.name} is back in {model.folder}.")
    output.document(name=model.name, path=str(model.path), size=model.size)
    return 0
