"""kill -9 of the whole window in the middle of long work: the next start shows it, and goes on where it was."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from desk import script

HERE = Path(__file__).parent
_GONE = 5.0  # seconds within which engine and readers must have ended


@dataclass
class Story:
    """Work of a page through several lives of the window: what it began, and what was noted while it was done."""

    page: str
    model: Path
    files: list[Path]
    home: Path
    count: int
    slow: float = 0.0
    lives: int = 0

    @property
    def log(self) -> Path:
        """A line for each thing that was done."""
        return self.home.parent / "log"

    def told(self) -> list[str]:
        """What was done, all lives together."""
        return self.log.read_text(encoding="utf-8").split() if self.log.exists() else []

    @contextmanager
    def life(self) -> Iterator[Life]:
        """A window from its start; killed (kill -9) if it has not ended by itself."""
        order = {
            "page": self.page,
            "model": str(self.model),
            "files": [str(path) for path in self.files],
            "log": str(self.log),
            "slow": self.slow,
            "count": self.count,
            "again": self.lives > 0,
        }
        self.lives += 1
        root = str(HERE.parent.parent)
        environment = {**os.environ, "EDGELLM_HOME": str(self.home), "PYTHONPATH": root}
        command = [sys.executable, str(HERE / "work_child.py"), json.dumps(order)]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
        life = Life(process)
        try:
            yield life
        finally:
            life.kill()

    def killed_at(self, at: int) -> dict[str, Any]:
        """Live until so much is done; nothing of the window may be left behind. Returns what the page showed first."""
        with self.life() as life:
            first = life.line()
            life.until(at)
        return first

    def to_the_end(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Live until all is done; returns what the page showed first and last."""
        with self.life() as life:
            first, last = life.line(), life.until(None)
            assert life.process.wait(timeout=20) == 0
        return first, last


