"""`edgellm models`: what is installed, and where it is."""

from __future__ import annotations

from argparse import Namespace

from edgellm.cli.model_options import add_output_options
from edgellm.cli.parser import Parser
from edgellm.cli.session import Session


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "action", nargs="?", choices=("list", "where"), default="list", help="list (the default), or where: the folder."
    )
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """List the models, or print the folder to put .gguf files into."""
    from edgellm.models import store

    paths, output = session.app.paths, session.output
    found = store.installed(paths)
    if arguments.action == "where":
        output.line(str(paths.models))
    else:
        width = max((len(model.name) for model in found), default=0)
        for model in found:
            kind = "built-in" if model.builtin else ""
            output.line(f"{model.name:<{width}}  {_size(model.size):>9}  {kind:<8}  {model.path}".rstrip())
    rows = [
        {"name": model.name, "path": str(model.path), "size": model.size, "builtin": model.builtin} for model in found
    ]
    output.document(models=rows, folder=str(paths.models))
    return 0


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
