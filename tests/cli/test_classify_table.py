"""`edgellm classify` with confidence, label sets and tables: killed in the middle, no row is done twice or left out."""

from __future__ import annotations

import csv
import signal
import time
from pathlib import Path

import pytest
from command_line import CommandLine


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    lines = [f'{number};"Text {number};\nit is ""fine"".";{number}' for number in range(60)]
    path.write_text("id;text;n\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def rows_of(out: Path, delimiter: str = ";") -> list[dict[str, str]]:
    with out.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=delimiter))


def test_the_starter_says_how_sure_it_is(edgellm: CommandLine) -> None:
    found = edgellm("classify", "--label-set", "sentiment", "--json", "The soup was cold.").object
    assert (found["text"], found["measure"]) == ("negative", "probability")
    assert sum(found["scores"].values()) == pytest.approx(1)
    assert found["confidence"] == max(found["scores"].values())
    options = ("--labels", "work,travel,food,weather", "I love this hotel.", "--json")
    unsure = edgellm("classify", "--unsure", "95%", *options).object
    assert (unsure["text"], unsure["best"]) == ("", max(unsure["scores"], key=unsure["scores"].__getitem__))


def test_a_table_is_classified_by_the_starter(edgellm: CommandLine, tmp_path: Path) -> None:
    path, out = tmp_path / "a.csv", tmp_path / "out" / "b.csv"
    path.write_text('id,text,label\n1,The soup was cold.,-3\n2,"I love my\ndog.",=1+1\n3,,x\n4\n', encoding="utf-8")
    ran = edgellm("classify", "--csv", str(path), "--labels", "positive,negative", "-o", str(out), status=1)
    assert "line 5: empty" in ran.err
    assert "line 6: 1 cell where 3 are expected" in ran.err
    found = rows_of(out, ",")
    assert [row["label_2"] for row in found] == ["negative", "positive", "", ""]
    assert [row["label"] for row in found] == ["-3", "'=1+1", "x", ""]
    assert found[1]["text"] == "I love my\ndog."
    assert 0.5 < float(found[0]["confidence"]) <= 1
    assert path.read_text(encoding="utf-8").startswith("id,text,label\n1,")
    assert sorted(each.name for each in out.parent.iterdir()) == ["b.csv"]


def test_killed_again_and_again_every_row_is_done_once(edgellm: CommandLine, reviews: Path, tmp_path: Path) -> None:
    out, model = tmp_path / "out.csv", edgellm.script(reply='"b"', seconds_per_token=0.03)
    arguments = ("classify", "--csv", str(reviews), "--labels", "a,b", "-o", str(out), "--model", model)
    part = tmp_path / ".out.csv.part"
    for most in (3, 15, 40):
        process = edgellm.start(*arguments)
        try:
            while process.poll() is None and not (part.exists() and part.read_bytes().count(b";b;;b;") >= most):
                time.sleep(0.02)
        finally:
            process.kill()
            process.communicate()
        with part.open("ab") as stream:
            stream.write(b'99;"a row that was cut;\n')
    assert not out.exists()
    report = edgellm(*arguments, "--json").object
    assert report["before"] >= 40
    assert report["done"] + report["before"] == 60
    found = rows_of(out)
    assert [row["id"] for row in found] == [str(number) for number in range(60)]
    assert {row["label"] for row in found} == {"b"}
    assert found[7]["text"] == 'Text 7;\nit is "fine".'
    assert not list(tmp_path.glob(".out.csv*"))


