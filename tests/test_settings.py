"""Tests of the settings file: every broken file gives defaults, a backup and one notice."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from edgellm import settings
from edgellm.errors import SettingsError, StorageError
from edgellm.settings import Settings


def test_missing_and_empty_give_defaults_without_a_notice(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    assert settings.load(path) == (Settings(), "")
    path.write_text("")
    assert settings.load(path) == (Settings(), "")


def test_round_trip_keeps_comments_and_unknown_keys(tmp_path: Path) -> None:
    path = tmp_path / "new" / "settings.toml"
    settings.save(path, Settings(context=2048, offline=False))
    path.write_text("# mine\nfuture = 3\n" + path.read_text())
    loaded, notice = settings.load(path)
    assert (loaded.context, loaded.offline) == (2048, False)
    assert "'future'" in notice and notice.count(".") == 1
    settings.save(path, settings.changed(loaded, threads=3))
    text = path.read_text()
    assert "# mine" in text and "future = 3" in text and "threads = 3" in text and "theme" not in text
    assert [file.name for file in path.parent.iterdir()] == ["settings.toml"]


@pytest.mark.parametrize(
    "content", [b"context = ", b"\xff\xfe\x00", b"[[[[", b"a = " + b"[" * 5000, b"x = 1\nx = 2", b"#" * 1_000_001]
)
def test_broken_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    loaded, notice = settings.load(path)
    assert loaded == Settings() and "damaged" in notice
    assert (tmp_path / "settings.toml.backup").read_bytes() == content
    assert settings.load(path) == (Settings(), "")


@pytest.mark.parametrize(
    "line",
    [
        'context = "big"',
        "context = -1",
        "threads = 1.5",
        "threads = true",
        "temperature = nan",
        "temperature = 9",
        'device = "toaster"',
        'proxy = "ftp://x"',
        "model = 3",
        "offline = 0",
        "context = 99999999999999999999999",
        "[context]\nx = 1",
    ],
)
def test_a_bad_value_costs_only_itself(tmp_path: Path, line: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(f'theme = "dark"\n{line}\n')
    loaded, notice = settings.load(path)
    assert loaded == Settings(theme="dark")
    assert "could not be used" in notice and "settings.toml.backup" in notice
    assert settings.load(path) == (Settings(theme="dark"), "")


def test_renamed_keys(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("n_ctx = 1024\n")
    loaded, notice = settings.load(path)
    assert loaded.context == 1024 and not notice
    settings.save(path, loaded)
    assert path.read_text().strip() == "context = 1024"


def test_random_damage_never_fails(tmp_path: Path) -> None:
    rng, path = random.Random(1), tmp_path / "settings.toml"
    whole = b'context = 4096\ntheme = "dark"\nproxy = "http://127.0.0.1:1"\noffline = false\n'
    for _ in range(100):
        damaged = bytearray(whole[: rng.randrange(len(whole))])
        for _ in range(3):
            if damaged:
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        path.write_bytes(bytes(damaged))
        assert isinstance(settings.load(path)[0], Settings)


def test_changed_checks() -> None:
    assert settings.changed(Settings(), temperature=1).temperature == 1
    with pytest.raises(SettingsError, match="between"):
        settings.changed(Settings(), context=-5)
    with pytest.raises(SettingsError, match="no setting"):
        settings.changed(Settings(), contxt=5)


def test_save_names_the_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="could not be saved"):
        settings.save(tmp_path / "file" / "settings.toml", Settings())


def test_a_name_that_is_no_text_is_said(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    with pytest.raises(StorageError, match="no characters"):
        settings.save(path, Settings(model="caf\udce9.gguf"))
    assert list(tmp_path.iterdir()) == []


def test_reference_lists_every_setting() -> None:
    text = settings.reference()
    for name in Settings.__dataclass_fields__:
        assert f"| `{name}` |" in text
    assert "`true`" in text and "n_ctx" not in text
