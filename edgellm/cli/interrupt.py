"""Ctrl-C while an answer streams: the first one asks the engine to stop, the second ends the program."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any


class Interrupt:
    """A context in which Ctrl-C sets a flag. The object itself is the `Cancelled` that generation asks."""

    def __init__(self) -> None:
        self._set = False
        self._before: Any = None

    def __call__(self) -> bool:
        return self._set

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self._set:
            raise KeyboardInterrupt
        self._set = True
