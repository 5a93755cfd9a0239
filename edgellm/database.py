"""Opening SQLite files: integrity, numbered migrations, durable writes. Tables and queries are left to the stores.

Uses apsw, which brings a current SQLite; versions before 3.51.3 can corrupt a file in WAL mode, so those get none.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from edgellm.errors import StorageError

_WAL_SAFE = 3_051_003
_BUSY_MS = 5_000
_log = logging.getLogger(__name__)


def open(path: Path, migrations: Sequence[str], notify: Callable[[str], None] = _log.warning) -> apsw.Connection:
    """Open or create the database and bring it to the newest version.

    `migrations[n]` is the SQL that leads from version n to n + 1; the file's version is its `user_version`. A damaged
    file is moved aside and a fresh one made, which `notify` is told in one sentence. Raises `StorageError` for a
    database of a newer program, one that another process holds, or one that cannot be read or written.
    """
    with _translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            connection = _open_whole(path)
        except (apsw.CorruptError, apsw.NotADBError):
            notify(_move_aside(path))
            connection = _open_whole(path)
        try:
            _migrate(connection, path, migrations)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except (apsw.BusyError, apsw.LockedError) as error:
        raise StorageError(
            f"{path.name} is in use by another program.", "Close the other window and try again."
        ) from error
    except apsw.FullError as error:
        raise StorageError(f"There is no space left for {path.name}.", "Free some disk space and try again.") from error
    except (apsw.Error, OSError) as error:
        _log.warning("opening %s failed: %s", path.name, type(error).__name__)
        raise StorageError(
            f"{path.name} cannot be opened.", "Check that its folder exists and can be written, and try again."
        ) from error


def _open_whole(path: Path) -> apsw.Connection:
    """Open a file and check it. Raises `apsw.CorruptError` or `apsw.NotADBError` for a damaged one."""
    _keep_private(path)
    connection = apsw.Connection(str(path))
    try:
        connection.set_busy_timeout(_BUSY_MS)
        for (verdict,) in connection.execute("PRAGMA quick_check(1)"):
            if verdict != "ok":
                raise apsw.CorruptError(str(verdict))
        wal = _version() >= _WAL_SAFE
        connection.execute(f"PRAGMA journal_mode = {'WAL' if wal else 'DELETE'}")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _keep_private(path: Path) -> None:
    """Chats and documents are for their owner alone; SQLite gives its journals the permissions of the file."""
    os.close(os.open(path, os.O_CREAT | os.O_RDONLY, 0o600))
    with suppress(OSError):  # a file system without permissions
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)


@contextmanager
def transaction(connection: apsw.Connection) -> Iterator[apsw.Connection]:
    """All or nothing. SQLite itself may have rolled back already, on a full disk for one."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version() -> int:
    major, minor, patch = (int(part) for part in apsw.sqlite_lib_version().split(".")[:3])
    return major * 1_000_000 + minor * 1_000 + patch


def _move_aside(path: Path) -> str:
    """Rename a damaged database with its journals; returns the notice."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    target = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while target.exists():
        number += 1
        target = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    os.replace(path, target)
    for suffix in ("-wal", "-shm", "-journal"):
        journal = path.with_name(path.name + suffix)
        if journal.exists():
            os.replace(journal, target.with_name(target.name + suffix))
    return f"{path.name} was damaged; it is kept as {target.name} and a fresh one was started."


def _migrate(connection: apsw.Connection, path: Path, migrations: Sequence[str]) -> None:
    if _user_version(connection) == len(migrations):
        return
    with transaction(connection):
        version = _user_version(connection)  # again: another process may have just done it
        if version > len(migrations):
            raise StorageError(
                f"{path.name} was written by a newer version of EdgeLLM.",
                "Update EdgeLLM, or start it with another EDGELLM_HOME.",
            )
        for number in range(version, len(migrations)):
            connection.execute(migrations[number])
        connection.execute(f"PRAGMA user_version = {len(migrations)}")


def _user_version(connection: apsw.Connection) -> int:
    for (version,) in connection.execute("PRAGMA user_version"):
        return int(str(version))
    return 0
