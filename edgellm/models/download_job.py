"""One download at work: waits for its turn, gets every file, and installs the model. Runs in a thread of its own.

Who asked for it, and what goes on after a restart, is left to `downloads`; the files to `download_files`.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from edgellm.errors import EdgeError, ModelError, NetworkError, OfflineError, Stopped, StorageError
from edgellm.models.catalog import ModelCard
from edgellm.models.download_attempt import Attempt, Services, Watch
from edgellm.models.download_files import amount_in, same
from edgellm.models.download_records import Claim, Record, Records
from edgellm.models.installed import Installed
from edgellm.models.progress import Progress, State
from edgellm.models.staging import taken

_log = logging.getLogger(__name__)
_POLL = 0.5


class Job:
    """One download. `tell` is called from its thread with every change; `patient` is to outlast network failures."""

    def __init__(
        self, card: ModelCard, records: Records, services: Services, tell: Callable[[Progress], None], patient: bool
    ) -> None:
        self.name = card.name
        self._card = card
        self._records = records
        self._services = services
        self._tell = tell
        self._patient = patient
        self._attempt: Attempt | None = None
        self._shown = Progress(card.name, "queued", amount_in(records.parts(card.name)), card.size)
        self._why = ""
        self._stop = threading.Event()
        self._finished = threading.Event()
        self._polled = 0.0
        self._installed: Installed | None = None
        self._error: BaseException | None = None

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name=f"download-{self.name}", daemon=True).start()

    def stop(self, why: str) -> None:
        """End soon: `why` is "paused", "canceled" or "closed". What the record says is the caller's business."""
        self._why = self._why or why
        self._stop.set()

    @property
    def stopping(self) -> bool:
        """Whether it was told to end."""
        return self._stop.is_set()

    def wait(self, timeout: float) -> bool:
        """Whether it has ended, after at most so many seconds."""
        return self._finished.wait(timeout)

    def progress(self) -> Progress:
        """How far it is."""
        meter = self._attempt.meter if self._attempt else None
        if meter is None or self._shown.state not in ("queued", "running"):
            return self._shown
        received, total, speed, left = meter.read()
        received = max(received, self._shown.received)  # an earlier attempt may have been further
        state: State = "running" if self._attempt and self._attempt.busy else "queued"
        shown = replace(self._shown, state=state, received=received, total=total, speed=speed, seconds_left=left)
        return replace(shown, files=meter.files())

    def outcome(self) -> Installed:
        """The installed model; raises what went wrong, `Stopped` when it was paused or canceled."""
        if self._error is not None:
            raise self._error
        if self._installed is None:
            raise Stopped("The download has not ended.")
        return self._installed

    def _run(self) -> None:
        try:
            self._installed = self._work()
            _log.info("%s was downloaded", self.name)
            size = self._installed.size
            self._say("done", received=size, total=size)
        except Stopped as error:
            self._error = error
            self._say("canceled" if self._why == "canceled" else "paused", error.message, error.hint)
        except EdgeError as error:
            self._error = error
            _log.info("the download of %s failed: %s", self.name, error)
            self._say("failed", error.message, error.hint)
        except Exception as error:  # a thread's boundary: `outcome` raises it again
            _log.exception("a download failed")
            self._error = error
            self._say("failed", "The download stopped because of a fault in EdgeLLM.", "Try again.")
        finally:
            self._finished.set()

    def _work(self) -> Installed:
        claim, joined = self._claim()
        new = forget = False
        try:
            installed = self._installed_already()
            if installed is None:
                new = self._open(joined)
                installed = self._persist()
            forget = True
            return installed
        except Stopped:
            raise
        except OfflineError:
            forget = new and (self._attempt is None or self._attempt.meter is None)  # nothing was begun
            raise
        except EdgeError as error:
            self._note(error, final=isinstance(error, ModelError))
            raise
        finally:
            claim.release(forget)

    def _claim(self) -> tuple[Claim, bool]:
        """The right to work on this download, and whether another process had it before."""
        joined = False
        while (claim := self._records.claim(self.name)) is None:
            if self._stop.is_set():
                raise self._stopped()
            joined = True
            record = self._records.load(self.name)
            owner = f" (process {record.owner})" if record else ""
            other = f"Another EdgeLLM{owner} is downloading {self.name}; waiting for it."
            ours = record is not None and record.owner == os.getpid()  # our own last attempt, about to end
            self._say("queued", "" if ours else other, received=amount_in(self._records.parts(self.name)))
            self._stop.wait(_POLL)
        return claim, joined

    def _installed_already(self) -> Installed | None:
        """The model, if it is here; raises `ModelError` when its name is another's, before anything is fetched."""
        store = self._services.store()
        model = same(self._card, store)
        if model is None and taken(store.folder, self.name):
            raise ModelError(
                f"There already is a model {self.name} with other files.",
                f"Remove it first: edgellm models remove {self.name}",
            )
        return model

    def _open(self, joined: bool) -> bool:
        """Write down that this process works on it; whether nobody had asked for it before."""
        record = self._records.load(self.name)
        if joined and (record is None or record.state == "paused"):
            self._why = "canceled" if record is None else "paused"
            raise self._stopped()
        if record is None:
            self._records.save(replace(Record.new(self._card), owner=os.getpid()))
            return True
        again = replace(record, card=self._card, state="wanted", owner=os.getpid(), message="", hint="", final=False)
        self._records.save(again)
        return False

    def _persist(self) -> Installed:
        """Attempt it until it succeeds, is stopped, or fails for a reason that waiting does not mend."""
        failures, before = 0, 0
        while True:
            try:
                return self._attempt_once()
            except NetworkError as error:
                if not self._patient or error.lasting or isinstance(error, OfflineError):
                    raise
                received = self.progress().received
                failures, before = (0 if received > before else failures + 1), received
                waits = self._services.waits
                seconds = max(waits[min(failures, len(waits) - 1)], error.retry_after or 0)
                self._note(error)
                self._say("queued", error.message, f"It goes on by itself in {seconds:.0f} seconds.")
                until = time.monotonic() + seconds
            while time.monotonic() < until:
                self._check()
                self._stop.wait(_POLL)

    def _attempt_once(self) -> Installed:
        self._say("queued", received=max(self._shown.received, amount_in(self._records.parts(self.name))))
        watch = Watch(
            check=self._check,
            ended=self._stop.is_set,
            tick=self._tick,
            promised=self._promised,
            known=self._know,
            checking=lambda: self._say("checking"),
        )
        self._attempt = Attempt(self._card, self._records.parts(self.name), self._services, watch)
        return self._attempt.run()

    def _promised(self) -> int:
        """Bytes that the other downloads at work in this folder still need."""
        others = (one for one in self._records.all() if one.name != self.name and self._records.busy(one.name))
        return sum(max(0, (one.card.size or 0) - amount_in(self._records.parts(one.name))) for one in others)

    def _know(self, card: ModelCard) -> None:
        self._records.change(self.name, card=card)

    def _tick(self) -> None:
        self._check()
        self._tell(self.progress())

    def _check(self) -> None:
        """May it go on? Twice a second the record is asked, which any process may change. Raises `Stopped`."""
        if self._stop.is_set():
            raise self._stopped()
        if 0 <= time.monotonic() - self._polled < _POLL:
            return
        self._polled = time.monotonic()
        record = self._records.load(self.name)
        if record is None or record.state == "paused":
            self.stop("canceled" if record is None else "paused")
            raise self._stopped()

    def _stopped(self) -> Stopped:
        if self._why == "canceled":
            return Stopped(f"The download of {self.name} was canceled; nothing of it is left.")
        said = "is paused" if self._why == "paused" else "was interrupted, and what has arrived is kept"
        return Stopped(f"The download of {self.name} {said}.", f"To go on: edgellm models pull {self.name}")

    def _note(self, error: EdgeError, final: bool = False) -> None:
        """Keep the sentence with the record, where that is possible: the disk may be full."""
        try:
            self._records.change(self.name, message=error.message, hint=error.hint, final=final)
        except StorageError:
            _log.warning("the reason of a failed download could not be kept")

    def _say(self, state: State, message: str = "", hint: str = "", **sizes: Any) -> None:
        self._shown = replace(
            self.progress(), state=state, message=message, hint=hint, speed=0.0, seconds_left=None, **sizes
        )
        self._tell(self._shown)
