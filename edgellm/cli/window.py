"""Open the window. Qt is imported here, and only when this is asked for."""

from __future__ import annotations

import importlib.util
import os
import sys

from edgellm.errors import EdgeError

_HINT = "In a terminal use: edgellm chat, or see: edgellm --help"


def open_window() -> int:
    """Run the window until it is closed; returns its exit status. Raises `EdgeError` where there is no display."""
    if not _has_display():
        raise EdgeError("There is no display to open a window on.", _HINT)
    if importlib.util.find_spec("PySide6") is None:
        raise EdgeError("The window needs PySide6, which is not installed.", _HINT)
    from edgellm.app import App
    from edgellm.ui.main import run

    return run(App.create)


def _has_display() -> bool:
    """Whether this session can show windows. Only Linux and its kin can be without a display server."""
    if sys.platform in ("win32", "darwin"):
        return True
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return any(os.environ.get(name) for name in names)
