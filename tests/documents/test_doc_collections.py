"""Collections of the index: what they hold, share, forget and find, and those of earlier versions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edgellm import database
from edgellm.documents import library_schema, retrieve
from edgellm.documents.index import Control, Indexer, Report, Step
from edgellm.documents.library import Library
from edgellm.documents.retrieve import search
from edgellm.errors import UsageError
from tests import index_child
from tests.indexed_files import library_of, names, put, update


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    yield from library_of(tmp_path)


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
    assert update(library) == Report(unchanged=2, unreadable=1)
    put(tmp_path / "files" / "late.txt", "an otter")
    library.add_source("notes", tmp_path / "files" / "late.txt")
    library.add_source("notes", tmp_path / "files" / "two.txt")
    assert update(library) == Report(added=1, unchanged=2, unreadable=1, chunks=1)
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
