"""Records of downloads on the disk: what can be read again, who may work on one, and what is cleaned away."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edgellm.errors import StorageError
from edgellm.models.catalog import CardFile, ModelCard
from edgellm.models.download_records import Record, Records


@pytest.fixture
def records(tmp_path: Path) -> Records:
    """Records in an empty folder."""
    return Records(tmp_path / "downloads")


def card(name: str = "one") -> ModelCard:
    """A card with something in most of its fields."""
    files = (CardFile("a/b.gguf", 5, "ab" * 32), CardFile("c.json", None, git_oid="cd" * 20, url="http://h/c"))
    return ModelCard(name, "One", "A model.", files, repo="o/n", tasks=("chat",), languages=("en", "fr"), context=4096)


def names(records: Records) -> list[str]:
    """Everything in the folder but its lock."""
    return sorted(path.name for path in records.folder.rglob("*") if path.name != ".lock")


def test_a_record_comes_back_as_it_was(records: Records) -> None:
    record = Record.new(card())
    records.save(record)
    assert records.load("one") == record
    assert records.all() == (record,)
    assert records.change("one", state="paused", message="Why.") == records.load("one")
    assert records.load("one").state == "paused"  # type: ignore[union-attr]
    records.remove("one")
    assert records.load("one") is None
    assert records.change("one", state="wanted") is None, "what is gone does not come back"
    assert names(records) == []


def test_unknown_fields_of_a_later_version_are_ignored(records: Records) -> None:
    record = Record.new(card())
    records.save(record)
    values = json.loads(records.path("one").read_text())
    values["priority"] = 3
    values["card"]["stars"] = 5
    values["card"]["files"][0]["mirror"] = "x"
    records.path("one").write_text(json.dumps(values))
    assert records.load("one") == record


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "7", '{"card": 3}', '{"card": {"name": "two", "title": "", "summary": "", "files": []}}',
     '{"card": {"name": "one"}}', '{"card": {"name": "one", "title": "", "summary": "", "files": []}, "state": "x"}',
     "[" * 100_000, "\x00" * 50],
)  # fmt: skip
def test_a_damaged_record_is_no_record_and_is_cleaned_away(records: Records, text: str) -> None:
    records.folder.mkdir()
    records.path("one").write_text(text)
    records.parts("one").mkdir()
    (records.parts("one") / "ab.part").write_bytes(b"x")
    assert records.load("one") is None
    assert records.all() == ()
    assert sorted(records.clean()) == ["one.json", "one.parts"]
    assert names(records) == []


def test_links_on_a_strange_disk_lead_nowhere(records: Records, tmp_path: Path) -> None:
    """Whoever prepared a stick must not have this person's files read, overwritten or removed."""
    outside, record = tmp_path / "outside", Record.new(card())
    outside.mkdir()
    (outside / "mine").write_bytes(b"mine")
    records.save(record)
    records.path("one").rename(outside / "one.json")
    records.path("one").symlink_to(outside / "one.json")
    assert records.load("one") is None and records.all() == ()
    (records.folder / "one.json.new").symlink_to(outside / "mine")
    records.save(record)
    assert records.load("one") == record and not records.path("one").is_symlink()
    records.parts("one").symlink_to(outside)
    claim = records.claim("one")
    assert claim is not None and not records.parts("one").exists()
    claim.release()
    assert (outside / "mine").read_bytes() == b"mine"


def test_a_folder_that_is_a_link_is_not_used(records: Records, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    records.folder.symlink_to(tmp_path / "outside")
    with pytest.raises(StorageError, match="is a link to another place"):
        records.save(Record.new(card()))
    assert records.all() == () and list((tmp_path / "outside").iterdir()) == []


def test_cleaning_keeps_what_has_a_record_and_what_somebody_works_on(records: Records) -> None:
    records.save(Record.new(card("kept")))
    for name in ("kept", "busy", "left"):
        records.parts(name).mkdir()
        (records.parts(name) / "x.part").write_bytes(b"x")
    records.path("half", ".json.new").write_bytes(b"{")
    records.path("dead", ".lock").touch()
    (records.folder / "strange.txt").write_text("not ours")
    claim = records.claim("busy")
    assert claim is not None
    assert records.clean() == ("half.json.new", "left.parts")
    assert names(records) == ["busy.lock", "busy.parts", "kept.json", "kept.parts", "strange.txt", "x.part", "x.part"]
    claim.release()
    assert names(records) == ["kept.json", "kept.parts", "strange.txt", "x.part"]


def test_a_link_among_the_parts_is_removed_and_not_followed(records: Records, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine.txt").write_text("mine")
    records.folder.mkdir()
    records.parts("left").symlink_to(outside)
    assert records.clean() == ("left.parts",)
    assert (outside / "mine.txt").exists()


def test_one_owner_at_a_time_among_processes_and_threads(records: Records) -> None:
    claim = records.claim("one")
    assert claim is not None
    assert records.claim("one") is None
    assert records.busy("one")
    other = (
        "import sys; from pathlib import Path; from edgellm.models.download_records import Records;"
        "sys.exit(7 if Records(Path(sys.argv[1])).claim('one') is None else 0)"
    )
    command = [sys.executable, "-c", other, str(records.folder)]
    assert subprocess.run(command, check=False, timeout=60).returncode == 7
    claim.release()
    assert not records.busy("one")
    assert subprocess.run(command, check=False, timeout=60).returncode == 0
    assert not records.busy("one"), "a process that ended without a word holds nothing"
    assert records.clean() == ()
    assert names(records) == []


def test_many_changes_at_once_lose_nothing(records: Records) -> None:
    records.save(Record.new(card()))
    seen: list[str] = []

    def change(number: int) -> None:
        for step in range(20):
            records.change("one", message=f"{number}-{step}")
            found = records.load("one")
            assert found is not None
            seen.append(found.message)

    threads = [threading.Thread(target=change, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 80
    assert names(records) == ["one.json"]


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="list of downloads"):
        Records(tmp_path / "file").save(Record.new(card()))
    assert Records(tmp_path / "file" / "x").all() == ()
