"""`edgellm documents` on real files: read, searched by words, brought up to date, forgotten; bad input said."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import apsw
import pytest
from command_line import CommandLine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "papers"
    (path / "old").mkdir(parents=True)
    (path / "lease.html").write_text("<h1>Lease</h1><p>The rent is 940 euros a month.</p>", encoding="utf-8")
    (path / "old" / "zh.txt").write_text("东京是日本的首都。租金每月五百元。", encoding="utf-8")
    (path / "bad.pdf").write_bytes(b"%PDF-1.7\nnothing of it is whole")
    return path


def test_a_folder_that_an_earlier_version_kept_with_steps_upward_can_be_forgotten(
    edgellm: CommandLine, folder: Path
) -> None:
    edgellm("documents", "add", str(folder / "old"))
    kept = f"{folder}/../{folder.name}/old"
    db = apsw.Connection(str(edgellm.home / "library.db"))
    db.execute("UPDATE source SET path = ?", (kept,))
    db.close()
    edgellm("documents", "remove", kept)
    assert edgellm("documents", "list", "--json").object["collections"][0]["sources"] == []


def test_documents_are_read_found_and_forgotten(edgellm: CommandLine, folder: Path) -> None:
    assert "documents add" in edgellm("documents").out
    added = edgellm("documents", "add", str(folder), "--json")
    assert added.object["collections"]["documents"]["added"] == 2
    assert added.object["collections"]["documents"]["failed"] == 1
    assert any("bad.pdf" in note for note in added.object["notes"])
    (found,) = edgellm("documents", "search", "How much is the rent?", "--json").object["passages"]
    assert found["file"] == str(folder / "lease.html")
    assert found["headings"] == ["Lease"]
    assert "940 euros" in found["text"]
    assert "zh.txt" in edgellm("documents", "search", "租金").out
    (folder / "lease.html").unlink()
    (folder / "new.txt").write_text("The deposit is two rents.", encoding="utf-8")
    again = edgellm("documents", "update", "--json").object["collections"]["documents"]
    assert (again["added"], again["removed"]) == (1, 1)
    listed = edgellm("documents", "list", "--failed", "--json").object["collections"][0]
    assert [Path(entry["file"]).name for entry in listed["failed"]] == ["bad.pdf"]
    assert "not touched" in edgellm("documents", "remove", str(folder)).out
    assert edgellm("documents", "search", "deposit", status=1).out == "No document has these words.\n"
    assert (folder / "new.txt").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["search", "rent"], "There are no documents yet"),
        (["add", "nosuch"], "nosuch does not exist"),
        (["add", ".", "--collection", "   "], "needs a name"),
        (["remove"], "--all"),
        (["remove", "--all"], "There is no collection"),
        (["update", "nosuch"], "There is no collection"),
        (["serch"], "There is no command documents serch"),
    ],
)
def test_bad_input_is_said(edgellm: CommandLine, words: list[str], said: str) -> None:
    assert said in edgellm("documents", *words, status=2).err


def test_operators_of_the_index_are_words(edgellm: CommandLine, folder: Path) -> None:
    edgellm("documents", "add", str(folder))
    for text in ('rent" OR "x', "NEAR(rent", "*", "body:rent", "-rent", "(((", "rent AND NOT rent"):
        edgellm("documents", "search", "--", text, status=None)


def test_a_document_is_summarized_without_being_converted_first(edgellm: CommandLine, folder: Path) -> None:
    assert "940 euros" in edgellm("summarize", "--key-sentences", "2", str(folder / "lease.html")).out
    refused = edgellm("summarize", "--key-sentences", "1", str(folder / "bad.pdf"), status=1)
    assert "bad.pdf cannot be read" in refused.err


def test_a_question_is_answered_from_the_documents(edgellm: CommandLine, folder: Path) -> None:
    model = edgellm.script(reply="940 euros")
    assert "no documents yet" in edgellm("ask", "How much is the rent?", "--documents", status=2).err
    edgellm("documents", "add", str(folder))
    found = edgellm("ask", "How much is the rent?", "--documents", "--json", "--model", model).object
    quote = found["quote"]
    assert (found["text"], quote["text"]) == ("940 euros", "The rent is 940 euros a month.")
    assert quote["file"] == str(folder / "lease.html")
    assert "Lease\n\nThe rent is 940 euros a month."[quote["start"] : quote["end"]] == quote["text"]
    assert found["basis"].startswith("Read the whole of ")
    none = edgellm("ask", "Xylophones?", "--documents", "--json", "--passages").object
    assert (none["mode"], none["passages"]) == ("search", [])
    assert "not both" in edgellm("ask", "Rent?", "--documents", "--", str(folder / "lease.html"), status=2).err
    assert "no collection" in edgellm("ask", "Rent?", "--documents", "nope", status=2).err


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there")
def test_what_changes_is_read_while_it_is_watched(edgellm: CommandLine, folder: Path) -> None:
    assert "no documents yet" in edgellm("documents", "watch", status=2).err
    edgellm("documents", "add", str(folder))
    assert "out of range" in edgellm("documents", "watch", "--every", "0", status=2).err
    assert "no collection" in edgellm("documents", "watch", "nope", status=2).err
    watching = edgellm.start("documents", "watch", "--every", "0.2")
    try:
        assert watching.stdout is not None
        assert b"Ctrl-C ends it" in watching.stdout.readline()
        (folder / "new.txt").write_text("The deposit is two rents.", encoding="utf-8")
        (folder / "lease.html").unlink()
        while b"1 files read" not in watching.stdout.readline():
            assert watching.poll() is None
        assert "new.txt" in edgellm("documents", "search", "deposit").out
        watching.send_signal(signal.SIGINT)
        out, err = watching.communicate(timeout=60)
    finally:
        watching.kill()
        watching.wait()
    assert (watching.returncode, out.splitlines()[-1]) == (0, b"No longer watched.")
    assert b"Traceback" not in err


@pytest.mark.skipif(sys.platform != "linux", reason="names are text there")
def test_a_name_that_is_no_text_is_told_of_and_escapes_stay_out_of_notes(edgellm: CommandLine, folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.txt")).write_text("rent")
    (folder / "a\nerror: b\x1b[31m.pdf").write_bytes(b"%PDF-1.7 nothing of it")
    added = edgellm("documents", "add", str(folder))
    assert "names are no text: caf\ufffd.txt." in added.err
    assert "a error: b[31m.pdf: the PDF is damaged" in added.err


def test_adding_only_what_cannot_be_read_fails_with_the_reasons(edgellm: CommandLine, folder: Path) -> None:
    bad = str(folder / "bad.pdf")
    os.utime(bad, (1_700_000_000, 1_700_000_000))
    for _ in range(2):  # the second time it is known
        added = edgellm("documents", "add", bad, status=1)
        assert "bad.pdf: the PDF is damaged" in added.err and "Nothing of what was added can be read." in added.err
    report = edgellm("documents", "add", bad, "--json", status=1).object
    assert report["collections"]["documents"]["unreadable"] == 1 and any("bad.pdf" in note for note in report["notes"])
    edgellm("documents", "add", str(folder))
    assert edgellm("documents", "list", "--json").object["collections"][0]["files"] == {"indexed": 2, "failed": 1}
    again = edgellm("documents", "update").out
    assert "0 files read, 2 unchanged, 0 gone, 1 could not be read" in again


def test_a_collection_gets_another_name(edgellm: CommandLine, folder: Path) -> None:
    edgellm("documents", "add", str(folder), "--collection", "old")
    assert edgellm("documents", "rename", "old", "new name").out == "old is called new name now.\n"
    assert [one["name"] for one in edgellm("documents", "list", "--json").object["collections"]] == ["new name"]
    assert "There is no collection 'old'" in edgellm("documents", "rename", "old", "x", status=2).err
    assert "940 euros" in edgellm("documents", "search", "rent", "--collection", "new name").out
