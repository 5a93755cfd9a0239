"""Conversations in SQLite: a tree of messages per chat, full-text search, answers written while they stream.

The database owns the ids; `Message` values of the runtimes carry none. Every method is short and safe to call from
any thread. Editing or regenerating never overwrites: it adds a sibling, and `leaf` says which branch is shown.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import apsw

from edgellm import database
from edgellm.chats.schema import MIGRATIONS
from edgellm.chats.stream import INTERVAL, StreamWriter
from edgellm.errors import StorageError
from edgellm.runtimes.base import Message, Role

State = Literal["streaming", "done", "cancelled", "interrupted"]
KEEP_DELETED = 7 * 24 * 3600.0
TITLE_LENGTH = 60
_CHAT = "SELECT id, title, system, draft, leaf, created, updated FROM chat"
_MESSAGE = "SELECT id, chat, parent, role, text, state, facts, created FROM message"


@dataclass(frozen=True, slots=True)
class Chat:
    """One conversation. `leaf` is the last message of the branch that is shown; times are Unix seconds."""

    id: int
    title: str
    system: str
    draft: str
    leaf: int | None
    created: float
    updated: float


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message with its place in the tree and how it ended. `facts` are those of the `Finish` event."""

    id: int
    chat: int
    parent: int | None
    role: Role
    text: str
    state: State
    facts: Mapping[str, Any] = field(default_factory=dict)
    created: float = 0.0

    @property
    def message(self) -> Message:
        """The value that a runtime understands."""
        return Message(self.role, self.text)


@dataclass(frozen=True, slots=True)
class Hit:
    """One search result: the chat, the message (None for a title) and the words around the match."""

    chat: Chat
    message: int | None
    excerpt: str


