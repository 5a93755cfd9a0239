"""`edgellm doctor`: this machine, what was chosen for a model, and why. Prints what `runtimes/report.py` gathers."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING

from edgellm.cli.model_options import add_model_options
from edgellm.cli.parser import Parser
from edgellm.cli.session import Session

if TYPE_CHECKING:
    from edgellm.runtimes.report import Source


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add_model_options(parser, sampling=False)


def run(arguments: Namespace, session: Session) -> int:
    """Print the report; 1 when the model cannot be run here."""
    app = session.app
    return report(app, app.settings.model, arguments.json, session.output.raw)


def report(app: Source, model: str, as_json: bool, write: Callable[[str], None]) -> int:
    """Write the report on `model` as text or as one JSON object; 1 when the model cannot be run here."""
    from edgellm.runtimes.report import as_lines, gather

    found = gather(app, model)
    if as_json:
        write(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
    else:
        write("\n".join(as_lines(found)) + "\n")
    return 1 if found["problem"] else 0
