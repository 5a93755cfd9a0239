"""On a real terminal: text streams, Ctrl-C stops an answer but no conversation, control characters are held back."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from command_line import CommandLine

if sys.platform == "win32":
    pytest.skip("Windows has no pseudo-terminals of this kind", allow_module_level=True)

from terminal import Terminal

from tests import tiny_onnx


@pytest.fixture
def terminals(edgellm: CommandLine) -> Iterator[list[Terminal]]:
    """Terminals to close at the end, whatever happens."""
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.close()


def test_ctrl_c_stops_the_answer_and_the_conversation_goes_on(edgellm: CommandLine, terminals: list[Terminal]) -> None:
    model = edgellm.script(replies={"Again": "Back."}, reply="word ", repeat=3_000, seconds_per_token=0.02)
    terminal = Terminal(edgellm, "chat", "--model", model)
    terminals.append(terminal)
    terminal.wait_for("> ")
    terminal.type("Hi\n")
    terminal.wait_for("word word")
    terminal.type("\x03")
    terminal.wait_for("tokens/s")
    terminal.wait_for("> ")
    terminal.type("Again\n")
    terminal.wait_for("Back.")
    terminal.wait_for("> ")
    terminal.type("/nosuch\n")
    terminal.wait_for("error: There is no command /nosuch")
    terminal.wait_for("> ")
    terminal.type("\x04")
    terminal.rest()
    assert terminal.process.returncode == 0


def test_a_model_that_cannot_chat_is_refused_before_the_first_question(
    edgellm: CommandLine, terminals: list[Terminal]
) -> None:
    terminal = Terminal(edgellm, "chat", "--model", str(tiny_onnx.seq2seq("marian")[0]))
    terminals.append(terminal)
    terminal.wait_for("it cannot chat.")
    assert "> " not in terminal.rest()
    assert terminal.process.returncode == 2


def test_ctrl_c_ends_a_single_command_with_its_text(edgellm: CommandLine, terminals: list[Terminal]) -> None:
    model = edgellm.script(reply="word ", repeat=3_000, seconds_per_token=0.02)
    terminal = Terminal(edgellm, "generate", "--model", model, "x")
    terminals.append(terminal)
    terminal.wait_for("word word")
    terminal.type("\x03")
    terminal.rest()
    assert terminal.process.returncode == 130


def test_a_model_cannot_steer_the_terminal(edgellm: CommandLine, terminals: list[Terminal]) -> None:
    model = edgellm.script(reply="a\x1b]0;title\x07b\u202ec\td")
    terminal = Terminal(edgellm, "generate", "--quiet", "--model", model, "x")
    terminals.append(terminal)
    assert terminal.rest().strip() == "a]0;titlebc\td"


def test_without_text_a_terminal_is_told_what_to_do(edgellm: CommandLine, terminals: list[Terminal]) -> None:
    terminal = Terminal(edgellm, "summarize", "--key-sentences", "1")
    terminals.append(terminal)
    assert "Give a text or a file" in terminal.rest()
    assert terminal.process.returncode == 2


def test_a_question_without_a_file_is_told_of_the_collections(edgellm: CommandLine, terminals: list[Terminal]) -> None:
    terminal = Terminal(edgellm, "ask", "How much is the rent?")
    terminals.append(terminal)
    terminal.wait_for("There is nothing to look in.")
    assert "--documents" in terminal.rest()
