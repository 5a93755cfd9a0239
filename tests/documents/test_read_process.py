"""The process in which files are read: it is offline, knows no secrets, and does not outlive the one it reads for."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest

from edgellm.documents import load

_OFFLINE = """
import os, socket, sys
sys.argv = ["child", str(1 << 31), str(os.getppid())]
from edgellm.documents import child
child.main()
socket.create_connection(("127.0.0.1", 9))
"""

_PARENT = """
import os, subprocess, sys, time
order = [sys.executable, "-m", "edgellm.documents.child", str(1 << 31), str(os.getpid())]
child = subprocess.Popen(order, stdin=int(sys.argv[1]), stdout=subprocess.DEVNULL)
sys.stdout.write(f"{child.pid}\\n")
sys.stdout.flush()
time.sleep(600)
"""


def _ended(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_the_process_reaches_no_network_not_even_this_machine() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _OFFLINE], input="", capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "OfflineError: A connection to 127.0.0.1 was stopped" in done.stderr


def test_the_process_gets_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "canary")
    monkeypatch.setenv("HTTPS_PROXY", "http://canary@proxy.example")
    monkeypatch.setenv("TESSDATA_PREFIX", "/where/languages/are")
    passed = load._environment()
    assert "canary" not in str(passed)
    assert passed["TESSDATA_PREFIX"] == "/where/languages/are"
    assert passed["PATH"] == os.environ["PATH"]


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe is not handed on by its number there")
def test_the_process_ends_soon_after_a_killed_parent_though_its_pipe_stays_open() -> None:
    incoming, held = os.pipe()
    command = [sys.executable, "-c", _PARENT, str(incoming)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, pass_fds=[incoming]) as parent:
        assert parent.stdout is not None
        reader = psutil.Process(int(parent.stdout.readline()))
        time.sleep(0.5)
        assert not _ended(reader)
        parent.kill()
    end = time.monotonic() + 60
    while not _ended(reader) and time.monotonic() < end:
        time.sleep(0.05)
    os.close(incoming)
    os.close(held)
    assert _ended(reader)
