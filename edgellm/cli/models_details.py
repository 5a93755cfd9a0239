"""`edgellm models details`: everything that is known about a model, installed or not."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING

from edgellm.cli import models_facts, online
from edgellm.cli.model_options import add_output_options
from edgellm.cli.models_text import pairs, size
from edgellm.cli.parser import Parser, typed
from edgellm.cli.session import Session
from edgellm.errors import ModelNotFound

if TYPE_CHECKING:
    from edgellm.models.catalog import ModelCard
    from edgellm.models.details import Details
    from edgellm.runtimes.advice import Advice

_FEW = 8


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("name", type=typed, metavar="NAME", help="The model: installed, or of the catalog.")
    parser.add_argument("--context", type=int, metavar="N", help="The context window to reckon with, in tokens.")
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Print it. An installed model tells more than its card."""
    from edgellm.models.details import details
    from edgellm.runtimes.advice import advise

    app, output, name = session.app, session.output, arguments.name.strip()
    card = app.card(name)
    try:
        model = app.models().get(name)
    except ModelNotFound as error:
        if card is None:
            raise app.missing(name, error) from error
        advice = advise(card, app.here())
        command = f"edgellm models pull {card.name}{online.flag(app.settings)}"
        output.line(f"{card.title} ({card.name}), not installed. To get it: {command}")
        _print(session, [*_of_card(card), *_of_advice(advice)])
        output.document(installed=False, **models_facts.card_object(card, advice))
        return 0
    found = details(model)
    known = models_facts.advice_on(model, card, app.here())
    output.line(f"{found.title} ({found.name})")
    _print(session, [*_of_details(found), *_of_advice(known), *(_more(card) if card else [])])
    values = {key: str(value) if key == "path" else value for key, value in asdict(found).items()}
    output.document(installed=True, builtin=model.builtin, advice=known.as_dict() if known else None, **values)
    return 0


def _print(session: Session, rows: list[tuple[str, str]]) -> None:
    for line in pairs(rows):
        session.output.line(line)


def _of_details(found: Details) -> list[tuple[str, str]]:
    template = {True: "its own", False: "none of its own", None: ""}[found.template]
    return [
        ("problem", found.problem),
        ("size", size(found.size)),
        ("license", found.license or "unknown"),
        ("format", " ".join(filter(None, (found.format, found.architecture, found.quantization)))),
        ("parameters", found.parameters),
        ("context", f"{found.context:,} tokens" if found.context else ""),
        ("template", template),
        ("tasks", ", ".join(found.tasks)),
        ("languages", _listed(found.languages)),
        ("from", found.source),
        ("added", _day(found.added)),
        ("checked", _day(found.checked)),
        ("sha256", found.sha256),
        ("files", _listed(found.files) if len(found.files) > 1 else ""),
        ("where", str(found.path)),
    ]


def _of_card(card: ModelCard) -> list[tuple[str, str]]:
    return [
        ("summary", card.summary),
        ("license", card.license_line),
        ("size", size(card.size) + (f" in {len(card.files)} files" if len(card.files) > 1 else "")),
        ("format", " ".join(filter(None, (card.format, card.architecture, card.quantization)))),
        ("parameters", card.parameters),
        ("context", f"{card.context:,} tokens" if card.context else ""),
        ("tasks", ", ".join(card.tasks)),
        ("languages", _listed(card.languages)),
        ("from", f"{card.repo} at the hub" if card.repo else ""),
        *_more(card),
    ]


def _more(card: ModelCard) -> list[tuple[str, str]]:
    """What only the catalog knows."""
    return [("distilled from", card.distilled_from), ("template", card.template), ("note", card.notes)]


def _of_advice(advice: Advice | None) -> list[tuple[str, str]]:
    if advice is None:
        return []
    return [("fit", f"{advice.verdict}. {advice.sentence}"), ("speed", advice.speed_line)]


def _listed(names: tuple[str, ...]) -> str:
    more = f", and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return ", ".join(names[:_FEW]) + more


def _day(time: str) -> str:
    return time.replace("T", " ").replace("Z", " UTC")
