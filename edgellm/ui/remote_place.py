"""Where a remote model is, in words: another program on this computer, or a server that what is written goes to."""

from __future__ import annotations

from dataclasses import dataclass

from edgellm.errors import SettingsError
from edgellm.runtimes.remote_address import Address
from edgellm.settings import Settings
from edgellm.ui.engine_client import Status
from edgellm.ui.language import tr


@dataclass(frozen=True, slots=True)
class Place:
    """A server. `host` is its name with the port where it has one; `local` says that it is this computer itself,
    `locked` that the offline lock keeps it away.
    """

    host: str
    local: bool
    locked: bool = False

    @property
    def short(self) -> str:
        """A few words."""
        return tr("another program on this computer") if self.local else tr("leaves this machine")

    @property
    def sentence(self) -> str:
        """What it means for what is written."""
        if self.local:
            return tr("Another program on this computer answers ({host}).").format(host=self.host)
        if self.locked:
            return tr("The offline lock keeps {host} away; without it, what you write leaves this machine.").format(
                host=self.host
            )
        return tr("Leaves this machine: what you write goes to {host}.").format(host=self.host)


def place_of(settings: Settings) -> Place | None:
    """Where the server of the settings is; None when there is none, or its address is none."""
    if not settings.remote_address.strip():
        return None
    try:
        address = Address.of(settings.remote_address)
    except SettingsError:
        return None
    host = address.root.partition("://")[2].partition("/")[0]
    return Place(host, address.local, settings.offline and not address.local)


def place_of_status(status: Status, settings: Settings) -> Place | None:
    """Where the model is that `status` tells of; None for one that this program runs itself."""
    placement = status.placement
    if placement is None or placement.runtime != "remote":
        return None
    return place_of(settings) or Place(tr("a server"), local=False)
