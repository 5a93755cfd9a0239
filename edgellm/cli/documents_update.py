"""`edgellm documents update`: read what is new or changed in the collections, and forget what is gone."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from edgellm.cli import documents_report
from edgellm.cli.interrupt import Interrupt
from edgellm.cli.model_options import add_output_options
from edgellm.cli.parser import Parser, typed
from edgellm.cli.session import INTERRUPTED, Session
from edgellm.errors import EngineError, ModelError, StorageError, UsageError

_EVERY = 50
_NAMED = 10


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("names", nargs="*", type=typed, metavar="NAME", help="Only these collections.")
    add_embedding_options(parser)
    parser.add_argument("--retry", action="store_true", help="Try again what could not be read before.")
    add_output_options(parser)


def add_embedding_options(parser: Parser) -> None:
    """Which model embeds the passages, or none."""
    parser.add_argument("--words-only", action="store_true", help="Embed nothing; only words are searched.")
    parser.add_argument(
        "--embedder", type=typed, default="", metavar="MODEL", help="Embed with this model, all passages anew."
    )


def run(arguments: Namespace, session: Session) -> int:
    """Update the collections that are named, or all."""
    names = arguments.names or [one.name for one in session.app.library().collections()]
    return update(names, arguments.retry, session, None if arguments.words_only else arguments.embedder)


def update(
    names: Sequence[str], retry: bool, session: Session, embedder: str | None = "", added: Sequence[Path] = ()
) -> int:
    """Bring them up to date, one file at a time; Ctrl-C stops after the file at hand, and nothing read is lost.

    Then the passages are embedded, by the model called `embedder` or the one that suits; None leaves them alone.
    The exit status is 1 when there are files at the places that were `added`, and none of them can be read.
    """
    from edgellm.documents.index import Control, Indexer, Step
    from edgellm.documents.load import Loader
    from edgellm.documents.pace import Pace
    from edgellm.documents.readers import SUFFIXES

    output, stop, reports = session.output, Interrupt(), {}
    pace = Pace(lambda: session.app.settings.index_on_battery, patient=False)

    def told(step: Step) -> None:
        output.note(pace.note())
        if step.reason:
            output.note(documents_report.failure(output, step))
        elif step.done % _EVERY == 0:
            output.progress(f"{step.done} of {step.total} files")

    with stop, Loader() as loader:
        indexer = Indexer(session.app.library(), partial(loader.load, cancelled=stop), SUFFIXES)
        for name in names:
            report = reports[name] = indexer.update(name, Control(told, stop, pace.rest), retry)
            documents_report.say(output, name, report)
            if report.stopped:
                output.note("Stopped; the next update goes on from here: edgellm documents update")
                break
    unread = bool(added) and not stop() and all(_unread(session, name, added) for name in names)
    shown = {name: documents_report.values(report) for name, report in reports.items()}
    embedded = {} if embedder is None or stop() else embed(embedder, session, stop, pace.rest)
    output.document(collections=shown, embedded=embedded)
    return INTERRUPTED if stop() else int(unread)


def _unread(session: Session, name: str, added: Sequence[Path]) -> bool:
    """Whether none of the files at these places can be read; says why, also where an earlier run has said so."""
    from edgellm.documents.library import place

    places = [place(path) for path in added]
    files = [file for file in session.app.library().files(name) if any(file.path.is_relative_to(one) for one in places)]
    if not files or any(file.state == "indexed" for file in files):
        return False
    for file in files[:_NAMED]:
        session.output.note(session.output.clean(f"{file.path}: {file.reason}"))
    session.output.note("Nothing of what was added can be read.")
    return True


def _unusable(session: Session) -> str:
    """A sentence about an installed model that would embed the passages if it were whole; empty without one."""
    for model in session.app.models().installed(others=False):
        if model.manifest is not None and "embed" in model.manifest.tasks:
            why = model.problem or f"It cannot be loaded. Run: edgellm models verify {model.name}"
            return f"The passages were not embedded, and words alone are searched. {why}"
    return ""


def embed(name: str, session: Session, stop: Interrupt, rest: Callable[[], float] = lambda: 0.0) -> dict[str, object]:
    """Embed what has no vector, where a model for it is installed; what was done, for `--json`.

    A model that was not named and fails costs a note: words are searched all the same.
    """
    from edgellm.documents import vectors
    from edgellm.documents.index import Control

    output, library = session.output, session.app.library()
    try:
        meaning = session.app.meaning()
        model = meaning.embedder(library, name) if meaning.due(library, name) else None
        if model is None:
            output.note(_unusable(session) if meaning.due(library, name) else "")
            return {}
        rest()  # counts from here
        with stop:
            made = vectors.embed(
                library,
                model,
                Control(cancelled=stop, pause=rest),
                lambda done, total: output.progress(f"{done:,} of {total:,} passages embedded"),
            )
    except (ModelError, EngineError, UsageError, StorageError) as error:
        if name:
            raise
        output.note(f"The passages were not embedded. {error.message} {error.hint}".rstrip())
        return {}
    cut = f", {made.cut:,} longer than it reads" if made.cut else ""
    if made.embedded or made.stopped:
        output.line(f"{made.embedded:,} passages embedded by {model.name}{cut}")
    if made.stopped:
        output.note("Stopped; the next update embeds the rest: edgellm documents update")
    return {"model": model.name, **asdict(made)}
