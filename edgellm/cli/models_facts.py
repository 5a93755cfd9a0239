"""What is said of one model: whether it fits this computer, how fast it will be, and what a download would bring."""

from __future__ import annotations

from dataclasses import asdict
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from edgellm.errors import EdgeError

if TYPE_CHECKING:
    from edgellm.models.catalog import ModelCard
    from edgellm.models.installed import Installed
    from edgellm.models.manifest import Manifest
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
    """Advice about an installed model, from its own files; of a script from its card or manifest."""
    from edgellm.runtimes.advice import advise, advise_file
    from edgellm.runtimes.plans import kind_of

    if model.problem:
        return None
    if kind_of(model.path) != "script":
        try:
            return advise_file(model.path, here)
        except EdgeError:
            return None
    known = card or (_card_of(model.manifest) if model.manifest else None)
    return advise(known, here) if known is not None else None


def _card_of(manifest: Manifest) -> ModelCard:
    """What the catalog would say of an installed model that is not in it."""
    from edgellm.models.catalog import CardFile, ModelCard

    return ModelCard(
        manifest.name,
        manifest.title,
        "",
        tuple(CardFile(file.path, file.size, file.sha256) for file in manifest.files),
        format=manifest.format,
        quantization=manifest.quantization,
        parameters=manifest.parameters,
        architecture=manifest.architecture,
        tasks=manifest.tasks,
    )


def how_to_use(model: Installed, advice: Advice | None) -> str:
    """The command that uses a model, or why there is none yet."""
    if advice is not None and advice.fit == "unsupported":
        return advice.sentence
    tasks = model.manifest.tasks if model.manifest else ()
    if not tasks and model.path.is_dir():
        return f"To see what is known of it: edgellm models details {model.name}"
    command = next((command_for(task) for task in ("chat", *tasks) if task in _COMMANDS and task in tasks), "chat")
    return f"Use it with: edgellm {command} --model {model.name}"


def command_for(task: str) -> str:
    """The command that does a task of the catalog."""
    return _COMMANDS[task]


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
