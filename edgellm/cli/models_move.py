"""`edgellm models move`: keep a model in another folder, such as one on a larger disk."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

from edgellm.cli import progress
from edgellm.cli.model_options import add_output_options
from edgellm.cli.models_text import size
from edgellm.cli.parser import Parser, typed
from edgellm.cli.session import Session
from edgellm.errors import ModelNotFound, UsageError


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("name", type=typed, metavar="NAME", help="The model.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="The folder for models to keep it in.")
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Move it, with progress. A folder that is not one of the settings' yet is added to them."""
    app, output, name = session.app, session.output, arguments.name.strip()
    folder = Path(os.path.abspath(arguments.folder.expanduser()))
    try:
        app.models().get(name)
    except ModelNotFound as error:
        raise app.missing(name, error) from error
    if folder not in app.models().folders:
        if not folder.is_dir():
            raise UsageError(f"There is no folder {folder}.", "Make it first, or plug in its disk.")
        _add_folder(session, folder)
    with progress.watch(output, name, "moving") as watch:
        model = app.models().move(name, folder, watch.progress, watch.cancelled)
    output.line(f"{model.name} ({size(model.size)}) is now in {folder}.")
    output.document(name=model.name, path=str(model.path), size=model.size, folder=str(folder))
    return 0


def _add_folder(session: Session, folder: Path) -> None:
    """Look there for models from now on; new ones still go where they went before."""
    app = session.app
    known = app.settings.model_folders or str(app.models().folder)
    app.save_settings(model_folders=os.pathsep.join([known, str(folder)]))
    session.output.note(f"{folder} is one of your folders for models from now on (setting model_folders).")
