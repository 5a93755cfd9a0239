"""The actions of `edgellm models`: found by name, near names offered, help and completion as for the other commands."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from command_line import CommandLine

from edgellm.cli import completion
from edgellm.cli.commands import ALIASES, COMMANDS, DOCUMENTS, LABELS, MODELS, find
from edgellm.cli.reference import reference
from edgellm.errors import UsageError


@pytest.mark.parametrize("command", MODELS, ids=lambda command: command.word)
def test_every_action_has_help_and_a_section(command: object) -> None:
    assert isinstance(command, type(MODELS[0]))
    text = " ".join(command.parser().format_help().split())
    assert command.help in text
    assert f"usage: edgellm {command.name}" in text
    assert "--json" in text
    assert f"### edgellm {command.name}\n" in reference()


def test_the_help_of_the_group_names_every_action(edgellm: CommandLine) -> None:
    for words in (("models", "--help"), ("models", "help"), ("models", "-h")):
        out = edgellm(*words).out
        assert all(f"  {command.word} " in out and command.help in out for command in MODELS)


@pytest.mark.parametrize(
    ("words", "name", "rest"),
    [
        (["models"], "models list", []),
        (["models", "--json"], "models list", ["--json"]),
        (["models", "pull", "x", "--online"], "models pull", ["x", "--online"]),
        (["models", "resume", "x"], "models pull", ["x"]),
        (["models", "rm", "x"], "models remove", ["x"]),
        (["answer", "x"], "ask", ["x"]),
    ],
)
def test_words_find_their_command(words: list[str], name: str, rest: list[str]) -> None:
    command, left = find(words)
    assert (command.name, left) == (name, rest)


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (["models", "pul"], "no command models pul", "Did you mean pull?"),
        (["models", "verfy", "x"], "models verfy", "Did you mean verify?"),
        (["models", "zzz"], "models zzz", "list, search"),
        (["pull", "x"], "no command pull", "Did you mean models pull?"),
        (["modls"], "no command modls", "Did you mean models?"),
    ],
)
def test_a_wrong_word_names_the_nearest(words: list[str], error: str, hint: str) -> None:
    with pytest.raises(UsageError, match=error) as raised:
        find(words)
    assert hint in raised.value.hint


def test_every_alias_leads_to_a_command() -> None:
    names = {command.name for command in (*COMMANDS, *DOCUMENTS, *LABELS, *MODELS)}
    assert set(ALIASES.values()) <= names
    assert not set(ALIASES) & names


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("models", "pull"), "edgellm models pull --help"),
        (("models", "pull", "--onlin", "x"), "--online"),
        (("models", "pull", "x", "y"), "'y' is one word too many"),
        (("models", "list", "--task", "chatt"), "Did you mean chat?"),
        (("models", "bundle", "starter"), "edgellm models bundle --help"),
        (("models", "import", "--link", "--copy", "x"), "edgellm models import --help"),
        (("models", "list", "--context", "-5"), ""),
    ],
)
def test_wrong_usage_has_status_2(edgellm: CommandLine, arguments: tuple[str, ...], hint: str) -> None:
    ran = edgellm(*arguments, status=2)
    assert ran.out == ""
    assert ran.err.startswith("error: ")
    assert hint in ran.err


def test_every_command_of_the_readme_can_be_typed() -> None:
    text = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    lines = [line.split("  ")[0] for line in text.splitlines() if line.startswith("edgellm models ")]
    assert len(lines) >= 7
    for line in lines:
        command, rest = find(shlex.split(line)[1:])
        command.parser().parse(rest)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["models", "pa"], ["pause"]),
        (["models", "--av"], ["--available"]),
        (["models", "--json", "--av"], ["--available"]),
        (["models", "pull", "--dry"], ["--dry-run"]),
        (["models", "pull", "pau"], []),
        (["models", "import", "mod"], ["model.gguf"]),
        (["models", "list", "--task", "tr"], ["translate"]),
        (["models", "share", "--la"], ["--lan"]),
        (["modelsx", "pa"], []),
    ],
)
def test_bash_completes_actions_and_their_options(words: list[str], expected: list[str], tmp_path: Path) -> None:
    program = shutil.which("bash")
    if program is None:
        pytest.skip("there is no bash here")
    (tmp_path / "model.gguf").touch()
    quoted = " ".join(f"'{word}'" for word in ["edgellm", *words])
    code = (
        f"{completion.bash(completion.read_commands())}\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words)}\n_edgellm\n"
        + 'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    ran = subprocess.run([program, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert sorted(ran.stdout.split()) == sorted(expected)
