"""`edgellm models trusted`: the signers whose bundles are known here, and forgetting one."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict

from edgellm.cli.model_options import add_output_options
from edgellm.cli.parser import Parser, typed
from edgellm.cli.session import Session
from edgellm.errors import UsageError


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "--forget", type=typed, metavar="FINGERPRINT", help="Trust this signer no longer; installed models stay."
    )
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """List them, or forget one."""
    from edgellm.models import signing

    output, folder = session.output, signing.folder_of(session.app.paths)
    if arguments.forget is not None:
        wanted = signing.read_fingerprint(arguments.forget)
        if not signing.distrust(folder, wanted):
            raise UsageError(f"No signer {wanted} is trusted here.", "To see who is, run: edgellm models trusted")
        output.line(f"{wanted} is not trusted any more; what was installed stays.")
        output.document(fingerprint=wanted, trusted=False)
        return 0
    known = signing.trusted(folder)
    for one in known:
        output.line(f"{one.fingerprint}  since {one.added[:10]}{f', from {one.note}' if one.note else ''}")
    if not known:
        output.line("No signer is trusted yet. To trust that of a bundle: edgellm models add BUNDLE --trust")
    output.document(trusted=[asdict(one) for one in known])
    return 0
