"""Every task from the command line, over a scripted model in a real engine process."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from command_line import CommandLine

STARTER = "EdgeLLM starter"


def test_generate_prints_the_text_alone(edgellm: CommandLine) -> None:
    ran = edgellm("generate", "--model", edgellm.script(reply="Once upon a time."), "Write", "a", "story")
    assert ran.out == "Once upon a time.\n"
    assert ran.err == ""


def test_the_object_holds_text_facts_device_and_reason(edgellm: CommandLine) -> None:
    model = edgellm.script(reply="one two three four")
    found = edgellm("generate", "--json", "--model", model, "--max-tokens", "2", given="Write").object
    assert found["text"] == "one two"
    assert found["facts"]["reason"] == "length"
    assert found["facts"]["new_tokens"] == 2
    assert found["device"] == "cpu"
    assert found["reason"]
    assert any("--max-tokens" in note for note in found["notes"])


def test_stop_strings_reach_the_engine(edgellm: CommandLine) -> None:
    model = edgellm.script(reply="one two three")
    assert edgellm("generate", "--model", model, "--stop", " three", "x").out == "one two\n"


def test_translate_reads_a_file_and_finds_its_language(edgellm: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "brief.txt").write_text("Où est la gare, s'il vous plaît ?", encoding="utf-8")
    model = edgellm.script(replies={"Translate from French to German:": "Wo ist der Bahnhof, bitte?"})
    found = edgellm("translate", "--to", "German", "brief.txt", "--json", "--model", model).object
    assert found["text"] == "Wo ist der Bahnhof, bitte?"
    assert (found["source"], found["target"], found["pivot"]) == ("fr", "de", "")
    assert found["confidence"] > 0.5


def test_ask_quotes_the_sentence_with_its_file_and_place(edgellm: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("It is cold today.\n", encoding="utf-8")
    text = "Anna has a dog. The key is on the table.\n"
    (tmp_path / "b.txt").write_text(text, encoding="utf-8")
    model = edgellm.script(reply="on the table")
    found = edgellm("ask", "Where is the key?", "a.txt", "b.txt", "--json", "--model", model).object
    quote = found["quote"]
    assert (found["text"], found["said"]) == ("on the table", True)
    assert quote["file"] == "b.txt"
    assert text[quote["start"] : quote["end"]] == quote["text"] == "The key is on the table."
    plain = edgellm("ask", "--model", model, "Where is the key?", "a.txt", "b.txt").out
    assert plain == "on the table\n“The key is on the table.” (b.txt, characters 16-40)\n"


def test_passages_need_no_model(edgellm: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Anna has a dog. Paul has a cat.", encoding="utf-8")
    model = edgellm.script(faults=[{"at": "load", "kind": "abort"}])
    ran = edgellm("ask", "Who has a cat?", "--passages", "a.txt", "--model", model)
    assert ran.out == "“Paul has a cat.” (a.txt, characters 16-31)\n"
    assert edgellm("ask", "Where is the volcano?", "--passages", "a.txt").out.startswith("No passage is near")


def test_key_sentences_need_no_model(edgellm: CommandLine) -> None:
    text = "The library is new. The library has books. My shoes are brown. The books of the library are old."
    found = edgellm("summarize", "--key-sentences", "2", "--json", given=text).object
    assert [text[one["start"] : one["end"]] == one["text"] for one in found["sentences"]] == [True, True]
    assert found["device"] == "none"
    both = edgellm("summarize", "--key-sentences", "2", "--length", "long", given=text, status=2)
    assert "Leave out --length" in both.err


def test_classify_takes_one_file_and_says_what_takes_many(edgellm: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("I have a job.")
    (tmp_path / "b.txt").write_text("I have a garden.")
    ran = edgellm("classify", "--labels", "home,work", "a.txt", "b.txt", status=2)
    assert "Only one file" in ran.err
    assert "edgellm batch" in ran.err
    assert (
        "Only one file" in edgellm.here("classify", "--labels", "home,work", "a.txt", "--file", "b.txt", status=2).err
    )
    assert edgellm.here("classify", "--labels", "home,work", "I", "have", "a.txt").out.strip() in ("home", "work")


def test_classify_prints_one_label(edgellm: CommandLine) -> None:
    model = edgellm.script(reply='"work"')
    assert edgellm("classify", "--labels", "home, work", "--model", model, "I have a job.").out == "work\n"


def test_the_small_model_is_named_once_on_standard_error(edgellm: CommandLine) -> None:
    model = edgellm.script(name=STARTER, reply="Hello.")
    ran = edgellm("generate", "--model", model, "x")
    assert ran.out == "Hello.\n"
    assert ran.err.count("larger model") == 1
    assert edgellm("generate", "--quiet", "--model", model, "x").err == ""


def test_no_prompt_and_no_answer_is_kept_outside_the_chats(edgellm: CommandLine, tmp_path: Path) -> None:
    model = edgellm.script(reply="one CANARY two", faults=[{"at": "generate", "after": 3, "kind": "abort"}])
    edgellm("generate", "--model", model, "A secret CANARY", status=1)
    edgellm("chat", "--model", model, "A secret CANARY", status=1)
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and path.name[:8] != "chats.db"]
    assert {"machine.toml", "engine.log", "cli.log"} <= {path.name for path in kept}
    assert any(path.parent.name == "crash" for path in kept)
    leaks = [path.name for path in kept if b"CANARY" in path.read_bytes() and path != Path(model)]
    assert leaks == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_keeps_the_text_and_ends_the_engine(edgellm: CommandLine, as_json: bool) -> None:
    begun = {"at": "generate", "after": 5, "kind": "chatter", "once": True}  # leaves a file when it happens
    model = edgellm.script(reply="word ", repeat=3_000, seconds_per_token=0.02, faults=[begun])
    running = edgellm.start("generate", "--model", model, *(["--json"] if as_json else []), "x")
    engine = _engine_of(running)
    _wait_for(lambda: Path(f"{model}.0.done").exists())
    running.send_signal(signal.SIGINT)
    out = running.communicate(timeout=60)[0]
    assert running.returncode == 130
    assert b"word word" in out
    assert out.count(b"word") < 2_900
    psutil.wait_procs([engine], timeout=5)
    assert not engine.is_running()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_ctrl_c_while_the_model_loads(edgellm: CommandLine) -> None:
    running = edgellm.start("generate", "--model", edgellm.script(load_seconds=60), "x")
    engine = _engine_of(running)
    time.sleep(0.3)
    running.send_signal(signal.SIGINT)
    said = running.communicate(timeout=60)[1]
    assert running.returncode == 130, said
    psutil.wait_procs([engine], timeout=5)
    assert not engine.is_running()


def test_an_engine_that_dies_leaves_the_text_and_says_why(edgellm: CommandLine) -> None:
    model = edgellm.script(
        reply="one two three four", seconds_per_token=0.2, faults=[{"at": "generate", "after": 2, "kind": "abort"}]
    )
    ran = edgellm("generate", "--model", model, "x", status=1)
    assert ran.out.startswith("one two")
    assert ran.err.startswith("error: ")


def _wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert happened()


def _engine_of(running: subprocess.Popen[bytes]) -> psutil.Process:
    """The engine process that the program has started."""
    program = psutil.Process(running.pid)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for child in program.children():
            if "edgellm.engine.host" in " ".join(child.cmdline()):
                return child
        time.sleep(0.05)
    raise AssertionError("the program started no engine")


def test_a_model_too_large_names_the_option_that_loads_it_anyway(edgellm: CommandLine) -> None:
    model = edgellm.script(reply="Yes.", faults=[{"at": "load", "kind": "error", "error": "ModelTooLarge"}])
    refused = edgellm("generate", "--model", model, "x", status=1).err
    assert "--anyway" in refused
    assert "--anyway" not in edgellm("generate", "--anyway", "--model", model, "x", status=1).err


def test_layers_and_cache_are_options(edgellm: CommandLine) -> None:
    model = edgellm.script(reply="Yes.")
    assert edgellm("generate", "--gpu-layers", "0", "--kv-type", "q8_0", "--model", model, "x").out == "Yes.\n"
    assert "gpu_layers" in edgellm("generate", "--gpu-layers", "-2", "--model", model, "x", status=2).err


def test_a_text_of_any_length_is_summarized_whole(edgellm: CommandLine, tmp_path: Path) -> None:
    text = "\n\n".join(f"Chapter {number} has a fox in it. It runs." for number in range(200))
    (tmp_path / "book.txt").write_text(text, encoding="utf-8")
    model = edgellm.script(reply="A fox runs.", context=256)
    found = edgellm("summarize", "book.txt", "--json", "--model", model).object
    assert found["text"] == "A fox runs."
    assert len(found["points"]) == found["sections"] > 10
    assert f"{found['sections']} of {found['sections']} sections of the text were read." in found["notes"]
    stretches = " ".join(text[point["start"] : point["end"]] for point in found["points"])
    assert stretches.split() == text.split()
    listed = edgellm("summarize", "book.txt", "--style", "points", "--model", model)
    assert listed.out == "- A fox runs.\n" * found["sections"]
