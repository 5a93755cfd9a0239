"""`edgellm documents update`: read what is new or changed in the collections, and forget what is gone."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial

from edgellm.cli.interrupt import Interrupt
from edgellm.cli.model_options import add_output_options
from edgellm.cli.parser import Parser, typed
from edgellm.cli.session import INTERRUPTED, Session

_EVERY = 50


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("names", nargs="*", type=typed, metavar="NAME", help="Only these collections.")
    parser.add_argument("--retry", action="store_true", help="Try again what could not be read before.")
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Update the collections that are named, or all."""
    names = arguments.names or [one.name for one in session.app.library().collections()]
    return update(names, arguments.retry, session)


def update(names: Sequence[str], retry: bool, session: Session) -> int:
    """Bring them up to date, one file at a time; Ctrl-C stops after the file at hand, and nothing read is lost."""
    from edgellm.documents.index import Control, Indexer, Step
    from edgellm.documents.load import Loader
    from edgellm.documents.readers import SUFFIXES

    output, stop, reports = session.output, Interrupt(), {}

    def told(step: Step) -> None:
        if step.reason:
            output.note(f"{step.path}: {step.reason}")
        elif step.done % _EVERY == 0:
            output.progress(f"{step.done} of {step.total} files")

    with stop, Loader() as loader:
        indexer = Indexer(session.app.library(), partial(loader.load, cancelled=stop), SUFFIXES)
        for name in names:
            report = reports[name] = indexer.update(name, Control(told, stop), retry)
            for missing in report.missing:
                output.note(f"{missing} is not there now; what was read of it is kept.")
            moved = f", {report.moved} known by their content" if report.moved else ""
            output.line(
                f"{name}: {report.added} files read, {report.unchanged} unchanged{moved}, {report.removed} gone, "
                f"{report.failed} could not be read"
            )
            if report.stopped:
                output.note("Stopped; the next update goes on from here: edgellm documents update")
                break
    shown = {
        name: {**asdict(report), "missing": [str(path) for path in report.missing]} for name, report in reports.items()
    }
    output.document(collections=shown)
    return INTERRUPTED if stop() else 0
