"""`edgellm models add`: install the models of a bundle, from a file or from another computer nearby."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from edgellm.cli import models_facts, online, progress
from edgellm.cli.model_options import add_online_option, add_output_options
from edgellm.cli.models_text import size
from edgellm.cli.parser import Parser, typed
from edgellm.cli.session import Session
from edgellm.errors import StorageError

if TYPE_CHECKING:
    from edgellm.models.bundle_read import Added


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "bundle", type=typed, metavar="FILE|ADDRESS", help="The bundle: a file, or the address that share printed."
    )
    parser.add_argument(
        "--signer", type=typed, default="", metavar="FINGERPRINT", help="Accept it from this signer alone."
    )
    parser.add_argument("--trust", action="store_true", help="Know its signer from now on.")
    add_online_option(parser)
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Check everything, then install."""
    from edgellm.models import bundle_read, signing
    from edgellm.models.bundle_read import Terms
    from edgellm.models.rate import Control

    app, output, address = session.app, session.output, arguments.bundle.strip()
    if address.lower().startswith(("http://", "https://")):
        online.require(app.settings, address)
    terms = Terms(signing.folder_of(app.paths), arguments.signer, arguments.trust)
    with progress.watch(output, "bundle", "checking") as watch:
        control = Control(progress=watch.progress, cancelled=watch.cancelled)
        added = bundle_read.add(address, app.models(), app.connect, terms, control)
    output.line(added.sentence)
    for model in added.models:
        output.line(f"Installed {model.name} ({size(model.size)}).")
        output.line(models_facts.how_to_use(model, models_facts.advice_on(model, None, app.here())))
    for name in added.here:
        output.line(f"{name} was here already.")
    remembered = _remember(session, added)
    if not added.known and not arguments.trust:
        output.note("If you know who made it, compare the fingerprint, and add the bundle again with --trust.")
    output.document(
        added=[{"name": model.name, "path": str(model.path), "size": model.size} for model in added.models],
        here=list(added.here),
        remembered=list(remembered),
        fingerprint=added.fingerprint,
        known=added.known,
        sentence=added.sentence,
    )
    return 0


def _remember(session: Session, added: Added) -> tuple[str, ...]:
    """Keep what the bundle says of its models, so that they can be had again; the models are here in any case."""
    try:
        names = session.app.remember(added.cards)
    except StorageError as error:
        session.output.note(str(error))
        return ()
    if names:
        session.output.line(f"In your own catalog from now on: {', '.join(names)}.")
    return names
