"""Tests of the peak of memory."""

from __future__ import annotations

import subprocess
import sys

from edgellm.runtimes.peak import peak_memory

_MB = 1 << 20
_ASK = "from edgellm.runtimes.peak import peak_memory; print(peak_memory())"


def test_memory_that_was_given_back_still_counts() -> None:
    before = peak_memory()
    assert before > 5 * _MB
    held = bytearray(64 * _MB + before)
    del held
    assert peak_memory() >= before + 60 * _MB


def test_the_peak_is_the_process_own_and_not_that_of_the_one_that_started_it() -> None:
    code = (
        "import subprocess, sys; held = bytearray(256 << 20); sys.stdout.flush();"
        f"subprocess.run([sys.executable, '-c', {_ASK!r}], check=True)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 5 * _MB < int(ran.stdout) < 200 * _MB
