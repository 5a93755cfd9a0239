"""Chat from a pipe: every line a message, kept in the store, gone on with later."""

from __future__ import annotations

from pathlib import Path

from command_line import CommandLine

from edgellm.chats.store import Store
from tests import tiny_gguf, tiny_onnx


def test_every_line_is_a_message_and_everything_is_kept(edgellm: CommandLine, tmp_path: Path) -> None:
    model = edgellm.script(replies={"Hi": "Hello!", "How": "Fine."})
    ran = edgellm("chat", "--model", model, "--system", "Be kind.", given="Hi\n\nHow are\\\nyou?\n")
    assert ran.out == "Hello!\nFine.\n"
    store = Store(tmp_path / "chats.db")
    (chat,) = store.chats()
    path = store.path(chat.id)
    assert [message.text for message in path] == ["Hi", "Hello!", "How are\nyou?", "Fine."]
    assert {message.state for message in path} == {"done"}
    assert path[1].facts["new_tokens"] == 1
    assert chat.system == "Be kind."
    store.close()


def test_a_conversation_goes_on_and_the_model_sees_it(edgellm: CommandLine, tmp_path: Path) -> None:
    model = edgellm.script(reply="Yes.")
    edgellm("chat", "--model", model, "First message")
    found = edgellm("chat", "--model", model, "--continue", "--json", given="Second\n").object
    assert found["chat"] == 1
    assert found["turns"][0]["message"] == "Second"
    assert found["facts"]["prompt_tokens"] == 4
    assert edgellm("chat", "--model", model, "--chat", "9", "x", status=1).err.startswith("error: This chat")


def test_a_translation_model_is_refused_before_anything_is_kept(edgellm: CommandLine, tmp_path: Path) -> None:
    model = str(tiny_onnx.seq2seq("marian")[0])
    for options, given in ((("Hi",), ""), ((), "Hi\n"), (("--json", "Hi"), "")):
        ran = edgellm("chat", "--model", model, *options, given=given, status=2)
        assert "This model turns one text into another, such as a translation; it cannot chat." in ran.err
        assert "edgellm models list --task chat" in ran.err
    store = Store(tmp_path / "chats.db")
    assert store.chats() == ()
    store.close()


def test_commands_work_and_wrong_ones_name_the_nearest(edgellm: CommandLine) -> None:
    model = edgellm.script(reply="Yes.")
    ran = edgellm("chat", "--model", model, given="One\n/new\nTwo\n/list\n/open 1\n/retry\n/exit\nnever said\n")
    assert ran.out.splitlines() == ["Yes.", "Yes.", "    2  Two", "    1  One", "> One", "Yes.", "Yes."]
    assert "/list" in edgellm("chat", "--model", model, given="/lisst\n", status=2).err


def test_retry_adds_a_version_and_keeps_the_old_one(edgellm: CommandLine, tmp_path: Path) -> None:
    edgellm("chat", "--model", edgellm.script(reply="Yes."), given="One\n/retry\n")
    store = Store(tmp_path / "chats.db")
    tree = store.tree(store.chats()[0].id)
    assert [message.parent for message in tree] == [None, tree[0].id, tree[0].id]
    store.close()


def test_the_oldest_messages_are_left_out_and_that_is_said(edgellm: CommandLine) -> None:
    model = edgellm.script(reply="w " * 30, context=60)
    ran = edgellm("chat", "--model", model, given="One two three\nFour five six\nSeven eight nine\n")
    assert "left out" in ran.err


def test_an_engine_that_dies_leaves_the_answer_marked(edgellm: CommandLine, tmp_path: Path) -> None:
    model = edgellm.script(
        reply="one two three", seconds_per_token=0.2, faults=[{"at": "generate", "after": 2, "kind": "abort"}]
    )
    edgellm("chat", "--model", model, "Hi", status=1)
    store = Store(tmp_path / "chats.db")
    last = store.path(store.chats()[0].id)[-1]
    assert (last.text, last.state) == ("one two", "interrupted")
    store.close()


def test_a_damaged_database_is_said_and_the_chat_goes_on(edgellm: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "chats.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    ran = edgellm("chat", "--model", edgellm.script(reply="Yes."), "Hi")
    assert ran.out == "Yes.\n"
    assert "chats.db" in ran.err


def test_retry_draws_anew(edgellm: CommandLine, tmp_path: Path) -> None:
    """Another version is drawn as if `--temperature 0.7` had been said, however the first was."""
    model = str(tiny_gguf.make(tmp_path / "random.gguf"))
    for temperature in ("0", "0.7"):
        options = ("--max-tokens", "40", "--seed", "5", "--temperature", temperature)
        edgellm("chat", "--model", model, *options, given="Go on.\n/retry\n")
    store = Store(tmp_path / "chats.db")
    (first, again), (_, warm) = [
        [message.text for message in store.tree(chat.id) if message.role == "assistant"] for chat in store.chats()[::-1]
    ]
    store.close()
    assert again == warm
    assert again != first
