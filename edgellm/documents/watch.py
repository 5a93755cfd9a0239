"""Keeps collections up to date while the program runs: looks for changes again and again, and reads what changed.

It looks by scanning, not by asking the system to be told: that works on network drives and for any number of folders,
sees files that are replaced in one step, and needs no library. A folder is read once it has been still for a moment.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial

from edgellm.documents.index import Control, Indexer, Report, Step
from edgellm.documents.library import Library
from edgellm.documents.load import Loader
from edgellm.documents.pace import Pace
from edgellm.documents.readers import SUFFIXES
from edgellm.documents.scan import fingerprint
from edgellm.errors import EdgeError, Stopped

PAUSED = "Paused: documents that changed are read when you go on."
_SHARE = 50  # a look may take a fiftieth of the time: large folders on slow drives are looked at less often
_ON_BATTERY = 6
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Events:
    """What a watcher tells, from its own thread: each file, each update that is done, and a sentence when it changes.

    `state` is what it waits for, or why it could not go on; empty while all is well.
    """

    step: Callable[[str, Step], None] = lambda name, step: None
    report: Callable[[str, Report], None] = lambda name, report: None
    state: Callable[[str], None] = lambda sentence: None


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds between two looks, for which a change must be `still`, and after which it is read even if it is not."""

    every: float = 5.0
    still: float = 2.0
    longest: float = 30.0


@dataclass(frozen=True, slots=True)
class _Change:
    """What a collection looks like since `stable`; it has differed from what was read since `first`."""

    mark: bytes
    first: float
    stable: float


class Watcher:
    """Watches the collections of a library, or those that are `names`. Close it, or use it with `with`."""

    def __init__(
        self,
        library: Callable[[], Library],
        pace: Pace,
        events: Events | None = None,
        timing: Timing | None = None,
        names: Collection[str] = (),
        suffixes: Collection[str] | None = frozenset(SUFFIXES),
    ) -> None:
        self._library = library
        self._pace = pace
        self._events = events or Events()
        self._timing = timing or Timing()
        self._names = names
        self._suffixes = suffixes
        self._closed = threading.Event()
        self._held = threading.Event()
        self._wake = threading.Event()
        self._anew = threading.Event()
        self._read: dict[str, bytes] = {}
        self._changes: dict[str, _Change] = {}
        self._said = ""
        self._thread = threading.Thread(target=self._run, name="documents-watch", daemon=True)

    def __enter__(self) -> Watcher:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def start(self) -> None:
        """Begin to look. Everything is looked at once, also what changed while nobody watched."""
        self._thread.start()

    def pause(self) -> None:
        """Read nothing until `resume`; the file at hand is left at once, and read later."""
        self._held.set()
        self._wake.set()

    def resume(self) -> None:
        """Go on."""
        self._held.clear()
        self._wake.set()

    @property
    def paused(self) -> bool:
        """Whether it was told to pause."""
        return self._held.is_set()

    @property
    def alive(self) -> bool:
        """Whether it still watches: not before `start`, not after `close` or a bug."""
        return self._thread.is_alive()

    def look(self, anew: bool = False) -> None:
        """Look now, not only when the time has come; `anew`: also where nothing seems to have changed."""
        if anew:
            self._anew.set()
        self._wake.set()

    def close(self) -> None:
        """End within about a second; what was not read is read the next time. Safe to call twice."""
        self._closed.set()
        self._wake.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        try:
            while not self._closed.is_set():
                self._wake.clear()
                self._wake.wait(self._round())
        except Exception:  # the boundary of the thread
            _log.exception("watching documents ended")
            self._events.state("Documents are no longer watched: something went wrong, and the log says what.")

    def _round(self) -> float:
        """Look once, and read what has changed; returns the seconds until the next look."""
        why = PAUSED if self.paused else self._pace.held()
        if why:
            self._say(why)
            return self._timing.every
        began, trouble = time.monotonic(), ""
        if self._anew.is_set():
            self._anew.clear()
            self._read.clear()
        try:
            names = [one.name for one in self._library().collections() if not self._names or one.name in self._names]
            self._forget(names)
            for name in names:
                self._look(name)
            took = time.monotonic() - began
            self._update()
        except Stopped:
            return 0.0 if self._closed.is_set() or self.paused else self._timing.every
        except EdgeError as error:  # such as another program that indexes: the next look tries again
            took, trouble = time.monotonic() - began, str(error)
        self._say(trouble)
        if self._changes and not trouble:
            return min(self._timing.still / 2, self._timing.every)
        return max(self._timing.every * (_ON_BATTERY if self._pace.slow else 1), took * _SHARE)

    def _forget(self, names: Collection[str]) -> None:
        """Drop what is known of collections that are gone: a new one of the same name is another one."""
        for known in (self._read, self._changes):
            for name in known.keys() - set(names):
                known.pop(name, None)

    def _look(self, name: str) -> None:
        """Note whether a collection differs from what was read of it, and since when it is still."""
        digest = hashlib.sha256()
        for source, root in self._library().sources(name):
            digest.update(f"{source}\n".encode() + fingerprint(root, self._suffixes, self._stop))
        mark, now = digest.digest(), time.monotonic()
        if mark == self._read.get(name):
            self._changes.pop(name, None)
            return
        before = self._changes.get(name)
        if before is None:
            self._changes[name] = _Change(mark, now, now)
        elif before.mark != mark:
            self._changes[name] = replace(before, mark=mark, stable=now)

    def _update(self) -> None:
        now = time.monotonic()
        due = {
            name: change.mark
            for name, change in self._changes.items()
            if now - change.stable >= self._timing.still or now - change.first >= self._timing.longest
        }
        if not due:
            return
        with Loader() as loader:  # only while there is work, so that nothing is held in between
            indexer = Indexer(self._library(), partial(loader.load, cancelled=self._stop), self._suffixes)
            for name, mark in due.items():
                control = Control(
                    partial(self._events.step, name), self._stop, self._pace.rest, self._pace.held, self._say
                )
                report = indexer.update(name, control)
                if not report.stopped:
                    self._read[name] = mark
                    self._changes.pop(name, None)
                self._events.report(name, report)
                if report.stopped:
                    raise Stopped()

    def _stop(self) -> bool:
        return self._closed.is_set() or self._held.is_set()

    def _say(self, sentence: str) -> None:
        if sentence != self._said:
            self._said = sentence
            self._events.state(sentence)
