"""The startup report: with EDGELLM_REPORT=FILE in the environment the window writes there how long its start took.

Seconds count from the start of the process. Written when the window is painted, and again when the model is ready.
"""

from __future__ import annotations

import json
import logging
import os
import time
from pathlib import Path

from PySide6.QtCore import QObject

from edgellm.ui.engine_client import Status
from edgellm.ui.window import Window

VARIABLE = "EDGELLM_REPORT"
_log = logging.getLogger(__name__)


class StartupReport(QObject):
    """Belongs to the window; does nothing unless it is asked for."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._facts: dict[str, float | int | str] = {}
        self._path = os.environ.get(VARIABLE, "")
        if self._path:
            window.painted.connect(self._painted)
            window.services.worker.ready.connect(self._ready)

    def _painted(self) -> None:
        self._facts["window_seconds"] = round(_age(), 3)
        self._write()

    def _ready(self, status: Status) -> None:
        if "ready_seconds" not in self._facts:
            self._facts["ready_seconds"] = round(_age(), 3)
            self._facts["model"] = status.model
            self._facts["device"] = status.device
            self._write()

    def _write(self) -> None:
        self._facts["pid"] = os.getpid()
        target = Path(self._path)
        try:
            part = target.with_name(target.name + ".part")
            part.write_text(json.dumps(self._facts), encoding="utf-8")
            os.replace(part, target)
        except OSError as error:
            _log.warning("the startup report could not be written: %s", type(error).__name__)


def _age() -> float:
    """Seconds since this process was started."""
    import psutil

    return time.time() - float(psutil.Process().create_time())
