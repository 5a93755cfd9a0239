"""The library in SQLite: collections of files and folders, what each file holds, and the words of its passages.

A content is stored once, whatever it is called and wherever it lies: files point to it by hash. Each change of a file
is one transaction, so a kill leaves a file either as it was or done. Reading files is left to `index.py`, and finding
passages to `retrieve.py`.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import apsw

from edgellm import database
from edgellm.documents import library_schema, versions, words
from edgellm.documents.chunk import Chunk
from edgellm.documents.document import Document
from edgellm.errors import StorageError, UsageError

State = Literal["indexed", "failed"]
LONGEST_NAME = 100
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Collection:
    """A named set of files and folders."""

    id: int
    name: str
    sources: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Stamp:
    """A file's size in bytes and time of change in nanoseconds: equal ones are taken for the same content."""

    size: int
    mtime: int


@dataclass(frozen=True, slots=True)
class Indexed:
    """A file of a collection. One that could not be read has a `reason` and a `hint`, and no passages.

    `pages` is the number of the last page with a passage; 0 where the format has no pages.
    """

    path: Path
    stamp: Stamp
    state: State
    reason: str = ""
    hint: str = ""
    title: str = ""
    passages: int = 0
    pages: int = 0


class Library:
    """Collections and their contents; safe to call from any thread. `notice` tells of a damaged file set aside.

    `readers` are the versions of the readers of this program, as in `versions.READERS`.
    """

    def __init__(
        self, path: Path, clock: Callable[[], float] = time.time, readers: Mapping[str, int] = versions.READERS
    ) -> None:
        self.path = path
        self._readers = readers
        self.notice = ""
        self._clock = clock
        self._lock = threading.RLock()
        self._db = database.open(path, library_schema.MIGRATIONS, self._tell)
        self._compares: bool | None = None

    def _tell(self, notice: str) -> None:
        self.notice = notice
        _log.warning("%s", notice)

    def _version(self, kind: str) -> int:
        return versions.current(kind, self._readers)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    def compares(self) -> bool:
        """Whether vectors can be compared here: sqlite-vec is loaded into the connection when that is first asked."""
        with self._lock:
            if self._compares is None:
                self._compares = library_schema.load_vector_functions(self._db)
            return self._compares

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query. Raises `StorageError`."""
        with self._lock, _translated():
            return list(self._db.execute(sql, tuple(values)))

    def create(self, name: str) -> Collection:
        """The collection of this name; a new one where there is none. Raises `UsageError` for no name."""
        name = _name(name)
        with self.transaction() as db:
            db.execute("INSERT OR IGNORE INTO collection (name, created) VALUES (?, ?)", (name, self._clock()))
        return self.collection(name)

    def rename(self, old: str, new: str) -> Collection:
        """Give a collection another name; what it holds stays. Raises `UsageError` for one that is taken or no name."""
        key, new = self.collection(old).id, _name(new)
        with self.transaction() as db:
            if list(db.execute("SELECT 1 FROM collection WHERE name = ? AND id <> ?", (new, key))):
                raise UsageError(f"There is a collection {new!r} already.", "Choose another name.")
            db.execute("UPDATE collection SET name = ? WHERE id = ?", (new, key))
        return self.collection(new)

    def collections(self) -> tuple[Collection, ...]:
        """All collections by name."""
        found = self.rows("SELECT id, name FROM collection ORDER BY name")
        sources = self.rows("SELECT collection, path FROM source ORDER BY id")
        return tuple(Collection(key, name, tuple(Path(p) for at, p in sources if at == key)) for key, name in found)

    def collection(self, name: str) -> Collection:
        """The collection of this name. Raises `UsageError`."""
        for one in self.collections():
            if one.name == name:
                return one
        raise UsageError(f"There is no collection {name!r}.", "See which there are: edgellm documents list")

    def delete(self, name: str) -> None:
        """Forget a collection and everything only it holds. The files themselves are left alone."""
        key = self.collection(name).id
        with self.transaction() as db:
            db.execute("DELETE FROM collection WHERE id = ?", (key,))
        self.sweep()

    def add_source(self, name: str, path: Path) -> Collection:
        """Let a file or folder belong to a collection. Raises `UsageError` when nothing is there."""
        path = place(path)
        if not path.exists():
            raise UsageError(f"{path} does not exist.", "Check the name and the folder.")
        try:
            str(path).encode()
        except UnicodeEncodeError:
            raise UsageError(f"The name of {path!r} is not valid text.", "Rename it and try again.") from None
        key = self.collection(name).id
        with self.transaction() as db:
            db.execute("INSERT OR IGNORE INTO source (collection, path) VALUES (?, ?)", (key, str(path)))
        return self.collection(name)

    def remove_source(self, name: str, path: Path) -> Collection:
        """Take a file or folder out of a collection, and what it held out of the index."""
        names = (str(place(path)), str(path))  # earlier versions kept steps upward
        key = self.collection(name).id
        with self.transaction() as db:
            db.execute("DELETE FROM source WHERE collection = ? AND path IN (?, ?)", (key, *names))
        self.sweep()
        return self.collection(name)

    def files(self, name: str) -> tuple[Indexed, ...]:
        """Every file of a collection that was looked at, by path; once, though it came alone and with its folder."""
        found = self.rows(
            """SELECT one.path, size, mtime, one.content, reason, hint, coalesce(content.title, ''),
                      (SELECT count(*) FROM passage WHERE passage.content = one.content),
                      (SELECT coalesce(max(page), 0) FROM passage WHERE passage.content = one.content)
               FROM (SELECT file.path, size, mtime, reason, hint, max(content) AS content
                     FROM file JOIN source ON source.id = file.source
                     WHERE source.collection = ? GROUP BY file.path) AS one
               LEFT JOIN content ON content.id = one.content ORDER BY one.path""",
            (self.collection(name).id,),
        )
        return tuple(
            Indexed(Path(path), Stamp(size, mtime), "failed" if content is None else "indexed", *rest)
            for path, size, mtime, content, *rest in found
        )

    # What the indexer does with one file of one source

    def sources(self, name: str) -> tuple[tuple[int, Path], ...]:
        """The ids and paths of a collection's files and folders."""
        key = self.collection(name).id
        found = self.rows("SELECT id, path FROM source WHERE collection = ? ORDER BY id", (key,))
        return tuple((source, Path(path)) for source, path in found)

    def has_source(self, source: int) -> bool:
        """Whether a source still belongs to a collection."""
        return bool(self.rows("SELECT 1 FROM source WHERE id = ?", (source,)))

    def stamps(self, source: int) -> dict[str, tuple[Stamp, bool]]:
        """What is known of a source: path -> stamp, and whether the file could be read.

        The stamp of a file whose content an older reader has read fits no file, so that it is looked at again.
        """
        found = self.rows(
            """SELECT path, size, mtime, format, reader FROM file LEFT JOIN content ON content.id = file.content
               WHERE source = ?""",
            (source,),
        )
        return {
            path: (Stamp(size, -1 if kind and reader < self._version(kind) else mtime), kind is not None)
            for path, size, mtime, kind, reader in found
        }

    def content_of(self, source: int, path: Path) -> int | None:
        """The id of the content that a file has; None where it has none, or is not known."""
        found = self.rows("SELECT content FROM file WHERE source = ? AND path = ?", (source, str(path)))
        return found[0][0] if found else None

    def link(self, source: int, path: Path, stamp: Stamp, sha256: str) -> bool:
        """Let the file have a content that is in the library already; False when it is not, or was read too long ago.

        That is: by an older reader than the one of this program.
        """
        key = (sha256, path.suffix.lower())
        with self.transaction() as db:
            found = list(db.execute("SELECT id, format, reader FROM content WHERE sha256 = ? AND suffix = ?", key))
            known = [content for content, kind, reader in found if reader >= self._version(kind)]
            if known:
                _put(db, source, path, stamp, content=known[0])
        return bool(known)

    def store(self, source: int, path: Path, stamp: Stamp, document: Document, cut: Sequence[Chunk]) -> int:
        """Let the file have this content, also in place of what an older reader found in it.

        Returns how many passages were added.
        """
        suffix, version = path.suffix.lower(), self._version(document.format)
        with self.transaction() as db:
            values = (document.sha256, suffix, document.format, document.title, json.dumps(document.notes), version)
            new = list(
                db.execute(
                    """INSERT INTO content (sha256, suffix, format, title, notes, reader) VALUES (?, ?, ?, ?, ?, ?)
                       ON CONFLICT (sha256, suffix) DO UPDATE SET format = excluded.format, title = excluded.title,
                       notes = excluded.notes, reader = excluded.reader
                       WHERE content.reader < excluded.reader OR content.format <> excluded.format RETURNING id""",
                    values,
                )
            )
            if new:
                db.execute("DELETE FROM passage WHERE content = ?", new[0])  # those that an older reader found
                _add_passages(db, new[0][0], document, cut)
            found = new or list(db.execute("SELECT id FROM content WHERE sha256 = ? AND suffix = ?", values[:2]))
            _put(db, source, path, stamp, content=found[0][0])
        return len(cut) if new else 0

    def fail(self, source: int, path: Path, stamp: Stamp, reason: str, hint: str) -> None:
        """Record that the file cannot be read, and why."""
        with self.transaction() as db:
            _put(db, source, path, stamp, reason=reason, hint=hint)

    def share(self, source: int, path: Path, others: Iterable[int]) -> None:
        """Let other sources that hold the file too know of it what this one knows."""
        known = self.rows(
            "SELECT size, mtime, content, reason, hint FROM file WHERE source = ? AND path = ?", (source, str(path))
        )
        with self.transaction() as db:
            for size, mtime, content, reason, hint in known:
                for other in others:
                    _put(db, other, path, Stamp(size, mtime), content=content, reason=reason, hint=hint)

    def forget(self, source: int, paths: Iterable[str]) -> None:
        """Files that are no longer there."""
        with self.transaction() as db:
            db.executemany("DELETE FROM file WHERE source = ? AND path = ?", [(source, path) for path in paths])

    def sweep(self) -> None:
        """Drop the contents that no file has any more, a few at a time, so that nobody waits long."""
        orphan = "SELECT id FROM content WHERE NOT EXISTS (SELECT 1 FROM file WHERE file.content = content.id) LIMIT 20"
        while self.rows(orphan):
            with self.transaction() as db:
                db.execute(f"DELETE FROM content WHERE id IN ({orphan})")

    @contextmanager
    def transaction(self) -> Iterator[apsw.Connection]:
        """All or nothing, while no other thread is at the library. Raises `StorageError`."""
        with self._lock, _translated(), database.transaction(self._db) as db:
            yield db


