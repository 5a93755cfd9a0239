"""The models of the server of the settings: their names, asked for in a thread and only when somebody looks.

What choosing one means is left to the engine's worker, how it is shown to the model selector.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Signal

from edgellm.errors import EdgeError, SettingsError
from edgellm.runtimes.remote_address import Address
from edgellm.ui.background import Runner
from edgellm.ui.language import tr
from edgellm.ui.remote_place import Place, place_of

if TYPE_CHECKING:
    from edgellm.app import App

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listing:
    """What is known of a server: the names of its models, and one line about the asking, mostly empty."""

    address: str = ""
    place: Place | None = None
    names: tuple[str, ...] = ()
    words: str = ""
    hint: str = ""


class RemoteModels(QObject):
    """`changed` is sent when there is another `listing`."""

    changed = Signal()

    def __init__(self, app: App, runner: Runner) -> None:
        super().__init__()
        self._app, self._runner = app, runner
        self._closed = threading.Event()
        self._asking = ""
        self.listing = Listing()

    def ask(self) -> None:
        """Ask the server for its models; what was known of it stays until it answers. Nothing is set: nothing is asked.

        `changed` follows when it has answered, not for what is known at once.
        """
        settings = self._app.settings
        address, place = settings.remote_address.strip(), place_of(settings)
        if self._asking and self._asking == address:
            return
        before = self.listing if self.listing.address == address else Listing(address)
        if place is None:
            self.listing = self._misread(address)
        elif place.locked:
            words = tr("The offline lock is on, so {host} is not asked.").format(host=place.host)
            self.listing = Listing(address, place, words=words)
        else:
            self._asking = address
            words = tr("Asking {host}…").format(host=place.host)
            self.listing = replace(before, place=place, words=words, hint="")
            self._runner.run(self._names, self._answered(address, place), self._failed(address, place))

    def run(
        self, job: Callable[[], T], done: Callable[[T], None], failed: Callable[[EdgeError], None] | None = None
    ) -> None:
        """Do something else about the server in the same thread, such as keeping its key."""
        self._runner.run(job, done, failed)

    def close(self) -> None:
        """Give up asking."""
        self._closed.set()
        self._runner.close()

    def _names(self) -> tuple[str, ...]:
        from edgellm.runtimes.remote import server_of

        app = self._app
        offers = server_of(lambda: app.settings, app.paths).models(self._closed.is_set)
        return tuple(offer.name for offer in offers)

    def _answered(self, address: str, place: Place) -> Callable[[tuple[str, ...]], None]:
        def done(names: tuple[str, ...]) -> None:
            self._put(Listing(address, place, names, "" if names else tr("The server has no model loaded.")))

        return done

    def _failed(self, address: str, place: Place) -> Callable[[EdgeError], None]:
        return lambda error: self._put(Listing(address, place, (), error.message, error.hint))

    def _put(self, listing: Listing) -> None:
        self._asking = ""
        if listing.address != self._app.settings.remote_address.strip():
            return  # another address was set meanwhile
        self.listing = listing
        self.changed.emit()

    @staticmethod
    def _misread(address: str) -> Listing:
        try:
            Address.of(address)
        except SettingsError as error:
            return Listing(address, words=error.message if address else "", hint=error.hint)
        return Listing(address)
