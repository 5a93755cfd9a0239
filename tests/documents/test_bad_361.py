"""A folder of 361 bad files with 12 good ones among them: nobody dies, nobody calls anyone, each is named or read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from edgellm.documents.document import Document
from edgellm.documents.index import Indexer, Report
from edgellm.documents.library import Library
from edgellm.documents.load import Loader
from edgellm.documents.readers import SUFFIXES
from edgellm.documents.retrieve import search
from edgellm.documents.source import MIB, Limits
from tests import bad_documents

LIMITS = Limits(seconds=10, memory=512 * MIB, size=8 * MIB, unpacked=20 * MIB, text=4 * MIB)
# Runs in the reading process before anything else, and writes down what it must not do.
_SPY = """
    import os, sys

    def spy(event, arguments):
        if event.startswith(("socket.", "urllib.", "ftplib.", "subprocess.", "os.exec", "os.posix_spawn", "os.system")):
            tell(event)
        elif event == "open" and not isinstance(arguments[0], int):
            path, flags = str(arguments[0]), arguments[2]
            if "canary" in path or (flags & (os.O_WRONLY | os.O_RDWR) and path != os.devnull):
                tell("open " + path)

    def tell(what):
        os.write(record, what.encode() + b"\\n")

    if sys.orig_argv[-3:-2] == ["edgellm.documents.child"]:
        record = os.open({record!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        tell("started")
        sys.addaudithook(spy)
"""


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the reading processes write down that they started, and what they must not do."""
    spy, record = tmp_path / "spy", tmp_path / "record.txt"
    spy.mkdir()
    (spy / "sitecustomize.py").write_text(dedent(_SPY).replace("{record!r}", repr(str(record))))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(spy), os.environ.get("PYTHONPATH")))))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PATH", str(spy))  # no OCR program is found: the one other process that reading may start
    return record


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path / "library.db")
    yield made
    made.close()


def _update(library: Library, read: list[str]) -> Report:
    with Loader(LIMITS) as loader:

        def aloud(path: Path) -> Document:
            read.append(path.name)
            return loader.load(path)

        return Indexer(library, aloud, SUFFIXES).update("all")


@pytest.mark.parametrize("count", [60, bad_documents.BAD], ids=["a few", "all"])
def test_bad_files_are_named_or_read_and_the_good_ones_among_them_are_found(
    library: Library, tmp_path: Path, record: Path, count: int
) -> None:
    folder = bad_documents.write(tmp_path / "files", tmp_path / "outside", count)
    assert (len(folder.bad), len(folder.good)) == (count, 12)
    library.create("all")
    library.add_source("all", folder.path)
    before, here, read = sorted(os.listdir(tmp_path)), psutil.Process(), list[str]()
    threads, files = here.num_threads(), len(here.open_files())
    first = _update(library, read)

    looked_at = (folder.bad | set(folder.good)) - folder.passed_over()
    kept = {file.path.name: file for file in library.files("all")}
    assert kept.keys() == looked_at, "each file is in the index, as read or with its reason"
    for name, file in kept.items():
        assert (file.state == "failed") == bool(file.reason) == bool(file.hint), name
        assert file.reason.isprintable(), name
    assert {name: kept[name].state for name in folder.refused if kept[name].state != "failed"} == {}
    assert first.added + first.moved + first.failed == len(looked_at)
    assert first.failed == sum(file.state == "failed" for file in kept.values()) > count // 4

    for name, word in folder.good.items():
        assert kept[name].state == "indexed", (name, kept[name].reason)
        assert name in [passage.path.name for passage in search(library, word, 50)], name
    secret = "SELECT page FROM passage WHERE text LIKE ?"
    assert library.rows(secret, (f"%{bad_documents.CANARY}%",)) == []

    done = record.read_text().splitlines()
    assert set(done) == {"started"}, "no connection, no other program, nothing written, nothing outside opened"
    assert set(os.listdir(tmp_path)) - set(before) <= {"record.txt", "library.db.indexing"}, "nothing slipped out"
    assert os.listdir(tmp_path / "outside") == ["canary.txt"]
    assert (here.num_threads(), len(here.open_files())) == (threads, files)
    assert [child for child in here.children() if "edgellm.documents.child" in " ".join(child.cmdline())] == []

    again = list[str]()
    bad = sum(file.state == "failed" for file in kept.values())
    assert _update(library, again) == Report(unchanged=len(looked_at) - bad, unreadable=bad)
    assert again == []
    (folder.path / "late.txt").write_text("a mulberry")
    assert _update(library, again).added == 1
    assert again == ["late.txt"]
