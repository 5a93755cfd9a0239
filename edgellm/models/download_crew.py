"""Several files fetched at once, by threads that share one limit on their number and one on their speed.

What a download is, and what happens to its files, is left to `download_job`.
"""

from __future__ import annotations

import copy
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgellm.errors import EdgeError, Stopped
from edgellm.models.download_plan import Item
from edgellm.models.progress import Meter
from edgellm.models.rate import Control, RateLimit
from edgellm.models.retry import Tuning
from edgellm.models.source import Connect
from edgellm.models.transfer import Fetched, fetch

_log = logging.getLogger(__name__)
_MOST_THREADS = 16
_TICK = 0.25


class Slots:
    """How many files are fetched at once, over all downloads of this process. The limit may change at any time."""

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self._taken = 0
        self._changed = threading.Condition()

    def take(self, given_up: Callable[[], bool]) -> bool:
        """Wait for a free one; False when the caller gave up before."""
        with self._changed:
            while not given_up():
                if self._taken < self._limit():
                    self._taken += 1
                    return True
                self._changed.wait(_TICK)
        return False

    def give(self) -> None:
        """Return one that was taken."""
        with self._changed:
            self._taken -= 1
            self._changed.notify()


@dataclass(frozen=True, slots=True)
class Tools:
    """What all transfers of this process share. `connect(purpose)` makes an HTTP client."""

    connect: Connect
    slots: Slots
    rate: RateLimit
    tuning: Tuning


class Crew:
    """Fetches `items` into `folder`, and adds what arrives to `meter`."""

    def __init__(self, items: Sequence[Item], folder: Path, tools: Tools, meter: Meter) -> None:
        self._waiting = deque(items)
        self._several = len(items) > 1
        self._folder = folder
        self._tools = tools
        self._meter = meter
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._busy = 0
        self._fetched: dict[str, Fetched] = {}
        self._error: BaseException | None = None

    @property
    def busy(self) -> int:
        """How many files are being fetched just now."""
        return self._busy

    def run(self, tick: Callable[[], None]) -> dict[str, Fetched]:
        """What was fetched, by path. `tick` is called a few times a second; what it raises ends the work.

        The first file that fails ends it too, with its error; what has arrived of the others is kept.
        """
        count = min(len(self._waiting), _MOST_THREADS)
        threads = [threading.Thread(target=self._work, name=f"fetch-{number}", daemon=True) for number in range(count)]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    tick()
                    thread.join(_TICK)
        finally:
            self._stop.set()
            for thread in threads:
                if thread.ident is not None:
                    thread.join()
        if self._error is not None:
            raise self._error
        return self._fetched

    def _work(self) -> None:
        while (item := self._next()) is not None:
            if not self._tools.slots.take(self._stop.is_set):
                return
            try:
                self._count(1)
                fetched = self._fetch(item)
                with self._lock:
                    self._fetched[item.file.path] = fetched
            except EdgeError as error:
                self._fail(error, item)
            except Exception as error:  # a thread's boundary: `run` raises it again
                _log.exception("a file could not be fetched")
                self._fail(error, item)
            finally:
                self._count(-1)
                self._tools.slots.give()

    def _next(self) -> Item | None:
        with self._lock:
            return self._waiting.popleft() if self._waiting and not self._stop.is_set() else None

    def _fetch(self, item: Item) -> Fetched:
        path = item.file.path
        control = Control(
            progress=lambda received, _total: self._meter.at(path, received),
            cancelled=self._stop.is_set,
            rate=self._tools.rate,
        )
        fetched = fetch(item.wanted, self._folder / item.part, self._tools.connect, control, self._tools.tuning)
        self._meter.at(path, fetched.size)
        return fetched

    def _count(self, change: int) -> None:
        with self._lock:
            self._busy += change

    def _fail(self, error: BaseException, item: Item) -> None:
        """Keep the first error, with the file's name in its sentence where there are several."""
        if isinstance(error, EdgeError) and not isinstance(error, Stopped) and self._several:
            error = copy.copy(error)
            error.message = f"{item.file.path}: {error.message}"
        with self._lock:
            self._error = self._error or (None if self._stop.is_set() else error)
        self._stop.set()
