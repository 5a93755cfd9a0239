"""`edgellm summarize` on real files and a real engine process: pages, languages, comparison, kills and Ctrl-C."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from command_line import CommandLine

from tests import document_files

DAYS = ("Monday", "Tuesday", "Thursday", "Friday", "Saturday", "Sunday")
PLACES = ("school", "market", "station", "bakery", "hospital")
HOURS = ("two", "three", "five", "ten")


@pytest.fixture
def letters(tmp_path: Path) -> str:
    return written(tmp_path, 118)


@pytest.fixture
def forty(tmp_path: Path) -> str:
    return written(tmp_path, 40)


def written(folder: Path, count: int) -> str:
    """Letters that the built-in model can read, no two of them the same, each below a heading."""
    parts = [
        f"## Letter {number}\n\nThe meeting is on {DAYS[number % 6]} at the {PLACES[number % 5]}. "
        f"It starts at {HOURS[number // 30]} o'clock. Please be on time."
        for number in range(1, count + 1)
    ]
    (folder / "letters.md").write_text("# Letters\n\n" + "\n\n".join(parts), encoding="utf-8")
    return "letters.md"


@pytest.fixture
def report(tmp_path: Path) -> str:
    pages = [
        [
            (18.0, f"Chapter {number}"),
            (11.0, f"The meeting of group {number} is at the station."),
            (11.0, "It is late."),
        ]
        for number in range(1, 5)
    ]
    (tmp_path / "report.pdf").write_bytes(document_files.pdf(pages, "Report"))
    return "report.pdf"


def kept(edgellm: CommandLine) -> list[Path]:
    return list((edgellm.home / "summaries").glob("*"))


def lines(edgellm: CommandLine) -> int:
    return sum(path.read_bytes().count(b"\n") for path in kept(edgellm))


def stopped_at(edgellm: CommandLine, count: int, how: int, *arguments: str) -> tuple[int, str, str]:
    """Start, and stop it once so many answers are kept; returns status, output and errors.

    A run that came to its end before this was noticed is started again.
    """
    for _ in range(5):
        process = edgellm.start(*arguments)
        try:
            while process.poll() is None and lines(edgellm) < count:
                time.sleep(0.002)
            process.send_signal(how)
            out, err = process.communicate(timeout=60)
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
        if process.returncode != 0:
            return process.returncode, out.decode(), err.decode()
    raise AssertionError("it was never stopped in the middle")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_killed_at_20_of_40_sections_the_built_in_model_goes_on_there(edgellm: CommandLine, forty: str) -> None:
    arguments = ("summarize", forty, "--style", "bullets", "--length", "long")
    whole = edgellm.here(*arguments).out
    assert kept(edgellm) == []
    assert whole.count("\n") == 40
    status, _, _ = stopped_at(edgellm, 20, signal.SIGKILL, *arguments)
    assert status == -signal.SIGKILL
    had = lines(edgellm)
    assert 20 <= had < 40
    again = edgellm(*arguments)
    assert again.out == whole
    assert f"note: {had} of 40 sections were read by an earlier run" in again.err
    assert "40 of 40 sections of the text were read." in again.err
    assert kept(edgellm) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_ctrl_c_keeps_what_is_there_and_fresh_begins_anew(edgellm: CommandLine, forty: str) -> None:
    model = edgellm.script(reply="A meeting.", seconds_per_token=0.005, context=4_000)
    arguments = ("summarize", forty, "--style", "sections", "--length", "short", "--model", model)
    status, out, err = stopped_at(edgellm, 9, signal.SIGINT, *arguments)
    assert status == 130
    assert "of 40 sections; the same command goes on from there." in err
    assert 1 <= out.count("- A meeting.") < 40
    edgellm.here(*arguments, "--fresh", "--style", "line", "--length", "long")
    assert lines(edgellm) >= 9, "another wish has a file of its own"
    fresh = edgellm.here(*arguments, "--fresh")
    assert "earlier run" not in fresh.err
    assert fresh.out.count("- A meeting.") == 40


def test_an_engine_that_dies_leaves_what_was_read(edgellm: CommandLine, letters: str) -> None:
    fault = {"at": "generate", "after": 0, "kind": "abort", "prompt": "Letter 77", "once": True}
    model = edgellm.script(reply="A meeting.", faults=[fault], context=4_000)
    arguments = ("summarize", letters, "--style", "sections", "--length", "short", "--model", model)
    failed = edgellm(*arguments, status=None)
    if failed.status:
        assert "the same command goes on from there" in failed.err
    assert edgellm(*arguments).out.count("- A meeting.") == 118


def test_points_name_their_page(edgellm: CommandLine, report: str) -> None:
    model = edgellm.script(replies={f"group {number}": f"Group {number} meets." for number in range(1, 5)})
    shown = edgellm.here("summarize", report, "--style", "sections", "--length", "short", "--model", model).out
    assert "Chapter 3\n- Group 3 meets. (page 3)\n" in shown
    arguments = ("summarize", report, "--style", "sections", "--length", "short", "--model", model, "--json")
    found = edgellm.here(*arguments).object
    assert [point["page"] for point in found["points"]] == [1, 2, 3, 4]
    assert found["points"][1]["headings"] == ["Chapter 2"]
    assert found["points"][1]["quote"]["text"] == "The meeting of group 2 is at the station."
    assert (found["read"], found["sections"], found["style"]) == (4, 4, "sections")
    key = edgellm.here("summarize", report, "--key-sentences", "1").out
    assert "(page " in key and "Chapter" not in key


@pytest.mark.parametrize("style", ["line", "paragraph", "bullets", "sections", "questions"])
def test_the_built_in_model_says_nothing_that_is_not_there(edgellm: CommandLine, report: str, style: str) -> None:
    found = edgellm("summarize", report, "--style", style, "--json").object
    assert found["text"].strip()
    assert "station" in found["text"] or "late" in found["text"]
    assert all(point["quote"] for point in found["points"] if style not in ("line", "paragraph"))
    assert found["notes"]


def test_a_summary_in_another_language(edgellm: CommandLine, report: str) -> None:
    replies = {"Translate from English to French": "Le groupe.", "in French": "The group is at the station with them."}
    model = edgellm.script(replies=replies, reply="no")
    found = edgellm("summarize", report, "--style", "points", "--to", "French", "--json", "--model", model).object
    assert {point["text"] for point in found["points"]} == {"Le groupe."}
    assert any("translated into French" in note for note in found["notes"])
    refused = edgellm("summarize", report, "--to", "Italian", status=2)
    assert "does not know Italian" in refused.err


def test_questions_and_answers(edgellm: CommandLine, report: str) -> None:
    replies = {
        "Write": "Where is the meeting of group 2?\nWho is king?",
        "king": "The text does not say.",
        "Question": "at the station",
    }
    model = edgellm.script(replies=replies)
    shown = edgellm.here("summarize", report, "--style", "questions", "--model", model)
    assert "Where is the meeting of group 2?\nat the station (page 2)\n“The meeting of group 2 is" in shown.out
    assert "king" not in shown.out
    assert "left out" in shown.err


def test_several_files_are_compared(edgellm: CommandLine, report: str, tmp_path: Path) -> None:
    text = "The meeting of group 1 is at the station. The meeting of group 2 is not at the station. Anna has a dog."
    (tmp_path / "other.txt").write_text(text, encoding="utf-8")
    found = edgellm.here("summarize", report, "other.txt", "--compare", "--key-sentences", "3", "--json").object
    assert [[(one["file"], one["page"]) for one in group] for group in found["common"]] == [
        [("report.pdf", 1), ("other.txt", 0)]
    ]
    assert [[one["text"] for one in group] for group in found["different"]] == [
        ["The meeting of group 2 is at the station.", "The meeting of group 2 is not at the station."]
    ]
    assert [one["text"] for one in found["only"]["other.txt"]] == ["Anna has a dog."]
    shown = edgellm.here("summarize", report, "other.txt", "--compare").out
    assert "- The meeting of group 1 is at the station. (report.pdf, page 1; other.txt)\n" in shown
    model = edgellm.script(reply="Anna has a dog.")
    shown = edgellm.here("summarize", report, "other.txt", "--compare", "--model", model).out
    assert shown.startswith("In common:\n- Anna has a dog. (report.pdf, page 1; other.txt)\n")
    assert kept(edgellm) == []


def test_subtitles_are_read_without_their_times(edgellm: CommandLine, tmp_path: Path) -> None:
    times = "00:00:01,000 --> 00:00:03,000", "00:00:04,000 --> 00:00:06,000"
    cues = f"1\n{times[0]}\n<i>I drink cold water.</i>\n\n2\n{times[1]}\nIt is late.\n"
    (tmp_path / "film.srt").write_text(cues, encoding="utf-8")
    assert edgellm.here("summarize", "film.srt", "--key-sentences", "9").out == "I drink cold water.\nIt is late.\n"


def test_a_long_text_without_a_summary_says_why(edgellm: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("Monday.\n\n" + "The house is old. " * 7, encoding="utf-8")
    shown = edgellm.here("summarize", "long.txt")
    assert shown.out == "The house is old.\n"
    assert "longer than what the built-in model makes one sentence of" in shown.err


def test_several_files_become_one_summary_with_their_names(edgellm: CommandLine, report: str, tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("Anna has a dog.", encoding="utf-8")
    model = edgellm.script(reply="It is late.")
    shown = edgellm.here("summarize", report, "other.txt", "--style", "points", "--model", model).out
    assert "(report.pdf, page 1)" in shown
    assert shown.endswith("(other.txt)\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.txt", "--style", "poem"], "--style cannot be 'poem'"),
        (["a.txt", "--length", "huge"], "--length cannot be 'huge'"),
        (["a.txt", "--to", "Klingon"], "no language called Klingon"),
        (["a.txt", "--compare"], "nothing to compare"),
        (["a.txt", "--key-sentences", "2", "--to", "fr"], "Leave out --to"),
        (["empty.txt", "--style", "bullets"], "empty"),
        (["nosuch.pdf", "--style", "bullets"], "no file nosuch.pdf"),
    ],
)
def test_bad_input_is_said(edgellm: CommandLine, tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "a.txt").write_text("Anna has a dog.", encoding="utf-8")
    (tmp_path / "empty.txt").write_text(" \n", encoding="utf-8")
    refused = edgellm.here("summarize", *arguments, status=None)
    assert refused.status in (1, 2)
    assert said in refused.err


def test_a_batch_of_summaries_has_a_style(edgellm: CommandLine, report: str, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / report).rename(tmp_path / "papers" / report)
    model = edgellm.script(reply="A group meets at the station.")
    arguments = (
        "batch",
        "summarize",
        "papers",
        "-o",
        "out",
        "--style",
        "sections",
        "--length",
        "short",
        "--model",
        model,
    )
    edgellm.here(*arguments)
    text = (tmp_path / "out" / "report.pdf.txt").read_text(encoding="utf-8")
    assert "Chapter 2\n- A group meets at the station. (page 2)\n" in text
    other = edgellm.here("batch", "summarize", "papers", "-o", "out", "--model", model, status=2)
    assert "results of another batch" in other.err
