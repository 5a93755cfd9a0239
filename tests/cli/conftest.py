"""A command line with a home of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import CommandLine


@pytest.fixture
def edgellm(tmp_path: Path) -> CommandLine:
    """The program, as a person would run it."""
    return CommandLine(tmp_path)
