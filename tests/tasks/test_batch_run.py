"""A batch whose work, disk or record fails: what is recorded, what ends it, what the next run does."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from edgellm.errors import EngineError, StorageError, UsageError
from edgellm.tasks import batch
from edgellm.tasks.batch import Entry, Item, Made, Manifest, Work
from edgellm.tasks.batch_manifest import check_place

ASKED = {"task": "ask", "model": "Plain"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "papers"
    path.mkdir()
    for name in ("a.txt", "b.txt", "c.txt", "d.txt"):
        (path / name).write_text(name)
    return path


def places(folder: Path) -> dict[str, str]:
    return {path.name: f"{path.name}.txt" for path in sorted(folder.iterdir())}


def ran(folder: Path, out: Path, work: Work) -> list[Entry]:
    """The entries of files that were done in this run."""
    return [entry for entry, now in batch.run(folder, places(folder), out, Manifest(out, ASKED), work) if now]


def once(error: Exception, name: str) -> Callable[[Item], Made]:
    """Work that fails with one file."""

    def work(item: Item) -> Made:
        if item.name == name:
            raise error
        return Made(item.name.upper())

    return work


def test_an_engine_that_fails_is_tried_again_by_the_next_run(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    entries = ran(folder, out, once(EngineError("The engine ended."), "b.txt"))
    assert [entry.error for entry in entries] == ["", "b.txt: The engine ended.", "", ""]
    again = ran(folder, out, lambda item: Made("now"))
    assert [(entry.file, entry.error) for entry in again] == [("b.txt", "")]


def test_an_engine_that_fails_with_every_file_ends_the_batch(folder: Path, tmp_path: Path) -> None:
    def work(_: Item) -> Made:
        raise EngineError("The engine ended.")

    with pytest.raises(EngineError):
        ran(folder, tmp_path / "out", work)
    lines = (tmp_path / "out" / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3, "what was asked for, and two files"


def test_a_file_that_changes_meanwhile_is_its_own_trouble_and_a_full_disk_is_not(folder: Path, tmp_path: Path) -> None:
    def work(item: Item) -> Made:
        if item.name == "b.txt":
            item.path.write_text("other words")
            raise StorageError("It was changed.")
        return Made("done")

    entries = ran(folder, tmp_path / "out", work)
    assert [entry.file for entry in entries if entry.error] == ["b.txt"]
    assert [entry.file for entry in ran(folder, tmp_path / "out", lambda item: Made("now"))] == ["b.txt"]
    with pytest.raises(StorageError, match="No space"):
        ran(folder, tmp_path / "full", once(StorageError("No space left."), "b.txt"))
    assert (tmp_path / "full" / "a.txt.txt").is_file()


def test_what_a_kill_left_beside_a_result_is_deleted_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in (".a.txt.txt.ab_12xyz", ".a.txt.txt.ab_12xyz.docx", ".results.csv.ab_12xyz"):
        (out / name).write_text("half")
    for name in (".other.ab_12xyz", ".a.txt.txt.longerthanthat", ".profile"):
        (out / name).write_text("mine")
    ran(folder, out, lambda item: Made("done"))
    left = sorted(path.name for path in out.iterdir() if path.name.startswith("."))
    assert left == [".a.txt.txt.longerthanthat", ".other.ab_12xyz", ".profile"]


def test_files_of_somebody_else_are_not_replaced(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.txt.txt").write_text("my own notes")
    with pytest.raises(UsageError, match=r"would be replaced: a.txt.txt"):
        Manifest(out, ASKED, places(folder).values())
    assert [path.name for path in out.iterdir()] == ["a.txt.txt"]
    Manifest(out, ASKED)
    Manifest(out, ASKED, places(folder).values())  # from now on they are of this batch


@pytest.mark.parametrize("output", ["../../stolen.txt", "/etc/passwd"])
def test_a_record_from_elsewhere_names_no_file_outside(folder: Path, tmp_path: Path, output: str) -> None:
    out = tmp_path / "out"
    Manifest(out, ASKED)
    with (out / "manifest.jsonl").open("a") as stream:
        stream.write(json.dumps({"file": "a.txt", "sha256": "0", "output": output}) + "\n")
        stream.write('{"file": "b.txt", "sha256": "0", "output": 3}\n["no entry"]\n{"half')
    assert Manifest(out, ASKED).entries == {}
    assert len(ran(folder, out, lambda item: Made("done"))) == 4


def test_the_table_has_columns_of_its_task_and_says_how_many_warnings_it_leaves_out(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    made = Made("=1+1", 0.5, ("Doubt it.",), tuple(f"line {number}" for number in range(20)), {"page": "7"})
    ran(folder, out, lambda item: made)
    manifest = Manifest(out, ASKED)
    assert len(manifest.entries["a.txt"].warnings) == 20
    batch.table(out, manifest, ["a.txt", "gone.txt"], ("page",))
    (row,) = csv.DictReader((out / "results.csv").read_text(encoding="utf-8-sig").splitlines())
    assert (row["result"], row["confidence"], row["note"], row["page"]) == ("'=1+1", "0.5000", "Doubt it.", "7")
    assert row["warnings"].startswith("line 0line 1")
    batch.table(out, manifest, ["a.txt"], (), texts=False)
    assert "a.txt.txt" in (out / "results.csv").read_text(encoding="utf-8-sig")


def test_bullets_are_no_formula_in_the_table(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran(folder, out, lambda item: Made("- It rains - often.\n- Snow falls."))
    batch.table(out, Manifest(out, ASKED), ["a.txt"], ())
    with (out / "results.csv").open(encoding="utf-8-sig", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert row["result"] == "• It rains - often.\n• Snow falls."
    assert (out / "a.txt.txt").read_text() == "- It rains - often.\n- Snow falls.\n"


def test_a_place_that_cannot_be_written_is_said_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    with pytest.raises(StorageError, match="cannot be used"):
        check_place(tmp_path / "file" / "out")
    with pytest.raises(StorageError, match="cannot be used"):
        check_place(Path("/dev/null"))
    check_place(tmp_path / "new" / "deep")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_half_characters_that_a_model_wrote_do_not_end_the_batch(folder: Path, tmp_path: Path) -> None:
    ran(folder, tmp_path / "out", lambda item: Made("a\ud800b", notes=("\ud800",)))
    assert (tmp_path / "out" / "a.txt.txt").read_text(encoding="utf-8") == "a?b\n"
    batch.table(tmp_path / "out", Manifest(tmp_path / "out", ASKED), ["a.txt"], ())
