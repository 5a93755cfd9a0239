"""From arguments to a command's exit status; the boundary where errors become sentences."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence

from edgellm import log, paths
from edgellm.cli import online
from edgellm.cli.commands import COMMANDS, HELP, find
from edgellm.cli.interrupt import Notice
from edgellm.cli.output import Output, say_version
from edgellm.cli.session import Session
from edgellm.errors import EdgeError, OfflineError, Stopped

INTERRUPTED = 130


def launch(arguments: Sequence[str]) -> int:
    """Run one command; never raises."""
    _use_utf8()
    output = Output(as_json="--json" in arguments)
    with Notice() as notice:
        return _guarded(arguments, output, notice)


def _guarded(arguments: Sequence[str], output: Output, notice: Notice) -> int:
    try:
        status = _dispatch(arguments, output)
        sys.stdout.flush()
        return status
    except Stopped as error:
        output.note(error.message)
        return _interrupted(output, error.message)
    except EdgeError as error:
        return _interrupted(output) if notice.pressed else _fail(output, error)
    except KeyboardInterrupt:
        return _interrupted(output)
    except BrokenPipeError:
        # Whoever read the output has had enough; what Python still holds must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception:
        if notice.pressed:
            return _interrupted(output)
        log.setup(paths.from_environment(), name="cli")
        logging.getLogger(__name__).exception("the command failed")
        where = paths.from_environment().logs / "cli.log"
        return _fail(output, EdgeError("Something went wrong inside EdgeLLM.", f"The details are in {where}."))


def _interrupted(output: Output, sentence: str = "Interrupted.") -> int:
    output.end()
    output.document(text=output.text, error=sentence, hint="", kind="Interrupted")
    return INTERRUPTED


def _fail(output: Output, error: EdgeError) -> int:
    try:
        output.error(error)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return error.exit_code


def _dispatch(arguments: Sequence[str], output: Output) -> int:
    if not arguments:
        from edgellm.cli.window import open_window

        return open_window()
    if arguments[0] in HELP:
        return _help(output)
    if arguments[0] in ("--version", "-V"):
        return say_version()
    command, rest = find(arguments)
    try:
        parsed = command.parser().parse(rest)
    except SystemExit as ended:
        return int(ended.code or 0)
    output.quiet = bool(getattr(parsed, "quiet", False))
    with Session(output, parsed) as session:
        try:
            return command.load().run(parsed, session)
        except OfflineError as error:
            raise OfflineError(error.message, online.HINT if hasattr(parsed, "online") else error.hint) from error


def _help(output: Output) -> int:
    width = max(len(command.name) for command in COMMANDS)
    output.line("usage: edgellm [command] [options]")
    output.line()
    output.line("An offline assistant for ordinary laptops. Without a command the window opens.")
    output.line()
    for command in COMMANDS:
        output.line(f"  {command.name:<{width}}  {command.help}")
    output.line()
    output.line("  edgellm COMMAND --help  says more; edgellm --version names the version.")
    return 0


def _use_utf8() -> None:
    """Write UTF-8 whatever the terminal's own encoding is, and never fail at a character.

    A program started from an icon on Windows has no streams at all.
    """
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115 - lives as long as the program
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
