#!/usr/bin/env python3
"""Sets EdgeLLM up and starts it, or checks it. Standard library only.

    python3 bootstrap.py run     set up, then open the window, or show the demo where there is no display
    python3 bootstrap.py test    set up with the test tools, then lint, types, layers and tests

What it installs goes to `.venv` in this folder, and the built llama.cpp to the user's cache. Run again, it only checks
that nothing changed. The steps are in packaging/setup_steps/.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
COMMANDS = {
    "run": "set up, then start the program",
    "test": "set up, then run every check",
    "install": "set up only",
}
CHECKS = (
    ("lint", ("ruff", "check", ".")),
    ("format", ("ruff", "format", "--check", ".")),
    ("layers and tests", ("pytest",)),
)
TYPES = ("mypy",)


def main() -> int:
    """Parse the command line and turn every failure into a sentence."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this script may be started by an older Python
        print(f"EdgeLLM needs Python 3.11 or newer, and this is {sys.version.split()[0]}.")
        print("Install a newer Python, then run this script with it.")
        return 1
    sys.path.insert(0, str(ROOT / "packaging"))
    from setup_steps.say import Problem, say

    options, arguments = _parse(sys.argv[1:])
    try:
        return _carry_out(options, arguments)
    except Problem as problem:
        say(problem.message)
        if problem.fix:
            say(problem.fix)
        return 1
    except OSError as error:
        say(f"The set-up stopped: {error.strerror or error}{f' ({error.filename})' if error.filename else ''}.")
        return 1
    except KeyboardInterrupt:
        say("Stopped. Run the same command to go on.")
        return 130


def _parse(words: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Our own options, and what goes on to edgellm or pytest: all that follows the command and is not ours."""
    parser = argparse.ArgumentParser(prog="bootstrap.py", description="Set EdgeLLM up and start it, or check it.")
    parser.add_argument(
        "command", choices=COMMANDS, help="; ".join(f"{name}: {text}" for name, text in COMMANDS.items())
    )
    parser.add_argument("--native", action="store_true", help="build llama.cpp for this very processor only")
    parser.add_argument("--tests", action="store_true", help="install: with the test tools and the torch extra")
    parser.epilog = "What follows the command and these options goes to edgellm (run) or to pytest (test)."
    end = next((place + 1 for place, word in enumerate(words) if word in COMMANDS), len(words))
    while end < len(words) and words[end] in ("--native", "--tests"):
        end += 1
    return parser.parse_args(words[:end]), words[end:]


def _carry_out(options: argparse.Namespace, arguments: list[str]) -> int:
    from setup_steps import system
    from setup_steps.environment import Environment
    from setup_steps.say import say

    environment = Environment(ROOT)
    testing = options.command == "test" or options.tests
    window = options.command == "run" and not arguments and system.has_display()
    environment.ensure("test" if testing else "core", options.native)
    if testing or window:
        system.need_window(environment.python, tests=testing)
    if options.command == "install":
        return 0
    if options.command == "test":
        return _check(environment.program("python").parent, arguments)
    if not arguments and not window:
        say("There is no display here, so this is the demo in the terminal.")
        arguments = ["demo"]
    return _start([str(environment.program("edgellm")), *arguments])


def _start(command: list[str]) -> int:
    """Become the program, or wait for it where a process cannot be replaced."""
    if sys.platform == "win32":
        return subprocess.call(command)
    sys.stdout.flush()
    os.execv(command[0], command)


def _check(programs: Path, arguments: list[str]) -> int:
    """Run every check, and say which of them failed: types beside the others, the tests last."""
    from setup_steps.say import say

    failed = []
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as types:
        say(f"== types: {' '.join(TYPES)} (beside the others)")
        mypy = subprocess.Popen([str(programs / TYPES[0]), *TYPES[1:]], cwd=ROOT, stdout=types, stderr=types)
        try:
            for name, (program, *rest) in CHECKS:
                say(f"== {name}: {' '.join([program, *rest])}")
                more = arguments if program == "pytest" else ()
                if subprocess.call([str(programs / program), *rest, *more], cwd=ROOT):
                    failed.append(name)
            if mypy.wait():
                types.seek(0)
                say(types.read())
                failed.append("types")
        finally:
            mypy.kill()
    if failed:
        say(f"Failed: {', '.join(failed)}.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
