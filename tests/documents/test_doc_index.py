"""The index follows its files: added, changed, renamed, removed, unreadable; and it goes on after a kill -9."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import filelock
import pytest

from edgellm.documents.document import Document
from edgellm.documents.index import Control, Indexer, Report, Step
from edgellm.documents.library import Library
from edgellm.documents.retrieve import search
from edgellm.errors import Stopped, StorageError
from tests import index_child
from tests.indexed_files import OLD, library_of, names, put, update


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    yield from library_of(tmp_path)


def test_files_are_added_changed_renamed_and_removed(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    one = put(folder / "one.txt", "a heron in the reeds")
    two = put(folder / "deep" / "two.txt", "a kettle on the stove")
    assert update(library) == Report(added=2, chunks=2)
    assert update(library) == Report(unchanged=2)
    assert names(library, "herons") == ["one.txt"]
    put(one, "an otter in the reeds", OLD + 9)
    two.rename(folder / "three.txt")
    assert update(library) == Report(added=1, moved=1, removed=1, chunks=1)
    assert (names(library, "heron"), names(library, "otter"), names(library, "kettle")) == (
        [],
        ["one.txt"],
        ["three.txt"],
    )
    one.unlink()
    assert update(library) == Report(unchanged=1, removed=1)
    assert library.rows("SELECT count(*) FROM content") == library.rows("SELECT count(*) FROM passage") == [(1,)]
    assert library.rows("SELECT count(*) FROM passage_words") == [(1,)]


def test_a_bad_file_is_skipped_with_its_reason_and_read_again_when_it_changes(library: Library, tmp_path: Path) -> None:
    bad = put(tmp_path / "files" / "bad.txt", "BAD")
    put(tmp_path / "files" / "good.txt", "a good file")
    steps: list[Step] = []
    assert update(library, Control(steps.append)) == Report(added=1, failed=1, chunks=1)
    assert [(step.path.name, step.done, step.total, step.reason) for step in steps] == [
        ("bad.txt", 1, 2, "it is broken"),
        ("good.txt", 2, 2, ""),
    ]
    seen = {file.path.name: (file.state, file.reason, file.hint, file.passages) for file in library.files("notes")}
    assert seen == {"bad.txt": ("failed", "it is broken", "Repair it.", 0), "good.txt": ("indexed", "", "", 1)}
    assert update(library) == Report(unchanged=1, unreadable=1)
    assert update(library, retry=True) == Report(unchanged=1, failed=1)
    put(bad, "repaired", OLD + 5)
    assert update(library) == Report(added=1, unchanged=1, chunks=1)


def test_a_file_that_was_saved_just_now_or_only_touched_counts_as_unchanged(library: Library, tmp_path: Path) -> None:
    file = put(tmp_path / "files" / "one.txt", "a heron", time.time())
    assert update(library) == Report(added=1, chunks=1)
    assert update(library) == Report(unchanged=1), "its clock may hide a change, so it is hashed; there was none"
    put(file, "a heron", OLD)
    assert update(library) == Report(unchanged=1)


def test_a_file_that_becomes_bad_is_no_longer_found(library: Library, tmp_path: Path) -> None:
    file = put(tmp_path / "files" / "one.txt", "a heron")
    update(library)
    put(file, "BAD now", OLD + 5)
    assert update(library) == Report(failed=1)
    assert names(library, "heron") == []


def test_the_same_content_twice_is_kept_once_until_both_are_gone(library: Library, tmp_path: Path) -> None:
    one = put(tmp_path / "files" / "one.txt", "a heron")
    two = put(tmp_path / "files" / "two.txt", "a heron")
    assert update(library) == Report(added=1, moved=1, chunks=1)
    one.unlink()
    update(library)
    assert names(library, "heron") == ["two.txt"]
    two.unlink()
    update(library)
    assert names(library, "heron") == []


def test_a_change_within_the_same_tick_of_the_clock_is_seen(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "files" / "one.txt"
    file.write_text("a heron")
    moment = file.stat().st_mtime_ns
    update(library)
    file.write_text("a otter")
    os.utime(file, ns=(moment, moment))
    update(library)
    assert names(library, "otter") == ["one.txt"]


def test_a_folder_that_is_not_there_keeps_what_it_held(library: Library, tmp_path: Path) -> None:
    put(tmp_path / "files" / "one.txt", "a heron")
    update(library)
    (tmp_path / "files").rename(tmp_path / "away")
    assert update(library) == Report(missing=(tmp_path / "files",))
    assert names(library, "heron") == ["one.txt"]


def test_hidden_files_links_and_other_endings_in_a_folder_do_not_count(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    put(folder / ".hidden.txt", "a heron")
    put(folder / ".git" / "x.txt", "a heron")
    put(folder / "~$lock.txt", "a heron")
    put(folder / "photo.bin", "a heron")
    put(folder / "yes.TXT", "an otter")
    if sys.platform != "win32":
        (folder / "link.txt").symlink_to(folder / "yes.TXT")
    assert Indexer(library, index_child.read, {".txt"}).update("notes") == Report(added=1, chunks=1)


def test_stopping_and_going_on(library: Library, tmp_path: Path) -> None:
    for number in range(6):
        put(tmp_path / "files" / f"{number}.txt", f"file {number}")
    steps: list[Step] = []
    first = update(library, Control(steps.append, lambda: len(steps) == 2, lambda: 0.001))
    assert first == Report(added=2, chunks=2, stopped=True)
    assert update(library) == Report(added=4, unchanged=2, chunks=4)


def test_a_folder_that_is_taken_out_while_it_is_read_leaves_nothing(library: Library, tmp_path: Path) -> None:
    other = put(tmp_path / "other" / "z.txt", "a kettle").parent
    library.add_source("notes", other)
    for number in range(3):
        put(tmp_path / "files" / f"{number}.txt", f"a heron {number}")
    read: list[str] = []

    def reading(path: Path) -> Document:
        read.append(path.name)
        if len(read) == 2:
            library.remove_source("notes", tmp_path / "files")
        return index_child.read(path)

    report = Indexer(library, reading).update("notes")
    assert (read, names(library, "heron"), names(library, "kettle")) == (["0.txt", "1.txt", "z.txt"], [], ["z.txt"])
    assert not report.stopped
    assert [one.path.name for one in library.files("notes")] == ["z.txt"]
    assert library.rows("SELECT count(*) FROM content") == [(1,)]


def test_searching_goes_on_while_files_are_indexed(library: Library, tmp_path: Path) -> None:
    for number in range(60):
        put(tmp_path / "files" / f"{number:02}.txt", f"heron number {number}")
    seen: list[int] = []
    with ThreadPoolExecutor(1) as pool:

        def look(step: Step) -> None:
            seen.append(pool.submit(lambda: len(search(library, "heron", 100))).result())

        update(library, Control(look))
    assert seen == list(range(1, 61))


def test_a_reader_that_is_told_to_stop_stops_the_update(library: Library, tmp_path: Path) -> None:
    def stop(path: Path) -> Document:
        raise Stopped()

    put(tmp_path / "files" / "one.txt", "a heron")
    assert Indexer(library, stop).update("notes") == Report(stopped=True)
    assert update(library) == Report(added=1, chunks=1)


def test_a_file_that_the_system_refuses_is_recorded(library: Library, tmp_path: Path) -> None:
    def refuse(path: Path) -> Document:
        raise OSError(5, "Input/output error")

    put(tmp_path / "files" / "one.txt", "a heron")
    assert Indexer(library, refuse).update("notes") == Report(failed=1)
    assert library.files("notes")[0].reason == "input/output error"


def test_the_readers_of_the_program_are_the_default(library: Library, tmp_path: Path) -> None:
    put(tmp_path / "files" / "one.md", "# Birds\n\nA heron in the reeds.\n")
    put(tmp_path / "files" / "two.pdf", "this is no PDF, whatever it is named: \0\1\2")
    assert Indexer(library, suffixes={".md", ".pdf"}).update("notes").added >= 1
    (found,) = search(library, "heron")
    assert (found.path.name, found.headings) == ("one.md", ("Birds",))


def test_two_programs_do_not_index_at_once(library: Library) -> None:
    with filelock.FileLock(f"{library.path}.indexing"), pytest.raises(StorageError, match="Another program"):
        update(library)
    assert update(library) == Report()


def run(path: Path, most: int) -> subprocess.Popen[str]:
    root = str(Path(__file__).resolve().parents[2])
    program = [sys.executable, index_child.__file__, str(path), "notes", str(most)]
    return subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": root})


def test_killed_in_the_middle_it_goes_on_with_no_file_twice_and_none_missing(library: Library, tmp_path: Path) -> None:
    """500 files; killed (kill -9) four times on the way. A file may be read again only if it was in work at a kill."""
    count, kills = 500, 4
    for number in range(count):
        put(tmp_path / "files" / f"{number:03}.txt", f"# Part {number}\n\nNumber word{number} of them.\n\nAnd more.")
    library.close()
    path, read, in_work = tmp_path / "library.db", [], []
    for after in (60, 90, 1, 120):
        child = run(path, after + 15)
        assert child.stdout is not None
        mine = [child.stdout.readline().strip() for _ in range(after)]
        child.kill()
        mine += child.stdout.read().split()
        child.wait()
        child.stdout.close()
        read += mine
        in_work.append(mine[-1])
    child = run(path, count)
    last = child.communicate()[0].splitlines()
    assert child.returncode == 0
    assert f"failed=0, removed=0, chunks={len(last) - 1}" in last[-1]
    read += last[:-1]
    twice = [name for name in set(read) if read.count(name) > 1]
    assert set(twice) <= set(in_work)
    assert len(set(read)) == count
    again = Library(path)
    try:
        assert again.notice == ""
        assert len(again.files("notes")) == count
        for table in ("file", "content", "passage", "passage_words"):
            assert again.rows(f"SELECT count(*) FROM {table}") == [(count,)], table
        assert again.rows("SELECT count(DISTINCT text) FROM passage") == [(count,)]
        assert [p.path.name for p in search(again, "word321")] == ["321.txt"]
        again.rows("INSERT INTO passage_words (passage_words) VALUES ('integrity-check')")
    finally:
        again.close()
    assert len(read) <= count + kills


def test_what_an_older_reader_has_read_is_read_anew_once(library: Library, tmp_path: Path) -> None:
    put(tmp_path / "files" / "one.txt", "a heron")
    put(tmp_path / "files" / "two.txt", "an otter")
    put(tmp_path / "files" / "same.txt", "an otter")
    put(tmp_path / "files" / "bad.txt", "BAD")
    update(library)
    library.close()
    newer = Library(library.path, readers={"text": 20, "pdf": 7})
    try:
        assert update(newer) == Report(added=2, unchanged=1, unreadable=1, chunks=2)
        assert update(newer) == Report(unchanged=3, unreadable=1)
        for table in ("content", "passage", "passage_words"):
            assert newer.rows(f"SELECT count(*) FROM {table}") == [(2,)], table
        assert names(newer, "heron") == ["one.txt"]
        assert names(newer, "otter") == ["same.txt"]
        assert newer.rows("SELECT DISTINCT reader FROM content") == [(20,)]
    finally:
        newer.close()


def test_an_update_that_is_held_waits_without_the_lock_says_why_and_goes_on(library: Library, tmp_path: Path) -> None:
    for number in range(3):
        put(tmp_path / "files" / f"{number}.txt", f"file {number}")
    reasons = ["", "low battery", "low battery", "other", ""]
    told: list[str] = []

    def held() -> str:
        return reasons.pop(0) if reasons else ""

    def waiting(why: str) -> None:
        told.append(why)
        if why == "low battery":
            with filelock.FileLock(f"{library.path}.indexing", blocking=False):
                pass

    assert update(library, Control(held=held, waiting=waiting)) == Report(added=3, chunks=3)
    assert told == ["low battery", "other", ""]


def test_a_wait_ends_within_a_second_when_it_is_cancelled(library: Library, tmp_path: Path) -> None:
    put(tmp_path / "files" / "one.txt", "a heron")
    put(tmp_path / "files" / "two.txt", "an otter")
    for reason, rest in (("for good", 0.0), ("", 3600.0)):
        ends = time.monotonic() + 0.3
        control = Control(
            cancelled=lambda ends=ends: time.monotonic() > ends,  # type: ignore[misc]
            pause=lambda rest=rest: rest,  # type: ignore[misc]
            held=lambda reason=reason: reason,  # type: ignore[misc]
        )
        assert update(library, control).stopped
    assert update(library).stopped is False


def test_a_folder_that_cannot_be_listed_keeps_what_it_held(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "files" / "sub" / "one.txt", "a heron")
    put(tmp_path / "files" / "two.txt", "an otter")
    update(library)
    real, sub = os.scandir, str(tmp_path / "files" / "sub")

    def refusing(path: str) -> object:
        if str(path) == sub:
            raise PermissionError(13, "Permission denied", sub)
        return real(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert update(library) == Report(unchanged=1, closed=(Path(sub),))
    assert names(library, "heron") == ["one.txt"]


@pytest.mark.skipif(sys.platform != "linux", reason="names are text there")
def test_a_name_that_is_no_text_is_told(library: Library, tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path / "files") + b"/caf\xe9.txt")).write_text("a heron")
    assert update(library) == Report(unnamed=("caf\ufffd.txt",))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders")
def test_a_pipe_that_is_added_by_name_is_not_waited_for(library: Library, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    library.add_source("notes", tmp_path / "pipe.txt")
    assert update(library) == Report(failed=1)
    assert library.files("notes")[0].reason == "it is no plain file"
