"""What is said of one model: whether it fits this computer, how fast it will be, and what a download would bring."""

from __future__ import annotations

from dataclasses import asdict
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from edgellm.errors import EdgeError

if TYPE_CHECKING:
    from edgellm.models.catalog import ModelCard
    from edgellm.models.installed import Installed
    from edgellm.runtimes.advice import Advice, Here

_COMMANDS = MappingProxyType(
    {
        "chat": "chat",
        "generate": "generate",
        "summarize": "summarize",
        "translate": "translate",
        "answer": "ask",
        "classify": "classify",
    }
)


def advice_on(model: Installed, card: ModelCard | None, here: Here) -> Advice | None:
    """Advice about an installed model, from its own header; of another format from its card, if there is one."""
    from edgellm.runtimes.advice import Advice, advise, advise_file
    from edgellm.runtimes.architectures import LATER

    if model.problem:
        return None
    if model.path.is_file():
        try:
            return advise_file(model.path, here)
        except EdgeError:
            return None
    if card is not None:
        return advise(card, here)
    later = LATER.get(model.manifest.format, "") if model.manifest else ""
    return Advice("unsupported", later) if later else None


def how_to_use(model: Installed, advice: Advice | None) -> str:
    """The command that uses a model, or why there is none yet."""
    if advice is not None and advice.fit == "unsupported":
        return advice.sentence
    tasks = model.manifest.tasks if model.manifest else ()
    command = next((_COMMANDS[task] for task in ("chat", *tasks) if task in _COMMANDS and task in tasks), "chat")
    return f"Use it with: edgellm {command} --model {model.name}"


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
