"""Tests of the writer that stands between a fast stream and a slow, or failing, database."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest

from edgellm.chats.stream import StreamWriter
from edgellm.errors import StorageError


class Sink:
    """A database that can be made to refuse, or to take its time."""

    def __init__(self) -> None:
        self.text = ""
        self.writes = 0
        self.state = ""
        self.facts: Mapping[str, Any] = {}
        self.broken = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def write(self, message: int, text: str) -> None:
        """Take some text."""
        assert message == 7
        self.gate.wait(10)
        self.writes += 1
        if self.broken.is_set():
            raise StorageError("The chat could not be saved: the disk is full.")
        self.text += text

    def close(self, message: int, text: str, state: str, facts: Mapping[str, Any]) -> None:
        """Take the rest and the end."""
        self.write(message, text)
        self.state, self.facts = state, facts

    def writer(self, interval: float = 0.01) -> StreamWriter:
        """A writer into this."""
        return StreamWriter(7, self.write, self.close, interval)


def wait(condition: Any) -> None:
    """Until the condition holds; a test that waits in vain ends at pytest's own limit."""
    while not condition():
        time.sleep(0.002)


def test_text_arrives_by_itself_and_in_few_writes() -> None:
    sink = Sink()
    writer = sink.writer(0.05)
    pieces = [f"{number} " for number in range(300)]
    for piece in pieces:
        writer.append(piece)
    wait(lambda: sink.text == "".join(pieces))
    assert sink.writes < 100
    writer.append("end")
    writer.finish("done", {"a": 1})
    assert (sink.text, sink.state, sink.facts) == ("".join(pieces) + "end", "done", {"a": 1})
    assert not writer._thread.is_alive()


def test_finishing_again_changes_nothing() -> None:
    sink = Sink()
    writer = sink.writer()
    writer.append("x")
    writer.finish("done")
    writer.finish("cancelled")
    assert (sink.text, sink.state) == ("x", "done")


def test_a_refusal_is_kept_and_tried_again_in_order() -> None:
    sink = Sink()
    sink.broken.set()
    writer = sink.writer()
    writer.append("one ")
    wait(lambda: sink.writes >= 3)
    assert writer.failure is not None
    writer.append("two ")
    wait(lambda: sink.writes >= 6)
    sink.broken.clear()
    wait(lambda: sink.text == "one two ")
    wait(lambda: writer.failure is None)
    writer.finish("done")


def test_a_finish_that_fails_keeps_the_text_and_can_be_repeated() -> None:
    sink = Sink()
    writer = sink.writer(10.0)
    writer.append("all of it")
    sink.broken.set()
    with pytest.raises(StorageError):
        writer.finish("done")
    assert sink.text == sink.state == ""
    sink.broken.clear()
    writer.finish("done", {"b": 2})
    assert (sink.text, sink.state, sink.facts) == ("all of it", "done", {"b": 2})


def test_appending_never_waits_for_the_database_and_order_holds() -> None:
    sink = Sink()
    sink.gate.clear()
    writer = sink.writer()
    writer.append("a")
    time.sleep(0.05)  # the thread is inside the slow write now
    began = time.monotonic()
    for _ in range(1000):
        writer.append("b")
    assert time.monotonic() - began < 5
    ending = threading.Thread(target=writer.finish, args=("done",))
    ending.start()
    sink.gate.set()
    ending.join(10)
    assert sink.text == "a" + "b" * 1000
    assert sink.state == "done"
