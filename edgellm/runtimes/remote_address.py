"""Where a server is: the address of its API out of what a person typed, and whether it is on this computer.

Nothing is contacted here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from edgellm.errors import SettingsError
from edgellm.isolation import is_loopback

_VERSION = re.compile(r"/v\d+$")
_HINT = "Set remote_address to an address such as http://127.0.0.1:8080"
_NAME = "remote"


def is_remote(model: str) -> bool:
    """Whether the name of a model means one on the server: `remote`, or `remote:NAME`."""
    return model.strip() == _NAME or model.strip().startswith(f"{_NAME}:")


def model_of(model: str) -> str:
    """The server's name of the model that such a name means; empty for the one of the settings."""
    return model.strip().removeprefix(_NAME).removeprefix(":").strip()


@dataclass(frozen=True, slots=True)
class Address:
    """`base` is that of the API (as a rule it ends in `/v1`), `root` the server's own, both without a slash at the end.

    `local` says that it is this computer itself.
    """

    base: str
    root: str
    host: str
    local: bool

    @classmethod
    def of(cls, text: str) -> Address:
        """Read an address: `http://host:port`, or that with the path of the API. Raises `SettingsError`."""
        text = text.strip()
        if not text:
            raise SettingsError("No server is set.", _HINT)
        try:
            parts = urlsplit(text)
            host, _ = parts.hostname, parts.port
        except ValueError:
            parts, host = urlsplit(""), None
        plain = text.isprintable() and " " not in text and "\\" not in text
        if not host or parts.scheme not in ("http", "https") or not plain:
            raise SettingsError("The server's address is no http or https address.", _HINT)
        if "@" in parts.netloc:
            raise SettingsError(
                "The server's address holds a name or a password.", "Leave it out, and run: edgellm remote --set-key"
            )
        if parts.query or parts.fragment:
            raise SettingsError("The server's address holds more than a path.", _HINT)
        whole = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
        whole = whole.removesuffix("/chat/completions").removesuffix("/models")
        bare = not urlsplit(whole).path
        return cls(f"{whole}/v1" if bare else whole, _VERSION.sub("", whole), host, is_loopback(host))

    @property
    def device(self) -> str:
        """Where the model runs, as the last event of an answer says it."""
        return f"remote: {self.host}"

    @property
    def reason(self) -> str:
        """Where the model runs, as a sentence for the person."""
        if self.local:
            return "Runs on another program on this computer."
        return f"Runs on {self.host}: what you write leaves this machine."
