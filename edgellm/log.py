"""Rotating log files. Leaves the decision what to log to each module, but keeps long texts and values out.

A prompt or a document must never reach the log, so every record passes `Discreet`: an argument that is a long text
or an object is written as its type and length only, and of an error only what cannot quote a text of the person.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from edgellm.errors import EdgeError
from edgellm.paths import Paths

_ROOT = "edgellm"
_LONGEST = 200
_LONGEST_CHAIN = 20
_FORMAT = "%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s"


# Their messages name code, or are sentences of ours; those of the others may quote what was being worked on.
_QUOTES_NOTHING = (EdgeError, ImportError, NameError, AttributeError, TypeError)


class Discreet(logging.Filter):
    """Replaces arguments that could hold a prompt or document text by their type and length."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the arguments in place; every record passes."""
        if isinstance(record.args, Mapping):
            record.args = {key: _plain(value) for key, value in record.args.items()}
        elif record.args:
            record.args = tuple(_plain(value) for value in record.args)
        return True


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, int | float | Path):
        return value
    if isinstance(value, BaseException):
        return discreet(value)
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else f"<{len(value)} characters>"
    return f"<{type(value).__name__}>"


def discreet(error: BaseException) -> str:
    """Kind and message of an error; of a message that could hold a person's text or path, the length only."""
    if isinstance(error, OSError):
        text = error.strerror or ""
    elif isinstance(error, _QUOTES_NOTHING):
        text = str(error)
    else:
        text = f"<{len(str(error))} characters>" if str(error) else ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


class _OneLine(logging.Formatter):
    """Keeps a message on one line, so that a value cannot forge a record, and tracebacks free of texts."""

    def formatException(self, ei: Any) -> str:
        """Where it happened, errors in the order in which one led to the next, without what they quote."""
        parts: list[str] = []
        error: BaseException | None = ei[1]
        while error is not None and len(parts) < _LONGEST_CHAIN:
            parts.insert(0, "".join(traceback.format_tb(error.__traceback__)) + discreet(error))
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n".join(parts)

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = record.message.replace("\r", "\\r").replace("\n", "\\n")
        return super().formatMessage(record)


class _QuietRotatingFile(RotatingFileHandler):
    """A full disk must not fill the terminal with tracebacks."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Drop the record."""


def setup(paths: Paths, level: str = "INFO", name: str = "edgellm") -> None:
    """Send the package's records to `logs/<name>.log`, at most 4 MB in four files.

    Each process takes a `name` of its own, because two processes cannot rotate one file. May be called again; where
    the folder cannot be written, warnings go to standard error instead.
    """
    handler: logging.Handler
    try:
        paths.logs.mkdir(parents=True, exist_ok=True)
        handler = _QuietRotatingFile(
            paths.logs / f"{name}.log", maxBytes=1_000_000, backupCount=3, encoding="utf-8", errors="backslashreplace"
        )
    except OSError:
        handler = logging.StreamHandler()
        handler.setLevel(logging.WARNING)
    handler.addFilter(Discreet())
    handler.setFormatter(_OneLine(_FORMAT))
    logger = logging.getLogger(_ROOT)
    for old in list(logger.handlers):
        logger.removeHandler(old)
        old.close()
    logger.addHandler(handler)
    logger.setLevel(level.upper())
    logger.propagate = False
