"""What an `Engine` is for a model on this computer, for a model on a server: the same orders, and no process.

The runtime has no native library that could fall, so it lives in the process that asks. Which of the two is in charge
is left to `switch.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from edgellm.engine.client import cancelled_finish
from edgellm.engine.status import Board, EngineStatus
from edgellm.engine.turn import Turn
from edgellm.errors import EngineError, NoModel, UsageError
from edgellm.paths import Paths
from edgellm.runtimes.base import Cancelled, Event, Message, ModelInfo, Placement, Reading, Reply, Request, never
from edgellm.runtimes.remote_address import Address, model_of
from edgellm.runtimes.remote_limits import Limits

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

    from edgellm.runtimes.remote import RemoteRuntime
    from edgellm.settings import Settings

_DEVICE = "Remote"


class RemoteEngine:
    """A `Generator` whose model is on the server of the settings; they are looked at before each answer.

    `status` and `cancel` answer at once from any thread, `close` too; other threads wait for the orders before theirs.
    `ring` stands in for the system's keyring.
    """

    def __init__(
        self,
        paths: Paths,
        settings: Callable[[], Settings],
        limits: Limits | None = None,
        ring: KeyringBackend | None = None,
    ) -> None:
        self._paths = paths
        self._settings = settings
        self._limits = limits
        self._ring = ring
        self._board = Board()
        self._turn = Turn()
        self._stop = threading.Event()
        self._closed = False
        self._runtime: RemoteRuntime | None = None
        self._loaded: tuple[Path, str, str, int] | None = None

    @property
    def info(self) -> ModelInfo:
        """The model that is loaded. Raises `UsageError` when there is none."""
        if self._runtime is None:
            raise NoModel
        return self._runtime.info

    @property
    def restarts(self) -> int:
        """There is no process that could need it."""
        return 0

    @property
    def closed(self) -> bool:
        """Whether `close` was called: then it stays closed."""
        return self._closed

    def status(self) -> EngineStatus:
        """How it stands now."""
        return self._board.status

    def load(self, path: Path, asked: bool = False, anyway: bool = False) -> ModelInfo:
        """Find the model that `remote` or `remote:NAME` means; nothing happens when it is found already.

        `asked` and `anyway` mean nothing here. Raises an `EdgeError`.
        """
        with self._turn.taken():
            return self._ready(path, self._ended).info

    def generate(self, request: Request, cancelled: Cancelled = never) -> Iterator[Event]:
        """Stream an answer. Raises an `EdgeError`; what came before it stays."""
        with self._turn.taken(cancelled) as mine:
            if not mine:
                yield cancelled_finish()
                return
            if not self._closed:
                self._stop.clear()

            def stop() -> bool:
                return self._stop.is_set() or cancelled()

            runtime = self._again(stop)
            self._board.set(state="generating")
            try:
                yield from runtime.generate(request, stop)
            finally:
                if self._board.status.state == "generating":
                    self._board.set(state="ready")

    def count(self, messages: tuple[Message, ...]) -> int:
        """Prompt tokens of a conversation, by the server if it is on this computer, or estimated."""
        with self._turn.taken():
            return self._again(self._ended).count(messages)

    def read(self, reading: Reading, cancelled: Cancelled = never) -> Reply:
        """Raises `UsageError`: models on a server write."""
        raise UsageError("A model on a server writes, and does not read.", "Use a model on this computer for this.")

    def cancel(self) -> None:
        """Stop the answer that is being written, if there is one."""
        self._stop.set()

    def unload(self) -> None:
        """Forget the model."""
        with self._turn.taken():
            self._runtime = self._loaded = None
            self._board.clear()

    def close(self) -> None:
        """Use it no more, also in the middle of an answer."""
        self._closed = True
        self._stop.set()
        self._board.set(state="stopped", reason="The engine was closed.")

    def _ended(self) -> bool:
        return self._closed

    def _again(self, stop: Cancelled) -> RemoteRuntime:
        path = self._board.status.path
        if path is None or self._runtime is None:
            raise NoModel
        return self._ready(path, stop)

    def _ready(self, path: Path, stop: Cancelled) -> RemoteRuntime:
        """The runtime for the settings as they are now."""
        if self._closed:
            raise EngineError("The engine was closed.", "Start the program again.")
        values = self._settings()
        wanted = (path, values.remote_address.strip(), values.remote_model.strip(), values.context)
        if self._runtime is not None and self._loaded == wanted:
            return self._runtime
        from edgellm.runtimes.remote import RemoteRuntime, server_of

        self._runtime = self._loaded = None
        self._board.clear()
        name = model_of(path.as_posix()) or wanted[2]
        address = Address.of(wanted[1])
        self._board.set(state="loading", path=path, model=name or address.host, device=_DEVICE, reason=address.reason)
        try:
            server = server_of(self._settings, self._paths, self._limits, self._ring)
            runtime = RemoteRuntime.load(server, name, values.context, stop)
            self._runtime, self._loaded = runtime, wanted
        finally:
            if self._runtime is None:
                self._board.set(state="stopped")
        placement = Placement(runtime="remote", device="remote", threads=0, context=runtime.info.context, repack=False)
        self._board.set(state="ready", model=runtime.info.name, placement=placement)
        for note in runtime.notes:
            self._board.say(note)
        return runtime
