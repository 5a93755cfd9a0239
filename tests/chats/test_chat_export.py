"""Tests of taking a chat out as Markdown, HTML and JSON, and of bringing the JSON back without a loss."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from edgellm.chats import imports
from edgellm.chats.export import to_html, to_json, to_markdown
from edgellm.chats.store import Chat, Store, StoredMessage
from edgellm.errors import UsageError

EVIL = (
    "<script>alert(1)</script> ![x](http://evil.example/p.png) [go](javascript:alert(1)) <img src=x onerror=y> **bold**"
)
CHAT = Chat(1, "Tea & <b>cake</b>", "Be <kind>.", "", 3, 1_700_000_000.0, 1_700_000_001.0)
PATH = (
    StoredMessage(1, 1, None, "user", "Hi\n<there>", "done", {}, 1.0),
    StoredMessage(2, 1, 1, "assistant", EVIL, "cancelled", {}, 2.0),
    StoredMessage(3, 1, 2, "assistant", "| a | b |\n|---|---|\n| 1 | 2 |\n\n```py\nx < 1\n```", "done", {}, 3.0),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with one chat of several branches, in every state."""
    now = iter(range(10_000))
    opened = Store(tmp_path / "chats.db", clock=lambda: 1_700_000_000.123456 + next(now) / 7)
    chat = opened.create(system="Système 系统").id
    first = opened.add(chat, None, "user", 'Où est "Zoë"?\n\t\\ 你好 🎉').id
    for state, facts in (("done", {"reason": "stop", "speed": 12.25}), ("cancelled", {}), ("interrupted", {"é": None})):
        writer = opened.begin(chat, first)
        writer.append(f"answer {state}")
        writer.finish(state, facts)
    opened.add(chat, opened.tree(chat)[1].id, "user", "on the first branch")
    opened.set_draft(chat, "not sent")
    yield opened
    opened.close()


class Reader(HTMLParser):
    """Collects the tags of a page with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep one tag."""
        self.tags.append((tag, dict(attrs)))


def test_markdown() -> None:
    text = to_markdown(CHAT, PATH)
    assert text.startswith(
        "# Tea & <b>cake</b>\n\n*2023-11-14 22:13 UTC*\n\n## System prompt\n\nBe <kind>.\n\n## You\n\nHi"
    )
    assert EVIL + "\n\n*Stopped here.*" in text
    assert to_markdown(replace(CHAT, title="", system=""), ()).startswith("# Chat\n")


def test_html_is_whole_and_harmless() -> None:
    page = to_html(CHAT, PATH)
    reader = Reader()
    reader.feed(page)
    tags = [tag for tag, _ in reader.tags]
    assert not {"script", "img", "iframe", "link", "object", "form"} & set(tags)
    for _, attributes in reader.tags:
        assert not any(name.startswith("on") or name == "src" for name in attributes)
        assert not (attributes.get("href") or "").lower().startswith(("javascript:", "data:", "vbscript:"))
    assert "default-src 'none'" in page
    assert {"table", "strong", "pre"} <= set(tags)
    assert "Tea &amp; &lt;b&gt;cake&lt;/b&gt;" in page
    assert "Hi\n&lt;there&gt;" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "Stopped here." in page
    assert page.count("<article>") == 4
    assert to_html(replace(CHAT, title="", system=""), ()).count("<article>") == 0


def copied(store: Store, chat: Chat, **changes: Any) -> dict[str, Any]:
    """The JSON of a chat, with changes, as values."""
    found: dict[str, Any] = json.loads(to_json(chat, store.tree(chat.id)))
    return {**found, **changes}


def test_json_comes_back_without_a_loss(store: Store, tmp_path: Path) -> None:
    [chat] = store.chats()
    text = to_json(chat, store.tree(chat.id))
    other = Store(tmp_path / "other" / "chats.db")
    other.add(other.create("in the way").id, None, "user", "so that the numbers differ")
    back = other.add_copy(imports.parse(text))
    assert replace(back, id=0, leaf=None) == replace(chat, id=0, leaf=None, created=back.created, updated=back.updated)
    assert (back.created, back.updated) == pytest.approx((chat.created, chat.updated), rel=0, abs=1e-6)

    def bare(tree: tuple[StoredMessage, ...]) -> list[Any]:
        place = {message.id: number for number, message in enumerate(tree)}
        return [(m.role, m.text, m.state, dict(m.facts), None if m.parent is None else place[m.parent]) for m in tree]

    assert bare(other.tree(back.id)) == bare(store.tree(chat.id))
    times = [m.created for m in store.tree(chat.id)]
    assert [m.created for m in other.tree(back.id)] == pytest.approx(times, rel=0, abs=1e-6)
    assert [m.text for m in other.path(back.id)] == [m.text for m in store.path(chat.id)]
    twice = to_json(back, other.tree(back.id))
    assert _without_numbers(twice) == _without_numbers(text)
    assert other.search("branch")[0].chat == back
    assert len(other.search("你好")) == 2  # the question, and the title made from it
    other.close()


