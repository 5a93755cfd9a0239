"""Tests of `machine.toml`: one table for each writer, whole or not at all, in turns."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from filelock import FileLock

from edgellm.hardware import machine_file

_COUNT = """
import sys
from pathlib import Path
from edgellm.hardware import machine_file
for _ in range(20):
    machine_file.update(Path(sys.argv[1]), sys.argv[2], lambda old: {"count": old.get("count", 0) + 1})
"""


def test_a_table_is_replaced_and_the_rest_is_left(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "machine.toml"
    assert machine_file.read(path, "speed") == {}
    assert machine_file.update(path, "speed", lambda old: {"seen": old, "list": [{"a": 1.5}, {"a": 2.5}]})
    assert machine_file.update(path, "engine", lambda _old: {"x": 1})
    assert machine_file.update(path, "speed", lambda old: {"list": old["list"][:1]})
    assert tomllib.loads(path.read_text()) == {"engine": {"x": 1}, "speed": {"list": [{"a": 1.5}]}}


def test_nothing_is_written_when_there_is_nothing_to_change(tmp_path: Path) -> None:
    path = tmp_path / "machine.toml"
    assert machine_file.update(path, "speed", lambda _old: None)
    assert not path.exists()


@pytest.mark.parametrize("broken", [b"[[[", b"\xff\xfe", b"speed = 3", b"", b"x" * 2_000_000, b"a=[" * 100_000])
def test_a_damaged_file_is_empty_and_written_anew(tmp_path: Path, broken: bytes) -> None:
    path = tmp_path / "machine.toml"
    path.write_bytes(broken)
    assert machine_file.read(path, "speed") == {}
    assert machine_file.update(path, "speed", lambda old: {"was": len(old)})
    assert machine_file.read(path, "speed") == {"was": 0}


def test_what_cannot_be_written_is_said_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "machine.toml"
    machine_file.update(path, "speed", lambda _old: {"a": 1})
    assert not machine_file.update(path, "speed", lambda _old: {"a": "\ud800"})
    (tmp_path / "file").write_text("")
    assert not machine_file.update(tmp_path / "file" / "machine.toml", "speed", lambda _old: {"a": 1})
    assert machine_file.read(path, "speed") == {"a": 1}


def test_programs_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "machine.toml"
    tables = ("speed", "speed", "engine")
    children = [subprocess.Popen([sys.executable, "-c", _COUNT, str(path), table]) for table in tables]
    assert [child.wait(60) for child in children] == [0, 0, 0]
    assert machine_file.read(path, "speed") == {"count": 40}
    assert machine_file.read(path, "engine") == {"count": 20}


def test_one_that_never_lets_go_holds_nobody_up_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "machine.toml"
    with FileLock(tmp_path / ".machine.toml.lock"):
        assert machine_file.update(path, "speed", lambda _old: {"a": 1})
    assert machine_file.read(path, "speed") == {"a": 1}
