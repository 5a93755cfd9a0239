"""Runs the real program in a process of its own, over a scripted model or the built-in one."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from edgellm.cli.launch import launch

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ran:
    """What one run printed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def object(self) -> dict[str, Any]:
        """The JSON object that was printed."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


def _is_ours(name: str) -> bool:
    """Whether a variable of this environment would change what the program does."""
    return "DISPLAY" in name or name.startswith(("QT_", "HF_", "HUGGINGFACE_", "OLLAMA_", "XDG_"))


class CommandLine:
    """The program with a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {
            **{name: value for name, value in os.environ.items() if not _is_ours(name)},
            "EDGELLM_HOME": str(home),
            "HOME": str(home),  # so that no other program's models are found
            "PYTHONPATH": str(ROOT),
        }

    def __call__(self, *arguments: str, given: str | bytes = "", status: int | None = 0) -> Ran:
        """Run to the end; `status` is the exit status that is expected (None: any)."""
        data = given.encode() if isinstance(given, str) else given
        ran = subprocess.run(
            self.line(*arguments), input=data, env=self.environment, cwd=self.home, capture_output=True, timeout=100
        )
        result = Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode())
        assert "Traceback" not in result.err
        assert status is None or result.status == status, result.err
        return result

    def here(self, *arguments: str, given: str = "", status: int | None = 0) -> Ran:
        """The same in this process, which is quicker: for what depends on no process of its own."""
        out, err = io.StringIO(), io.StringIO()
        with (
            mock.patch.dict(os.environ, self.environment, clear=True),
            mock.patch.object(sys, "stdin", io.StringIO(given)),
            contextlib.chdir(self.home),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            result = Ran(launch(arguments), out.getvalue(), err.getvalue())
        assert status is None or result.status == status, result.err
        return result

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start it and leave it running."""
        return subprocess.Popen(
            self.line(*arguments),
            env=self.environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    @staticmethod
    def line(*arguments: str) -> list[str]:
        """The whole command line."""
        return [sys.executable, "-W", "error", "-m", "edgellm", *arguments]

    def settings(self, **values: Any) -> None:
        """Write the settings file."""
        lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
        (self.home / "settings.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def script(self, name: str = "Plain", **script: Any) -> str:
        """Write a scripted model and return its path."""
        path = self.home / f"{name}.fake.json"
        path.write_text(json.dumps({"name": name, **script}), encoding="utf-8")
        return str(path)
