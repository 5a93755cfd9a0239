"""Keeps the person's documents up to date while the window is open: a watcher that reads, and a thread that embeds.

Both tell what they do into one value, `Now`, which the page looks at; no widget and no signal here.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from edgellm.errors import EdgeError, Stopped, StorageError
from edgellm.ui.language import tr

if TYPE_CHECKING:
    from edgellm.app import App
    from edgellm.documents.index import Indexer, Report, Step
    from edgellm.documents.pace import Pace
    from edgellm.documents.watch import Watcher

_PATIENCE = 2.5
_STILL = 1.0
_TURN = 10.0  # seconds that a second attempt waits for the watcher to lay the index down
_SLICE = 0.1
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Now:
    """What is being done: `done` of `total` files are read, `embedded` of `passages` have a vector; 0 of 0: nothing is.

    `held` says what reading waits for, `speed` that it goes slowly, `trouble` why passages were not embedded. `change`
    grows whenever the library was changed.
    """

    done: int = 0
    total: int = 0
    embedded: int = 0
    passages: int = 0
    held: str = ""
    speed: str = ""
    trouble: str = ""
    paused: bool = False
    change: int = 0

    @property
    def busy(self) -> bool:
        """Whether anything is being read or embedded."""
        return self.total > 0 or self.passages > 0


class Keeper:
    """Starts when `start` is called, ends with `close`; may be called from any thread."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._now = Now()
        self._closed = threading.Event()
        self._paused = threading.Event()
        self._again = threading.Event()  # a second attempt has the index: the watcher's own pause is not news
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._watcher: Watcher | None = None
        self._thread: threading.Thread | None = None

    @property
    def now(self) -> Now:
        """What is being done."""
        with self._lock:
            return self._now

    @property
    def started(self) -> bool:
        """Whether it watches, or did."""
        return self._watcher is not None

    def start(self) -> None:
        """Begin to watch and to embed; imports what reads documents, so it is called in the background."""
        from edgellm.documents.pace import Pace
        from edgellm.documents.watch import Events, Timing, Watcher

        with self._lock:
            if self._watcher is not None or self._closed.is_set():
                return
            pace = Pace(lambda: self._app.settings.index_on_battery)
            events = Events(partial(self._step, pace), self._report, self._state)
            self._watcher = Watcher(self._app.library, pace, events, Timing(still=_STILL))
            self._thread = threading.Thread(target=self._serve, name="documents-embed", daemon=True)
            if self._paused.is_set():
                self._watcher.pause()
            self._watcher.start()
            self._thread.start()
        self._jobs.put(self._embed)

    def look(self) -> None:
        """Look for changes now, such as something that was just added."""
        if self._watcher is not None:
            self._watcher.look(anew=True)

    def retry(self) -> None:
        """Look now, and try again what could not be read before."""
        self._jobs.put(self._read_again)
        self.look()

    def embed(self) -> None:
        """Embed what has no vector, once there is a model for it."""
        self._jobs.put(self._embed)

    def pause(self, on: bool) -> None:
        """Read and embed nothing until it is told to go on; the file at hand is read later."""
        self._put(paused=on)
        if on:
            self._paused.set()
        else:
            self._paused.clear()
            self._jobs.put(self._embed)
        if self._watcher is not None:
            (self._watcher.pause if on else self._watcher.resume)()

    def close(self) -> None:
        """End within three seconds, whatever is being done; what is left is done the next time."""
        end = time.monotonic() + _PATIENCE
        self._closed.set()
        self._jobs.put(None)
        with self._lock:
            watcher, thread = self._watcher, self._thread
        if watcher is not None:
            ending = threading.Thread(target=watcher.close, name="documents-close", daemon=True)
            ending.start()
            ending.join(_PATIENCE)
        if thread is not None and thread is not threading.current_thread():
            thread.join(max(end - time.monotonic(), 0))

    # What the watcher tells, from its thread

    def _step(self, pace: Pace, _name: str, step: Step) -> None:
        with self._lock:
            now = self._now
            self._now = replace(now, done=step.done, total=step.total, speed=pace.note(), change=now.change + 1)

    def _report(self, _name: str, report: Report) -> None:
        with self._lock:
            now = self._now
            self._now = replace(now, done=0, total=0, speed="", change=now.change + 1)
        if report.chunks:
            self._jobs.put(self._embed)

    def _state(self, sentence: str) -> None:
        if not self._again.is_set():
            self._put(held="" if self._paused.is_set() else sentence)

    # The second thread

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None and not self._closed.is_set():
            try:
                self._put(trouble="")
                job()
            except Stopped:
                continue
            except EdgeError as error:
                self._put(trouble=f"{error.message} {error.hint}".strip())
            except Exception:  # the boundary of the thread
                _log.exception("documents were not embedded")
                self._put(trouble=tr("Something went wrong inside EdgeLLM."))
            finally:
                self._put(embedded=0, passages=0)

    def _embed(self) -> None:
        from edgellm.documents import vectors
        from edgellm.documents.index import Control
        from edgellm.documents.pace import Pace

        library, meaning = self._app.library(), self._app.meaning()
        if self._stop() or not meaning.due(library):
            return
        pace = Pace(lambda: self._app.settings.index_on_battery)
        while not self._stop() and (why := pace.held()):
            self._put(trouble=why)
            self._closed.wait(1.0)
        self._put(trouble="")
        model = None if self._stop() else meaning.embedder(library)
        if model is None:
            return
        pace.rest()  # counts from here
        vectors.embed(library, model, Control(cancelled=self._stop, pause=pace.rest), self._embedded)

    def _embedded(self, done: int, total: int) -> None:
        self._put(embedded=done, passages=total)

    def _read_again(self) -> None:
        from edgellm.documents.index import Indexer
        from edgellm.documents.load import Loader
        from edgellm.documents.readers import SUFFIXES

        watcher = self._watcher
        if watcher is None or self._stop():
            return
        self._again.set()
        watcher.pause()
        try:
            with Loader() as loader:
                indexer = Indexer(self._app.library(), partial(loader.load, cancelled=self._stop), SUFFIXES)
                for collection in self._app.library().collections():
                    self._update(indexer, collection.name)
        finally:
            self._again.clear()
            if not self._paused.is_set():
                watcher.resume()

    def _update(self, indexer: Indexer, name: str) -> None:
        """One collection, once the watcher has let go of the index."""
        from edgellm.documents.index import Control
        from edgellm.documents.pace import Pace

        pace = Pace(lambda: self._app.settings.index_on_battery, patient=False)
        control = Control(partial(self._step, pace, name), self._stop, pace.rest)
        end = time.monotonic() + _TURN
        while not self._stop():
            try:
                self._report(name, indexer.update(name, control, retry=True))
            except StorageError:
                if time.monotonic() > end:
                    raise
                self._closed.wait(_SLICE)
            else:
                return

    def _stop(self) -> bool:
        return self._closed.is_set() or self._paused.is_set()

    def _put(self, **values: Any) -> None:
        with self._lock:
            self._now = replace(self._now, **values)
