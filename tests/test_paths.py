"""Tests of the folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgellm import paths


def test_home_override_holds_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGELLM_HOME", str(tmp_path))
    found = paths.from_environment()
    assert paths.home() == tmp_path
    assert found.settings == tmp_path / "settings.toml"
    for name in paths.Paths.__dataclass_fields__:
        assert getattr(found, name).is_relative_to(tmp_path)


def test_relative_home_becomes_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGELLM_HOME", "here")
    assert paths.home() == Path.cwd() / "here"


def test_platform_folders_without_override(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGELLM_HOME", raising=False)
    found = paths.from_environment()
    assert found.chats_db.is_absolute() and "edgellm" in str(found.chats_db).lower()


def test_shipped_files_beside_the_package() -> None:
    repo = Path(__file__).resolve().parent.parent
    assert paths.assets_dir() == repo / "assets"
    assert paths.catalog_file() == repo / "models.toml"
    assert paths.starter_model() == repo / "assets" / "starter" / "starter.gguf"


def test_shipped_files_inside_a_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "_data" / "assets").mkdir(parents=True)
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path)
    assert paths.assets_dir() == tmp_path / "_data" / "assets"
