"""`edgellm models list`: what is installed, and with `--all` what can be had, with how it fits this computer."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from edgellm.cli import models_facts, online
from edgellm.cli.model_options import add_output_options
from edgellm.cli.models_text import percent, size, table
from edgellm.cli.parser import Parser
from edgellm.cli.session import Session
from edgellm.models.catalog_schema import TASKS
from edgellm.runtimes.advice import advise

if TYPE_CHECKING:
    from edgellm.models.catalog import ModelCard
    from edgellm.models.installed import Installed
    from edgellm.runtimes.advice import Here

_MARGIN = "    "
_STATES = MappingProxyType(
    {
        "queued": "not finished",
        "running": "running",
        "checking": "being checked",
        "paused": "paused",
        "failed": "not finished",
        "done": "done",
    }
)


@dataclass(frozen=True, slots=True)
class Row:
    """One model of the list: the cells of its line, what is said below it, and its values for `--json`."""

    cells: tuple[str, ...]
    below: tuple[str, ...]
    values: dict[str, Any]


def configure(parser: Parser) -> None:
    """Add the arguments."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true", help="Also the models of the catalog that are not installed.")
    which.add_argument("--available", action="store_true", help="Only those of the catalog that are not installed.")
    parser.add_argument("--task", choices=TASKS, help="Only models for this task.")
    parser.add_argument("--why", action="store_true", help="Show the sum behind every badge.")
    add_output_options(parser)
    parser.add_argument("--context", type=int, metavar="N", help="The context window to reckon with, in tokens.")


def run(arguments: Namespace, session: Session) -> int:
    """List them."""
    app, output = session.app, session.output
    catalog, here = app.catalog(), app.here()
    output.note(catalog.notice)
    installed = app.models().installed()
    cards = {card.name: card for card in catalog.cards}
    names = {model.name for model in installed}
    rows: list[Row] = []
    if not arguments.available:
        rows = [_installed(model, cards.get(model.name), here) for model in installed]
    others: list[Row] = []
    if arguments.all or arguments.available:
        others = [
            _available(card, here, arguments.why)
            for card in catalog.cards
            if card.name not in names and not card.builtin
        ]
    if arguments.task is not None:
        rows, others = ([row for row in part if arguments.task in row.values["tasks"]] for part in (rows, others))
    _show(session, rows, others)
    _note_speed(session, (*rows, *others))
    output.document(
        models=[row.values for row in rows],
        available=[row.values for row in others],
        unfinished=_unfinished(session),
        folder=str(app.models().folder),
    )
    return 0


def _show(session: Session, rows: Sequence[Row], others: Sequence[Row]) -> None:
    output = session.output
    for heading, part in _parts(rows, others, online.flag(session.app.settings)):
        if heading:
            output.line(heading)
        for row, line in part:
            for text in (line, *(_MARGIN + text for text in row.below)):
                output.line(text)
    if not rows and not others:
        output.line("There is no such model.")


def _parts(rows: Sequence[Row], others: Sequence[Row], flag: str) -> Iterator[tuple[str, list[tuple[Row, str]]]]:
    """The list in parts with a heading: what is here, what can be had, and what cannot be used yet, by the reason."""
    lines = table([row.cells for row in (*rows, *others)], right=(1,))
    yield "Installed:" if rows and others else "", list(zip(rows, lines, strict=False))
    reasons: dict[str, list[tuple[Row, str]]] = {"": []}
    for row, line in zip(others, lines[len(rows) :], strict=True):
        advice = row.values["advice"]
        reasons.setdefault(advice["sentence"] if advice["fit"] == "unsupported" else "", []).append((row, line))
    first = "\n" if rows else ""
    for reason, part in reasons.items():
        if part:
            yield first + (reason if reason else f"To be had, with edgellm models pull NAME{flag}:"), part
            first = "\n"


def _installed(model: Installed, card: ModelCard | None, here: Here) -> Row:
    advice = models_facts.advice_on(model, card, here)
    values = models_facts.installed_object(model, card, advice)
    badge = "damaged" if model.problem else advice.verdict.lower() if advice else ""
    below = (model.problem, advice.sentence if advice else "", "Built in." if model.builtin else str(model.path))
    cells = (model.name, size(model.size), badge, models_facts.speed(advice), values["license"])
    return Row((*cells, ", ".join(values["tasks"])), tuple(text for text in below if text), values)


def _available(card: ModelCard, here: Here, why: bool) -> Row:
    advice = advise(card, here)
    cells = (
        card.name,
        size(card.size),
        advice.verdict.lower(),
        models_facts.speed(advice),
        card.license or "unknown license",
    )
    below = (advice.sentence,) if why or advice.fit not in ("fits", "unsupported") else ()
    return Row((*cells, ", ".join(card.tasks)), below, models_facts.card_object(card, advice))


def _note_speed(session: Session, rows: Sequence[Row]) -> None:
    """Say once how speeds come to be known."""
    found = [row.values["advice"] for row in rows]
    if any(advice and advice["fit"] != "unsupported" and advice["unknown"] == "cpu" for advice in found):
        session.output.note("Not every speed is known yet. To measure this computer, run: edgellm doctor --measure")


def _unfinished(session: Session) -> list[dict[str, Any]]:
    """Say which downloads are not finished."""
    found = session.app.downloads().progress()
    for one in found:
        share = f", at {percent(one.received, one.total)} of {size(one.total)}" if one.total else ""
        why = f" {one.message}" if one.message else ""
        next_step = "" if one.state == "running" else f" Go on with: edgellm models pull {one.name}"
        session.output.note(f"The download of {one.name} is {_STATES[one.state]}{share}.{why}{next_step}")
    return [
        {"name": one.name, "state": one.state, "received": one.received, "total": one.total, "message": one.message}
        for one in found
    ]
