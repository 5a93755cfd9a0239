"""`edgellm batch` on real files and a real engine process: killed in the middle it goes on, and misses nothing."""

from __future__ import annotations

import csv
import json
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "papers"
    (path / "sub").mkdir(parents=True)
    for number in range(30):
        name = f"sub/{number}.txt" if number % 2 else f"{number}.html"
        (path / name).write_text(f"<p>Paper {number} is about foxes.</p>" if number % 2 == 0 else f"Paper {number}.")
    (path / "bad.pdf").write_bytes(b"%PDF-1.7\nnothing of it is whole")
    return path


def entries(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "manifest.jsonl").read_text(encoding="utf-8").splitlines()[1:] if line]


def test_killed_again_and_again_it_does_every_file_once(edgellm: CommandLine, folder: Path, tmp_path: Path) -> None:
    out, model = tmp_path / "out", edgellm.script(reply="Foxes.", seconds_per_token=0.02)
    arguments = ("batch", "summarize", str(folder), "-o", str(out), "--model", model)
    for most in (3, 9, 20):
        process = edgellm.start(*arguments)
        try:
            while process.poll() is None and not (out / "manifest.jsonl").exists():
                time.sleep(0.02)
            while process.poll() is None and len(list(out.rglob("*.txt"))) < most:
                time.sleep(0.02)
        finally:
            process.kill()
            process.communicate()
    assert 20 <= len(list(out.rglob("*.txt"))) < 31, "it was not killed in the middle"
    report = edgellm(*arguments, "--json", status=1).object
    assert (report["files"], report["failed"]) == (31, 1)
    assert report["done"] + report["before"] == 30
    assert report["before"] >= 19
    done = Counter(entry["file"] for entry in entries(out))
    assert len(done) == 31
    assert set(done.values()) == {1}
    rows = list(csv.DictReader((out / "results.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert [row["file"] for row in rows if row["error"]] == ["bad.pdf"]
    assert {row["result"] for row in rows if not row["error"]} == {"Foxes."}
    (folder / "0.html").write_text("<p>Changed.</p>")
    again = edgellm(*arguments, "--json", status=1).object
    assert (again["done"], again["before"]) == (1, 29)


def test_ctrl_c_stops_and_the_next_run_goes_on(edgellm: CommandLine, folder: Path, tmp_path: Path) -> None:
    out, model = tmp_path / "out", edgellm.script(reply="One two three.", seconds_per_token=0.05)
    arguments = ("batch", "ask", str(folder), "--question", "What?", "-o", str(out), "--model", model)
    process = edgellm.start(*arguments)
    while process.poll() is None and len(list(out.rglob("*.txt"))) < 2:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said.decode()
    assert all(path.read_text(encoding="utf-8").strip() != "One" for path in out.rglob("*.txt"))
    before = len(entries(out))
    assert 2 <= before < 31
    other = edgellm(*arguments, "--max-tokens", "1", status=2)
    assert "results of another batch" in other.err, "shorter answers would be mixed with these"
    assert edgellm(*arguments, "--json", status=1).object["before"] >= before - 1


def test_two_runs_at_once_do_not_write_into_one_folder(edgellm: CommandLine, folder: Path, tmp_path: Path) -> None:
    out, model = tmp_path / "out", edgellm.script(reply="One two three.", seconds_per_token=0.05)
    arguments = ("batch", "ask", str(folder), "--question", "What?", "-o", str(out), "--model", model)
    process = edgellm.start(*arguments)
    try:
        while process.poll() is None and not list(out.rglob("*.txt")):
            time.sleep(0.02)
        assert "written by another run" in edgellm(*arguments, status=2).err
        assert process.poll() is None, "the first had ended before"
    finally:
        process.kill()
        process.communicate()
    edgellm(*arguments, status=1)
    assert set(Counter(entry["file"] for entry in entries(out)).values()) == {1}
    assert not [path.name for path in out.iterdir() if path.name.startswith(".")]
    assert (out / "manifest.jsonl").stat().st_mode & 0o077 == 0
    removed = next(iter(out.rglob("*.txt")))
    removed.unlink()
    name = removed.relative_to(out).as_posix().removesuffix(".txt")
    assert edgellm(*arguments, "--json", status=1).object["done"] == 1, f"{name} is made again"


def test_a_text_that_is_too_long_is_that_files_own_trouble(edgellm: CommandLine, folder: Path, tmp_path: Path) -> None:
    (folder / "long.txt").write_text("word " * 5_000)
    model = edgellm.script(reply="fox", context=400)
    arguments = ("batch", "classify", str(folder), "--labels", "fox,dog", "-o", str(tmp_path / "out"), "--model", model)
    assert edgellm(*arguments, "--json", status=1).object["failed"] == 2
    (tmp_path / "formula").mkdir()
    (tmp_path / "formula" / "a.txt").write_text("=1+1")
    said = edgellm.script("Formula", reply="=HYPERLINK(1)")
    edgellm("batch", "summarize", str(tmp_path / "formula"), "-o", str(tmp_path / "out2"), "--model", said)
    assert "'=HYPERLINK" in (tmp_path / "out2" / "results.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["summarize", "nosuch", "-o", "out"], "nosuch is not a folder"),
        (["translate", "papers", "-o", "out"], "translate needs --to"),
        (["ask", "papers", "-o", "out", "--question", " "], "ask needs --question"),
        (["classify", "papers", "-o", "out"], "classify needs --labels"),
        (["summarize", "papers", "-o", "papers"], "among the documents"),
        (["sumarize", "papers", "-o", "out"], "summarize"),
        (["summarize", "empty", "-o", "out"], "There is no document"),
    ],
)
def test_bad_input_is_said(edgellm: CommandLine, folder: Path, arguments: list[str], said: str) -> None:
    (folder.parent / "empty").mkdir()
    named = [str(folder.parent / word) if word in ("papers", "empty", "nosuch") else word for word in arguments]
    assert said in edgellm("batch", *named, status=2).err
    assert not (edgellm.home / "out").exists()


def test_another_batch_is_not_mixed_in(edgellm: CommandLine, folder: Path, tmp_path: Path) -> None:
    model, out = edgellm.script(reply="fox"), str(tmp_path / "out")
    edgellm("batch", "classify", str(folder), "--labels", "fox,dog", "-o", out, "--model", model, status=1)
    other = edgellm("batch", "classify", str(folder), "--labels", "a,b", "-o", out, "--model", model, status=2)
    assert "results of another batch" in other.err


def test_what_to_doubt_stands_beside_the_result(edgellm: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "brief.txt").write_text("Die Miete ist hoch. Das Haus ist nicht alt.", encoding="utf-8")
    (tmp_path / "papers" / "named.pdf").write_text("The lease is subject to arbitration.", encoding="utf-8")
    out = tmp_path / "out"
    edgellm.here("batch", "summarize", "papers", "-o", str(out))
    rows = list(csv.DictReader((out / "results.csv").read_text(encoding="utf-8-sig").splitlines()))
    brief, named = (row["note"] for row in rows)
    assert "the text looks German" in brief
    assert "It is named .pdf, and was read as what it is: text." in named
    assert "The text is one sentence, which stands there." in named
    assert [entry["note"] for entry in entries(out)] == [brief, named]
    edgellm.here("batch", "translate", "papers", "-o", str(tmp_path / "fr"), "--to", "fr", status=None)
    assert all(entry["note"] for entry in entries(tmp_path / "fr"))
