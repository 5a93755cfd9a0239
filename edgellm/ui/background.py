"""One tiny threading API: run a short job off the main thread, get its result back on it.

Jobs of one `Background` run one after the other, so a write is always seen by the read that follows it; only work that
may stand beside other work is given one with several threads. Tests hand over `Inline`, which runs the job at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal

from edgellm.errors import EdgeError

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Runner(Protocol):
    """What runs jobs: `Background` in the program, `Inline` in tests."""

    def run(
        self,
        job: Callable[[], T],
        done: Callable[[T], None] | None = None,
        failed: Callable[[EdgeError], None] | None = None,
    ) -> None:
        """Run `job`; then call `done` with its result, or `failed` with its error, on the main thread."""
        ...

    def close(self) -> None:
        """Wait for the jobs that were accepted."""
        ...


def unexpected(error: Exception) -> EdgeError:
    """A bug as a sentence; its traceback goes to the log. Call it inside the `except` block."""
    _log.exception("unexpected error in a background job")
    return EdgeError("Something went wrong inside EdgeLLM.", f"The log has the details ({type(error).__name__}).")


class _Mailbox(QObject):
    """Carries results to the thread it lives in."""

    delivered = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self.open = True
        self.delivered.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def _deliver(self, callback: Callable[[Any], None], value: Any) -> None:
        if self.open:
            callback(value)


class _Job(QRunnable):
    """One job with where its result goes."""

    def __init__(
        self,
        job: Callable[[], Any],
        done: Callable[[Any], None] | None,
        failed: Callable[[EdgeError], None] | None,
        mailbox: _Mailbox,
    ) -> None:
        super().__init__()
        self._job, self._done, self._failed, self._mailbox = job, done, failed, mailbox

    def run(self) -> None:
        """Run in the pool's thread."""
        try:
            value = self._job()
        except EdgeError as error:
            self._report(error)
        except Exception as error:
            self._report(unexpected(error))
        else:
            if self._done is not None:
                self._mailbox.delivered.emit(self._done, value)

    def _report(self, error: EdgeError) -> None:
        if self._failed is not None:
            self._mailbox.delivered.emit(self._failed, error)
        else:
            _log.warning("a background job failed: %s", type(error).__name__)


class Background:
    """A pool of threads, mostly of one. Create it on the main thread."""

    def __init__(self, threads: int = 1) -> None:
        self._pool = QThreadPool()
        self._pool.setMaxThreadCount(threads)
        self._mailbox = _Mailbox()

    def run(
        self,
        job: Callable[[], T],
        done: Callable[[T], None] | None = None,
        failed: Callable[[EdgeError], None] | None = None,
    ) -> None:
        """Run `job` in the pool; the callbacks run on the main thread."""
        self._pool.start(_Job(job, done, failed, self._mailbox))

    def close(self) -> None:
        """Wait up to ten seconds for the jobs that were accepted; their callbacks are not called any more."""
        self._mailbox.open = False
        self._pool.waitForDone(10_000)


class Inline:
    """Runs the job and its callback at once, on the calling thread."""

    def run(
        self,
        job: Callable[[], T],
        done: Callable[[T], None] | None = None,
        failed: Callable[[EdgeError], None] | None = None,
    ) -> None:
        """Run `job` now."""
        try:
            value = job()
        except EdgeError as error:
            if failed is not None:
                failed(error)
            return
        if done is not None:
            done(value)

    def close(self) -> None:
        """Nothing is pending."""
