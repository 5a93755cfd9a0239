"""Full-text search over titles and messages, in every script.

The index holds groups of three characters, so a word needs no spaces around it, as in Chinese or Japanese; words of
one or two characters are looked for by reading the texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

_INDEXED = 3


def query(table: Literal["chat", "message"], words: Sequence[str], limit: int) -> tuple[str, tuple[Any, ...]]:
    """The SQL for rows (id, chat, text) that hold every word, newest first, and its values."""
    column = "text" if table == "message" else "title"
    short = [word for word in words if len(word) < _INDEXED]
    long = [word for word in words if len(word) >= _INDEXED]
    conditions = [f"{table}.{column} LIKE ? ESCAPE '\\'" for _ in short]
    values: list[Any] = [f"%{_escape_like(word)}%" for word in short]
    if long:
        conditions.append(f"{table}.id IN (SELECT rowid FROM {table}_search WHERE {table}_search MATCH ?)")
        values.append(" ".join('"' + word.replace('"', '""') + '"' for word in long))
    chat = "message.chat" if table == "message" else "chat.id"
    join = "JOIN chat ON chat.id = message.chat" if table == "message" else ""
    text = f"""SELECT {table}.id, {chat}, CAST({table}.{column} AS BLOB) FROM {table} {join}
               WHERE chat.deleted IS NULL AND {" AND ".join(conditions)}
               ORDER BY {table}.id DESC LIMIT ?"""
    return text, (*values, limit)


def _escape_like(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def excerpt(text: str, word: str, around: int = 40) -> str:
    """One line of `text` around the first `word`."""
    at = max(text.casefold().find(word.casefold()), 0)
    start, end = max(at - around, 0), at + len(word) + around
    line = " ".join(text[start:end].split())
    return ("…" if start else "") + line + ("…" if end < len(text) else "")
