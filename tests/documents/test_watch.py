"""Collections are kept up to date while a watcher runs: real files, a real reading process, no fixed waits."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import filelock
import pytest

from edgellm.documents.index import Report, Step
from edgellm.documents.library import Library
from edgellm.documents.pace import Pace
from edgellm.documents.retrieve import search
from edgellm.documents.watch import PAUSED, Events, Timing, Watcher
from edgellm.hardware.power import Power

QUICK = Timing(every=0.05, still=0.1, longest=1.0)
PATIENCE = 60.0


@dataclass
class Told:
    """Everything a watcher told."""

    steps: list[Step] = field(default_factory=list)
    reports: list[tuple[str, Report]] = field(default_factory=list)
    states: list[str] = field(default_factory=list)

    def events(self) -> Events:
        return Events(
            lambda name, step: self.steps.append(step),
            lambda name, report: self.reports.append((name, report)),
            self.states.append,
        )


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path / "library.db")
    (tmp_path / "files").mkdir()
    made.create("notes")
    made.add_source("notes", tmp_path / "files")
    yield made
    made.close()


def put(path: Path, data: str | bytes) -> Path:
    """Write a file whose time is no reason to look at it a second time, and differs from any before."""
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    moment = 1_700_000_000 * 10**9 + time.monotonic_ns() // 1000
    os.utime(path, ns=(moment, moment))
    return path


def until(holds: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"it never happened: {what}"
        time.sleep(0.02)


def watcher(library: Library, told: Told, battery: Callable[[], Power] = Power, timing: Timing = QUICK) -> Watcher:
    return Watcher(lambda: library, Pace(lambda: "slow", battery), told.events(), timing)


def found(library: Library, text: str) -> list[str]:
    return [passage.path.name for passage in search(library, text)]


def test_new_changed_renamed_and_removed_files_are_noticed(library: Library, tmp_path: Path) -> None:
    folder, told = tmp_path / "files", Told()
    put(folder / "old.txt", "a heron")
    with watcher(library, told):
        until(lambda: found(library, "heron") == ["old.txt"], "what was there before is read")
        put(folder / "new.md", "# Birds\n\nan otter")
        put(folder / "bad.pdf", "%PDF-1.7 nothing of it")
        until(lambda: found(library, "otter") == ["new.md"], "a new file is read")
        os.replace(put(folder / ".new.tmp", "a kettle"), folder / "new.md")  # as programs save
        until(lambda: (found(library, "kettle"), found(library, "otter")) == (["new.md"], []), "a replaced one")
        (folder / "old.txt").rename(folder / "renamed.txt")
        until(lambda: found(library, "heron") == ["renamed.txt"], "a renamed file")
        (folder / "renamed.txt").unlink()
        until(lambda: found(library, "heron") == [], "a file that is gone")
    assert any(step.path.name == "bad.pdf" and step.reason for step in told.steps)
    assert sum(report.moved for _, report in told.reports) == 1
    assert {name for name, _ in told.reports} == {"notes"}
    assert "documents-watch" not in {thread.name for thread in threading.enumerate()}


def test_nothing_is_done_while_nothing_changes(library: Library, tmp_path: Path) -> None:
    told = Told()
    put(tmp_path / "files" / "one.txt", "a heron")
    with watcher(library, told):
        until(lambda: told.reports, "the first update")
        time.sleep(0.5)  # ten more looks
        assert len(told.reports) == 1
        library.create("more")
        library.add_source("more", tmp_path / "files")
        until(lambda: len(told.reports) == 2, "a collection that joins is read")
    assert told.reports[1] == ("more", Report(moved=1))


def test_a_collection_that_is_deleted_while_it_changes_holds_up_no_other(library: Library, tmp_path: Path) -> None:
    told = Told()
    (tmp_path / "gone").mkdir()
    library.create("gone")  # comes before "notes"
    library.add_source("gone", tmp_path / "gone")
    put(tmp_path / "gone" / "one.txt", "an otter")
    put(tmp_path / "files" / "one.txt", "a heron")
    with watcher(library, told, timing=Timing(0.05, 1.0, 30.0)):
        time.sleep(0.3)  # both were seen, and are not still for long enough
        library.delete("gone")
        until(lambda: found(library, "heron"), "the other one is read")
        library.create("gone")
        library.add_source("gone", tmp_path / "gone")
        until(lambda: found(library, "otter"), "one that is made anew under the same name is read")
    assert not any("no collection" in state for state in told.states[1:]), "it goes on asking for what is gone"


def test_a_file_that_is_still_being_written_is_read_when_it_is_done(library: Library, tmp_path: Path) -> None:
    told, path = Told(), tmp_path / "files" / "download.txt"
    with watcher(library, told, timing=Timing(0.05, 1.0, 30.0)):
        until(lambda: told.reports, "the empty folder is looked at")
        with path.open("w") as file:
            for number in range(20):
                file.write(f"word{number} ")
                file.flush()
                time.sleep(0.05)
        until(lambda: told.steps, "it is read")
        until(lambda: found(library, "word19") == ["download.txt"], "all of it is read")
    assert len(told.steps) == 1, "it was read before it was complete"


def test_a_folder_that_never_rests_is_read_all_the_same(library: Library, tmp_path: Path) -> None:
    told, log = Told(), tmp_path / "files" / "log.txt"
    with watcher(library, told, timing=Timing(0.05, 20.0, 0.3)):

        def write() -> bool:
            log.write_text(f"a heron at {time.monotonic_ns()}")
            return found(library, "heron") == ["log.txt"]

        until(write, "it is read although it changes all the time")


def test_a_pause_leaves_the_work_at_once_and_going_on_loses_nothing(library: Library, tmp_path: Path) -> None:
    told = Told()
    for number in range(300):
        put(tmp_path / "files" / f"{number:03}.txt", f"heron number {number}")
    with watcher(library, told) as running:
        until(lambda: len(told.steps) > 3, "reading is under way")
        running.pause()
        until(lambda: PAUSED in told.states, "the pause is said")
        assert told.reports[-1][1].stopped
        before = len(told.steps)
        time.sleep(0.4)
        assert len(told.steps) == before < 300
        with filelock.FileLock(f"{library.path}.indexing", timeout=10):
            pass  # another program could index meanwhile
        running.resume()
        until(lambda: told.reports and not told.reports[-1][1].stopped, "all is read")
    assert len({step.path for step in told.steps}) == len(told.steps) == 300
    assert told.states[-1] == ""


def test_a_low_battery_holds_it_and_says_so_until_it_is_plugged_in(library: Library, tmp_path: Path) -> None:
    told, state = Told(), [Power(True, 9.0)]
    put(tmp_path / "files" / "one.txt", "a heron")
    pace = Pace(lambda: "slow", lambda: state[0], clock=Ticks())
    with Watcher(lambda: library, pace, told.events(), QUICK) as running:
        until(lambda: told.states, "the reason is said")
        assert "9 %" in told.states[0]
        assert not told.steps
        state[0] = Power(False, 9.0)
        until(lambda: found(library, "heron") == ["one.txt"], "it is plugged in")
        assert running.alive
    assert told.states[1] == ""


def test_another_program_that_indexes_is_waited_for(library: Library, tmp_path: Path) -> None:
    told = Told()
    put(tmp_path / "files" / "one.txt", "a heron")
    with filelock.FileLock(f"{library.path}.indexing"), watcher(library, told) as running:
        until(lambda: told.states, "it is said")
        assert told.states[0].startswith("Another program is indexing documents.")
        running.close()
    with watcher(library, told):
        until(lambda: found(library, "heron") == ["one.txt"], "it is read after that")


def test_closing_is_quick_in_the_middle_of_a_file(library: Library, tmp_path: Path) -> None:
    told = Told()
    (tmp_path / "files" / "long.html").write_text("<p>x</p>" * 2_000_000)
    with watcher(library, told) as running:
        until(lambda: _readers(), "it is being read")
        began = time.monotonic()
        running.close()
        assert not running.alive
        assert time.monotonic() - began < PATIENCE / 2
    assert not told.steps
    assert library.files("notes") == ()


def _readers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "documents"]


@pytest.mark.logs("ERROR")
def test_a_bug_ends_it_with_a_sentence(tmp_path: Path) -> None:
    told = Told()

    def broken() -> Library:
        raise RuntimeError("a bug")

    with Watcher(broken, Pace(lambda: "slow", Power), told.events(), QUICK) as running:
        until(lambda: not running.alive, "it ends")
    assert "no longer watched" in told.states[-1]


class Ticks:
    """A clock that runs ahead, so that the battery is looked at each time."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 10.0
        return self.now


def test_what_is_taken_out_and_added_again_between_two_looks_is_read_again(library: Library, tmp_path: Path) -> None:
    folder, told = tmp_path / "files", Told()
    put(folder / "one.txt", "a heron")
    with watcher(library, told):
        until(lambda: found(library, "heron"), "the first update")
        library.remove_source("notes", folder)
        library.add_source("notes", folder)
        until(lambda: found(library, "heron"), "the folder is read again")
        library.rename("notes", "papers")
        put(folder / "two.txt", "an otter")
        until(lambda: found(library, "otter"), "a collection is watched under its new name")
    assert told.reports[-1][0] == "papers"
