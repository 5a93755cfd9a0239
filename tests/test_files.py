"""Small files are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgellm import files


def test_writes_into_new_folders_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.toml"
    for text in ("é = 1\n", "b = 2\r\n"):
        files.write(path, text)
        assert path.read_bytes() == text.encode()
    assert [file.name for file in path.parent.iterdir()] == ["a.toml"]


def test_a_write_that_fails_keeps_the_old_file_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.toml"
    files.write(path, "old")
    with pytest.raises(UnicodeEncodeError):
        files.write(path, "half \udce9")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write(path, "new")
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.toml"]


def test_a_block_that_fails_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    files.write(path, "old")

    def half(stopped: BaseException) -> None:
        with files.replacing(path) as stream:
            stream.write(b"half of it")
            raise stopped

    for stopped in (ValueError("no"), KeyboardInterrupt()):
        with pytest.raises(type(stopped)):
            half(stopped)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]
    assert path.stat().st_mode & 0o077 == 0
