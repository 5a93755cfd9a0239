"""Promises about the repository's own files: one test command everywhere, and no trace of the machine it came from."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FOREIGN = re.compile(
    r"/(?:root|work|home/\w+)/"  # folders of one machine
    r"|\b(?:pypi|pythonhosted|npmjs)\.(?:org|com)\b"  # package registries
)


def _texts() -> list[tuple[str, str]]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = []
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.is_file() and path != Path(__file__):
            data = path.read_bytes()
            if b"\0" not in data[:8000]:
                found.append((name, data.decode("utf-8")))
    return found


def test_the_readme_and_the_checks_of_a_submission_run_the_same_command() -> None:
    command = "python3 bootstrap.py test"
    assert f"\n{command} " in (ROOT / "README.md").read_text(encoding="utf-8")
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").rstrip().endswith(f"exec {command}")


def test_no_file_names_a_folder_of_one_machine_or_a_registry() -> None:
    texts = _texts()
    assert len(texts) > 50
    assert [(name, found.group()) for name, text in texts if (found := _FOREIGN.search(text))] == []


def test_what_is_kept_out_is_ignored() -> None:
    for name in (".venv/x", "edgellm/__pycache__/x.pyc", "build/x", "dist/x.whl", "starter/runs/x.pt", ".mypy_cache/x"):
        done = subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT, check=False)
        assert done.returncode == 0, name
