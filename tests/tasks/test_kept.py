"""Tests of what is kept of a long summary: found again, private, bounded, and a torn line harms nothing."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest
from scripted_generator import Scripted

from edgellm.errors import StorageError
from edgellm.runtimes.base import Chunk, Finish, Message, Request
from edgellm.tasks import kept
from edgellm.tasks.kept import Kept, Remembered

FACTS = Finish("stop", 5, 0, 2, 1.0, 2.0, "cpu", 100, False)


def request(text: str) -> Request:
    return Request((Message("user", text),))


def test_an_answer_is_given_again_word_by_word(tmp_path: Path) -> None:
    first = Scripted(lambda prompt: f"About {prompt} \ud800.")
    asking = Remembered(first, Kept(tmp_path, "a"))
    said = list(asking.generate(request("one")))
    second = Scripted(lambda prompt: "never")
    again = Remembered(second, Kept(tmp_path, "a"))
    assert again.knows(request("one"))
    assert not again.knows(request("two"))
    text = "".join(event.text for event in said if isinstance(event, Chunk))
    assert list(again.generate(request("one"))) == [Chunk(text), said[-1]]
    assert second.prompts == []


def test_several_at_once_ask_only_what_is_missing(tmp_path: Path) -> None:
    list(Remembered(Scripted(str.upper), Kept(tmp_path, "a")).generate(request("b")))
    model = Scripted(str.upper)
    events = list(Remembered(model, Kept(tmp_path, "a")).generate_many(tuple(map(request, "abc"))))
    assert model.prompts == ["a", "c"]
    assert {index: event.text for index, event in events if isinstance(event, Chunk)} == {0: "A", 1: "B", 2: "C"}
    assert sum(isinstance(event, Finish) for _, event in events) == 3
    assert len(Kept(tmp_path, "a")) == 3


def test_a_canceled_answer_is_not_kept(tmp_path: Path) -> None:
    held = Kept(tmp_path, "a")
    list(Remembered(Scripted(lambda prompt: "one two"), held).generate(request("x"), lambda: True))
    assert len(held) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Kept(tmp_path / "new", "a").put("key", "A secret.", FACTS)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new" / "a.jsonl").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_every_cut_of_the_file_leaves_whole_answers(tmp_path: Path) -> None:
    whole = Kept(tmp_path, "a")
    for number in range(3):
        whole.put(f"key {number}", f"Answer {number}.", FACTS)
    data = (tmp_path / "a.jsonl").read_bytes()
    for size in range(0, len(data), 7):
        (tmp_path / "b.jsonl").write_bytes(data[:size])
        torn = Kept(tmp_path, "b")
        count = len(torn)
        assert count in (data[:size].count(b"\n"), data[:size].count(b"\n") + 1)
        torn.put("more", "More.", FACTS)
        again = Kept(tmp_path, "b")
        assert len(again) == count + 1
        assert again.get("more") == ("More.", FACTS)


@pytest.mark.parametrize(
    "line", [b"", b"[]", b"{", b'{"key": 1}', b"\xff\xfe", b'{"key":"a","text":"b","finish":{}}', b"null"]
)
def test_a_line_that_is_none_of_ours_is_passed_over(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "a.jsonl").write_bytes(line + b"\n")
    assert len(Kept(tmp_path, "a")) == 0


def test_old_ones_are_removed_when_another_begins(tmp_path: Path) -> None:
    now = time.time()
    for number in range(30):
        path = tmp_path / f"{number}.jsonl"
        path.write_bytes(b"")
        age = number * 60 if number else 40 * 86_400
        os.utime(path, (now - age, now - age))
    (tmp_path / "other.txt").write_text("not ours")
    Kept(tmp_path, "new").put("key", "text", FACTS)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"new.jsonl", "other.txt", *(f"{number}.jsonl" for number in range(1, 20))}


def test_clearing_forgets_and_a_second_time_is_fine(tmp_path: Path) -> None:
    held = Kept(tmp_path, "a")
    held.put("key", "text", FACTS)
    held.clear()
    held.clear()
    assert len(Kept(tmp_path, "a")) == 0
    held.put("key", "text", FACTS)
    assert len(Kept(tmp_path, "a")) == 1


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be kept"):
        Kept(tmp_path / "file", "a").put("key", "text", FACTS)


def test_the_name_depends_on_text_model_and_wish() -> None:
    one, other = Scripted(str), Scripted(str, context=2_000)
    names = {
        kept.name("text", one.info, "line"), kept.name("text.", one.info, "line"),
        kept.name("text", other.info, "line"), kept.name("text", one.info, "bullets"),
    }  # fmt: skip
    assert len(names) == 4
    assert all("text" not in name for name in names)
