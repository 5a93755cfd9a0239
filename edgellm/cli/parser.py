"""Argument parsing with errors as one sentence and a hint, and "did you mean" for commands, options and values."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from edgellm.errors import UsageError

_HALF = re.compile("[\ud800-\udfff]")


class Parser(argparse.ArgumentParser):
    """An `ArgumentParser` that raises `UsageError` instead of printing its usage and exiting."""

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse options and texts in any order. Raises `UsageError`; `--help` raises `SystemExit`."""
        known, unknown = self.parse_known_intermixed_args(list(arguments))
        if unknown:
            options = [name for action in self._actions for name in action.option_strings]
            wrong = unknown[0].partition("=")[0]
            if not wrong.startswith("-"):
                raise UsageError(f"{wrong!r} is one word too many.", self._help_hint())
            raise UsageError(f"There is no option {wrong}.", self._nearest(wrong, options))
        return known

    def error(self, message: str) -> NoReturn:
        """What argparse found wrong, as a sentence."""
        raise UsageError(f"{message[:1].upper()}{message[1:]}.", self._help_hint())

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            name = "/".join(action.option_strings) or action.metavar or action.dest
            choices = [str(choice) for choice in action.choices]
            raise UsageError(f"{name} cannot be {value!r}.", did_you_mean(str(value), choices))

    def _nearest(self, wrong: str, options: Iterable[str]) -> str:
        near = difflib.get_close_matches(wrong, options, n=1, cutoff=0.6)
        return f"Did you mean {near[0]}?" if near else self._help_hint()

    def _help_hint(self) -> str:
        return f"Run: {self.prog} --help"


def did_you_mean(wrong: str, known: Sequence[str]) -> str:
    """A hint that names the nearest of `known`, or all of them when none is near."""
    near = difflib.get_close_matches(wrong.casefold(), known, n=1, cutoff=0.6)
    return f"Did you mean {near[0]}?" if near else f"It can be: {', '.join(known)}."


def whole_number(low: int) -> Any:
    """An argument type: a whole number of at least `low`."""

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
        if value < low:
            raise argparse.ArgumentTypeError(f"{value} is less than {low}")
        return value

    return convert


def typed(text: str) -> str:
    """An argument type: a text. Bytes that are no characters arrive as halves of one and are replaced."""
    return _HALF.sub("\ufffd", text)
