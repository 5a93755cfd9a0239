"""Which of the models on this machine a task takes when the person named none, and why.

Judged by what was measured here (speed), by the memory that is free and by what the catalog says of a model's quality;
the built-in one comes last. Models to download are weighed in `recommend.py`, by the same floors of speed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edgellm.errors import EdgeError
from edgellm.models.catalog import CardFile, ModelCard
from edgellm.models.installed import Installed
from edgellm.runtimes import architectures, ranking
from edgellm.runtimes.advice import Advice, Here, advise, advise_file, rate
from edgellm.runtimes.architectures import READS
from edgellm.runtimes.base import Choice
from edgellm.runtimes.plans import kind_of
from edgellm.runtimes.recommend import FLOORS

_PAIR = 2
_ANY = ("mul", "many", "multilingual")
OTHER = "Choose another with --model NAME."


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be done: a task as in a card's `tasks`, and for a translation the codes of the languages."""

    task: str
    source: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An installed model for a task. `pair`: it translates between just these languages; `alone`: made for the task."""

    model: Installed
    card: ModelCard
    advice: Advice
    slow: bool
    pair: bool
    alone: bool
    aside: bool
    worth: float

    @property
    def rank(self) -> tuple[bool, bool, bool, bool, bool, bool, float, float, str]:
        """Smaller is better: not the built-in one, for this very pair, enough speed, room to spare, made for
        translation, no thinking aloud; then what it can do, and its speed."""
        speed = self.advice.words_per_second or 0.0
        worth = (-speed, -self.worth) if self.slow else (-self.worth, -speed)
        fits = self.advice.fit == "fits"
        return self.model.builtin, not self.pair, self.slow, not fits, not self.alone, self.aside, *worth, self.name

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.model.name


def rank(wish: Wish, installed: Iterable[Installed], cards: Iterable[ModelCard], here: Here) -> tuple[Candidate, ...]:
    """Those that can do it, the best first. One that is damaged, too large or for other languages is left out."""
    known = tuple(cards)
    found = (_candidate(wish, model, known, here) for model in installed if not model.problem)
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.rank))


def prefer(
    wish: Wish, installed: Iterable[Installed], cards: Iterable[ModelCard], here: Here
) -> Choice[Installed] | None:
    """The one to take with the reason in a sentence; None where none can do it. The built-in one needs no reason."""
    ranked = rank(wish, installed, cards, here)
    return Choice(ranked[0].model, reason(ranked)) if ranked else None


def _candidate(wish: Wish, model: Installed, cards: tuple[ModelCard, ...], here: Here) -> Candidate | None:
    card = _card(model, cards)
    if not (_can(card, wish.task) and _speaks(card, wish)):
        return None
    try:
        advice = _advice(model, card, here)
    except EdgeError:
        return None
    if advice.fit in ("swap", "unsupported") and not model.builtin:
        return None
    speed, alone = advice.words_per_second, card.tasks == (wish.task,)
    return Candidate(
        model,
        card,
        advice,
        slow=speed is not None and speed < FLOORS.get(wish.task, 2.0),
        pair=_is_pair(card) and wish.task == "translate",
        alone=alone and wish.task == "translate",
        aside=ranking.is_aside(card, wish.task),
        worth=ranking.capability(card, wish.task),
    )


def _advice(model: Installed, card: ModelCard, here: Here) -> Advice:
    """What to expect of it, from its own files. Raises an `EdgeError` for what cannot be read."""
    return advise(card, here) if kind_of(model.path) == "script" else advise_file(model.path, here)


def _card(model: Installed, cards: tuple[ModelCard, ...]) -> ModelCard:
    """What the catalog says of it, else what its manifest says; of a bare file, that one can talk to it."""
    for card in cards:
        if card.builtin and model.builtin:
            return card
        own = model.manifest is not None and card.name == model.manifest.name and not card.builtin
        if own or (model.manifest is None and _is_file_of(model, card)):
            return card
    manifest = model.manifest
    if manifest is None:
        files = (CardFile(model.path.name, model.size),)
        return ModelCard(model.name, model.name, "", files, tasks=("chat",))
    gguf = manifest.format == "gguf"
    return ModelCard(
        manifest.name,
        manifest.title or manifest.name,
        "",
        tuple(CardFile(file.path, file.size) for file in manifest.files),
        format=manifest.format,
        quantization=manifest.quantization,
        parameters=manifest.parameters,
        license=manifest.license,
        tasks=manifest.tasks or (("chat",) if gguf else ()),
        languages=manifest.languages,
        architecture=manifest.architecture if gguf else "",
    )


def _is_file_of(model: Installed, card: ModelCard) -> bool:
    return len(card.files) == 1 and (Path(card.files[0].path).name, card.files[0].size) == (model.path.name, model.size)


def _can(card: ModelCard, task: str) -> bool:
    """Whether it can be asked for the task; what one can talk to can be asked for anything in words."""
    if task in READS:
        return task in card.tasks and not architectures.unsupported_card(card)
    return card.builtin or ranking.is_for(card, task) or "chat" in card.tasks


def directed(card: ModelCard) -> tuple[str, ...]:
    """The source and the target of a model that translates in one direction alone; nothing for others."""
    languages = tuple(_plain(tag) for tag in card.languages)
    return languages if card.tasks == ("translate",) and len(languages) == _PAIR else ()


def _is_pair(card: ModelCard) -> bool:
    languages = directed(card)
    return bool(languages) and not any(tag in _ANY for tag in languages)


def _speaks(card: ModelCard, wish: Wish) -> bool:
    """Whether it translates between the languages; the order of two decides its direction."""
    if wish.task != "translate" or card.builtin:
        return True
    asked = (_plain(wish.source), _plain(wish.target))
    if known := directed(card):
        return all(own in (*_ANY, one) for own, one in zip(known, asked, strict=True)) and asked[0] != asked[1]
    return all(ranking.speaks(card, language) for language in asked if language)


def _plain(tag: str) -> str:
    return tag.lower().partition("-")[0]


def reason(ranked: tuple[Candidate, ...]) -> str:
    """Why the first one is taken, as a sentence; empty for the built-in one."""
    best = ranked[0]
    if best.model.builtin:
        return ""
    others = [one for one in ranked[1:] if not one.model.builtin]
    speed = best.advice.speed
    known = f" ({rate(speed.words_per_second)}, {speed.because})" if speed is not None else ""
    if best.pair:
        text = "it was made to translate between just these languages"
    elif best.slow and others:
        text = f"all that are installed are slow here, and it is the fastest{known}"
    elif not others:
        text = f"it is the only one installed for this besides the built-in model{known}"
    elif best.alone:
        text = f"it was made to translate{known}"
    else:
        text = f"of those installed that run well here it can do the most{known}"
    return f"{best.name} is used, because {text}. {OTHER}"
