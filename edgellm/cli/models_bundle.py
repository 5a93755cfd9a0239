"""`edgellm models bundle`: write installed models into one signed file, for a computer without a network."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from edgellm.cli import progress
from edgellm.cli.model_options import add_output_options
from edgellm.cli.models_text import size
from edgellm.cli.models_verify import chosen
from edgellm.cli.parser import Parser, typed
from edgellm.cli.session import Session


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("names", nargs="+", type=typed, metavar="NAME", help="The models.")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FILE", help="The file to write.")
    parser.add_argument("--force", action="store_true", help="Replace the file if it is there.")
    add_output_options(parser)


def _named(out: Path, suffix: str) -> Path:
    """`out` with the suffix of bundles: what looks like another one may be part of a name, as in model-1.5."""
    if out.name in ("", "..") or out.name.lower().endswith(suffix):
        return out
    return out.with_name(out.name + suffix)


def run(arguments: Namespace, session: Session) -> int:
    """Write it."""
    from edgellm.models import bundle, bundle_write, signing
    from edgellm.models.rate import Control

    app, output = session.app, session.output
    models = chosen(session, arguments.names)
    out = _named(arguments.out.expanduser(), bundle.SUFFIX)
    names = {model.name for model in models}
    cards = [card for card in app.catalog().cards if card.name in names]
    key = signing.own_key(signing.folder_of(app.paths))
    with progress.watch(output, out.name, "writing") as watch:
        control = Control(progress=watch.progress, cancelled=watch.cancelled)
        written = bundle_write.write(models, cards, out, key, control, arguments.force)
    output.line(f"Wrote {written.path} ({size(written.size)}): {', '.join(model.name for model in models)}.")
    output.line(f"Signed by {written.fingerprint}")
    output.line(f"On the other computer: edgellm models add {written.path.name}")
    output.document(
        path=str(written.path),
        size=written.size,
        models=[model.name for model in models],
        fingerprint=written.fingerprint,
    )
    return 0