class Store:
    """The chats of one person. Opening marks what a killed program left unfinished as `interrupted`."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time, interval: float = INTERVAL) -> None:
        self._clock = clock
        self._interval = interval
        self._lock = threading.RLock()
        self._db = database.open(path, MIGRATIONS)
        with self._transaction() as db:
            db.execute("PRAGMA foreign_keys = ON")
            db.execute("UPDATE message SET state = 'interrupted' WHERE state = 'streaming'")
            db.execute("DELETE FROM chat WHERE deleted < ?", (clock() - KEEP_DELETED,))

    def close(self) -> None:
        """Close the database; writers that are still open fail from now on."""
        with self._lock:
            self._db.close()

    # Chats

    def create(self, title: str = "", system: str = "") -> Chat:
        """Start an empty chat."""
        now = self._clock()
        with self._transaction() as db:
            db.execute(
                "INSERT INTO chat (title, system, created, updated) VALUES (?, ?, ?, ?)", (title, system, now, now)
            )
            key = db.last_insert_rowid()
        return self.chat(key)

    def chat(self, key: int) -> Chat:
        """The chat with this id. Raises `StorageError` when there is none."""
        rows = self._rows(f"{_CHAT} WHERE id = ? AND deleted IS NULL", (key,))
        if not rows:
            raise StorageError("This chat is no longer there.", "Choose another one in the list.")
        return Chat(*rows[0])

    def chats(self, limit: int = 200) -> tuple[Chat, ...]:
        """The chats, the one used last first."""
        query = f"{_CHAT} WHERE deleted IS NULL ORDER BY updated DESC, id DESC LIMIT ?"
        return tuple(Chat(*row) for row in self._rows(query, (limit,)))

    def rename(self, chat: int, title: str) -> None:
        """Give the chat a title."""
        self._change("UPDATE chat SET title = ? WHERE id = ?", (title.strip(), chat))

    def set_system(self, chat: int, system: str) -> None:
        """Set the system prompt of the chat."""
        self._change("UPDATE chat SET system = ? WHERE id = ?", (system, chat))

    def set_draft(self, chat: int, draft: str) -> None:
        """Keep what was typed and not yet sent."""
        self._change("UPDATE chat SET draft = ? WHERE id = ?", (draft, chat))

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
                title = " ".join(text.split())[:TITLE_LENGTH]
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
        words = text.split()
        if not words:
            return ()
        titles = self._matches("chat", "title", words, limit)
        messages = self._matches("message", "text", words, limit)
        hits = [Hit(self.chat(key), None, title) for key, _, title in titles]
        hits += [Hit(self.chat(chat), key, excerpt(found, words[0])) for key, chat, found in messages]
        return tuple(hits[:limit])

    def _matches(self, table: str, column: str, words: Sequence[str], limit: int) -> list[tuple[int, int, str]]:
        """Rows with every word. The trigram index needs three characters; shorter words (CJK) are scanned for."""
        long = [word for word in words if len(word) >= 3]
        conditions = [f"{table}.{column} LIKE ? ESCAPE '\\'" for word in words if len(word) < 3]
        values: list[Any] = ["%" + _escape_like(word) + "%" for word in words if len(word) < 3]
        if long:
            conditions.append(f"{table}.id IN (SELECT rowid FROM {table}_search WHERE {table}_search MATCH ?)")
            values.append(" ".join('"' + word.replace('"', '""') + '"' for word in long))
        chat = "message.chat" if table == "message" else "chat.id"
        join = "JOIN chat ON chat.id = message.chat" if table == "message" else ""
        query = f"""SELECT {table}.id, {chat}, {table}.{column} FROM {table} {join}
                    WHERE chat.deleted IS NULL AND {" AND ".join(conditions)}
                    ORDER BY {table}.id DESC LIMIT ?"""
        return cast("list[tuple[int, int, str]]", self._rows(query, (*values, limit)))

    # The database

    def _insert(
        self, db: apsw.Connection, chat: int, parent: int | None, role: Role, text: str, state: State
    ) -> int:
        now = self._clock()
        db.execute(
            "INSERT INTO message (chat, parent, role, text, state, created) VALUES (?, ?, ?, ?, ?, ?)",
            (chat, parent, role, text, state, now),
        )
        key = db.last_insert_rowid()
        db.execute("UPDATE chat SET leaf = ?, updated = ? WHERE id = ?", (key, now, chat))
        return key

    def _append(self, message: int, text: str) -> None:
        self._change("UPDATE message SET text = text || ? WHERE id = ?", (text, message))

    def _finish(self, message: int, text: str, state: str, facts: Mapping[str, Any]) -> None:
        with self._transaction() as db:
            db.execute("UPDATE message SET text = text || ? WHERE id = ?", (text, message))
            encoded = json.dumps(dict(facts), ensure_ascii=False)
            db.execute("UPDATE message SET state = ?, facts = ? WHERE id = ?", (state, encoded, message))

    def _change(self, query: str, values: tuple[Any, ...]) -> None:
        with self._transaction() as db:
            db.execute(query, values)

    def _rows(self, query: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        with self._lock, _translated():
            return list(self._db.execute(query, values))

    @contextmanager
    def _transaction(self) -> Iterator[apsw.Connection]:
        with self._lock, _translated(), self._db:
            yield self._db


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the errors of SQLite into a sentence."""
    try:
        yield
    except apsw.FullError as error:
        raise StorageError("The chat could not be saved: the disk is full.", "Free some space.") from error
    except apsw.Error as error:
        raise StorageError(f"The chat could not be saved or read: {error}.", "Restart EdgeLLM.") from error


def _stored(row: tuple[Any, ...]) -> StoredMessage:
    key, chat, parent, role, text, state, facts, created = row
    return StoredMessage(key, chat, parent, role, text, state, json.loads(facts), created)


def _escape_like(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def excerpt(text: str, word: str, around: int = 40) -> str:
    """One line of `text` around the first `word`."""
    at = max(text.casefold().find(word.casefold()), 0)
    start, end = max(at - around, 0), at + len(word) + around
    line = " ".join(text[start:end].split())
    return ("…" if start else "") + line + ("…" if end < len(text) else "")
