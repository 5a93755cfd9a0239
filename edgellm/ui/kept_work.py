"""What is open on a page, kept in a small file so that it survives a restart: source, choices, and the result so far.

It holds the person's text, so it is readable by this person only, and goes when the page is cleared.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

from PySide6.QtCore import QObject, QTimer

from edgellm import files
from edgellm.ui.background import Runner

_SAVE_MS = 800
_LARGEST = 16 << 20
_log = logging.getLogger(__name__)


def read(path: Path) -> dict[str, Any]:
    """What was kept; nothing where there is none, or where it cannot be understood."""
    try:
        if path.stat().st_size > _LARGEST:
            return {}
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def write(path: Path, state: dict[str, Any]) -> None:
    """Keep `state`; an empty one removes the file. What cannot be kept is logged: the page itself still has it."""
    try:
        if state:
            files.write(path, json.dumps(state, ensure_ascii=False))
        else:
            path.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        _log.warning("open work could not be kept: %s", type(error).__name__)


class KeptWork(QObject):
    """Saves what `state` gives, a moment after each `touch`, in the background; `flush` saves now, and waits."""

    def __init__(self, path: Path, state: Callable[[], dict[str, Any]], background: Runner, parent: QObject) -> None:
        super().__init__(parent)
        self._path = path
        self._state = state
        self._background = background
        self._taken = self._written = 0  # how many states were taken, and which was written last
        self._writing = Lock()
        self._timer = QTimer(self, singleShot=True, interval=_SAVE_MS)
        self._timer.timeout.connect(self._save)

    def touch(self) -> None:
        """Something changed. While changes go on it is saved from time to time."""
        if not self._timer.isActive():
            self._timer.start()

    def save(self) -> None:
        """Save at once, in the background: something began that must not be forgotten."""
        self._timer.stop()
        self._save()

    def flush(self) -> None:
        """Save now what has not been saved, or is only on its way."""
        if self._timer.isActive() or self._written < self._taken:
            self._timer.stop()
            self._write(*self._take())

    def load(self, then: Callable[[dict[str, Any]], None]) -> None:
        """Read what was kept, in the background."""
        self._background.run(lambda: read(self._path), then)

    def _save(self) -> None:
        number, state = self._take()
        self._background.run(lambda: self._write(number, state))

    def _take(self) -> tuple[int, dict[str, Any]]:
        self._taken += 1
        return self._taken, self._state()

    def _write(self, number: int, state: dict[str, Any]) -> None:
        """Write a state, unless a later one was: what waited in the background must not take its place."""
        with self._writing:
            if number > self._written:
                write(self._path, state)
                self._written = number
