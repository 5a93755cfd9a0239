"""One attempt to get every file of a model and to install it: completed by the hub, checked, given room, fetched.

Waiting for others, trying again, and the record on the disk are left to `download_job`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgellm.errors import OfflineError
from edgellm.models import disk, download_plan
from edgellm.models.catalog import ModelCard
from edgellm.models.download_crew import Tools
from edgellm.models.download_files import Files, draft
from edgellm.models.download_plan import Item, Room
from edgellm.models.hashing import Work
from edgellm.models.installed import Installed
from edgellm.models.progress import Meter
from edgellm.models.store import ModelStore
from edgellm.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """What downloads need of the program. `complete` adds to a card what only the hub knows.

    `endpoints` are the addresses of the hub and its mirrors, `room` the free bytes of a folder's disk, `waits` the
    seconds before each new attempt after a network failure, the last for all further ones.
    """

    settings: Callable[[], Settings]
    store: Callable[[], ModelStore]
    complete: Callable[[ModelCard], ModelCard]
    endpoints: Callable[[Settings], tuple[str, ...]]
    tools: Tools
    room: Callable[[Path], int]
    waits: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Watch:
    """Who looks on. `check()` raises when it is to end; `ended()` says so; `tick()` is told that time passes.

    `promised()` gives the bytes that other downloads need; `known(card)` is told what the hub added; `checking()` that
    all has arrived.
    """

    check: Callable[[], None]
    ended: Callable[[], bool]
    tick: Callable[[], None]
    promised: Callable[[], int]
    known: Callable[[ModelCard], None]
    checking: Callable[[], None]


class Attempt:
    """An attempt for `card`, with its part files in `parts`."""

    def __init__(self, card: ModelCard, parts: Path, services: Services, watch: Watch) -> None:
        self._card = card
        self._parts = parts
        self._services = services
        self._watch = watch
        self._files: Files | None = None
        self._missing: tuple[Item, ...] = ()
        self._rate = -1

    @property
    def meter(self) -> Meter | None:
        """The bytes so far; None before the files are known."""
        return self._files.meter if self._files else None

    @property
    def busy(self) -> int:
        """How many files are being fetched just now."""
        return self._files.busy if self._files else 0

    def run(self) -> Installed:
        """The installed model. Raises what went wrong, and what `Watch.check` raises."""
        card = self._completed()
        download_plan.check_card(card)
        settings, store = self._services.settings(), self._services.store()
        items = download_plan.items(card, self._services.endpoints(settings), settings.offline)
        files = Files(card, items, self._parts, self._services.tools)
        work = Work(cancelled=self._watch.ended)
        top = self._parts.parent.parent
        with disk.told(top, f"{card.name} could not be downloaded"):
            files.prepare(store.installed(), work)
            self._missing = files.missing()
            download_plan.require_addresses(self._missing, card.name)
            self._require_room(files, card, top)
        self._watch.known(card)
        self._files = files
        gathered = files.fetch(self._tick, work)
        self._watch.check()
        self._watch.checking()
        source = next((address for item in items for address in item.wanted.addresses), card.repo)
        manifest = draft(card, gathered, source, self._services.tools.tuning.chunk)
        return store.place(manifest, {path: one.place for path, one in gathered.items()})

    def _completed(self) -> ModelCard:
        """The card with what only the hub knows, asked in a thread: a pause or cancel does not wait for the answer."""
        answer: list[ModelCard] = []
        failure: list[BaseException] = []

        def ask() -> None:
            try:
                answer.append(self._services.complete(self._card))
            except BaseException as error:  # a thread's boundary: raised again below
                failure.append(error)

        asking = threading.Thread(target=ask, name=f"complete-{self._card.name}", daemon=True)
        asking.start()
        asking.join(0.1)
        while asking.is_alive():
            self._watch.check()
            asking.join(0.1)
        if failure:
            raise failure[0]
        return answer[0]

    def _require_room(self, files: Files, card: ModelCard, top: Path) -> None:
        """Empty the bin if that helps. Raises `StorageError` with the sum when there still is too little room."""
        here, kept = files.here(), download_plan.RESERVE + self._watch.promised()
        need = download_plan.missing(card, here) + kept
        if self._services.room(top) < need:
            self._services.store().make_room(need)
        download_plan.require_room(card, here, Room(top, self._services.room(top), kept))

    def _tick(self) -> None:
        """Go on as the settings are now. Raises `OfflineError` when the lock was put on."""
        self._watch.tick()
        settings = self._services.settings()
        if settings.download_rate != self._rate:
            self._rate = settings.download_rate
            self._services.tools.rate.change(self._rate * 1000)
        if settings.offline and not all(item.local for item in self._missing):
            raise OfflineError(
                "The offline lock was put on, so the download waits.", "It goes on when the lock is off."
            )
