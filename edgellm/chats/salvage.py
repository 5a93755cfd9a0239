"""Getting what can still be read out of a damaged `chats.db`.

`database.open` has moved the file aside; here its rows are read one by one, so that a bad page costs only what is on
it. Storing what was found is left to `Store.add_copy`. The damaged file itself is never changed.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import apsw

from edgellm.chats.imports import Copy
from edgellm.chats.values import Chat, State, StoredMessage, clean, readable
from edgellm.runtimes.base import Role

_MISSES = 5_000  # ids in a row that cannot be read: then the rest is taken for lost
_TITLE = "Recovered chat"
_CHAT = """SELECT id, CAST(title AS BLOB), CAST(system AS BLOB), CAST(draft AS BLOB), leaf, created, updated, deleted
           FROM chat WHERE id = ?"""
_MESSAGE = """SELECT id, chat, parent, CAST(role AS BLOB), CAST(text AS BLOB), CAST(state AS BLOB), CAST(facts AS BLOB),
              created FROM message WHERE id = ?"""


def newest_damaged(path: Path) -> Path | None:
    """The file that a damaged `path` was last moved to."""
    found = [file for file in path.parent.glob(f"{path.name}.damaged-*") if not file.name.endswith(("-wal", "-shm"))]
    return max(found, key=lambda file: file.stat().st_mtime_ns, default=None)


def read(damaged: Path) -> list[Copy]:
    """The chats that can still be read, the oldest first. Never fails: at worst there are none."""
    with suppress(apsw.Error, OSError), tempfile.TemporaryDirectory(dir=damaged.parent) as folder:
        copy = Path(folder) / "copy.db"
        shutil.copyfile(damaged, copy)
        with suppress(FileNotFoundError):
            shutil.copyfile(damaged.with_name(damaged.name + "-wal"), copy.with_name("copy.db-wal"))
        with closing(apsw.Connection(str(copy))) as connection:
            return list(_copies(connection))
    return []


def _copies(connection: apsw.Connection) -> Iterator[Copy]:
    rows = list(_rows(connection, "chat", _CHAT))
    gone = {row[0] for row in rows if _is_time(row[7])}  # deleted by the person
    chats = {row[0]: row for row in rows if row[0] not in gone}
    messages: dict[int, list[StoredMessage]] = {}
    for row in _rows(connection, "message", _MESSAGE):
        message = _message(row)
        if message is not None and message.chat not in gone:
            messages.setdefault(message.chat, []).append(message)
    for key in sorted({*chats, *messages}):
        chat = _chat(chats.get(key), messages.get(key, []))
        if chat is not None:
            yield chat


def _rows(connection: apsw.Connection, table: str, query: str) -> Iterator[tuple[Any, ...]]:
    """Every row that can be read, by id."""
    try:
        last = max((int(str(key)) for (key,) in connection.execute(f"SELECT max(id) FROM {table}") if key), default=0)
    except apsw.Error:
        last = 1 << 40
    key = misses = 0
    while key < last and misses < _MISSES:
        key, misses = key + 1, misses + 1
        with suppress(apsw.Error):
            for row in connection.execute(query, (key,)):
                misses = 0
                yield tuple(readable(value) if isinstance(value, bytes) else value for value in row)


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float)


def _message(row: tuple[Any, ...]) -> StoredMessage | None:
    key, chat, parent, role, text, state, facts, created = row
    sound = type(chat) is int and role in ("system", "user", "assistant") and isinstance(text, str)
    if not sound:
        return None
    ending = state if state in ("done", "cancelled") else "interrupted"
    above = parent if type(parent) is int else None
    time = float(created) if _is_time(created) else 0.0
    return StoredMessage(key, chat, above, cast("Role", role), clean(text), cast("State", ending), _facts(facts), time)


def _facts(text: Any) -> Mapping[str, Any]:
    with suppress(ValueError, TypeError, RecursionError):
        facts = json.loads(text)
        if isinstance(facts, dict):
            return facts
    return {}


def _chat(row: tuple[Any, ...] | None, messages: list[StoredMessage]) -> Copy | None:
    """One chat, its messages hung anew where those above them are lost. None when there is nothing in it."""
    placed: list[StoredMessage] = []
    known: set[int] = set()
    for message in messages:
        parent = message.parent
        if parent is not None and parent not in known:
            parent = placed[-1].id if placed else None
        placed.append(replace(message, chat=0, parent=parent))
        known.add(message.id)
    times = [message.created for message in placed]
    chat = Chat(0, _TITLE, "", "", None, min(times, default=0.0), max(times, default=0.0))
    if row is not None:
        _, title, system, draft, leaf, created, updated, _ = row
        texts = [clean(value) if isinstance(value, str) else "" for value in (title, system, draft)]
        moments = [float(value) if _is_time(value) else 0.0 for value in (created, updated)]
        chat = Chat(0, texts[0], texts[1], texts[2], leaf if leaf in known else None, moments[0], moments[1])
    if not placed and not chat.draft:
        return None
    leaf = chat.leaf if chat.leaf is not None or not placed else placed[-1].id
    return Copy(replace(chat, leaf=leaf), tuple(placed))
