"""Downloads of models: asked for once, kept on the disk until they are installed, whatever ends in between.

What one download does is in `download_job`, its record in `download_records`, one file's transfer in `transfer`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from edgellm import network
from edgellm.errors import ModelNotFound, StorageError
from edgellm.models import disk, download_plan
from edgellm.models.catalog import ModelCard
from edgellm.models.download_attempt import Services
from edgellm.models.download_crew import Slots, Tools
from edgellm.models.download_files import amount_in, same
from edgellm.models.download_job import Job
from edgellm.models.download_records import FOLDER as FOLDER
from edgellm.models.download_records import Record, Records
from edgellm.models.installed import Installed
from edgellm.models.progress import Progress, State
from edgellm.models.rate import RateLimit
from edgellm.models.retry import Tuning
from edgellm.models.source import Connect
from edgellm.models.store import ModelStore
from edgellm.settings import Settings

_log = logging.getLogger(__name__)
Listener = Callable[[Progress], None]


def _as_it_is(card: ModelCard) -> ModelCard:
    return card


class Downloads:
    """The downloads of one process, and those that others have begun. Safe to use from several threads.

    `connect(purpose)` makes an HTTP client; `complete` adds to a card what only the hub knows, when that is needed.
    `room` gives the free bytes of a folder's disk, `waits` are the seconds before each new attempt of a download in the
    background, the last for all further ones. Nothing here waits for the network, but `pull`.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        store: Callable[[], ModelStore],
        connect: Connect,
        complete: Callable[[ModelCard], ModelCard] = _as_it_is,
        *,
        tuning: Tuning | None = None,
        room: Callable[[Path], int] = disk.room,
        waits: tuple[float, ...] = (15, 30, 60, 120, 300),
    ) -> None:
        slots = Slots(lambda: settings().downloads_at_once)
        tools = Tools(connect, slots, RateLimit(), tuning or Tuning())
        self._services = Services(settings, store, complete, network.endpoints, tools, room, waits)
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Have `listener` called with every change, from the downloads' threads; call the result to end that."""
        with self._lock:
            self._listeners.append(listener)

        def end() -> None:
            with self._lock, suppress(ValueError):
                self._listeners.remove(listener)

        return end

    def pull(
        self,
        card: ModelCard,
        progress: Listener | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Installed:
        """Download a model, or wait for whoever does, and install it. `progress` is called from this thread.

        What `cancelled` or an interruption ends is gone on with at the next start. Raises `Stopped` then and when
        it is paused or canceled meanwhile, `OfflineError`, `NetworkError`, `StorageError`, `ModelError`.
        """
        self.tidy()
        job = self._begin(card, self._home(card.name), patient=False)
        try:
            while not job.wait(0.1):
                if progress:
                    progress(job.progress())
                if cancelled and cancelled():
                    job.stop("closed")
        except BaseException:
            job.stop("closed")
            job.wait(5.0)
            raise
        if progress:
            progress(job.progress())
        return job.outcome()

    def start(self, card: ModelCard) -> None:
        """Download a model in the background. It outlasts network failures, and goes on at the next start."""
        self._begin(card, self._home(card.name), patient=True)

    def pause(self, name: str) -> None:
        """Stop a download until it is resumed; whoever works on it, in whatever process, ends within a second."""
        records = self._home(name)
        if records.load(name) is None or records.change(name, state="paused") is None:
            raise self._unknown(name)
        self._end(name, "paused")

    def resume(self, name: str) -> None:
        """Go on with a download in the background."""
        records = self._home(name)
        record = records.load(name)
        if record is None:
            raise self._unknown(name)
        self._begin(record.card, records, patient=True)

    def cancel(self, name: str, seconds: float = 10.0) -> None:
        """Forget a download and remove what has arrived; waits so long for another process to let go of it."""
        records = self._home(name)
        if records.load(name) is None:
            raise self._unknown(name)
        records.remove(name)
        self._end(name, "canceled")
        until = time.monotonic() + seconds
        while records.parts(name).exists() and time.monotonic() < until:
            if (claim := records.claim(name)) is not None:
                claim.release()
            else:
                time.sleep(0.05)

    def unfinished(self) -> tuple[Record, ...]:
        """Every download that was asked for and is not installed, in whatever process."""
        return tuple(record for records in self._everywhere() for record in records.all())

    def progress(self) -> tuple[Progress, ...]:
        """How far each unfinished download is, those of other processes included."""
        found = []
        for records in self._everywhere():
            for record in records.all():
                job = self._job(record.name)
                found.append(job.progress() if job else _from_outside(record, records))
        return tuple(found)

    def resume_all(self) -> tuple[str, ...]:
        """At the start: remove what is left over, and go on with what nobody works on and nobody paused.

        Returns the names. With the offline lock on, only what this machine itself serves is gone on with.
        """
        self.tidy()
        begun = []
        for records in self._everywhere():
            for record in records.all():
                if record.state == "paused" or record.final or self._job(record.name) or records.busy(record.name):
                    continue
                if self._reachable(record.card):
                    self._begin(record.card, records, patient=True)
                    begun.append(record.name)
        return tuple(begun)

    def tidy(self) -> None:
        """Remove what killed processes left over, where that is possible: a folder may be write-protected."""
        for tidy in (self._services.store().tidy, *(records.clean for records in self._everywhere())):
            try:
                tidy()
            except StorageError as error:
                _log.warning("something was not tidied: %s", error)
        for records in self._everywhere():
            for record in records.all():
                if same(record.card, self._services.store()) and (claim := records.claim(record.name)):
                    claim.release(forget=True)  # it was installed, and only its record was not removed any more

    def close(self, seconds: float = 5.0) -> None:
        """End the work of this process; the next start goes on with it."""
        with self._lock:
            jobs = tuple(self._jobs.values())
        for job in jobs:
            job.stop("closed")
        until = time.monotonic() + seconds
        for job in jobs:
            job.wait(max(0.0, until - time.monotonic()))

    def _begin(self, card: ModelCard, records: Records, *, patient: bool) -> Job:
        download_plan.check_card(card)
        self._services.store().ready()
        record = records.load(card.name)
        if record is not None and record.state == "paused":
            records.change(card.name, state="wanted")
        with self._lock:
            job = self._jobs.get(card.name)
            if job is None or job.stopping or job.wait(0):  # the new one waits for one that is about to end
                job = self._jobs[card.name] = Job(card, records, self._services, self._tell, patient)
                job.start()
            return job

    def _job(self, name: str) -> Job | None:
        """The work of this process on `name` that has not ended."""
        with self._lock:
            job = self._jobs.get(name)
        return job if job and not job.wait(0) else None

    def _end(self, name: str, why: str) -> None:
        if (job := self._job(name)) is not None:
            job.stop(why)

    def _tell(self, progress: Progress) -> None:
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            try:
                listener(progress)
            except Exception:  # a thread's boundary: the fault of a face must not end a download
                _log.exception("a listener failed")

    def _everywhere(self) -> tuple[Records, ...]:
        return tuple(Records(folder / FOLDER) for folder in self._services.store().folders)

    def _home(self, name: str) -> Records:
        """The folder that has a download of this name, or the one that takes new ones."""
        everywhere = self._everywhere()
        return next((records for records in everywhere if records.load(name)), everywhere[0])

    def _reachable(self, card: ModelCard) -> bool:
        settings = self._services.settings()
        wanted = download_plan.items(card, self._services.endpoints(settings), settings.offline)
        return all(item.wanted.addresses for item in wanted)

    def _unknown(self, name: str) -> ModelNotFound:
        names = ", ".join(record.name for record in self.unfinished())
        return ModelNotFound(f"There is no unfinished download called {name}.", f"There are: {names}." if names else "")


def _from_outside(record: Record, records: Records) -> Progress:
    """What can be seen of a download that this process does not work on."""
    busy = records.busy(record.name)
    state: State = "queued"
    if busy:
        state = "running"
    elif record.state == "paused":
        state = "paused"
    elif record.message:
        state = "failed"
    received = amount_in(records.parts(record.name))
    message = "" if busy else record.message
    return Progress(record.name, state, received, record.card.size, message=message, hint=record.hint)
