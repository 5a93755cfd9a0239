"""Access tokens of this person, the hub's above all: kept in the system's keyring, each for the one address it is for.

Where there is no keyring it is a file that only this person can read, and that is said. Sending it is left to
`network`, which gives it to that address alone; it is never logged.
"""

from __future__ import annotations

import json
import logging
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from edgellm import files
from edgellm.errors import StorageError, UsageError
from edgellm.isolation import is_loopback
from edgellm.paths import Paths

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

_log = logging.getLogger(__name__)

_LONGEST = 512
_LARGEST_FILE = 64_000


@dataclass(frozen=True, slots=True)
class Drawer:
    """Where one kind of token is kept: its name in the keyring, and its file where there is none.

    `setting` is what holds the address, `source` is where a person gets the token: both for sentences.
    """

    service: str
    file: str
    setting: str
    source: str


HUB = Drawer("EdgeLLM hub token", "hub-token.json", "the mirror", "the hub's settings page")


@dataclass(frozen=True, slots=True)
class Kept:
    """A token and where it is kept: `keyring` or `file`. `notice` is a sentence worth showing, or empty."""

    token: str
    where: str
    notice: str = ""

    def __repr__(self) -> str:
        return f"Kept(where={self.where!r})"


class Tokens:
    """Reads, keeps and forgets tokens of one `drawer`. `ring` stands in for the system's keyring."""

    def __init__(self, paths: Paths, ring: KeyringBackend | None = None, drawer: Drawer = HUB) -> None:
        self._path = paths.settings.parent / drawer.file
        self._drawer = drawer
        self._given = ring

    def read(self, endpoint: str) -> str:
        """The token for the hub at `endpoint`; empty when there is none, or when it cannot be read."""
        kept = self.find(endpoint)
        return kept.token if kept else ""

    def find(self, endpoint: str) -> Kept | None:
        """The token for the hub at `endpoint` and where it is kept; None when there is none. Never fails."""
        try:
            origin = origin_of(endpoint)
        except UsageError:
            return None
        for token, where in ((self._from_ring(origin), "keyring"), (self._from_file(origin), "file")):
            if token and not _problem(token):
                return Kept(token, where, self._file_notice() if where == "file" else "")
        return None

    def save(self, endpoint: str, token: str) -> Kept:
        """Keep `token` for the hub at `endpoint`, in the keyring if there is one. `Kept.notice` says when not.

        Raises `UsageError` for what cannot be a token or such an address, `StorageError` when it cannot be written.
        """
        origin, token = origin_of(endpoint), token.strip()
        if problem := _problem(token):
            raise UsageError(f"This cannot be a token: {problem}.", f"Copy it again from {self._drawer.source}.")
        if not origin.startswith("https://") and not is_loopback(urlsplit(origin).hostname or ""):
            raise UsageError(
                "A token is only kept for an https address.", f"Check {self._drawer.setting} in the settings."
            )
        if self._to_ring(origin, token):
            self._change_file(origin, "")
            return Kept(token, "keyring")
        self._change_file(origin, token)
        return Kept(token, "file", self._file_notice())

    def forget(self, endpoint: str) -> bool:
        """Forget the token for the hub at `endpoint`; whether there was one. Raises `StorageError`."""
        origin = origin_of(endpoint)
        there = self.find(endpoint) is not None
        if self._from_ring(origin):
            self._ask(lambda ring: ring.delete_password(self._drawer.service, origin))
            if self._from_ring(origin):
                raise StorageError(
                    "The keyring did not forget the token.",
                    f"Delete {self._drawer.service!r} in the keyring's own window.",
                )
        self._change_file(origin, "")
        return there

    def _file_notice(self) -> str:
        return f"There is no keyring here, so the token is kept in {self._path}, which only you can read."

    def _from_ring(self, origin: str) -> str:
        found = self._ask(lambda ring: ring.get_password(self._drawer.service, origin))
        return found if isinstance(found, str) else ""

    def _to_ring(self, origin: str, token: str) -> bool:
        self._ask(lambda ring: ring.set_password(self._drawer.service, origin, token))
        return self._from_ring(origin) == token

    def _ask(self, question: Callable[[KeyringBackend], Any]) -> Any:
        """What the keyring answers; None when there is none, or it fails. It can be locked between two uses."""
        ring = self._given
        try:
            if ring is None:
                import keyring

                ring = keyring.get_keyring()
            return question(ring)
        except Exception as error:  # a keyring is another program, behind a plugin that raises what it likes
            _log.info("the keyring did not answer: %s", type(error).__name__)
            return None

    def _from_file(self, origin: str) -> str:
        token = self._tokens().get(origin)
        return token if isinstance(token, str) else ""

    def _tokens(self) -> dict[str, Any]:
        try:
            if self._path.stat().st_size > _LARGEST_FILE:
                return {}
            self._close(self._path)
            read = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return read if isinstance(read, dict) else {}

    @staticmethod
    def _close(path: Path) -> None:
        """Take away what others may read, where a copy or a restore has opened it."""
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o600)

    def _change_file(self, origin: str, token: str) -> None:
        """Write the file with this token, or without one; a file with no token left is deleted."""
        tokens = self._tokens()
        if token == tokens.get(origin, ""):
            return
        left = {name: kept for name, kept in {**tokens, origin: token}.items() if kept}
        try:
            if left:
                files.write(self._path, json.dumps(left, indent=1) + "\n")
            else:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(
                f"The token could not be saved: {error.strerror}.", "Check the free space and the folder's permissions."
            ) from error


def origin_of(endpoint: str) -> str:
    """Scheme, host and port of an address. Raises `UsageError` for what is none."""
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in ("http", "https"):
        raise UsageError("The hub's address is no http or https address.", "Check the mirror in the settings.")
    usual = {"https": 443, "http": 80}[parts.scheme]
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port and port != usual else "")


def _problem(token: str) -> str:
    """Why a text cannot be a token; it would be a header's value."""
    if not token:
        return "it is empty"
    if len(token) > _LONGEST:
        return "it is too long"
    return "" if all(33 <= ord(character) <= 126 for character in token) else "it holds spaces or other characters"
