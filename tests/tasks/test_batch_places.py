"""Which documents a batch takes, and the names of their results."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from edgellm.documents import scan
from edgellm.tasks import batch_places
from edgellm.tasks.batch_places import choose, places


def text_of(name: str) -> tuple[str, ...]:
    """The names that a plain text of a file may have, if only Markdown is written again."""
    stem, _, suffix = name.rpartition(".")
    return (f"{stem}.fr.md",) if suffix == "md" else (f"{stem}.fr.txt", f"{name}.fr.txt")


def test_two_files_never_get_one_place() -> None:
    names = ["a.md", "a.pdf", "a.txt", "b.pdf", "sub/a.pdf"]
    found = places(names, text_of)
    assert found == {
        "a.md": "a.fr.md",
        "a.pdf": "a.pdf.fr.txt",
        "a.txt": "a.fr.txt",
        "b.pdf": "b.fr.txt",
        "sub/a.pdf": "sub/a.fr.txt",
    }
    assert places(["a.xlsx", "a.ods"], text_of) == {"a.xlsx": "a.xlsx.fr.txt", "a.ods": "a.ods.fr.txt"}


def test_names_that_differ_in_case_alone_get_two_places() -> None:
    found = places(["A.md", "a.md"], text_of)
    assert len({place.casefold() for place in found.values()}) == 2


def test_places_that_were_given_out_stay() -> None:
    known = {"a.pdf": "a.fr.txt"}
    assert places(["a.pdf", "a.txt"], text_of, known) == {"a.pdf": "a.fr.txt", "a.txt": "a.txt.fr.txt"}
    first = places(["a.pdf", "a.txt"], text_of)
    for name in first:
        assert places(["a.pdf", "a.txt"], text_of, {name: first[name]}) == first, "the rest of a batch that was killed"


def test_the_record_and_folders_are_no_places() -> None:
    assert places(["x"], lambda _: ("results.csv",)) == {"x": "results (2).csv"}
    assert places(["x", "x.txt/a.md"], lambda name: (f"{name}.txt",))["x"] == "x (2).txt"


def test_a_name_too_long_for_a_file_system_is_cut() -> None:
    long = ["é" * 120 + f"{number}.txt" for number in (1, 2)]
    found = places(long, lambda name: (f"{name}.txt",))
    assert all(len(os.fsencode(place)) < 210 for place in found.values())
    assert len(set(found.values())) == 2


def test_results_links_and_other_files_are_not_taken(tmp_path: Path) -> None:
    for name in ("a.txt", "sub/b.md", "sub/c.exe", "out/a.txt.txt", "old/a.txt.txt", "old/deep/b.txt", ".hidden/a.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("text")
    (tmp_path / "old" / "manifest.jsonl").write_text(json.dumps({"task": "ask", "model": "any"}) + "\n")
    (tmp_path / "sub" / "loop").symlink_to(tmp_path)
    (tmp_path / "link.txt").symlink_to(tmp_path / "a.txt")
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / os.fsdecode(b"\xff.txt")).write_text("text")
    found = choose(tmp_path, tmp_path / "out", {".txt", ".md"})
    assert [path.relative_to(tmp_path).as_posix() for path in found.paths] == ["a.txt", "sub/b.md"]
    assert found.notes == ("old holds the results of another batch, and is left out.",)
    assert len(found.closed) == 1
    assert "a name that is no text" in found.closed[0]
    inside = choose(tmp_path / "old", tmp_path / "out", {".txt"})
    assert len(inside.paths) == 2, "what is asked for by name is taken"


def test_a_folder_that_cannot_be_opened_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("text")

    def files(root: Path, found: scan.Found) -> list[Path]:
        found.closed.append(root / "secret")
        return [root / "a.txt"]

    monkeypatch.setattr(batch_places, "plain_files", files)
    assert choose(tmp_path, tmp_path / "out", {".txt"}).closed == ("secret cannot be opened; its files are left out.",)
