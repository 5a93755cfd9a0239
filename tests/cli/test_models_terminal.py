"""Downloads on a real terminal: a bar that redraws itself, Ctrl-C that pauses, and nothing that steers the terminal."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator

import pytest
from command_line import CommandLine

from tests.loopback_hub import Fault, Hub

if sys.platform == "win32":
    pytest.skip("Windows has no pseudo-terminals of this kind", allow_module_level=True)

from terminal import Terminal

NAME = "me-large-q4_k_m"
CLEARED = "\x1b[2K"


@pytest.fixture
def hub(edgellm: CommandLine) -> Iterator[Hub]:
    """A slow hub that the program is set to."""
    data = b"GGUF" + random.Random(1).randbytes(4_000_000)
    slow = Fault("slow", times=-1, path="large", seconds=0.01)
    parts = {f"large-{number:05}-of-00003.gguf": data[number:] for number in (1, 2, 3)}
    with Hub(repos={"me/large-GGUF": {"large-Q4_K_M.gguf": data}, "me/set": parts}, faults=[slow]) as hub:
        edgellm.settings(mirror=hub.endpoint)
        yield hub


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    """Terminals to close at the end, whatever happens."""
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.close()


def test_a_bar_shows_how_far_it_is_and_ctrl_c_pauses(edgellm: CommandLine, hub: Hub, terminals: list[Terminal]) -> None:
    terminal = Terminal(edgellm, "models", "pull", "me/large-GGUF", kind="xterm")
    terminals.append(terminal)
    terminal.wait_for("license")
    terminal.wait_for(CLEARED)
    terminal.wait_for(f"{NAME} ")
    terminal.wait_for("% of 4.0 MB ")
    terminal.wait_for("B/s, ")
    terminal.wait_for(" left")
    terminal.type("\x03")
    terminal.wait_for(f"{NAME} is paused at ")
    rest = terminal.rest()
    assert f"edgellm models pull {NAME}" in rest
    assert CLEARED not in rest, "the bar is gone"
    assert terminal.process.returncode == 130


def test_each_file_has_its_bar(edgellm: CommandLine, hub: Hub, terminals: list[Terminal]) -> None:
    terminal = Terminal(edgellm, "models", "pull", "me/set", kind="xterm")
    terminals.append(terminal)
    terminal.wait_for("% of 12.0 MB ")
    for number in (1, 2, 3):
        terminal.wait_for(f"large-{number:05}-of-00003.gguf ")
    terminal.type("\x03")
    assert "me-set is paused at " in terminal.rest()


@pytest.mark.parametrize("arguments", [("--quiet",), ("--json",)])
def test_no_bar_when_it_is_not_wanted(
    edgellm: CommandLine, hub: Hub, terminals: list[Terminal], arguments: tuple[str, ...]
) -> None:
    hub.faults.clear()
    terminal = Terminal(edgellm, "models", "pull", "me/large-GGUF", *arguments, kind="xterm")
    terminals.append(terminal)
    seen = terminal.rest()
    assert NAME in seen
    assert "\x1b" not in seen


def test_a_terminal_that_cannot_redraw_gets_lines(edgellm: CommandLine, hub: Hub, terminals: list[Terminal]) -> None:
    hub.faults.insert(0, Fault("503", path="large"))
    terminal = Terminal(edgellm, "models", "pull", "me/large-GGUF", kind="dumb")
    terminals.append(terminal)
    seen = terminal.rest()
    assert "\x1b" not in seen
    assert f"Installed {NAME}" in seen


def test_a_catalog_cannot_steer_the_terminal(edgellm: CommandLine, terminals: list[Terminal]) -> None:
    (edgellm.home / "models.toml").write_text(
        'schema = 1\n[[model]]\nname = "evil-q8"\ntitle = "A\\u001b]0;title\\u0007B"\nsummary = "C\\u001b[2JD"\n'
        'repo = "me/evil"\nlicense = "MIT"\ntasks = ["chat"]\nformat = "gguf"\nconfirmed = "high"\n'
        '[[model.file]]\npath = "evil.gguf"\nsize = 10\n'
    )
    for arguments in (("list", "--all", "--why"), ("details", "evil-q8"), ("search", "--catalog", "evil")):
        terminal = Terminal(edgellm, "models", *arguments, kind="xterm")
        terminals.append(terminal)
        seen = terminal.rest()
        assert "evil" in seen
        assert "\x1b" not in seen


def test_a_token_is_typed_unseen(edgellm: CommandLine, terminals: list[Terminal]) -> None:
    terminal = Terminal(edgellm, "models", "token", "--set")
    terminals.append(terminal)
    terminal.wait_for("Token for huggingface.co: ")
    terminal.type("hf_secret\n")
    rest = terminal.rest()
    assert "The token for huggingface.co is kept." in rest
    assert "hf_secret" not in rest
