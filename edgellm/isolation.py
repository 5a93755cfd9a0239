"""Processes that must stay silent: what this machine itself is, and a hook that stops every other connection.

Apart from `network`, because the engine shuts itself off at its start and needs no HTTP client for that.
"""

from __future__ import annotations

import ipaddress
import sys
from typing import Any

from edgellm.errors import OfflineError

_NAMES = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_REVERSE = "socket.getnameinfo"
_SENDS = ("socket.connect", "socket.sendto", "socket.sendmsg")


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine itself."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def forbid_outgoing(allow_loopback: bool = True) -> None:
    """Make every outgoing connection and name lookup of this process an `OfflineError`, for as long as it lives.

    An audit hook sees what Python code does; a native library that opens its own sockets is not seen.
    """

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event in _NAMES:
            host = args[0]
        elif event in _SENDS or event == _REVERSE:
            address = args[event != _REVERSE]
            if not isinstance(address, tuple):
                return  # a socket file, or a socket that is connected already
            host = address[0]
        else:
            return
        name = host.decode("ascii", "replace") if isinstance(host, bytes | bytearray) else host
        if name is None or name == "" or (allow_loopback and is_loopback(str(name))):
            return
        raise OfflineError(f"A connection to {name} was stopped: this process must stay offline.")

    sys.addaudithook(hook)
