"""Starting: what is imported, what is said when something is wrong, and every exit status."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command_line import CommandLine

from edgellm import __version__
from edgellm.cli.commands import COMMANDS

HEAVY = "PySide6 llama_cpp torch transformers onnxruntime numpy apsw py3langid sentencex pyqtgraph".split()


def imported(edgellm: CommandLine, *arguments: str) -> set[str]:
    code = "import sys; from edgellm.cli.main import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=edgellm.environment, capture_output=True, check=True, text=True
    )
    return {name.split(".")[0] for name in ran.stderr.split()}


def test_the_version_imports_nothing_heavy(edgellm: CommandLine) -> None:
    assert edgellm("--version").out == f"EdgeLLM {__version__}\n"
    found = imported(edgellm, "--version")
    assert not found & {*HEAVY, "argparse", "json", "logging"}


def test_help_imports_no_model_library_and_names_every_command(edgellm: CommandLine) -> None:
    out = edgellm("--help").out
    assert all(f"  {command.name} " in out for command in COMMANDS)
    assert not imported(edgellm, "--help") & {*HEAVY}


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_every_command_has_help(name: str) -> None:
    command = next(command for command in COMMANDS if command.name == name)
    assert command.help in command.parser().format_help().replace("\n", " ").replace("  ", " ")


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (("sumarize", "x"), "no command sumarize", "Did you mean summarize?"),
        (("--vresion",), "no option --vresion", ""),
        (("summarize", "--kye-sentences", "1", "x"), "no option --kye-sentences", "--key-sentences"),
        (("translate", "hello"), "--to", "edgellm translate --help"),
        (("translate", "--to", "frensh", "hello"), "no language called frensh", "French (fr)"),
        (("generate", "--device", "gup", "x"), "'gup'", "Did you mean gpu?"),
        (("generate", "--temperature", "9", "x"), "temperature must be between", ""),
        (("generate", "--seed", "-4", "x"), "less than 0", "generate --help"),
        (("generate", "--threads", "many", "x"), "threads", "generate --help"),
        (("generate", "--schema", "nosuch.json", "x"), "nosuch.json", ""),
        (("classify", "--labels", "one", "x"), "two different labels", "--labels"),
        (("generate", ""), "empty", ""),
        (("summarize", "   ", "--key-sentences", "2"), "empty", ""),
        (("ask", "", "a.txt"), "no question", ""),
        (("completion", "tcsh"), "'tcsh'", "bash"),
    ],
)
def test_wrong_usage_is_a_sentence_and_a_hint_with_status_2(
    edgellm: CommandLine, arguments: tuple[str, ...], error: str, hint: str
) -> None:
    ran = edgellm(*arguments, status=2)
    assert ran.out == ""
    first, *rest = ran.err.splitlines()
    assert first.startswith("error: ")
    assert error in first
    assert hint in "".join(rest)


def test_nothing_on_standard_input_is_wrong_usage(edgellm: CommandLine) -> None:
    assert "empty" in edgellm("generate", given="", status=2).err


def test_an_unknown_model_is_an_error_that_names_the_command(edgellm: CommandLine) -> None:
    ran = edgellm("generate", "--model", "nosuch", "x", status=1)
    assert "nosuch" in ran.err
    assert "edgellm models" in ran.err


@pytest.mark.skipif(sys.platform == "win32", reason="arguments there are characters already")
@pytest.mark.parametrize(
    "arguments",
    [
        ("summarize", "--key-sentences", "1", "Il est au caf\udce9. Il lit."),
        ("ask", "--passages", "Where is the caf\udce9?", "notes.txt"),
        ("classify", "--labels", "caf\udce9,bar", "--system", "\udcff", "--stop", "\udcff", "It is a bar."),
    ],
)
def test_bytes_of_another_encoding_in_an_argument_are_no_bug(edgellm: CommandLine, arguments: tuple[str, ...]) -> None:
    (edgellm.home / "notes.txt").write_text("The café is in the park. The bar is closed.")
    model = edgellm.script(reply='"bar"')
    ran = edgellm(arguments[0], "--model", model, *arguments[1:])
    assert ran.out.strip()


def test_numbers_of_any_size_are_no_bug(edgellm: CommandLine) -> None:
    large = "9" * 30
    assert edgellm("generate", "--model", edgellm.script(reply="Yes."), "--seed", large, "x").out == "Yes.\n"
    assert "no longer there" in edgellm("chat", "--chat", large, "x", status=1).err


def test_an_error_is_also_an_object_for_programs(edgellm: CommandLine) -> None:
    found = edgellm("generate", "--json", "--model", "nosuch", "x", status=1).object
    assert found["kind"] == "ModelNotFound"
    assert found["error"]
    assert found["hint"]


def test_without_a_display_the_window_is_refused_with_a_way_out(edgellm: CommandLine) -> None:
    if sys.platform in ("win32", "darwin"):
        pytest.skip("these systems always have a display")
    ran = edgellm(status=1)
    assert "display" in ran.err
    assert "edgellm chat" in ran.err


def test_a_bug_keeps_its_traceback_in_the_log_and_out_of_sight(edgellm: CommandLine, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom edgellm.cli import launch, session\n"
        "def broken(self):\n    raise ZeroDivisionError('secret')\n"
        "session.Session.generator = broken\nsys.exit(launch.launch(['generate', 'x']))"
    )
    ran = subprocess.run([sys.executable, "-c", code], env=edgellm.environment, capture_output=True, text=True)
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert "cli.log" in ran.stderr
    logged = (tmp_path / "logs" / "cli.log").read_text()
    assert "ZeroDivisionError" in logged
    assert "in _guarded" in logged, "the traceback is not there"
    assert "secret" not in logged


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("arguments", [("models",), ("models", "--json"), ("completion", "bash"), ("--version",)])
def test_output_that_cannot_be_written_is_a_sentence(edgellm: CommandLine, arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(edgellm.line(*arguments), env=edgellm.environment, stdout=full, stderr=subprocess.PIPE)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[0] == b"error: The output cannot be written: No space left on device."


@pytest.mark.skipif(sys.platform == "win32", reason="closes a descriptor as a shell of Unix does")
def test_a_closed_standard_input_is_a_sentence(edgellm: CommandLine) -> None:
    command = ["/bin/sh", "-c", 'exec "$@" <&-', "sh", *edgellm.line("summarize", "--key-sentences", "1", "-")]
    ran = subprocess.run(command, env=edgellm.environment, capture_output=True, text=True)
    assert ran.returncode == 2
    assert ran.stderr.startswith("error: There is no standard input.")


def test_a_reader_that_has_enough_is_no_error(edgellm: CommandLine) -> None:
    model = edgellm.script(reply="a line of text that is long enough\n", repeat=5_000, context=1_000_000)
    with edgellm.start("generate", "--model", model, "x") as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline().startswith(b"a line")
        running.stdout.close()
        assert running.wait(60) == 0
        assert running.stderr.read() == b""
