"""The program on a pseudo-terminal, as a person would see it. For systems that have them."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

from command_line import CommandLine


class Terminal:
    """The program with a pseudo-terminal for all three streams; of another `kind` than "dumb" bars redraw."""

    def __init__(self, edgellm: CommandLine, *arguments: str, kind: str = "dumb") -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self.seen = ""
        self.process = subprocess.Popen(
            edgellm.line(*arguments),
            env={**edgellm.environment, "TERM": kind},
            cwd=edgellm.home,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0) and None,
        )
        os.close(theirs)

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """Read until `text` has appeared after what was waited for before."""
        deadline = time.monotonic() + seconds
        while text not in self.seen and time.monotonic() < deadline:
            self._read(0.2)
        assert text in self.seen, self.seen
        self.seen = self.seen.split(text, 1)[1]

    def rest(self) -> str:
        """Everything up to the end of the program."""
        while self._read(60):
            pass
        self.process.wait(60)
        return self.seen

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._ours], [], [], seconds)
        try:
            data = os.read(self._ours, 65_536) if ready else b""
        except OSError:  # Linux says so when the other end is gone
            return False
        self.seen += data.decode(errors="replace")
        return bool(data)
