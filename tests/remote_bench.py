"""A remote runtime over a loopback server, with short waits, and questions to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from keyring.backend import KeyringBackend

from edgellm.errors import EdgeError
from edgellm.paths import Paths
from edgellm.runtimes.base import Chunk, Event, Finish, Message, Request
from edgellm.runtimes.remote import RemoteRuntime, server_of
from edgellm.runtimes.remote_limits import Limits
from edgellm.settings import Settings

QUICK = Limits(connect=5, short=5, first=10, between=10, last=1, pause=0.05)


def paths_in(folder: Path) -> Paths:
    """Everything below one folder."""
    return Paths.under(folder, folder, folder / "logs")


def loaded(
    address: str,
    folder: Path,
    name: str = "",
    limits: Limits = QUICK,
    ring: KeyringBackend | None = None,
    **settings: Any,
) -> RemoteRuntime:
    """The runtime for the model `name` of the server at `address`."""
    values = Settings(remote_address=address, **settings)
    server = server_of(lambda: values, paths_in(folder), limits, ring)
    return RemoteRuntime.load(server, name, values.context)


def request(text: str = "Hello", **fields: Any) -> Request:
    """A question."""
    return replace(Request((Message("user", text),)), **fields)


def take(events: Iterable[Event]) -> tuple[list[str], Finish | None, EdgeError | None]:
    """The pieces that came, the facts if it ended well, the error if not."""
    pieces: list[str] = []
    finish: Finish | None = None
    try:
        for event in events:
            assert finish is None, "something came after the end"
            if isinstance(event, Chunk):
                assert event.text
                pieces.append(event.text)
            else:
                finish = event
    except EdgeError as error:
        return pieces, finish, error
    return pieces, finish, None


def ask(
    runtime: RemoteRuntime, text: str = "Hello", cancelled: Callable[[], bool] = lambda: False, **fields: Any
) -> tuple[str, Finish | None, EdgeError | None]:
    """The same for a question, with the text in one."""
    pieces, finish, error = take(runtime.generate(request(text, **fields), cancelled))
    return "".join(pieces), finish, error
