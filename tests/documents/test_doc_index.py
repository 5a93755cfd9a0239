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

from edgellm import database
from edgellm.documents import library_schema, retrieve
from edgellm.documents.document import Document
from edgellm.documents.index import Control, Indexer, Report, Step
from edgellm.documents.library import Library
from edgellm.documents.retrieve import search
from edgellm.errors import Stopped, StorageError, UsageError
from tests import index_child

OLD = 1_700_000_000


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path / "library.db")
    (tmp_path / "files").mkdir()
    made.create("notes")
    made.add_source("notes", tmp_path / "files")
    yield made
    made.close()


def put(path: Path, text: str, moment: float = OLD) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (moment, moment))
    return path


def update(library: Library, control: Control | None = None, retry: bool = False) -> Report:
    return Indexer(library, index_child.read).update("notes", control, retry)


def names(library: Library, text: str) -> list[str]:
    return [passage.path.name for passage in search(library, text)]


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
    assert update(library) == Report(unchanged=2)
    assert update(library, retry=True) == Report(unchanged=1, failed=1)
    put(bad, "repaired", OLD + 5)
    assert update(library) == Report(added=1, unchanged=1, chunks=1)


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


def test_collections_hold_and_forget(library: Library, tmp_path: Path) -> None:
    put(tmp_path / "files" / "one.txt", "a heron")
    other = put(tmp_path / "elsewhere.txt", "a heron of another")
    update(library)
    library.create("more")
    assert library.add_source("more", other).sources == (other,)
    Indexer(library, index_child.read).update("more")
    assert [p.path.name for p in search(library, "heron", collection="more")] == ["elsewhere.txt"]
    assert sorted(names(library, "heron")) == ["elsewhere.txt", "one.txt"]
    library.remove_source("more", other)
    assert names(library, "heron") == ["one.txt"]
    library.delete("notes")
    assert [one.name for one in library.collections()] == ["more"]
    assert library.rows("SELECT count(*) FROM passage") == [(0,)]
    for wrong in (
        lambda: library.collection("none"),
        lambda: library.create(" "),
        lambda: library.create("a/b"),
        lambda: library.rename("notes", "a\\b"),
        lambda: search(library, "a", 1, "x"),
    ):
        with pytest.raises(UsageError):
            wrong()
    with pytest.raises(UsageError, match="does not exist"):
        library.add_source("more", tmp_path / "nothing")


def test_a_small_collection_is_searched_in_full_within_a_large_one(library: Library, tmp_path: Path) -> None:
    """The best 600 passages belong to another collection; the one that is asked for still comes."""
    put(tmp_path / "files" / "many.txt", "\f".join(["a heron"] * 600))
    other = put(tmp_path / "other" / "few.txt", "far away from here there was once a heron in the reeds of the river")
    library.create("few")
    library.add_source("few", other)
    Indexer(library, index_child.read).update("few")
    update(library)
    assert {p.path.name for p in search(library, "heron")} == {"many.txt"}
    assert [p.path.name for p in search(library, "heron", collection="few")] == ["few.txt"]
    assert len(search(library, "heron", 500, "notes")) == 500


