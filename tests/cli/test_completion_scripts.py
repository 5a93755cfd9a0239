"""The completion scripts are valid in their shells and complete what the parsers know."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from edgellm.cli import completion
from edgellm.cli.commands import COMMANDS


def script(shell: str) -> str:
    return completion.SHELLS[shell](completion.read_commands())


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_every_command_and_option_is_in_the_script(shell: str) -> None:
    text = script(shell)
    assert all(command.name in text for command in COMMANDS)
    for name in ("key-sentences", "passages", "labels", "max-tokens"):
        assert name in text


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_the_shell_accepts_the_script(shell: str, tmp_path: Path) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"there is no {shell} here")
    path = tmp_path / "script"
    path.write_text(script(shell), encoding="utf-8")
    subprocess.run([program, "-n", str(path)], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["tra"], ["translate"]),
        (["summarize", "--key"], ["--key-sentences"]),
        (["translate", "--to", "f"], ["fr", "fa", "fi"]),
        (["generate", "--device", "cu"], ["cuda"]),
        (["models", "wh"], ["where"]),
        (["ask", "note"], ["notes.txt"]),
    ],
)
def test_bash_completes(words: list[str], expected: list[str], tmp_path: Path) -> None:
    program = shutil.which("bash")
    if program is None:
        pytest.skip("there is no bash here")
    (tmp_path / "notes.txt").touch()
    line = ["edgellm", *words]
    quoted = " ".join(f"'{word}'" for word in line)
    code = (
        f"{script('bash')}\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words)}\n_edgellm\n"
        + 'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    ran = subprocess.run([program, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert sorted(ran.stdout.split()) == sorted(expected)
