"""What is said of one model: whether it fits this computer, how fast it will be, and what a download would bring."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from edgellm.cli.models_text import size
from edgellm.errors import EdgeError

if TYPE_CHECKING:
    from edgellm.models.catalog import ModelCard
    from edgellm.models.installed import Installed
    from edgellm.runtimes.advice import Advice, Here

_FEW = 8


def advice_on(model: Installed, card: ModelCard | None, here: Here) -> Advice | None:
    """Advice about an installed model, from its own header; of another format from its card, if there is one."""
    from edgellm.runtimes.advice import advise, advise_file

    if model.problem:
        return None
    if model.path.is_file():
        try:
            return advise_file(model.path, here)
        except EdgeError:
            return None
    return advise(card, here) if card is not None else None


def speed(advice: Advice | None) -> str:
    """How fast, in a cell: `about 11 words/s`; empty where it is not known."""
    from edgellm.runtimes.advice import rate

    return rate(advice.words_per_second) if advice and advice.words_per_second else ""


def installed_object(model: Installed, card: ModelCard | None, advice: Advice | None) -> dict[str, Any]:
    """An installed model as plain values for `--json`."""
    known: Any = model.manifest or card
    return {
        "name": model.name,
        "path": str(model.path),
        "size": model.size,
        "builtin": model.builtin,
        "title": known.title if known else "",
        "license": known.license if known else "",
        "tasks": list(known.tasks) if known else [],
        "languages": list(known.languages) if known else [],
        "origin": model.origin,
        "problem": model.problem,
        "advice": advice.as_dict() if advice else None,
    }


def card_object(card: ModelCard, advice: Advice | None = None) -> dict[str, Any]:
    """A card as plain values for `--json`."""
    return {**asdict(card), "size": card.size, "advice": advice.as_dict() if advice else None}


def file_lines(card: ModelCard) -> list[str]:
    """The files of a card, one a line; not too many."""
    shown = [f"{file.path}  {size(file.size)}" for file in card.files[:_FEW]]
    more = len(card.files) - len(shown)
    return [*shown, *([f"and {more} more"] if more else [])]
