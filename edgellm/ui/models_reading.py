"""Reading for the Models page, in a thread: what is installed, what there is, how it fits, what to offer."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from edgellm.errors import EdgeError
from edgellm.isolation import is_loopback
from edgellm.ui import model_kinds, models_advice, models_view
from edgellm.ui.models_offer import Offer
from edgellm.ui.models_view import Known, Row

if TYPE_CHECKING:
    from edgellm.app import App
    from edgellm.models.catalog import ModelCard
    from edgellm.models.hub import Hub
    from edgellm.models.store import Installed
    from edgellm.runtimes.advice import Advice, Here
    from edgellm.settings import Settings

_STARTER, _GGUF = "starter", ".gguf"
_DOWNLOADS = ".downloads"  # what `models/downloads` calls its folder; importing it would import the network
_TASKS = ("chat", "summarize", "translate", "answer", "classify")


@dataclass(frozen=True, slots=True)
class Shelf:
    """All that was read. `best` is the name of the model to offer for chatting, `reason` why; both may be empty."""

    known: Known = field(default_factory=Known)
    rows: tuple[Row, ...] = ()
    notice: str = ""
    best: str = ""
    reason: str = ""

    def installed(self, name: str) -> Installed | None:
        """An installed model."""
        return next((entry for entry in self.known.installed if entry.name == name), None)

    def chats(self, name: str) -> bool:
        """Whether an installed model can chat, as far as is known."""
        return model_kinds.can_chat(self.card(name) or self.known.described.get(name))

    def card(self, name: str) -> ModelCard | None:
        """A card of the catalog."""
        return next((card for card in self.known.cards if card.name == name), None)


def locked(settings: Settings) -> bool:
    """Whether the offline lock keeps the hub away. This machine itself can always be reached."""
    if not settings.offline:
        return False
    address = settings.mirror or os.environ.get("HF_ENDPOINT", "").strip()
    return not is_loopback(urlsplit(address).hostname or "")


def any_left(app: App) -> bool:
    """Whether something of a download lies in a models folder."""
    for folder in app.models().folders:
        try:
            if any(path.name != ".lock" for path in (folder / _DOWNLOADS).iterdir()):
                return True
        except OSError:
            continue  # there is none
    return False


def read(app: App, before: Shelf) -> Shelf:
    """What is installed and what the catalog has; advice stays as it was before. Quick. Raises an `EdgeError`."""
    catalog = app.catalog()
    installed = app.models().installed()
    known = replace(before.known, installed=installed, cards=catalog.cards, in_use=_in_use(app, installed))
    return replace(before, known=known, rows=models_view.rows(known), notice=catalog.notice)


def advise(app: App, shelf: Shelf) -> Shelf:
    """The same with what fits this computer and how fast it will be. May look at the hardware first: seconds."""
    from edgellm.runtimes.advice import advise as advise_card

    here = app.here()
    known = shelf.known
    advice = {card.name: advise_card(card, here) for card in known.cards}
    advice |= {entry.name: found for entry in known.installed if (found := _of_file(entry, here)) is not None}
    best, recommended = _recommended(known.cards, here)
    known = replace(known, advice=advice, recommended=recommended, described=_described(known))
    reason = models_advice.short_why(advice.get(best))
    return replace(shelf, known=known, rows=models_view.rows(known), best=best, reason=reason)


def _of_file(entry: Installed, here: Here) -> Advice | None:
    """Advice from the files themselves; none for what cannot be read, or is a script."""
    from edgellm.runtimes.advice import advise_file
    from edgellm.runtimes.plans import kind_of

    if entry.problem or kind_of(entry.path) == "script":
        return None
    try:
        return advise_file(entry.path, here)
    except EdgeError:
        return None


def _described(known: Known) -> dict[str, ModelCard]:
    """A card for each installed model that the catalog does not know, from its own files; old ones are kept."""
    from edgellm.models.catalog import CardFile, ModelCard
    from edgellm.models.details import details

    names = {card.name for card in known.cards}
    made = {}
    for entry in known.installed:
        if entry.name in names or entry.problem:
            continue
        found = known.described.get(entry.name)
        if found is None or found.size != entry.size:
            facts = details(entry)
            found = ModelCard(
                entry.name,
                facts.title,
                "",
                (CardFile(entry.path.name, entry.size),),
                format=facts.format,
                quantization=facts.quantization,
                parameters=facts.parameters,
                license=facts.license,
                tasks=facts.tasks or model_kinds.tasks_of(facts.architecture),
                languages=facts.languages,
                context=facts.context,
                architecture=facts.architecture,
            )
        made[entry.name] = found
    return made


def _recommended(cards: tuple[ModelCard, ...], here: Here) -> tuple[str, dict[str, str]]:
    """The model for chatting, and a sentence for each one that is recommended for a task."""
    from edgellm.runtimes.recommend import recommend

    jobs: dict[str, list[str]] = {}
    found = {task: recommend(cards, task, here) for task in _TASKS}
    for task, one in found.items():
        if one.choice.value is not None:
            jobs.setdefault(one.choice.value.name, []).append(task)
    sentences = {}
    for name, tasks in jobs.items():
        words = models_view.tasks(tasks)
        sentences[name] = models_advice.why(found[tasks[0]].advice, words)
    best = found["chat"].choice.value
    return (best.name if best is not None else ""), sentences


def offer(settings: Settings, shelf: Shelf) -> Offer | None:
    """The model to offer on the first start: the recommended one, while nothing larger than the starter is here."""
    card = shelf.card(shelf.best)
    if card is None or not settings.offer_model or any(not entry.builtin for entry in shelf.known.installed):
        return None
    advice = shelf.known.advice.get(card.name)
    speed, basis = models_advice.speed(advice)
    return Offer(card.name, card.title, card.size, card.license, shelf.reason, speed, basis)


def hub(app: App, cancelled: Callable[[], bool]) -> Hub:
    """The hub, whose every wait ends when `cancelled` says so: the window must not wait for it to close."""
    from edgellm import network
    from edgellm.models.hub import Hub

    def connect(purpose: str) -> network.Client:
        client = app.connect(purpose)
        client.stop_when(cancelled)
        return client

    return Hub(connect, network.endpoints(app.settings)[1:])


def search(app: App, text: str, most: int, cancelled: Callable[[], bool]) -> tuple[Row, ...]:
    """Repositories of the hub by name. Raises a `NetworkError`, `OfflineError` or `Stopped`."""
    return tuple(models_view.found(one) for one in hub(app, cancelled).search(text, most))


def look_up(app: App, text: str, cancelled: Callable[[], bool]) -> tuple[ModelCard, Row]:
    """What the hub says about a reference. Raises a `NetworkError`, a `ModelError`, `OfflineError` or `Stopped`."""
    card = hub(app, cancelled).card(text)
    return card, models_view.looked_up(card, _advice(app, card), text)


def _advice(app: App, card: ModelCard) -> Advice:
    from edgellm.runtimes.advice import advise as advise_card

    return advise_card(card, app.here())


def _in_use(app: App, installed: tuple[Installed, ...]) -> str:
    """The name of the installed model that the setting means."""
    wanted = app.settings.model.strip()
    if wanted.casefold() in ("", _STARTER):
        return _STARTER
    by_path = next((entry.name for entry in installed if Path(wanted) == entry.path), "")
    return by_path or next((entry.name for entry in installed if entry.name.casefold() == wanted.casefold()), "")
