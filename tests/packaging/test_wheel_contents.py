"""What the wheel carries: the package, the catalog, the assets, and nothing else of the repository."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, built without a network by the installed build backend."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_carries_the_catalog_and_every_asset(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        assert archive.read("edgellm/_data/models.toml") == (ROOT / "models.toml").read_bytes()
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "assets"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    wanted = {f"edgellm/_data/{name}" for name in tracked if name}
    assert "edgellm/_data/assets/icons/edgellm.svg" in wanted
    assert wanted <= names


def test_the_wheel_carries_every_module_and_nothing_from_beside_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "edgellm").rglob("*.py")}
    assert modules <= set(names)
    assert [name for name in names if not name.startswith("edgellm/")] == []
    assert [name for name in names if name.endswith(".py") and name not in modules] == []


def test_the_wheel_starts_with_edgellm(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (entry_points,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        text = archive.read(entry_points).decode()
    assert "edgellm = edgellm.cli.main:main" in text


def test_every_dependency_is_pinned_and_no_pin_names_a_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines}
    assert [line for line in lines if line.count("==") != 1 or "/" in line or ":" in line or "+" in line] == []
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    for requirement in wanted:
        name = requirement.split(";")[0]
        for mark in ("[", "=", "<", ">", "!", "~"):
            name = name.split(mark)[0]
        assert name.strip().lower().replace("_", "-") in pinned


def test_the_catalog_names_the_built_in_model() -> None:
    catalog = tomllib.loads((ROOT / "models.toml").read_text(encoding="utf-8"))
    (starter,) = [model for model in catalog["model"] if model.get("builtin")]
    assert (starter["name"], starter["file"][0]["path"]) == ("starter", "starter/starter.gguf")
    assert {"license", "tasks", "languages", "format"} <= set(starter)
