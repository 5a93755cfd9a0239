"""`edgellm models import`: take in a model file or folder that is already on this computer."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from edgellm.cli import models_facts, progress
from edgellm.cli.model_options import add_output_options
from edgellm.cli.models_text import size
from edgellm.cli.parser import Parser, typed
from edgellm.cli.session import Session

if TYPE_CHECKING:
    from edgellm.models.importing import How


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("path", type=Path, metavar="FILE|FOLDER", help="A .gguf file, or the folder of a model.")
    parser.add_argument("--name", type=typed, default="", metavar="NAME", help="What to call it; else as the file.")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--link", action="store_true", help="Take no second space on the disk; fail where that cannot be.")
    how.add_argument("--copy", action="store_true", help="Copy it, even where a link would do.")
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Take it in. Without an option it is linked where the disk can, and copied where not."""
    from edgellm.models.importing import import_model

    output = session.output
    how: How = "link" if arguments.link else "copy" if arguments.copy else "auto"
    with progress.watch(output, arguments.path.name, "reading") as watch:
        store = session.app.models()
        done = import_model(store, arguments.path, arguments.name, how, watch.progress, watch.cancelled)
    model = done.model
    space = "linked, so it takes no second space" if done.linked else f"copied, {size(model.size)}"
    output.line(f"{model.name} is installed ({space}).")
    output.line(models_facts.how_to_use(model, models_facts.advice_on(model, None, session.app.here())))
    if done.left_out:
        output.note(f"Left out, because they are not part of a model: {', '.join(done.left_out[:5])}.")
    output.document(
        name=model.name, path=str(model.path), size=model.size, linked=done.linked, left_out=list(done.left_out)
    )
    return 0
