"""`edgellm models`: what is installed and where."""

from __future__ import annotations

from pathlib import Path

from command_line import CommandLine


def test_models_are_listed_with_their_size_and_place(edgellm: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "models" / "big").mkdir(parents=True)
    path = tmp_path / "models" / "big" / "one.gguf"
    path.write_bytes(b"GGUF" * 500_000)
    out = edgellm("models").out
    assert any(
        line.startswith("big/one ") and "2.0 MB" in line and line.endswith(str(path)) for line in out.splitlines()
    )
    found = edgellm("models", "--json").object
    assert {"name": "big/one", "path": str(path), "size": 2_000_000, "builtin": False} in found["models"]
    assert found["folder"] == str(tmp_path / "models")


def test_where_is_the_folder_alone(edgellm: CommandLine, tmp_path: Path) -> None:
    assert edgellm("models", "where").out == f"{tmp_path / 'models'}\n"


def test_a_misspelled_action_names_the_nearest(edgellm: CommandLine) -> None:
    assert "where" in edgellm("models", "wheer", status=2).err
