"""The reference in the documentation is what the parsers say."""

from __future__ import annotations

import ast
from pathlib import Path

from edgellm.cli.commands import COMMANDS
from edgellm.cli.reference import reference

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "cli.md"


def test_the_document_is_current() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == reference(), "Run: python -m edgellm.cli.reference docs/cli.md"


def test_every_command_has_its_section() -> None:
    text = reference()
    for command in COMMANDS:
        assert f"## edgellm {command.name}\n" in text


def test_only_one_module_prints() -> None:
    package = Path(__file__).resolve().parents[2] / "edgellm"
    found = {path.name for path in package.rglob("*.py") if _prints(ast.parse(path.read_text(encoding="utf-8")))}
    assert found == {"output.py"}


def _prints(tree: ast.AST) -> bool:
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return any(isinstance(function, ast.Name) and function.id == "print" for function in calls)
