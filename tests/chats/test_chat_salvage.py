"""Tests of a damaged database of chats: it opens all the same, and what can be read comes back."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from edgellm.chats import salvage
from edgellm.chats.store import Store

PAGE = 4096


def make(path: Path, chats: int = 12) -> int:
    """A database of some hundred pages; returns its size."""
    store = Store(path)
    for number in range(chats):
        chat = store.create(system=f"system {number}").id
        parent = None
        for turn in range(6):
            parent = store.add(chat, parent, "user", f"chat {number} turn {turn} 你好 " + "filler " * 150).id
        store.set_draft(chat, f"draft {number}")
    deleted = store.create("away").id
    store.add(deleted, None, "user", "deleted words")
    store.delete(deleted)
    store.close()
    return path.stat().st_size


def damage(path: Path, *pages: int) -> bytes:
    data = bytearray(path.read_bytes())
    for page in pages:
        data[page * PAGE : (page + 1) * PAGE] = b"\xaa" * PAGE
    path.write_bytes(data)
    return bytes(data)


def sound(store: Store) -> bool:
    return list(store._db.execute("PRAGMA integrity_check")) == [("ok",)]


def test_most_chats_survive_some_bad_pages(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    pages = make(path) // PAGE
    before = damage(path, pages // 2, pages // 2 + 1, pages - 3)
    store = Store(path)
    assert "was damaged" in store.notice
    assert "recovered" in store.notice
    assert sound(store)
    texts = {message.text for chat in store.chats() for message in store.tree(chat.id)}
    assert len(texts) >= 50, len(texts)  # of 72
    assert all(text.startswith("chat ") for text in texts)  # nothing made up, nothing that was deleted
    assert any(chat.draft.startswith("draft") and chat.system.startswith("system") for chat in store.chats())
    for chat in store.chats():
        shown = store.path(chat.id)
        assert shown
        assert shown[-1].id == chat.leaf
    assert store.search("turn 5")
    [kept] = [file for file in tmp_path.glob("chats.db.damaged-*") if not file.name.endswith(("-wal", "-shm"))]
    assert kept.read_bytes() == before
    store.close()
    again = Store(path)
    assert again.notice == ""
    assert len({m.text for chat in again.chats() for m in again.tree(chat.id)}) == len(texts)
    again.close()


def test_an_index_that_is_damaged_costs_no_message(tmp_path: Path) -> None:
    """The rows are read by their key, so that only the tables count."""
    path = tmp_path / "chats.db"
    make(path, 3)
    copies = salvage.read(path)
    assert [len(copy.messages) for copy in copies] == [6, 6, 6]
    assert [copy.chat.draft for copy in copies] == ["draft 0", "draft 1", "draft 2"]


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_damaged_the_chats_open(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "chats.db"
    size = make(path, 4)
    generator = random.Random(seed)
    data = bytearray(path.read_bytes())
    kind = seed % 4
    if kind == 0:
        data = data[: generator.randrange(size)]
    elif kind == 1:
        for _ in range(40):
            data[generator.randrange(size)] = generator.randrange(256)
    elif kind == 2:
        at = generator.randrange(size)
        data[at : at + 20_000] = bytes(min(20_000, size - at))
    else:
        data[:100] = generator.randbytes(100)
    path.write_bytes(data)
    store = Store(path)
    chat = store.create("new").id
    assert store.message(store.add(chat, None, "user", "works").id).text == "works"
    assert sound(store)
    for one in store.chats():
        for message in store.tree(one.id):
            assert isinstance(message.text, str)
    assert store.search("works")
    store.close()
    assert not [file for file in tmp_path.iterdir() if file.is_dir()]


def test_bytes_that_are_no_characters_are_shown_as_such(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    store = Store(path)
    chat = store.create("a title here").id
    store.add(chat, None, "user", "before MARK after")
    store.close()
    data = path.read_bytes()
    assert data.count(b"MARK")
    path.write_bytes(data.replace(b"MARK", b"M\xff\xfeK").replace(b"a title here", b"a t\xfftle here"))
    store = Store(path)
    assert store.notice == ""  # SQLite sees nothing wrong
    assert store.path(chat)[0].text == "before M\ufffd\ufffdK after"
    assert store.chat(chat).title == "a t\ufffdtle here"
    assert store.search("before")[0].excerpt == "before M\ufffd\ufffdK after"
    store.close()
