"""What the set-up tells a person, and how it runs other programs. A failure is a `Problem`: a sentence and a fix."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


class Problem(Exception):
    """Something that stops the set-up. `fix` says what to do, often a command of its own line."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


def say(text: str) -> None:
    """One line for the person, at once even when the output is a file."""
    print(text, flush=True)


def seconds(count: float) -> str:
    """A duration as people say it."""
    if count < 90:
        return f"{max(1, round(count))} s"
    return f"{round(count / 60)} min"


def quiet(command: Sequence[str | Path], timeout: float = 60) -> tuple[int, str]:
    """Run a short command; its exit status and output together. A missing program or a timeout is status 127."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 127, str(error)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def follow(
    command: Sequence[str | Path], log: Path, on_line: Callable[[str], None], extra: Mapping[str, str] | None = None
) -> int:
    """Run a long command, writing its output to `log` and handing each line to `on_line`. Returns the exit status."""
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(extra or {})}
    with (
        log.open("w", encoding="utf-8", errors="replace") as file,
        subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                file.write(line)
                on_line(line.rstrip())
        except BaseException:
            process.terminate()
            raise
        return process.wait()


def last_error(log: Path) -> str:
    """The line of a log that says most about a failure, without its decoration."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    marked = [line for line in lines if "error" in line.lower() and "errors were" not in line.lower()]
    chosen = (marked or lines or [""])[-1]
    return chosen.replace("ERROR:", "").strip()[:300]


def command_line(command: Sequence[str | Path]) -> str:
    """A command as one would type it here."""
    parts = [str(part) for part in command]
    if sys.platform == "win32":
        return subprocess.list2cmdline(parts)
    return " ".join(f"'{part}'" if " " in part or "(" in part else part for part in parts)
