"""Tests of the chat store: the tree of messages, titles, search in several scripts, several programs at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from edgellm.chats.store import KEEP_DELETED, Store
from edgellm.errors import StorageError


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    opened = Store(tmp_path / "chats.db")
    yield opened
    opened.close()


def texts(store: Store, chat: int) -> list[str]:
    return [message.text for message in store.path(chat)]


def answer(store: Store, chat: int, parent: int | None, text: str, state: str = "done") -> int:
    writer = store.begin(chat, parent)
    writer.append(text)
    writer.finish(state, {"tokens": len(text)})
    return writer.message


def whole(store: Store) -> None:
    """The database and both indexes are sound."""
    assert list(store._db.execute("PRAGMA integrity_check")) == [("ok",)]
    assert list(store._db.execute("PRAGMA foreign_key_check")) == []
    for index in ("message_search", "chat_search"):
        store._db.execute(f"INSERT INTO {index} ({index}, rank) VALUES ('integrity-check', 1)")


def test_a_conversation_and_its_facts(store: Store) -> None:
    chat = store.create(system="Be brief.")
    question = store.add(chat.id, None, "user", "  What is   water?\nTell me.  ")
    answer(store, chat.id, question.id, "Wet.")
    assert texts(store, chat.id) == ["  What is   water?\nTell me.  ", "Wet."]
    last = store.path(chat.id)[-1]
    assert (last.role, last.state, last.facts, last.parent) == ("assistant", "done", {"tokens": 4}, question.id)
    assert last.message.content == "Wet."
    again = store.chat(chat.id)
    assert (again.title, again.system, again.leaf) == ("What is water? Tell me.", "Be brief.", last.id)
    whole(store)


def test_regenerating_and_editing_make_siblings(store: Store) -> None:
    chat = store.create().id
    first = store.add(chat, None, "user", "one").id
    a, b = answer(store, chat, first, "answer a"), answer(store, chat, first, "answer b")
    assert store.siblings(a) == store.siblings(b) == (a, b)
    assert texts(store, chat) == ["one", "answer b"]
    below = store.add(chat, a, "user", "two").id
    deep = answer(store, chat, below, "answer c")
    assert texts(store, chat) == ["one", "answer a", "two", "answer c"]
    edited = store.add(chat, None, "user", "one, edited").id
    assert store.siblings(edited) == (first, edited)
    assert texts(store, chat) == ["one, edited"]
    store.select(b)
    assert texts(store, chat) == ["one", "answer b"]
    store.select(first)
    assert store.chat(chat).leaf == b  # the newest version at every turn
    store.select(a)
    assert store.chat(chat).leaf == deep
    assert [message.text for message in store.tree(chat)] == [
        "one", "answer a", "answer b", "two", "answer c", "one, edited",
    ]  # fmt: skip
    store.set_leaf(chat, None)
    assert store.path(chat) == ()
    whole(store)


def test_siblings_of_one_chat_do_not_mix_with_another(store: Store) -> None:
    one, two = store.create().id, store.create().id
    first, second = store.add(one, None, "user", "a").id, store.add(two, None, "user", "b").id
    assert store.siblings(first) == (first,)
    assert store.siblings(second) == (second,)


def test_a_long_conversation(store: Store) -> None:
    chat, parent = store.create().id, None
    for number in range(300):
        parent = store.add(chat, parent, "user", str(number)).id
    assert texts(store, chat) == [str(number) for number in range(300)]
    store.select(store.path(chat)[0].id)
    assert store.chat(chat).leaf == parent


def test_the_list_is_by_last_use_and_titles_stay(tmp_path: Path) -> None:
    now = [1000.0]
    store = Store(tmp_path / "chats.db", clock=lambda: now[0])
    one = store.create().id
    now[0] += 1
    two = store.create("kept").id
    now[0] += 1
    store.add(one, None, "user", "hello " * 50)
    store.add(two, None, "user", "no title from me")
    now[0] += 1
    store.add(one, None, "user", "again")
    assert [chat.id for chat in store.chats()] == [one, two]
    assert len(store.chat(one).title) <= 60
    assert store.chat(two).title == "kept"
    store.rename(two, "  new  ")
    store.set_draft(two, "half a sent")
    store.set_system(two, "You are a poet.")
    assert (store.chat(two).title, store.chat(two).draft, store.chat(two).system) == (
        "new", "half a sent", "You are a poet.",
    )  # fmt: skip


def test_deleting_can_be_undone_for_a_week(tmp_path: Path) -> None:
    now = [1000.0]
    store = Store(tmp_path / "chats.db", clock=lambda: now[0])
    chat = store.create("keepsake").id
    store.add(chat, None, "user", "findable words")
    store.delete(chat)
    assert not (store.chats() or store.search("findable") or store.search("keepsake"))
    with pytest.raises(StorageError, match="no longer there"):
        store.chat(chat)
    store.restore(chat)
    assert len(store.search("findable")) == 1
    store.delete(chat)
    store.close()
    now[0] += KEEP_DELETED + 1
    store = Store(tmp_path / "chats.db", clock=lambda: now[0])
    store.restore(chat)
    assert store.chats() == ()
    whole(store)
    store.close()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The quick brown fox", "QUICK fox"),
        ("Die Straße ist naß", "straße"),
        ("今天天气很好,我们去公园散步。", "天气"),
        ("今天天气很好,我们去公园散步。", "公园散步"),
        ("今天天气很好,我们去公园散步。", "好"),
        ("東京タワーに登りました", "タワー 東京"),
        ("오늘은 날씨가 좋다", "날씨"),
        ("это проверка поиска", "ПРОВЕРКА"),
        ("مرحبا بالعالم", "بالعالم"),
        ('say "hello" to (a OR b)', '"hello" OR'),
        ("100 % of it_all C:\\dir", "% it_all \\"),
        ("emoji 🎉 party", "🎉"),
        ("a* NEAR(b) -c", "NEAR(b) -c a*"),
    ],
)
def test_search(store: Store, text: str, words: str) -> None:
    decoy = store.create("something else").id
    store.add(decoy, None, "user", "nothing to see")
    chat = store.create().id
    message = store.add(chat, None, "user", text)
    titled = store.create(text).id
    hits = store.search(words)
    assert {(hit.chat.id, hit.message) for hit in hits} >= {(titled, None), (chat, message.id)}
    assert decoy not in {hit.chat.id for hit in hits}
    assert hits[0].message is None  # titles first


def test_search_needs_every_word_and_finds_answers_once_they_are_whole(store: Store) -> None:
    chat = store.create().id
    question = store.add(chat, None, "user", "alpha beta").id
    assert store.search("alpha gamma") == store.search("   ") == store.search("") == ()
    writer = store.begin(chat, question)
    writer.append("gamma delta")
    writer.finish("cancelled")
    [hit] = store.search("gamma")
    assert hit.message == writer.message
    assert "gamma delta" in hit.excerpt
    assert len(store.search("a", limit=1)) == 1


def test_an_excerpt_is_one_line_around_the_word(store: Store) -> None:
    chat = store.create("t").id
    store.add(chat, None, "user", "x " * 200 + "the\n\nNeedle here" + " y" * 200)
    [hit] = store.search("needle")
    assert "the Needle here" in hit.excerpt
    assert hit.excerpt.startswith("…")
    assert hit.excerpt.endswith("…")
    assert len(hit.excerpt) < 120


def test_text_that_is_no_proper_text_is_stored(store: Store) -> None:
    chat = store.create("t\ud800", "s\0").id
    message = store.add(chat, None, "user", "half \ud83c\udf89 zero \0 alone \udfff end")
    assert store.message(message.id).text == "half 🎉 zero \ufffd alone \ufffd end"
    key = answer(store, chat, message.id, "a\udc00b")
    assert store.message(key).text == "a\ufffdb"
    writer = store.begin(chat, message.id)
    writer.finish("done", {"error": "\ud800"})
    assert store.message(writer.message).facts == {"error": "\ufffd"}
    assert [hit.message for hit in store.search("zero \0 \ud800")] == [message.id]
    assert store.chat(chat).title == "t\ufffd"
    whole(store)


def test_what_is_not_there(store: Store) -> None:
    for call in (lambda: store.chat(5), lambda: store.message(5), lambda: store.add(5, None, "user", "x")):
        with pytest.raises(StorageError):
            call()
    assert not (store.path(5) or store.tree(5) or store.siblings(5))
    store.select(5)


def test_a_second_program_leaves_the_first_ones_answer_alone(tmp_path: Path) -> None:
    first = Store(tmp_path / "chats.db", interval=0.05)
    chat = first.create().id
    writer = first.begin(chat, None)
    writer.append("still ")
    second = Store(tmp_path / "chats.db")
    assert second.message(writer.message).state == "streaming"
    second.add(chat, None, "user", "from the other program")
    writer.append("writing")
    writer.finish("done", {})
    assert second.message(writer.message).text == "still writing"
    assert second.message(writer.message).state == "done"
    whole(second)
    left = second.begin(chat, None)
    first.close()
    third = Store(tmp_path / "chats.db")  # the second is still there, and the first is not
    assert third.message(left.message).state == "streaming"
    left.finish("done")
    second.close()
    third.close()


def test_what_nobody_finished_is_marked(tmp_path: Path) -> None:
    store = Store(tmp_path / "chats.db", interval=0.01)
    chat = store.create().id
    writer = store.begin(chat, None)
    writer.append("so far")
    while not store.message(writer.message).text:
        time.sleep(0.01)
    store.close()  # as if killed: the database is gone, the writer is not
    again = Store(tmp_path / "chats.db")
    assert (again.message(writer.message).state, again.message(writer.message).text) == ("interrupted", "so far")
    assert [hit.message for hit in again.search("far")] == [writer.message]
    with pytest.raises(StorageError):
        writer.finish("done")
    whole(again)
    again.close()


def test_many_threads_write_at_once(store: Store) -> None:
    chat = store.create().id
    root = store.add(chat, None, "user", "root").id
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(10):
                key = answer(store, chat, root, f"thread {number} turn {turn}")
                store.search(f"thread {number}")
                assert store.message(key).text == f"thread {number} turn {turn}"
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(store.siblings(store.tree(chat)[-1].id)) == 50
    whole(store)


def test_a_damaged_file_is_kept_and_said(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    path.write_bytes(b"not a database at all" * 1000)
    store = Store(path)
    assert "was damaged" in store.notice
    assert store.chats() == ()
    store.close()
    assert list(tmp_path.glob("chats.db.damaged-*"))


def test_a_database_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "chats.db"
    Store(path).close()
    other = apsw.Connection(str(path))
    other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(StorageError, match="newer version"):
        Store(path)
