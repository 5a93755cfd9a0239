"""Everything the command line writes: text as it streams, notes, errors, one JSON object. Only this module prints.

Answers go to standard output, everything else to standard error, so that a pipe gets the answer alone.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from typing import Any, TextIO

from edgellm import __version__
from edgellm.errors import EdgeError, StorageError

# Control characters other than tab and line feed: on a terminal they could move the cursor or set its title.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def say_version() -> int:
    """Print the name and version of the program; returns an exit status."""
    try:
        print(f"EdgeLLM {__version__}", flush=True)
    except OSError as error:
        print(f"error: {_unwritten(error).message}", file=sys.stderr)
        return 1
    return 0


def _unwritten(error: OSError) -> StorageError:
    return StorageError(
        f"The output cannot be written: {error.strerror}.", "Check the disk that it goes to, and its free space."
    )


class Output:
    """Standard output and error of one command.

    With `as_json` nothing is printed until `document`; texts and notes gather in between.
    """

    def __init__(self, as_json: bool = False, quiet: bool = False, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self.as_json = as_json
        self.quiet = quiet
        self.notes: list[str] = []
        self._parts: list[str] = []
        self._open_line = False

    @property
    def interactive(self) -> bool:
        """Whether a person reads standard output as it is written."""
        return self._out.isatty() and not self.as_json

    @property
    def text(self) -> str:
        """What has been streamed so far."""
        return "".join(self._parts)

    def chunk(self, text: str) -> None:
        """Stream a piece of the answer."""
        self._parts.append(text)
        if not self.as_json and text:
            self._write(text)

    def end(self) -> None:
        """End the streamed answer with a line break, if it has none."""
        if self._open_line:
            self._write("\n")

    def line(self, text: str = "") -> None:
        """A line of a result that is no streamed answer."""
        if not self.as_json:
            self.end()
            self._write(text + "\n")

    def note(self, text: str) -> None:
        """Say something beside the answer, once; `--json` carries it in the object."""
        if not text or text in self.notes:
            return
        self.notes.append(text)
        if not self.quiet and not self.as_json:
            self._break_line()
            print(f"note: {self._safe(text, sys.stderr)}", file=sys.stderr, flush=True)

    def hint(self, text: str) -> None:
        """A line for a person at a terminal only."""
        if self.interactive and not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def facts(self, text: str) -> None:
        """A line about how the answer was made, for a person at a terminal only."""
        if self.interactive and not self.quiet and sys.stderr.isatty():
            self._break_line()
            print(f"\x1b[2m{self._safe(text, sys.stderr)}\x1b[0m", file=sys.stderr, flush=True)

    @property
    def animated(self) -> bool:
        """Whether a person watches standard error on a terminal that can redraw a line."""
        plain = self.as_json or self.quiet or os.environ.get("TERM", "") in ("dumb", "unknown")
        return sys.stderr.isatty() and not plain

    def aside(self) -> TextIO:
        """The stream for a bar that redraws itself: standard error. What goes there must be `clean`."""
        return sys.stderr

    def clean(self, text: str) -> str:
        """One line of `text` with nothing in it that could steer a terminal."""
        return _CONTROL.sub("", " ".join(text.split()))

    def progress(self, text: str) -> None:
        """A line about how far something is, where no bar can be drawn; none with `--json` or `--quiet`."""
        if not self.as_json and not self.quiet:
            self._break_line()
            print(self.clean(text), file=sys.stderr, flush=True)

    def document(self, **fields: Any) -> None:
        """The one JSON object of this command, with the notes; nothing without `--json`."""
        if self.as_json:
            import json

            self._write(json.dumps({**fields, "notes": self.notes}, ensure_ascii=False, indent=2) + "\n")

    def raw(self, text: str) -> None:
        """Text that is the same with and without `--json`: a completion script, a reference."""
        self._put(text)

    def error(self, error: EdgeError) -> None:
        """One sentence and one hint; with `--json` also an object that holds the text so far."""
        with contextlib.suppress(StorageError):  # where that cannot be written either, standard error still says it
            self._break_line()
            self.document(text=self.text, error=error.message, hint=error.hint, kind=type(error).__name__)
        print(f"error: {self._safe(error.message, sys.stderr)}", file=sys.stderr)
        if error.hint:
            print(f"hint: {self._safe(error.hint, sys.stderr)}", file=sys.stderr, flush=True)

    def ask(self, prompt: str) -> str:
        """A line typed by the person. Raises `EOFError` at the end of input."""
        self.end()
        return input(prompt)

    def ask_secret(self, prompt: str) -> str:
        """A line that is not shown while it is typed, or the first of standard input. Raises `EOFError`."""
        if sys.stdin is None or not sys.stdin.isatty():
            return input()
        import getpass

        return getpass.getpass(prompt, stream=sys.stderr)

    def _break_line(self) -> None:
        """On a terminal both streams share the lines: end the answer's line before writing to the other."""
        if self._out.isatty():
            self.end()

    def _write(self, text: str) -> None:
        self._put(self._safe(text, self._out))
        self._open_line = not text.endswith("\n")

    def _put(self, text: str) -> None:
        """Write at once. Raises `StorageError`, and `BrokenPipeError` when nobody reads any more."""
        try:
            print(text, end="", file=self._out, flush=True)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise _unwritten(error) from error

    def _safe(self, text: str, stream: TextIO) -> str:
        return _CONTROL.sub("", text) if stream.isatty() else text