def test_in_a_large_library_the_frequent_words_of_a_question_are_left_out(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(9):
        put(tmp_path / "files" / f"{number}.txt", f"the bridge {number}" + (" heron" if number == 4 else ""))
    update(library)
    assert len(names(library, "the heron bridge")) == 9
    monkeypatch.setattr(retrieve, "_ROWS", 8)
    assert names(library, "the heron bridge") == ["4.txt"]
    assert len(names(library, "the bridge")) == 9


def test_a_word_that_is_frequent_elsewhere_finds_what_a_small_collection_has(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rarest word of the question is in another collection only, and the others are in too many passages."""
    put(tmp_path / "files" / "many.txt", "\f".join(["a bridge"] * 30 + ["a heron"]))
    other = put(tmp_path / "other" / "few.txt", "a wooden bridge")
    library.create("few")
    library.add_source("few", other)
    Indexer(library, index_child.read).update("few")
    update(library)
    monkeypatch.setattr(retrieve, "_ROWS", 8)
    assert [p.path.name for p in search(library, "heron bridge", 1)] == ["many.txt"]
    assert [p.path.name for p in search(library, "heron bridge", collection="few")] == ["few.txt"]
    assert search(library, "heron", collection="few") == ()


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
    newer = Library(library.path, readers={"text": 2, "pdf": 7})
    try:
        assert update(newer) == Report(added=2, moved=1, unchanged=1, chunks=2)
        assert update(newer) == Report(unchanged=4)
        for table in ("content", "passage", "passage_words"):
            assert newer.rows(f"SELECT count(*) FROM {table}") == [(2,)], table
        assert names(newer, "heron") == ["one.txt"]
        assert names(newer, "otter") == ["same.txt"]
        assert newer.rows("SELECT DISTINCT reader FROM content") == [(2,)]
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


def test_a_collection_is_renamed_and_keeps_what_it_holds(library: Library, tmp_path: Path) -> None:
    put(tmp_path / "files" / "one.txt", "a heron")
    update(library)
    library.create("taken")
    renamed = library.rename("notes", "  my   papers ")
    assert (renamed.name, renamed.sources) == ("my papers", (tmp_path / "files",))
    assert [one.name for one in library.collections()] == ["my papers", "taken"]
    assert Indexer(library, index_child.read).update("my papers") == Report(unchanged=1)
    assert [passage.path.name for passage in search(library, "heron", collection="my papers")] == ["one.txt"]
    assert library.rename("my papers", "my papers") == renamed
    for old, new, said in (
        ("notes", "x", "There is no collection"),
        ("my papers", "taken", "already"),
        ("my papers", " \n ", "needs a name"),
        ("my papers", "a\x1bb", "needs a name"),
        ("my papers", "x" * 101, "100 letters"),
    ):
        with pytest.raises(UsageError, match=said):
            library.rename(old, new)
    assert library.collection("my papers") == renamed


def test_a_file_that_came_alone_and_with_its_folder_counts_once(library: Library, tmp_path: Path) -> None:
    one = put(tmp_path / "files" / "one.txt", "a heron")
    put(tmp_path / "files" / "two.txt", "a kettle")
    bad = put(tmp_path / "files" / "bad.txt", "BAD")
    library.add_source("notes", one)
    library.add_source("notes", tmp_path / "files" / ".." / "files" / "bad.txt")
    steps: list[Step] = []
    assert update(library, Control(steps.append)) == Report(added=2, failed=1, chunks=2)
    assert [(step.path.name, step.done, step.total) for step in steps] == [
        ("bad.txt", 1, 3),
        ("one.txt", 2, 3),
        ("two.txt", 3, 3),
    ]
    assert [(file.path.name, file.state, file.passages) for file in library.files("notes")] == [
        ("bad.txt", "failed", 0),
        ("one.txt", "indexed", 1),
        ("two.txt", "indexed", 1),
    ]
    assert update(library) == Report(unchanged=3)
    put(tmp_path / "files" / "late.txt", "an otter")
    library.add_source("notes", tmp_path / "files" / "late.txt")
    library.add_source("notes", tmp_path / "files" / "two.txt")
    assert update(library) == Report(added=1, unchanged=3, chunks=1)
    library.remove_source("notes", one)
    assert names(library, "heron") == ["one.txt"]  # its folder holds it still
    library.remove_source("notes", tmp_path / "files")
    assert (names(library, "heron"), names(library, "kettle"), names(library, "otter")) == (
        [],
        ["two.txt"],
        ["late.txt"],
    )
    bad.unlink()
    (tmp_path / "files" / "two.txt").unlink()
    assert [file.path.name for file in library.files("notes")] == ["bad.txt", "late.txt", "two.txt"]


def test_the_number_of_a_source_is_never_given_again(library: Library, tmp_path: Path) -> None:
    ((first, folder),) = library.sources("notes")
    library.remove_source("notes", folder)
    library.add_source("notes", folder)
    ((second, _),) = library.sources("notes")
    assert second > first


def test_a_library_of_an_earlier_version_keeps_its_files(tmp_path: Path) -> None:
    old = database.open(tmp_path / "library.db", library_schema.MIGRATIONS[:3])
    old.execute("INSERT INTO collection (id, name, created) VALUES (4, 'notes', 0)")
    old.execute("INSERT INTO source (id, collection, path) VALUES (7, 4, '/x')")
    old.execute(
        "INSERT INTO content (id, sha256, suffix, format, title, notes) VALUES (9, 'a', '.txt', 'text', 'T', '')"
    )
    old.execute(
        "INSERT INTO passage (id, content, text, page, headings, start, stop) VALUES (1, 9, 'x', 2, '[]', 0, 1)"
    )
    old.execute("INSERT INTO file (source, path, size, mtime, content) VALUES (7, '/x/a.txt', 5, 6, 9)")
    old.execute("INSERT INTO file (source, path, size, mtime, reason) VALUES (7, '/x/b.txt', 5, 6, 'broken')")
    old.close()
    for _ in range(2):
        library = Library(tmp_path / "library.db")
        assert library.sources("notes") == ((7, Path("/x")),)
        assert [(file.path.name, file.state, file.passages, file.pages) for file in library.files("notes")] == [
            ("a.txt", "indexed", 1, 2),
            ("b.txt", "failed", 0, 0),
        ]
        library.close()
    library = Library(tmp_path / "library.db")
    library.delete("notes")
    assert library.rows("SELECT (SELECT count(*) FROM file), (SELECT count(*) FROM passage)") == [(0, 0)]
    assert library.rows("PRAGMA foreign_key_check") == []
    library.close()