def test_ctrl_c_stops_and_other_work_is_not_mixed_in(edgellm: CommandLine, reviews: Path, tmp_path: Path) -> None:
    out, model = tmp_path / "out.csv", edgellm.script(reply='"b"', seconds_per_token=0.05)
    arguments = ("classify", "--csv", str(reviews), "-o", str(out), "--model", model)
    process = edgellm.start(*arguments, "--labels", "a,b")
    part = tmp_path / ".out.csv.part"
    while process.poll() is None and not (part.exists() and part.read_bytes().count(b";b;;b;") >= 2):
        time.sleep(0.02)
    assert "written by another run" in edgellm(*arguments, "--labels", "a,b", status=2).err
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said.decode()
    assert not out.exists()
    other = edgellm(*arguments, "--labels", "b,c", status=2)
    assert "was asked for something else" in other.err
    assert part.read_bytes().count(b";b;;b;") >= 2
    reviews.write_text("text\nshort\n", encoding="utf-8")
    assert "was asked for something else" in edgellm(*arguments, "--labels", "a,b", status=2).err
    edgellm(*arguments, "--labels", "a,b", "--force")
    assert len(rows_of(out)) == 1
    assert "exists already" in edgellm(*arguments, "--labels", "a,b", status=2).err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--csv", "reviews.csv", "--labels", "a,b"], "where the result goes"),
        (["--csv", "reviews.csv", "--labels", "a,b", "-o", "reviews.csv"], "place of the table itself"),
        (["--csv", "reviews.csv", "--labels", "a,b", "-o", "."], "is a folder"),
        (["--csv", "nosuch.csv", "--labels", "a,b", "-o", "out.csv"], "There is no file"),
        (["--csv", ".", "--labels", "a,b", "-o", "out.csv"], "is a folder"),
        (["--csv", "reviews.csv", "--labels", "a,b", "-o", "out.csv", "--column", "x"], "no column x"),
        (["--csv", "reviews.csv", "--labels", "a", "-o", "out.csv"], "two different labels"),
        (["--csv", "reviews.csv", "--labels", "a,b", "-o", "out.csv", "words"], "at once"),
        (["--labels", "a,b", "-o", "out.csv", "words"], "belongs to a table"),
        (["--labels", "a,b", "--label-set", "sentiment", "words"], "not both"),
        (["words"], "Say the labels"),
        (["--label-set", "nosuch", "words"], "no label set nosuch"),
        (["--labels", "a,b", "--unsure", "2", "words"], "between 0 and 1"),
    ],
)
def test_bad_input_is_one_sentence(edgellm: CommandLine, reviews: Path, arguments: list[str], said: str) -> None:
    named = [str(reviews.parent / word) if word.endswith(".csv") else word for word in arguments]
    before = reviews.read_bytes()
    ran = edgellm.here("classify", *named, status=None)
    assert ran.status in (1, 2)
    assert said in ran.err
    assert reviews.read_bytes() == before
    assert not (reviews.parent / "out.csv").exists()


def test_sets_are_kept_and_used(edgellm: CommandLine) -> None:
    assert "sentiment (ships with EdgeLLM)" in edgellm.here("labels").out
    edgellm.here("labels", "save", "mine", "positive=Praise.", "negative")
    assert edgellm.here("labels", "list", "mine", "--json").object["sets"] == [
        {"name": "mine", "own": True, "labels": {"positive": "Praise.", "negative": ""}}
    ]
    assert edgellm("classify", "--label-set", "mine", "The soup was cold.").out == "negative\n"
    edgellm.here("labels", "remove", "mine")
    assert "There is no label set mine" in edgellm.here("labels", "list", "mine", status=2).err


def test_a_folder_is_classified_with_confidence(edgellm: CommandLine, tmp_path: Path) -> None:
    folder, out = tmp_path / "letters", tmp_path / "out"
    folder.mkdir()
    (folder / "a.txt").write_text("The soup was cold.")
    edgellm("batch", "classify", str(folder), "--labels", "positive,negative", "-o", str(out))
    row = rows_of(out / "results.csv", ",")[0]
    assert (row["file"], row["result"]) == ("a.txt", "negative")
    assert 0.5 < float(row["confidence"]) <= 1


@pytest.mark.parametrize("force", [(), ("--force",)])
@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("/dev/null", "/dev/null is not a plain file"),
        ("reviews.csv", "cannot take the place of the table itself"),
        ("link.csv", "cannot take the place of the table itself"),
        (".", "is a folder"),
        ("reviews.csv/out.csv", "reviews.csv is a file, so no folder can be made of it"),
        ("x" * 250, "cannot be written: File name too long"),
        ("/proc/out.csv", "Nothing can be written to /proc"),
    ],
)
def test_where_no_result_can_be_is_said_with_its_reason(
    edgellm: CommandLine, reviews: Path, out: str, said: str, force: tuple[str, ...]
) -> None:
    if out.startswith("/") and not Path(out).parent.exists():
        pytest.skip("this system has no such folder")
    reviews.with_name("link.csv").symlink_to(reviews)
    (reviews.parent / "logs").mkdir()
    before, names = reviews.read_bytes(), sorted(reviews.parent.iterdir())
    ran = edgellm.here("classify", "--csv", "reviews.csv", "--labels", "a,b", "-o", out, *force, status=None)
    assert ran.status in (1, 2)
    assert said in ran.err
    assert (reviews.read_bytes(), sorted(reviews.parent.iterdir())) == (before, names)
