"""`machine.toml`: what was measured and what crashed on this computer, a table for each writer.

A damaged file counts as empty. What a table means is left to its writer.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from edgellm import files

_LARGEST_FILE = 1_000_000
_LOCK_SECONDS = 2.0
Table = dict[str, Any]


def read(path: Path, table: str) -> Table:
    """One table; empty when it is not there, or the file cannot be read."""
    found = _document(path).get(table)
    return found if isinstance(found, dict) else {}


def update(path: Path, table: str, change: Callable[[Table], Mapping[str, Any] | None]) -> bool:
    """Replace one table by what `change` makes of it (None leaves it), whole or not at all; the others stay.

    Two programs take turns, but for one that waits too long. A full disk or a closed folder is no reason to fail:
    False says that nothing was written.
    """
    import tomlkit
    from filelock import FileLock, Timeout
    from tomlkit.exceptions import TOMLKitError

    with ExitStack() as stack:
        with suppress(Timeout, OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(FileLock(path.with_name(f".{path.name}.lock"), timeout=_LOCK_SECONDS))
        new = change(read(path, table))
        if new is None:
            return True
        try:
            document = tomlkit.parse(_text(path))  # keeps comments
        except (ValueError, TOMLKitError, RecursionError):
            document = tomlkit.document()
        document.pop(table, None)
        document[table] = new
        try:
            files.write(path, tomlkit.dumps(document))
        except (OSError, UnicodeEncodeError):
            return False
    return True


def _document(path: Path) -> Table:
    try:
        return tomllib.loads(_text(path))
    except (ValueError, RecursionError):
        return {}


def _text(path: Path) -> str:
    """The file; empty where it cannot be read or is no text."""
    try:
        return path.read_text(encoding="utf-8") if path.stat().st_size <= _LARGEST_FILE else ""
    except (OSError, ValueError):
        return ""
