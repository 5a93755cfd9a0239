"""Whether a failed request to a server is worth another attempt, and when."""

from __future__ import annotations

import random
import time

from edgellm.errors import EdgeError, NetworkError, OfflineError, Stopped
from edgellm.runtimes.base import Cancelled
from edgellm.runtimes.remote_limits import Limits

_STEP = 0.05


class Attempts:
    """The attempts at one request. Make it when the first begins."""

    def __init__(self, limits: Limits, cancelled: Cancelled) -> None:
        self._limits = limits
        self._cancelled = cancelled
        self._made = 1
        self._pause = limits.pause
        self._started = time.monotonic()

    def failed(self, error: EdgeError) -> None:
        """Wait for the next attempt, or raise `error` when there is to be none; `Stopped` when it was canceled."""
        late = time.monotonic() - self._started > self._limits.quick
        if late or self._made >= self._limits.attempts or not self._worth(error):
            raise error
        asked = error.retry_after if isinstance(error, NetworkError) else None
        end = time.monotonic() + max(self._pause * random.uniform(0.5, 1.0), asked or 0.0)
        while (left := end - time.monotonic()) > 0:
            if self._cancelled():
                raise Stopped()
            time.sleep(min(left, _STEP))
        self._made += 1
        self._pause *= 2
        self._started = time.monotonic()

    def _worth(self, error: EdgeError) -> bool:
        if not isinstance(error, NetworkError) or isinstance(error, OfflineError) or error.lasting:
            return False
        return (error.retry_after or 0.0) <= self._limits.longest_pause