def place(path: Path) -> Path:
    """Where a file or folder is, under the name that the library keeps it by: links stay, steps upward do not."""
    path = path.expanduser().absolute()
    return path.resolve() if ".." in path.parts else path


def _name(given: str) -> str:
    """A name with single blanks. Raises `UsageError`."""
    name = " ".join(given.split())
    if not name or not name.isprintable():
        raise UsageError("A collection needs a name.", "Give it a name of letters and digits.")
    if "/" in name or "\\" in name:
        raise UsageError("The name of a collection holds no slash.", "Give it a name of letters and digits.")
    if len(name) > LONGEST_NAME:
        raise UsageError(f"The name has more than {LONGEST_NAME} letters.", "Choose a shorter one.")
    return name


def _put(db: apsw.Connection, source: int, path: Path, stamp: Stamp, *, content: int | None = None, **why: str) -> None:
    """Write a file's row, unless its source was taken out of the library while the file was read."""
    db.execute(
        """INSERT INTO file (source, path, size, mtime, content, reason, hint)
           SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE EXISTS (SELECT 1 FROM source WHERE id = ?1)
           ON CONFLICT (source, path) DO UPDATE SET size = excluded.size, mtime = excluded.mtime,
           content = excluded.content, reason = excluded.reason, hint = excluded.hint""",
        (source, str(path), stamp.size, stamp.mtime, content, why.get("reason", ""), why.get("hint", "")),
    )


def _add_passages(db: apsw.Connection, content: int, document: Document, cut: Sequence[Chunk]) -> None:
    for one in cut:
        db.execute(
            "INSERT INTO passage (content, text, page, headings, start, stop) VALUES (?, ?, ?, ?, ?, ?)",
            (content, one.text, one.page, json.dumps(one.headings, ensure_ascii=False), one.start, one.stop),
        )
        context = words.indexed("\n".join((document.title, *one.headings)))
        row = (db.last_insert_rowid(), context, words.indexed(one.text))
        db.execute("INSERT INTO passage_words (rowid, context, text) VALUES (?, ?, ?)", row)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except apsw.FullError as error:
        raise StorageError("There is no space left for the library.", "Free some disk space and try again.") from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise StorageError("The library is in use by another program.", "Wait until it has finished.") from error
    except apsw.Error as error:
        _log.warning("the library failed: %s", error)
        raise StorageError("The library cannot be used.", "Check its disk, and start EdgeLLM again.") from error