class Life:
    """A running window."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def line(self) -> dict[str, Any]:
        """The next thing that it says."""
        assert self.process.stdout is not None
        text = self.process.stdout.readline()
        assert text, "the window ended by itself"
        found = json.loads(text)
        assert isinstance(found, dict)
        return found

    def until(self, done: int | None) -> dict[str, Any]:
        """Listen until so much is done, or all of it; returns the last thing said."""
        while True:
            said = self.line()
            if "end" in said:
                assert done is None, f"it was over before it could be killed: {said['done']} done"
                return said
            if done is not None and said.get("done", 0) >= done:
                return said

    def kill(self) -> None:
        """kill -9; engine and readers must be gone soon after."""
        children: list[psutil.Process] = []
        if self.process.poll() is None:
            children = psutil.Process(self.process.pid).children(recursive=True)
            self.process.kill()
        self.process.wait(timeout=20)
        if self.process.stdout is not None:
            self.process.stdout.close()
        _, alive = psutil.wait_procs(children, timeout=_GONE)
        for one in alive:
            one.kill()
        assert not alive, "processes outlived their window"


def table(folder: Path, count: int) -> Path:
    """Letters, each another."""
    path = folder / "letters.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(("number", "words"))
        out.writerows((n, f"Part {n} is {'broken' if n % 3 else 'lovely'}.") for n in range(count))
    return path


def test_rows_of_a_table(home: Path, tmp_path: Path) -> None:
    """500 rows, killed twice."""
    count, kills = 500, (40, 300)
    model = script(home, replies={"broken": '"bad"', "lovely": '"good"'}, seconds_per_token=0.002)
    source = table(tmp_path, count)
    story = Story("classify", model, [source], home, count)
    shown = 0
    for at in kills:
        first = story.killed_at(at + random.randrange(20))
        assert first["before"] >= shown
        assert (first["button"] == "Go on") == bool(shown)
        shown = at
    first, last = story.to_the_end()
    assert first["given"] == [str(source)]
    assert first["button"] == "Go on"
    assert first["before"] >= kills[-1]
    assert last["button"] == "Classify"
    assert last["end"] == [
        [f"Part {n} is {'broken' if n % 3 else 'lovely'}.", "bad" if n % 3 else "good"] for n in range(count)
    ]
    _no_more_than(story.told(), count, len(kills))


def _no_more_than(told: list[str], count: int, kills: int, at_once: int = 1) -> None:
    """All was done, and nothing twice apart from what was in work at a kill."""
    times = Counter(told)
    assert len(times) == count
    assert len(told) <= count + kills * at_once, f"{len(told) - count} of {count} were done again after {kills} kills"


def fact(number: int) -> str:
    """What chapter `number` says."""
    return f"The mill burned in {1000 + number}."


def test_a_summary(home: Path, tmp_path: Path) -> None:
    """A section for each of 60 chapters, killed in the middle."""
    count, kills = 60, (25,)
    model = script(home, replies={fact(n): fact(n) for n in range(1, count + 1)}, seconds_per_token=0.005)
    more = "Its owner rebuilt the house beside the river."
    source = tmp_path / "report.md"
    source.write_text("\n\n".join(f"# Chapter {n}\n\n{fact(n)} {more}" for n in range(1, count + 1)), encoding="utf-8")
    story = Story("summarize", model, [source], home, count)
    for number, at in enumerate(kills):
        first = story.killed_at(at)
        assert (first["button"] == "Go on") == bool(number)
    first, last = story.to_the_end()
    assert first["given"] == [str(source)]
    assert first["button"] == "Go on"
    assert first["before"] >= 1
    assert last["end"] == [fact(n) for n in range(1, count + 1)]
    _no_more_than([one for one in story.told() if one != source.name], count, len(kills), at_once=4)


def test_translations_of_files(home: Path, tmp_path: Path, starter: Path) -> None:
    """Three files with forty paragraphs each, killed in the second; the real model."""
    things, states = ("teacher", "cat", "dog", "doctor", "book", "train", "house", "car"), "tired black red old new"
    adverbs = ("", "very ", "not ")
    files = []
    for number, adverb in enumerate(adverbs):
        files.append(tmp_path / f"{number}.md")
        paragraphs = [f"The {thing} is {adverb}{state}." for thing in things for state in states.split()]
        files[-1].write_text("\n\n".join(paragraphs), encoding="utf-8")
    story = Story("translate", starter, files, home, 120)
    kills = (55,)
    for number, at in enumerate(kills):
        first = story.killed_at(at)
        assert (first["button"] == "Go on") == bool(number)
    first, last = story.to_the_end()
    assert first["given"] == [str(path) for path in files]
    assert first["button"] == "Go on"
    assert last["end"] == [[str(path.with_suffix(".fr.md")), "done"] for path in files]
    assert all(path.with_suffix(".fr.md").read_text(encoding="utf-8").count("\n\n") == 39 for path in files)
    assert sorted(path.name for path in tmp_path.glob("*.md")) == [
        "0.fr.md",
        "0.md",
        "1.fr.md",
        "1.md",
        "2.fr.md",
        "2.md",
    ]
    _no_more_than(story.told(), 120, len(kills), at_once=8)


def test_an_index_of_documents(home: Path, tmp_path: Path) -> None:
    """200 files, killed in the middle; nothing is pressed to go on."""
    count, kills = 200, (70,)
    folder = tmp_path / "letters"
    folder.mkdir()
    for n in range(count):
        (folder / f"{n:03}.txt").write_text(f"Letter {n}.\n\nIt speaks of word{n} and of the sea.", encoding="utf-8")
    story = Story("documents", script(home, reply="unused"), [folder], home, count, slow=0.005)
    for number, at in enumerate(kills):
        first = story.killed_at(at)
        assert bool(first["given"]) == bool(number)
    first, last = story.to_the_end()
    assert first["given"] == [str(folder)]
    assert last["end"] == [f"{n:03}.txt" for n in range(count)]
    _no_more_than(story.told(), count, len(kills), at_once=2)
