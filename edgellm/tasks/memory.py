"""The translation memory: what was translated before, in SQLite, so that the same paragraph is not asked again.

It holds the text of documents, readable by its owner alone, until the person clears it. A row is found only by the same
text, languages, model, glossary and settings; there are no near matches. Each row is on the disk when `put` returns: a
file whose translation was killed goes on behind its last paragraph.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import apsw

from edgellm import database
from edgellm.errors import StorageError

# Add to the end, never change one that was released
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE translation (
        source TEXT NOT NULL,
        origin TEXT NOT NULL,
        target TEXT NOT NULL,
        model TEXT NOT NULL,
        terms TEXT NOT NULL,
        translation TEXT NOT NULL,
        made REAL NOT NULL,
        PRIMARY KEY (source, origin, target, model, terms)
    ) WITHOUT ROWID;
    """,
    # What was kept before does not say with which settings it was made, so it can be found no more
    """
    DROP TABLE translation;
    CREATE TABLE translation (
        source TEXT NOT NULL,
        origin TEXT NOT NULL,
        target TEXT NOT NULL,
        model TEXT NOT NULL,
        terms TEXT NOT NULL,
        settings TEXT NOT NULL,
        translation TEXT NOT NULL,
        made REAL NOT NULL,
        PRIMARY KEY (source, origin, target, model, terms, settings)
    ) WITHOUT ROWID;
    """,
    "ALTER TABLE translation ADD COLUMN doubts TEXT NOT NULL DEFAULT '[]'",
)


@dataclass(frozen=True, slots=True)
class Key:
    """What a translation depends on. `pieces` are the stretches of a paragraph with the same formatting; `origin` and
    `target` are codes; `terms` is the fingerprint of the glossary, `settings` that of how the model is asked."""

    pieces: tuple[str, ...]
    origin: str
    target: str
    model: str
    terms: str = ""
    settings: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The values of the primary key."""
        pieces = json.dumps(self.pieces, ensure_ascii=True)
        return (pieces, self.origin, self.target, self.model, self.terms, self.settings)


class Memory:
    """Translations by their `Key`. Safe to use from several threads; two processes can share the file."""

    def __init__(self, path: Path) -> None:
        """Raises `StorageError`. A damaged file is moved aside, and an empty one made."""
        self.notice = ""
        self._path = path
        self._lock = threading.Lock()
        self._db = database.open(path, MIGRATIONS, self._tell)

    def get(self, key: Key) -> tuple[str, ...] | None:
        """The translation, with as many pieces as the source; None when there is none."""
        found = self._column("translation", key)
        return found if found is not None and len(found) == len(key.pieces) else None

    def doubts(self, key: Key) -> tuple[str, ...]:
        """What was to be doubted about the translation when it was made."""
        return self._column("doubts", key) or ()

    def put(self, key: Key, translation: tuple[str, ...], doubts: tuple[str, ...] = ()) -> None:
        """Keep a translation, in place of an earlier one."""
        kept = (json.dumps(translation, ensure_ascii=True), time.time(), json.dumps(doubts, ensure_ascii=True))
        with self._use() as db, database.transaction(db):
            db.execute("INSERT OR REPLACE INTO translation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*key.columns, *kept))

    def count(self) -> int:
        """How many translations are kept."""
        with self._use() as db:
            return int(str(db.execute("SELECT count(*) FROM translation").fetchall()[0][0]))

    def clear(self) -> int:
        """Forget all, on the disk too; returns how many there were."""
        known = self.count()
        with self._use() as db:
            db.execute("PRAGMA secure_delete = ON")
            with database.transaction(db):
                db.execute("DELETE FROM translation")
            db.execute("VACUUM")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return known

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def remove(self) -> None:
        """Close the file and delete it."""
        self.close()
        for suffix in ("", "-wal", "-shm", "-journal"):
            with suppress(OSError):
                self._path.with_name(self._path.name + suffix).unlink()

    def _column(self, name: str, key: Key) -> tuple[str, ...] | None:
        with self._use() as db:
            rows = db.execute(
                f"SELECT {name} FROM translation"
                " WHERE source = ? AND origin = ? AND target = ? AND model = ? AND terms = ? AND settings = ?",
                key.columns,
            ).fetchall()
        return _pieces(str(rows[0][0])) if rows else None

    def _tell(self, notice: str) -> None:
        self.notice = notice

    @contextmanager
    def _use(self) -> Iterator[apsw.Connection]:
        with self._lock:
            try:
                yield self._db
            except apsw.FullError as error:
                raise StorageError("There is no space left for the translation memory.", "Free some space.") from error
            except apsw.Error as error:
                raise StorageError(
                    "The translation memory cannot be used.", "Add --no-memory, or clear it: translate --forget."
                ) from error


def _pieces(text: str) -> tuple[str, ...] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    whole = isinstance(value, list) and all(isinstance(piece, str) for piece in value)
    return tuple(value) if whole else None