def _without_numbers(text: str) -> str:
    return re.sub(r'"(id|parent|leaf)": \d+', r'"\1": N', text)


def test_an_answer_that_was_still_streaming_comes_back_as_interrupted(store: Store) -> None:
    chat = store.chats()[0]
    writer = store.begin(chat.id, chat.leaf)
    text = to_json(store.chat(chat.id), store.tree(chat.id))
    writer.finish("done")
    back = store.add_copy(imports.parse(text))
    assert store.path(back.id)[-1].state == "interrupted"


def test_an_empty_chat_and_an_older_file(store: Store) -> None:
    empty = store.create("empty")
    assert store.path(store.add_copy(imports.parse(to_json(empty, ()))).id) == ()
    old = copied(store, store.chats()[0])
    del old["draft"], old["updated"]
    back = store.add_copy(imports.parse("\ufeff" + json.dumps(old)))
    assert (back.draft, back.updated) == ("", back.created)


def _loop(found: dict[str, Any]) -> None:
    found["messages"][0]["parent"] = found["messages"][-1]["id"]


def _twins(found: dict[str, Any]) -> None:
    found["messages"][1]["id"] = found["messages"][0]["id"]


def _set(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(found: dict[str, Any]) -> None:
        found[key] = value

    return change


def _in_message(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(found: dict[str, Any]) -> None:
        found["messages"][1][key] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        _loop,
        _twins,
        _set("format", "other"),
        _set("version", "1"),
        _set("version", 0),
        _set("version", True),
        _set("messages", {}),
        _set("messages", [5]),
        _set("leaf", 999),
        _set("title", 5),
        _set("draft", None),
        _set("created", "yesterday"),
        _set("created", None),
        _set("updated", 5),
        _in_message("role", "tool"),
        _in_message("state", "lost"),
        _in_message("id", "1"),
        _in_message("id", True),
        _in_message("parent", 999),
        _in_message("parent", "x"),
        _in_message("text", ["a"]),
        _in_message("facts", []),
        _in_message("facts", {"new_tokens": "many"}),
        _in_message("facts", {"seconds": None}),
        _in_message("facts", {"tokens_per_second": float("nan")}),
        _in_message("facts", {"peak_memory": 10**400}),
        _in_message("facts", {"error": 5}),
        _in_message("created", "0001-01-01T00:00:00+23:00"),
        _in_message("created", 17),
    ],
)
def test_a_wrong_file_is_refused_and_changes_nothing(store: Store, change: Callable[[dict[str, Any]], None]) -> None:
    found = copied(store, store.chats()[0])
    change(found)
    with pytest.raises(UsageError, match="not a chat that EdgeLLM saved") as caught:
        store.add_copy(imports.parse(json.dumps(found)))
    assert caught.value.hint
    assert len(store.chats()) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "5", "[" * 100_000, '{"format": "edgellm-chat"}'])
def test_what_is_no_chat_at_all(text: str) -> None:
    with pytest.raises(UsageError, match="not a chat"):
        imports.parse(text)


def test_a_newer_file_says_so(store: Store) -> None:
    with pytest.raises(UsageError, match="newer version"):
        imports.parse(json.dumps(copied(store, store.chats()[0], version=2)))


def test_text_that_is_no_proper_text_can_be_imported(store: Store) -> None:
    found = copied(store, store.chats()[0], title="half \ud800 and \0")
    found["messages"][0]["text"] = "\udfff"
    back = store.add_copy(imports.parse(json.dumps(found)))
    assert back.title == "half \ufffd and \ufffd"
    assert store.tree(back.id)[0].text == "\ufffd"
