"""A screen for the window: the one that is there, a virtual one, or none at all (Qt's offscreen platform)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SCREEN = "1600x1000x24"


@contextmanager
def screen(virtual: bool = False) -> Iterator[str]:
    """Have a screen in the environment; gives what kind it is. `virtual` asks for one of our own."""
    before = {name: os.environ.get(name) for name in ("DISPLAY", "QT_QPA_PLATFORM")}
    native = sys.platform in ("win32", "darwin") or before["DISPLAY"] or os.environ.get("WAYLAND_DISPLAY")
    if native and not virtual:
        yield "this desktop"
        return
    server = _start()
    try:
        yield "Xvfb" if server is not None else "offscreen"
    finally:
        if server is not None:
            server.terminate()
            server.wait(timeout=10)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _start() -> subprocess.Popen[bytes] | None:
    """Start Xvfb on a free display, or choose the offscreen platform where there is none."""
    if shutil.which("Xvfb") is None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        return None
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", _SCREEN, "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=(writing,), stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        number = pipe.readline().strip()
    os.environ["DISPLAY"] = f":{number}"
    os.environ["QT_QPA_PLATFORM"] = "xcb"
    return server
