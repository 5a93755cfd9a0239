#!/usr/bin/env python3
"""Proves that the built wheel works on its own: a fresh environment, outside the repository, with its own empty home.

    .venv/bin/python packaging/check_wheel.py

Builds the wheel, installs it at the pinned versions next to the llama.cpp wheel from the cache, and runs the program
from an empty folder. Takes about a minute, and a network for pip. The quick look into the wheel is in tests/packaging/.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from setup_steps import llama
from setup_steps.environment import Environment
from setup_steps.say import Problem, say

ROOT = Path(__file__).resolve().parent.parent

_WHERE = """
import sys
from pathlib import Path
import edgellm
from edgellm import paths
package = Path(edgellm.__file__).parent
for path in (paths.catalog_file(), paths.assets_dir(), paths.starter_model()):
    if package not in path.parents or not path.exists():
        sys.exit(f"{path} is not in the installed wheel")
"""
_RUNS: tuple[tuple[str, ...], ...] = (("--version",), ("models", "list"), ("doctor",), ("demo",))


def main() -> int:
    """Build, install, run; stop at the first thing that does not work."""
    with tempfile.TemporaryDirectory(prefix="edgellm-wheel-") as name:
        try:
            return _check(Path(name))
        except Problem as problem:
            say(f"{problem.message} {problem.fix}".strip())
            return 1


def _check(work: Path) -> int:
    here = Environment(ROOT)
    _run("build the wheel", [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", work, ROOT], work)
    built = next(work.glob("edgellm-*.whl"))
    say(f"   {built.name}: {built.stat().st_size / 1e6:.1f} MB")
    engine = llama.wheel(here.python, here.recipe(), work / "llama.log")

    fresh = Environment(work)
    _run("make a fresh environment", [sys.executable, "-m", "venv", fresh.folder], work)
    pip: list[str | Path] = [fresh.python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    _run("install llama.cpp", [*pip, "--no-deps", engine], work)
    _run("install the wheel", [*pip, "-c", ROOT / "constraints.txt", built], work)

    outside = work / "elsewhere"
    outside.mkdir()
    _run("find what ships with it", [fresh.python, "-c", _WHERE], outside)
    for arguments in _RUNS:
        _run(f"edgellm {' '.join(arguments)}", [fresh.program("edgellm"), *arguments], outside)
    say("The wheel works in a fresh environment outside the repository.")
    return 0


def _run(what: str, command: list[str | Path], folder: Path) -> None:
    started = time.monotonic()
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**kept, "EDGELLM_HOME": str(folder / "home")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise Problem(f"Failed: {what} (status {done.returncode}).", (done.stdout + done.stderr)[-2000:])
    say(f"ok {what} ({time.monotonic() - started:.1f} s)")


if __name__ == "__main__":
    sys.exit(main())
