"""Kill -9 of a program that streams into the chats: nothing shown as saved is lost, of a stream at most a second."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import apsw
import chat_child
import pytest

from edgellm.chats.store import Store

ROUNDS = int(os.environ.get("CHAT_KILLS", "12"))
AT_ONCE = 4
SECOND = 1.0


@dataclass
class Told:
    """What the program said before its end."""

    saved: dict[int, str] = field(default_factory=dict)
    begun: list[int] = field(default_factory=list)
    pieces: dict[int, list[tuple[int, float]]] = field(default_factory=dict)
    finished: dict[int, int] = field(default_factory=dict)


def start(path: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    program = [sys.executable, chat_child.__file__, str(path)]
    return subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=environment)


def listen(text: str) -> Told:
    told = Told()
    for line in text.splitlines(keepends=True):
        if not line.endswith("\n"):
            break
        word, key, *rest = line.split()
        if word == "saved":
            told.saved[int(key)] = " ".join(rest)
        elif word == "begun":
            told.begun.append(int(key))
        elif word == "piece":
            told.pieces.setdefault(int(key), []).append((int(rest[0]), float(rest[1])))
        else:
            told.finished[int(key)] = int(rest[0])
    return told


def check(path: Path, told: Told, killed: float) -> None:
    """Compare the database with what was said before the kill."""
    probe = apsw.Connection(str(path))
    assert list(probe.execute("PRAGMA integrity_check")) == [("ok",)]
    probe.close()
    store = Store(path)
    for key, text in told.saved.items():
        assert store.message(key).text == text
    for key in told.begun:
        message = store.message(key)
        if key in told.finished:
            assert (message.state, message.facts) == ("done", {"pieces": told.finished[key]})
        else:
            assert message.state in ("interrupted", "done")
        pieces = told.pieces.get(key, [])
        whole = "".join(f"{piece}好 " for piece in range(max((piece for piece, _ in pieces), default=0) + 3))
        assert whole.startswith(message.text) or message.state == "done"
        old = [piece for piece, at in pieces if at < killed - SECOND]
        if old:
            assert f"{old[-1]}好 " in message.text, (old[-1], message.text[-20:])
    assert store.search("question 0")
    shown = store.path(store.chats()[0].id)
    assert shown[-1].id == max(message.id for message in store.tree(shown[0].chat))
    store.add(shown[0].chat, shown[-1].id, "user", "and on it goes")
    store.close()


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a signal")
def test_killed_at_any_moment(tmp_path: Path) -> None:
    streamed = 0
    generator = random.Random(7)
    for first in range(0, ROUNDS, AT_ONCE):
        running = []
        for number in range(first, min(first + AT_ONCE, ROUNDS)):
            path = tmp_path / str(number) / "chats.db"
            process = start(path)
            assert process.stdout is not None
            assert process.stdout.readline().startswith("saved")
            running.append((path, process, generator.uniform(0.0, 2.2)))
        begin = time.monotonic()
        for path, process, moment in sorted(running, key=lambda entry: entry[2]):
            # the pipe is read only after the kill, so it must hold all of it: the child says little
            time.sleep(max(begin + moment - time.monotonic(), 0))
            process.kill()
            killed = time.monotonic()
            text, _ = process.communicate(timeout=30)
            told = listen("saved 1 question 0\n" + text)
            streamed += any(told.pieces.values())
            check(path, told, killed)
    assert streamed >= ROUNDS // 2, "the kills came before there was anything to lose"
