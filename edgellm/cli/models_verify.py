"""`edgellm models verify`: compare models with the hashes that were recorded when they came."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from edgellm.cli import progress
from edgellm.cli.model_options import add_output_options
from edgellm.cli.parser import Parser, typed
from edgellm.cli.session import Session
from edgellm.errors import ModelNotFound

if TYPE_CHECKING:
    from edgellm.models.check import Verification
    from edgellm.models.installed import Installed

_FEW = 8


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("names", nargs="*", type=typed, metavar="NAME", help="The models; without a name all of them.")
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Check them; 1 when one is damaged."""
    from edgellm.models import check

    models = chosen(session, arguments.names)
    results: list[tuple[Installed, Verification]] = []
    for model in models:
        with progress.watch(session.output, model.name, "checking") as watch:
            result = check.verify(model, watch.progress, watch.cancelled)
        results.append((model, result))
        _say(session, model, result)
    if not models:
        session.output.line("Only the built-in model is here. To check that one: edgellm models verify starter")
    good = all(result.ok for _, result in results)
    session.output.document(ok=good, models=[{"name": model.name, **asdict(result)} for model, result in results])
    return 0 if good else 1


def chosen(session: Session, names: Sequence[str]) -> list[Installed]:
    """The models of these names, or all that are the person's own. Raises `ModelNotFound`."""
    store = session.app.models()
    if not names:
        return [model for model in store.installed(others=False) if not model.builtin]
    found = []
    for name in dict.fromkeys(names):
        try:
            found.append(store.get(name))
        except ModelNotFound as error:
            raise session.app.missing(name, error) from error
    return found


def _say(session: Session, model: Installed, result: Verification) -> None:
    output = session.output
    output.line(result.sentence)
    for part in result.bad[:_FEW]:
        output.line(f"  {part.path}: bytes {part.start:,} to {part.stop:,}")
    if len(result.bad) > _FEW:
        output.line(f"  and {len(result.bad) - _FEW} more parts")
    if not result.ok and model.manifest is not None and not model.foreign:
        output.line(f"  To fetch only what is damaged, run: edgellm models repair {model.name}")
