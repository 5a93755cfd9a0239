"""Conversations in SQLite: a tree of messages per chat, full-text search, answers written while they stream.

The database owns the ids; `Message` values of the runtimes carry none. Every method is short and safe to call from
any thread. Editing or regenerating never overwrites: it adds a sibling, and `leaf` says which branch is shown.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from edgellm import database
from edgellm.chats import salvage, search
from edgellm.chats.imports import Copy
from edgellm.chats.presence import Presence
from edgellm.chats.schema import MIGRATIONS
from edgellm.chats.stream import INTERVAL, StreamWriter
from edgellm.chats.values import Chat, Hit, State, StoredMessage, clean, readable
from edgellm.errors import StorageError
from edgellm.runtimes.base import Role

__all__ = ["Chat", "Hit", "State", "Store", "StoredMessage"]

KEEP_DELETED = 7 * 24 * 3600.0
TITLE_LENGTH = 60
_CHAT = "SELECT id, CAST(title AS BLOB), CAST(system AS BLOB), CAST(draft AS BLOB), leaf, created, updated FROM chat"
_MESSAGE = "SELECT id, chat, parent, role, CAST(text AS BLOB), state, CAST(facts AS BLOB), created FROM message"
_log = logging.getLogger(__name__)


class Store:
    """The chats of one person; several programs may have them open. `notice` is a sentence about a damaged file.

    Opening marks what a killed program left unfinished as `interrupted`, unless another program is writing now.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time, interval: float = INTERVAL) -> None:
        self._clock = clock
        self._interval = interval
        self._lock = threading.RLock()
        self.notice = ""
        self._db = database.open(path, MIGRATIONS, self._tell)
        try:
            with _translated():
                self._presence = Presence(path)
            if self._presence.alone:
                with self._transaction() as db:
                    db.execute("UPDATE message SET state = 'interrupted' WHERE state = 'streaming'")
                    db.execute("DELETE FROM chat WHERE deleted < ?", (clock() - KEEP_DELETED,))
            with _translated():
                self._presence.stay()
            if self.notice:
                self._salvage(path)
        except StorageError:
            self._db.close()
            raise

    def _tell(self, notice: str) -> None:
        self.notice = notice
        _log.warning("%s", notice)

    def _salvage(self, path: Path) -> None:
        """Bring back what can be read of the damaged file that was moved aside."""
        damaged = salvage.newest_damaged(path)
        copies = salvage.read(damaged) if damaged is not None else []
        for copy in copies:
            self.add_copy(copy)
        if copies:
            self.notice += f" {len(copies)} {'chat was' if len(copies) == 1 else 'chats were'} recovered from it."

    def close(self) -> None:
        """Close the database; writers that are still open fail from now on."""
        with self._lock:
            self._db.close()
            self._presence.leave()

    # Chats

    def create(self, title: str = "", system: str = "") -> Chat:
        """Start an empty chat."""
        now = self._clock()
        with self._transaction() as db:
            db.execute(
                "INSERT INTO chat (title, system, created, updated) VALUES (?, ?, ?, ?)",
                (clean(title), clean(system), now, now),
            )
            key = db.last_insert_rowid()
        return self.chat(key)

    def chat(self, key: int) -> Chat:
        """The chat with this id. Raises `StorageError` when there is none."""
        rows = self._rows(f"{_CHAT} WHERE id = ? AND deleted IS NULL", (key,)) if key < 1 << 63 else []
        if not rows:
            raise StorageError("This chat is no longer there.", "Choose another one in the list.")
        return _chat(rows[0])

    def chats(self, limit: int = 200) -> tuple[Chat, ...]:
        """The chats, the one used last first."""
        query = f"{_CHAT} WHERE deleted IS NULL ORDER BY updated DESC, id DESC LIMIT ?"
        return tuple(_chat(row) for row in self._rows(query, (limit,)))

    def rename(self, chat: int, title: str) -> None:
        """Give the chat a title."""
        self._change("UPDATE chat SET title = ? WHERE id = ?", (clean(title.strip()), chat))

    def set_system(self, chat: int, system: str) -> None:
        """Set the system prompt of the chat."""
        self._change("UPDATE chat SET system = ? WHERE id = ?", (clean(system), chat))

    def set_draft(self, chat: int, draft: str) -> None:
        """Keep what was typed and not yet sent."""
        self._change("UPDATE chat SET draft = ? WHERE id = ?", (clean(draft), chat))

    def delete(self, chat: int) -> None:
        """Hide the chat; `restore` brings it back for a week."""
        self._change("UPDATE chat SET deleted = ? WHERE id = ?", (self._clock(), chat))

    def restore(self, chat: int) -> None:
        """Undo `delete`."""
        self._change("UPDATE chat SET deleted = NULL WHERE id = ?", (chat,))

    # Messages

    def add(self, chat: int, parent: int | None, role: Role, text: str) -> StoredMessage:
        """Store a complete message below `parent` and show its branch. The first one of a person names the chat."""
        with self._transaction() as db:
            key = self._insert(db, chat, parent, role, text, "done")
            if role == "user":
                title = " ".join(clean(text).split())[:TITLE_LENGTH]
                db.execute("UPDATE chat SET title = ? WHERE id = ? AND title = ''", (title, chat))
        return self.message(key)

    def begin(self, chat: int, parent: int | None) -> StreamWriter:
        """Start an answer below `parent`; its text follows through the writer."""
        with self._transaction() as db:
            key = self._insert(db, chat, parent, "assistant", "", "streaming")
        return StreamWriter(key, self._append, self._finish, self._interval)

    def message(self, key: int) -> StoredMessage:
        """The message with this id. Raises `StorageError` when there is none."""
        rows = self._rows(f"{_MESSAGE} WHERE id = ?", (key,))
        if not rows:
            raise StorageError("This message is no longer there.", "Reopen the chat.")
        return _stored(rows[0])

    def path(self, chat: int) -> tuple[StoredMessage, ...]:
        """The branch that is shown, from the first message to the leaf."""
        query = f"""
            WITH RECURSIVE branch (key, above) AS (
                SELECT id, parent FROM message WHERE id = (SELECT leaf FROM chat WHERE id = ?)
                UNION ALL SELECT message.id, message.parent FROM message JOIN branch ON message.id = branch.above
            ) {_MESSAGE} JOIN branch ON message.id = branch.key ORDER BY id"""
        return tuple(_stored(row) for row in self._rows(query, (chat,)))

    def tree(self, chat: int) -> tuple[StoredMessage, ...]:
        """Every message of the chat, parents before children."""
        return tuple(_stored(row) for row in self._rows(f"{_MESSAGE} WHERE chat = ? ORDER BY id", (chat,)))

    def siblings(self, message: int) -> tuple[int, ...]:
        """The ids of the versions of this message (itself included), oldest first."""
        query = """SELECT other.id FROM message AS this JOIN message AS other
                   ON other.chat = this.chat AND other.parent IS this.parent WHERE this.id = ? ORDER BY other.id"""
        return tuple(row[0] for row in self._rows(query, (message,)))

    def select(self, message: int) -> None:
        """Show the branch through this message, down to the newest message below it."""
        query = """
            WITH RECURSIVE below (key) AS (
                SELECT ? UNION ALL
                SELECT (SELECT max(id) FROM message WHERE parent = below.key) FROM below WHERE below.key IS NOT NULL
            ) UPDATE chat SET leaf = (SELECT max(key) FROM below)
            WHERE id = (SELECT chat FROM message WHERE id = ?)"""
        self._change(query, (message, message))

    def set_leaf(self, chat: int, message: int | None) -> None:
        """Show the branch that ends in this message (None: an empty chat)."""
        self._change("UPDATE chat SET leaf = ? WHERE id = ?", (message, chat))

    # Search

    def search(self, text: str, limit: int = 50) -> tuple[Hit, ...]:
        """Chats whose title, or messages whose text, hold every word of `text`; titles first, newest first."""
        words = clean(text).split()
        if not words:
            return ()
        with self._lock:
            titles = self._rows(*search.query("chat", words, limit))
            messages = self._rows(*search.query("message", words, limit))
            hits = [Hit(self.chat(key), None, readable(title)) for key, _, title in titles]
            for key, chat, found in messages:
                hits.append(Hit(self.chat(chat), key, search.excerpt(readable(found), words[0])))
        return tuple(hits[:limit])

    # Copies

    def add_copy(self, copy: Copy) -> Chat:
        """Store a chat that was read from a file, with all its branches, as a new one."""
        given = copy.chat
        with self._transaction() as db:
            db.execute(
                "INSERT INTO chat (title, system, draft, created, updated) VALUES (?, ?, ?, ?, ?)",
                (given.title, given.system, given.draft, given.created, given.updated),
            )
            chat = db.last_insert_rowid()
            keys: dict[int | None, int | None] = {None: None}
            for message in copy.messages:
                own = (chat, keys[message.parent], message.role, message.text, message.state)
                db.execute(
                    "INSERT INTO message (chat, parent, role, text, state, facts, created) VALUES (?,?,?,?,?,?,?)",
                    (*own, _encoded(message.facts), message.created),
                )
                keys[message.id] = db.last_insert_rowid()
            db.execute("UPDATE chat SET leaf = ? WHERE id = ?", (keys[given.leaf], chat))
        return self.chat(chat)

    # The database

    def _insert(self, db: apsw.Connection, chat: int, parent: int | None, role: Role, text: str, state: State) -> int:
        now = self._clock()
        db.execute(
            "INSERT INTO message (chat, parent, role, text, state, created) VALUES (?, ?, ?, ?, ?, ?)",
            (chat, parent, role, clean(text), state, now),
        )
        key = db.last_insert_rowid()
        db.execute("UPDATE chat SET leaf = ?, updated = ? WHERE id = ?", (key, now, chat))
        return key

    def _append(self, message: int, text: str) -> None:
        with self._transaction() as db:
            self._add_text(db, message, text)

    def _finish(self, message: int, text: str, state: str, facts: Mapping[str, Any]) -> None:
        with self._transaction() as db:
            self._add_text(db, message, text)
            db.execute("UPDATE message SET state = ?, facts = ? WHERE id = ?", (state, _encoded(facts), message))

    def _add_text(self, db: apsw.Connection, message: int, text: str) -> None:
        query = "UPDATE message SET text = text || ? WHERE id = ? AND state = 'streaming'"
        db.execute(query, (clean(text), message))
        if not db.changes():
            raise StorageError("The answer could not be saved: its chat is no longer there.", "Copy the text.")

    def _change(self, query: str, values: tuple[Any, ...]) -> None:
        with self._transaction() as db:
            db.execute(query, values)

    def _rows(self, query: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        with self._lock, _translated():
            return list(self._db.execute(query, values))

    @contextmanager
    def _transaction(self) -> Iterator[apsw.Connection]:
        with self._lock, _translated(), database.transaction(self._db) as db:
            yield db


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the errors of SQLite into a sentence."""
    try:
        yield
    except (apsw.FullError, apsw.IOError) as error:
        raise StorageError(
            "The chat could not be saved: the disk is full or cannot be written.", "Free some space and try again."
        ) from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise StorageError(
            "The chat could not be saved: another program is writing.", "Close the other window and try again."
        ) from error
    except apsw.Error as error:
        raise StorageError(f"The chat could not be saved or read: {error}.", "Restart EdgeLLM.") from error


def _encoded(facts: Mapping[str, Any]) -> str:
    return clean(json.dumps(dict(facts), ensure_ascii=False))


def _chat(row: tuple[Any, ...]) -> Chat:
    key, title, system, draft, *rest = row
    return Chat(key, readable(title), readable(system), readable(draft), *rest)


def _stored(row: tuple[Any, ...]) -> StoredMessage:
    key, chat, parent, role, text, state, facts, created = row
    try:
        found = json.loads(readable(facts))
    except ValueError:
        found = {}
    return StoredMessage(key, chat, parent, role, readable(text), state, found, created)
