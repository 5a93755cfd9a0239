"""Measures this computer once a second in a thread of its own and keeps the last two minutes for the monitor."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from edgellm.hardware.monitor import History

INTERVAL = 1.0
_FIRST_INTERVAL = 0.2
_log = logging.getLogger(__name__)


class Sampler(QObject):
    """Sends `sampled` with a `Sample` on the main thread. Set `gpu` once a usable NVIDIA device was found."""

    sampled = Signal(object)

    def __init__(self, engine_pid: Callable[[], int | None], speed: Callable[[], float | None]) -> None:
        super().__init__()
        self._engine_pid = engine_pid
        self._speed = speed
        self.gpu = False
        self.history: History | None = None
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin measuring."""
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop measuring."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        try:
            self._sample_until_closed()
        except Exception:  # a thread's boundary: the window goes on without figures
            _log.exception("the monitor stopped")

    def _sample_until_closed(self) -> None:
        from edgellm.hardware.monitor import History, Monitor

        history = self.history = History()
        with_gpu, monitor = self.gpu, Monitor(self._engine_pid, self._speed, gpu=self.gpu)
        self._ended.wait(_FIRST_INTERVAL)  # processor load needs some time to be measured over
        while not self._ended.is_set():
            if self.gpu and not with_gpu:
                with_gpu, monitor = True, Monitor(self._engine_pid, self._speed, gpu=True)
            sample = monitor.sample()
            history.add(sample)
            self.sampled.emit(sample)
            self._ended.wait(INTERVAL)
        monitor.close()
