"""Tests of opening, migrating and surviving damage."""

from __future__ import annotations

import sys
from pathlib import Path

import apsw
import pytest

from edgellm import database
from edgellm.errors import StorageError

ONE = "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);"
MANY = "INSERT INTO a WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 50000) SELECT v FROM n"
TWO = "ALTER TABLE a ADD COLUMN y TEXT;"


def _value(connection: apsw.Connection, sql: str) -> object:
    return next(iter(connection.execute(sql)))[0]


def test_fresh_and_migrated(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "chats.db"
    database.open(path, [ONE]).close()
    connection = database.open(path, [ONE, TWO])
    assert _value(connection, "SELECT count(*) FROM a WHERE y IS NULL") == 1
    assert _value(connection, "PRAGMA user_version") == 2
    assert _value(connection, "PRAGMA synchronous") == 2
    assert _value(connection, "PRAGMA journal_mode") == "wal"
    connection.close()


def test_old_sqlite_gets_no_wal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.40.1")
    connection = database.open(tmp_path / "a.db", [ONE])
    assert _value(connection, "PRAGMA journal_mode") == "delete"
    connection.close()


def test_newer_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    database.open(path, [ONE, TWO]).close()
    with pytest.raises(StorageError, match="newer version"):
        database.open(path, [ONE])
    database.open(path, [ONE, TWO]).close()


def test_failed_migration_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    database.open(path, [ONE]).close()
    with pytest.raises(StorageError):
        database.open(path, [ONE, "CREATE TABLE b (x); SELECT nothing FROM nowhere;"])
    connection = database.open(path, [ONE])
    assert _value(connection, "SELECT count(*) FROM sqlite_master WHERE name = 'b'") == 0
    connection.close()


@pytest.mark.parametrize("kind", ["garbage", "page", "short"])
def test_damaged_file_is_moved_aside(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.db"
    connection = database.open(path, [ONE])
    connection.execute(MANY)
    connection.close()
    whole = path.read_bytes()
    assert len(whole) > 100_000
    damaged = {"garbage": b"not a database " * 500, "short": whole[: len(whole) // 2]}
    path.write_bytes(damaged.get(kind, whole[:8192] + b"\xaa" * 8192 + whole[16384:]))
    before, notices = path.read_bytes(), list[str]()
    connection = database.open(path, [ONE], notices.append)
    assert _value(connection, "SELECT count(*) FROM a") == 1
    connection.close()
    assert len(notices) == 1 and "was damaged" in notices[0]
    [kept] = tmp_path.glob("a.db.damaged-*")
    assert kept.read_bytes() == before


def test_busy_and_unusable_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_BUSY_MS", 50)
    path = tmp_path / "a.db"
    first = database.open(path, [ONE])
    first.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="in use"):
        database.open(path, [ONE, TWO])
    first.execute("ROLLBACK")
    first.close()
    with pytest.raises(StorageError, match="cannot be opened"):
        database.open(tmp_path, [ONE])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps the folder of a person private itself")
def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    for _ in range(2):
        connection = database.open(path, ["CREATE TABLE note (text)"])
        connection.execute("INSERT INTO note VALUES ('private')")
        assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
        connection.close()
        path.chmod(0o644)  # as an older version left it
