"""Whether a command may reach another computer: asked before anything is tried, so that nothing is recorded either."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from edgellm.errors import OfflineError
from edgellm.isolation import is_loopback

if TYPE_CHECKING:
    from edgellm.settings import Settings

HINT = "To allow it for this command, add --online; for good, set offline = false in the settings."


def require(settings: Settings, address: str = "") -> None:
    """Raises `OfflineError` when the offline lock keeps the hub, or the host of `address`, away."""
    if locked(settings, address):
        host = host_of(settings, address)
        raise OfflineError(f"The offline lock is on, so {host} was not contacted.", HINT)


def flag(settings: Settings) -> str:
    """What to add to a command that needs the hub for it to work now."""
    return " --online" if locked(settings) else ""


def locked(settings: Settings, address: str = "") -> bool:
    """Whether the offline lock keeps the hub, or the host of `address`, away."""
    return settings.offline and not is_loopback(host_of(settings, address))


def host_of(settings: Settings, address: str = "") -> str:
    """The host of an address, or of the hub."""
    from edgellm import network

    return urlsplit(address or network.endpoint(settings)).hostname or address
