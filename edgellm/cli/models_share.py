"""`edgellm models share`: offer a bundle to other computers, read-only, until Ctrl-C."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from urllib.parse import urlsplit

from edgellm.cli import progress
from edgellm.cli.interrupt import Interrupt
from edgellm.cli.model_options import add_online_option, add_output_options
from edgellm.cli.parser import Parser, whole_number
from edgellm.cli.session import Session
from edgellm.isolation import is_loopback


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("bundle", type=Path, metavar="FILE", help="The bundle.")
    parser.add_argument("--lan", action="store_true", help="To other computers too, not only to this one.")
    parser.add_argument("--port", type=whole_number(0), default=0, metavar="N", help="The port; 0 takes a free one.")
    add_online_option(parser)
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Check the bundle, then serve it until Ctrl-C."""
    from edgellm.models.rate import Control
    from edgellm.server import share

    app, output = session.app, session.output
    host = share.EVERYWHERE if arguments.lan else share.LOOPBACK
    share.check_allowed(host, app.settings.offline)
    with progress.watch(output, arguments.bundle.name, "checking") as watch:
        shared = share.prepare(arguments.bundle.expanduser(), Control(watch.progress, watch.cancelled))

    def ready(addresses: tuple[str, ...]) -> None:
        output.line(f"Sharing {', '.join(shared.models)}, signed by {shared.signer}")
        output.line("On the other computer:" if arguments.lan else "On this computer only (add --lan for others):")
        for address in _useful(addresses) if arguments.lan else addresses:
            online = " --online" if arguments.lan else ""
            output.line(f"  edgellm models add {address} --signer '{shared.signer}'{online}")
        output.line("Ctrl-C ends it.")
        output.document(
            addresses=list(addresses), models=list(shared.models), signer=shared.signer, sha256=shared.sha256
        )

    with Interrupt() as stop:
        share.serve(shared, share.Place(app.paths.ledger, host, arguments.port), app.settings.offline, ready, stop)
    output.line("No longer shared.")
    return 0


def _useful(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """Those that another computer can use; all of them when there are none."""
    return tuple(one for one in addresses if not is_loopback(urlsplit(one).hostname or "")) or addresses
