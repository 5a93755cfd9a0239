"""Whether the result of a table can be written where the person says: asked before any row is classified."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path

from edgellm.errors import StorageError, UsageError

_ANOTHER = "Choose another file with -o."


def check(out: Path, beside: Path, table: Path, force: bool) -> None:
    """Raise `UsageError` or `StorageError` when `out` is no place for the result of `table`. Nothing is left behind.

    `beside` is the longest name that is needed in the same folder while rows are written.
    """
    try:
        if out.is_dir():
            raise UsageError(f"{out} is a folder.", "Name a file with -o.")
        beside.exists()  # raises where its name is too long
        if out.exists():
            _check_there(out, table, force)
        _check_folder(next(folder for folder in out.absolute().parents if folder.exists()))
    except OSError as error:
        raise StorageError(f"{out} cannot be written: {error.strerror}.", _ANOTHER) from error


def _check_there(out: Path, table: Path, force: bool) -> None:
    if out.samefile(table):
        raise UsageError("The result cannot take the place of the table itself.", _ANOTHER)
    if not out.is_file():
        raise UsageError(f"{out} is not a plain file.", _ANOTHER)
    if not force:
        raise UsageError(f"{out} exists already.", "Choose another file with -o, or add --force to replace it.")


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise UsageError(f"{folder} is a file, so no folder can be made of it.", _ANOTHER)
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        why = "the system keeps no files there" if error.errno == errno.ENOENT else error.strerror
        raise StorageError(f"Nothing can be written to {folder}: {why}.", "Choose another folder with -o.") from error
