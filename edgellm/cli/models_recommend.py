"""`edgellm models recommend`: the model that suits this computer best, for each task, and why."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from edgellm.cli import models_facts, online
from edgellm.cli.model_options import add_output_options
from edgellm.cli.models_text import size
from edgellm.cli.parser import Parser, typed
from edgellm.cli.session import Session
from edgellm.tasks.languages import code_of

if TYPE_CHECKING:
    from edgellm.models.catalog import ModelCard
    from edgellm.runtimes.recommend import Ranked, Recommendation

TASKS = ("chat", "generate", "summarize", "translate", "answer", "classify")


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("--task", choices=TASKS, help="What it is for; without it, every task.")
    parser.add_argument("--language", type=typed, default="", metavar="LANGUAGE", help="Such as fr or French.")
    parser.add_argument("--why", action="store_true", help="Also the models that come next, and why they do.")
    parser.add_argument("--context", type=int, metavar="N", help="The context window to reckon with, in tokens.")
    add_output_options(parser)


def run(arguments: Namespace, session: Session) -> int:
    """Print the choice and its reason."""
    from edgellm.runtimes.recommend import recommend

    app, output = session.app, session.output
    language = code_of(arguments.language) if arguments.language else ""
    catalog, here = app.catalog(), app.here()
    output.note(catalog.notice)
    installed = {model.name for model in app.models().installed()}
    found = [recommend(catalog.cards, task, here, language) for task in ([arguments.task] if arguments.task else TASKS)]
    same: dict[tuple[str, str], list[Recommendation]] = {}
    for one in found:
        same.setdefault((one.choice.value.name if one.choice.value else "", one.choice.reason), []).append(one)
    for group in same.values():
        _say(session, group, installed, arguments.why)
    output.document(recommendations=[_object(one, installed) for one in found])
    return 0


def _say(session: Session, group: Sequence[Recommendation], installed: set[str], why: bool) -> None:
    """What is recommended for some tasks: one model, for one reason."""
    output, found = session.output, group[0]
    card, tasks = found.choice.value, ", ".join(one.task for one in group)
    if card is None:
        output.line(f"{tasks}: {found.choice.reason}")
    else:
        output.line(f"{tasks}: {card.name} ({card.title}, {size(card.size)})")
        output.line(f"    {found.choice.reason}")
        output.line(f"    {_next_step(card, installed, group[0].task, online.flag(session.app.settings))}")
    if why:
        for ranked in (*found.runners_up, *found.passed_over):
            output.line(f"    Not {ranked.card.name}: {ranked.reason}.")
        for ranked in found.later:
            output.line(f"    Later {ranked.card.name}: {ranked.reason}.")


def _next_step(card: ModelCard, installed: set[str], task: str, flag: str) -> str:
    if card.builtin or card.name in installed:
        return f"It is here. Use it with: edgellm {models_facts.command_for(task)} --model {card.name}"
    return f"To get it, run: edgellm models pull {card.name}{flag}"


def _object(found: Recommendation, installed: set[str]) -> dict[str, Any]:
    card = found.choice.value
    return {
        "task": found.task,
        "model": models_facts.card_object(card, found.advice) if card else None,
        "installed": card is not None and card.name in installed,
        "reason": found.choice.reason,
        "runners_up": [_ranked(one) for one in found.runners_up],
        "passed_over": [_ranked(one) for one in found.passed_over],
        "later": [_ranked(one) for one in found.later],
    }


def _ranked(one: Ranked) -> dict[str, Any]:
    return {"name": one.card.name, "reason": one.reason, "advice": one.advice.as_dict()}
