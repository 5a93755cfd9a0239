"""`edgellm models repair`: find what is damaged in a model and fetch only that again."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING

from edgellm.cli import online, progress
from edgellm.cli.model_options import add_online_option, add_output_options
from edgellm.cli.models_text import size
from edgellm.cli.models_verify import chosen
from edgellm.cli.parser import Parser, typed
from edgellm.cli.progress import Step
from edgellm.cli.session import Session

if TYPE_CHECKING:
    from edgellm.models.manifest import Manifest, ManifestFile


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("name", type=typed, metavar="NAME", help="The model.")
    add_online_option(parser)
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Repair it. The network is needed only when something is damaged."""
    from edgellm import network
    from edgellm.models.rate import Control
    from edgellm.models.repair import Source, addresses_of, repair

    app, output = session.app, session.output
    model = chosen(session, [arguments.name])[0]
    name = model.name

    def addresses(manifest: Manifest, file: ManifestFile) -> tuple[str, ...]:
        found = addresses_of(manifest, file, network.endpoints(app.settings))
        if found:
            online.require(app.settings, found[0])
        return found

    with progress.watch(output, name) as watch:
        control = Control(
            progress=lambda done, total: watch.show(Step(done, total, "fetching")),
            checking=lambda done, total: watch.show(Step(done, total, "checking")),
            cancelled=watch.cancelled,
        )
        result = repair(model, Source(addresses, app.connect), control)
    if result.before.ok:
        output.line(result.now.sentence)
    else:
        output.line(f"{name} is repaired: {size(result.received)} were fetched again, and every byte is right now.")
    output.document(
        name=name, repaired=not result.before.ok, received=result.received, before=asdict(result.before), ok=True
    )
    return 0
