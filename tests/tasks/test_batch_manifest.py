"""What is already in the folder of a batch: files of others are not replaced, unless the person says so."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from edgellm.errors import UsageError
from edgellm.tasks.batch_manifest import MANIFEST, TABLE, Entry, Manifest

_ASKED = {"task": "classify", "model": "starter"}


@pytest.mark.parametrize("name", [MANIFEST, TABLE, "a.txt"])
def test_files_of_others_are_replaced_only_when_the_person_says_so(tmp_path: Path, name: str) -> None:
    mine = tmp_path / name
    mine.write_text("one line of mine\nand another\n", encoding="utf-8")
    with pytest.raises(UsageError, match=f"not of this batch and would be replaced: {name}"):
        Manifest(tmp_path, _ASKED, ("a.txt",))
    assert mine.read_text(encoding="utf-8").startswith("one line of mine")
    Manifest(tmp_path, _ASKED)  # with --force
    assert Manifest(tmp_path, _ASKED, ("a.txt",)).entries == {}, "it is the batch's own now"


def test_a_manifest_that_a_crash_cut_short_in_its_first_line_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text('{"task": "classi', encoding="utf-8")
    assert Manifest(tmp_path, _ASKED, ("a.txt",)).entries == {}


@pytest.mark.parametrize("output", ["../a.txt", "/a.txt", "a\0b.txt"])
def test_a_manifest_from_elsewhere_names_no_place_that_cannot_be(tmp_path: Path, output: str) -> None:
    Manifest(tmp_path, _ASKED).add(Entry("a", "0", output))
    assert Manifest(tmp_path, _ASKED).entries == {}


def test_many_runs_that_come_and_go_have_a_folder_one_at_a_time(tmp_path: Path) -> None:
    """The lock's file is taken away at the end of each: that never gives two of them the folder."""
    Manifest(tmp_path, _ASKED)
    inside, most, held = 0, 0, 0

    def come_and_go(_: int) -> None:
        nonlocal inside, most, held
        for _ in range(60):
            with suppress(UsageError), Manifest(tmp_path, _ASKED).alone():
                inside += 1
                most, held = max(most, inside), held + 1
                time.sleep(0.0005)
                inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(come_and_go, range(8)))
    assert (most, held > 8) == (1, True)
