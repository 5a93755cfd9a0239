"""`edgellm models search`: models by name, in the catalog and on the hub."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING

from edgellm.cli import models_facts, online
from edgellm.cli.model_options import add_online_option, add_output_options
from edgellm.cli.models_text import size, table
from edgellm.cli.parser import Parser, typed, whole_number
from edgellm.cli.session import Session

if TYPE_CHECKING:
    from edgellm.models.catalog import ModelCard
    from edgellm.models.hub import Found


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("words", nargs="+", type=typed, metavar="TEXT", help="Words of the model's name.")
    parser.add_argument("--catalog", action="store_true", help="Look in the catalog alone; needs no network.")
    parser.add_argument("--count", type=whole_number(1), default=20, metavar="N", help="How many from the hub (20).")
    add_online_option(parser)
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Print what was found."""
    app, output, text = session.app, session.output, " ".join(arguments.words)
    if not arguments.catalog:
        online.require(app.settings)
    cards = tuple(card for card in app.catalog().find(text) if not card.builtin)
    _show_cards(session, cards)
    found = () if arguments.catalog else app.hub().search(text, arguments.count)
    if not arguments.catalog:
        _show_found(session, found, online.host_of(app.settings))
    elif not cards:
        output.line(f"The catalog has no model with {text!r}.")
    output.document(catalog=[models_facts.card_object(card) for card in cards], hub=[asdict(one) for one in found])
    return 0


def _show_cards(session: Session, cards: tuple[ModelCard, ...]) -> None:
    if cards:
        session.output.line("In the catalog:")
    rows = [(card.name, size(card.size), card.license or "unknown license", card.title) for card in cards]
    for line in table(rows, right=(1,)):
        session.output.line(f"  {line}")


def _show_found(session: Session, found: tuple[Found, ...], host: str) -> None:
    if not found:
        session.output.line(f"Nothing of that name at {host}.")
        return
    session.output.line(f"At {host}, to be had with edgellm models pull OWNER/NAME:")
    rows = [(one.repo, one.license or "unknown license", "asks for a token" if one.gated else "") for one in found]
    for line in table(rows):
        session.output.line(f"  {line}")
