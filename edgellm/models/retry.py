"""Which address to ask next, and when: the order of mirrors, waiting with jitter, Retry-After, and when to give up."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from edgellm.errors import EdgeError, ModelDamaged, NetworkError, OfflineError
from edgellm.models.rate import Control

_STEP = 0.1
_MOST_SILENCES = 3
_LEAST_TRIES = 3
"""So many attempts are made even when each of them takes long."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """Times in seconds, sizes in bytes.

    `stall`: silence that ends an attempt. `patience`: how long failures without one new byte are borne before they are
    raised; a longer Retry-After is raised at once. `first_wait` doubles up to `longest_wait`.
    """

    stall: float = 30.0
    patience: float = 12.0
    first_wait: float = 0.5
    longest_wait: float = 5.0
    connect: float = 10.0
    chunk: int = 16 << 20
    save_every: int = 4 << 20


@dataclass(slots=True)
class Route:
    """One address, and how it did."""

    address: str
    ranges: bool = True
    not_before: float = 0.0
    error: EdgeError | None = None
    dead: bool = False


class Routes:
    """The addresses of one file. After a failure `failed` has waited and chosen the next, or raises."""

    def __init__(self, addresses: tuple[str, ...], tuning: Tuning, control: Control) -> None:
        self._routes = [Route(address) for address in addresses]
        self._tuning = tuning
        self._control = control
        self._now = 0
        self._since = 0.0
        self._failures = 0
        self._silences = 0

    @property
    def route(self) -> Route:
        """The one whose turn it is."""
        return self._routes[self._now]

    def timeouts(self) -> tuple[float, float, float, float]:
        """Connect, read, write and pool, for the next attempt."""
        left = self._tuning.patience - (time.monotonic() - self._since) if self._failures else self._tuning.patience
        return min(self._tuning.connect, max(left, 1.0)), self._tuning.stall, self._tuning.stall, self._tuning.stall

    def arrived(self) -> None:
        """New bytes came: earlier failures are forgotten."""
        self._failures = self._silences = 0
        self.route.error = None

    def failed(self, error: NetworkError | ModelDamaged, started: float) -> None:
        """Wait and choose, after an attempt that began at `started` (of `time.monotonic`). Raises the error to show."""
        now, route = time.monotonic(), self.route
        if not self._failures:
            self._since = started
        if now - started >= self._tuning.stall:
            self._since += now - started  # a silence was long enough by itself; what follows has its own time
            self._silences += 1
        self._failures += 1
        route.error = error
        if isinstance(error, OfflineError) or (isinstance(error, NetworkError) and error.lasting):
            route.dead = True
        elif isinstance(error, NetworkError) and error.retry_after is not None:
            route.not_before = now + error.retry_after
        self._choose(now)

    def _choose(self, now: float) -> None:
        count = len(self._routes)
        turn = [(self._now + step) % count for step in range(1, count + 1)]
        alive = [index for index in turn if not self._routes[index].dead]
        if not alive or self._silences >= _MOST_SILENCES:
            raise self._worst()
        rounds = (self._failures - 1) // len(alive)
        wait = 0.0
        if self._failures % len(alive) == 0:
            wait = min(self._tuning.longest_wait, self._tuning.first_wait * 2.0 ** min(rounds, 20))
            wait *= random.uniform(0.5, 1.0)
        chosen = min(alive, key=lambda index: max(self._routes[index].not_before, now + wait))
        until = max(self._routes[chosen].not_before, now + wait)
        tried = self._failures >= _LEAST_TRIES or until - now > self._tuning.patience
        if tried and until - self._since > self._tuning.patience:
            raise self._worst()
        pause(until - now, self._control)
        self._now = chosen

    def _worst(self) -> EdgeError:
        """The error of the first address that has one: the others are only its stand-ins."""
        return next(route.error for route in self._routes if route.error is not None)


def pause(seconds: float, control: Control) -> None:
    """Wait, unless it is cancelled. Raises `Stopped`."""
    end = time.monotonic() + seconds
    while True:
        control.check()
        left = end - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, _STEP))
