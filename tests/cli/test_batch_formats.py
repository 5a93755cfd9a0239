"""`edgellm batch` does to the files of a folder what the single commands do to one: formats, models, labels, quotes."""

from __future__ import annotations

import csv
import io
import json
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import docx
import pytest
from command_line import CommandLine
from docx.text.paragraph import Paragraph

from edgellm.tasks import consult
from tests import document_files, pair_models

PAGE = '<html lang="en"><body class="x"><h1>The dog</h1><p>The dog <b>sleeps</b>.</p><pre>x = 1</pre></body></html>'


def write_word(path: Path) -> None:
    """A document with a heading, a bold run, a list and a table."""
    document = docx.Document()
    document.add_heading("The house", 1)
    paragraph = document.add_paragraph("The cat drinks ")
    paragraph.add_run("milk").bold = True
    document.add_paragraph("The dog is tired.", style="List Bullet")
    document.add_table(1, 1, style="Table Grid").cell(0, 0).text = "I drink tea."
    document.save(str(path))


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    """A folder of many formats; two files of it are bad, and a link leads around in circles."""
    path = tmp_path / "papers"
    (path / "sub").mkdir(parents=True)
    write_word(path / "lease.docx")
    (path / "page.html").write_text(PAGE)
    (path / "a.md").write_text("# The dog\n\nThe dog sleeps. `code`\n")
    (path / "a.txt").write_text("The cat sleeps.\n")
    (path / "a.pdf").write_bytes(document_files.pdf([[(12, "The dog is tired.")]]))
    (path / "film.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\n<i>The dog sleeps.</i>\n")
    (path / "app.po").write_text('msgid "The dog sleeps."\nmsgstr ""\n')
    (path / "sub" / "mail.eml").write_text("From: a@b.c\nTo: d@e.f\nSubject: The dog\n\nThe dog sleeps.\n")
    (path / "bad.pptx").write_bytes(b"PK\x03\x04 nothing of it is whole")
    (path / "fake.docx").write_text("The dog sleeps.")
    (path / "loop").symlink_to(path)
    return path


def entries(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "manifest.jsonl").read_text(encoding="utf-8").splitlines()[1:] if line]


def table(out: Path) -> dict[str, dict[str, str]]:
    rows = csv.DictReader(io.StringIO((out / "results.csv").read_text(encoding="utf-8-sig"), newline=""))
    return {row["file"]: row for row in rows}


def style(paragraph: Paragraph) -> str:
    assert paragraph.style is not None
    return str(paragraph.style.name)


def test_every_file_is_translated_into_its_own_format(edgellm: CommandLine, papers: Path, tmp_path: Path) -> None:
    out = papers / "translated"  # inside the folder: results are no documents
    line = ("batch", "translate", str(papers), "-o", str(out), "--to", "fr", "--keep", "cat", "--json")
    assert edgellm.here(*line, status=1).object["done"] == 8
    made = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    texts = {"a.fr.md", "a.fr.txt", "a.pdf.fr.txt", "app.fr.po", "film.fr.srt", "page.fr.html", "sub/mail.fr.txt"}
    assert made == {*texts, "lease.fr.docx", "manifest.jsonl", "results.csv"}
    word, before = docx.Document(str(out / "lease.fr.docx")), docx.Document(str(papers / "lease.docx"))
    assert [style(one) for one in word.paragraphs] == [style(one) for one in before.paragraphs]
    assert [run.bold for run in word.paragraphs[1].runs] == [run.bold for run in before.paragraphs[1].runs]
    assert word.tables[0].cell(0, 0).text == "Je bois du thé."
    assert "cat" in word.paragraphs[1].text
    page = (out / "page.fr.html").read_text(encoding="utf-8")
    assert page.startswith('<html lang="fr"><body class="x"><h1>')
    assert page.endswith("</p><pre>x = 1</pre></body></html>")
    assert "chien" in page
    assert "`code`" in (out / "a.fr.md").read_text(encoding="utf-8")
    assert "<i>" in (out / "film.fr.srt").read_text(encoding="utf-8")
    assert "cat" in (out / "a.fr.txt").read_text(encoding="utf-8")
    assert "chien" in (out / "a.pdf.fr.txt").read_text(encoding="utf-8")
    rows = table(out)
    assert "damaged" in rows["bad.pptx"]["error"]
    assert "is named .docx, but what is in it is text" in rows["fake.docx"]["error"]
    assert (rows["a.pdf"]["result"], rows["a.pdf"]["from"], rows["a.pdf"]["to"]) == ("a.pdf.fr.txt", "en", "fr")
    assert "plain text" in rows["sub/mail.eml"]["note"]
    assert {entry["model"] for entry in entries(out) if not entry["error"]} == {"EdgeLLM starter"}
    assert any(entry["warnings"] for entry in entries(out)), "a word that the model was not taught, at its place"
    again = edgellm.here(*line, status=1).object
    assert (again["done"], again["before"], again["failed"]) == (0, 8, 2)
    assert sum("cannot be read" in note or "is named" in note for note in again["notes"]) == 2
    assert "another batch" in edgellm.here(*line, "--pdf", "docx", status=2).err


def test_a_pdf_becomes_a_word_document_on_request(edgellm: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "a.pdf").write_bytes(document_files.pdf([[(12, "The dog is tired.")]]))
    edgellm.here("batch", "translate", "papers", "-o", "out", "--to", "fr", "--pdf", "docx")
    made = docx.Document(str(tmp_path / "out" / "a.fr.docx"))
    assert any("chien" in one.text for one in made.paragraphs)


def paragraphs(home: Path) -> int:
    """How many are in the memory; a file that is still being made has none."""
    try:
        with closing(sqlite3.connect(f"file:{home / 'translations.db'}?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT count(*) FROM translation").fetchone()[0])
    except sqlite3.Error:
        return 0


def test_killed_inside_files_it_goes_on_inside_them(edgellm: CommandLine, tmp_path: Path) -> None:
    folder, out, sides, each = tmp_path / "papers", tmp_path / "out", ("md", "html", "docx"), 8
    folder.mkdir()
    for side in sides:
        texts = [f"Sentence {letter} of the {side} file." for letter in "abcdefgh"]
        if side == "docx":
            word = docx.Document()
            for text in texts:
                word.add_paragraph(text)
            word.save(str(folder / "f.docx"))
        else:
            inner = [f"<p>{text}</p>" if side == "html" else text for text in texts]
            (folder / f"f.{side}").write_text("\n\n".join(inner))
    model = edgellm.script(reply="Une phrase.", seconds_per_token=0.04)
    arguments = ("batch", "translate", str(folder), "-o", str(out), "--to", "fr", "--from", "en", "--model", model)
    before = 0
    for most in (each // 2, 2 * each + each // 2):
        process = edgellm.start(*arguments)
        try:
            while process.poll() is None and paragraphs(tmp_path) < most:
                time.sleep(0.02)
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        assert before < paragraphs(tmp_path) < 3 * each, "it was not killed inside a file"
        before = paragraphs(tmp_path)
    assert edgellm(*arguments, "--json").object["failed"] == 0
    assert paragraphs(tmp_path) == 3 * each
    done = Counter(entry["file"] for entry in entries(out))
    assert done == {f"f.{side}": 1 for side in sides}
    last = [entry["note"] for entry in entries(out)][-1]
    assert "from memory" in last, "what was done before the kill was asked again"
    assert [one.text for one in docx.Document(str(out / "f.fr.docx")).paragraphs] == ["Une phrase."] * each
    assert (out / "f.fr.html").read_text(encoding="utf-8").count("Une phrase.") == each
    assert not [path.name for path in out.iterdir() if path.name.startswith(".")]


def test_each_file_has_the_models_for_its_language(edgellm: CommandLine, tmp_path: Path) -> None:
    pair_models.install(edgellm.home, "de", "en")
    pair_models.install(edgellm.home, "en", "fr")
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "a.md").write_text("Der Hund ist müde. Wo ist der Bahnhof? Das Haus ist nicht alt.\n", encoding="utf-8")
    (folder / "b.txt").write_text("The dog is tired. Where is the station? The house is not old.\n")
    (folder / "c.md").write_text("Die Katze trinkt Milch. Das Haus ist nicht alt.\n", encoding="utf-8")
    line = ("batch", "translate", "papers", "-o", "out", "--to", "fr", "--max-tokens", "6")
    edgellm.here(*line)
    models = {entry["file"]: entry["model"] for entry in entries(tmp_path / "out")}
    through = "opus-mt-de-en + opus-mt-en-fr"
    assert models == {"a.md": through, "b.txt": "opus-mt-en-fr", "c.md": through}


def test_label_sets_and_doubts(edgellm: CommandLine, papers: Path, tmp_path: Path) -> None:
    line = ("batch", "classify", str(papers), "-o", str(tmp_path / "out"), "--label-set", "sentiment")
    edgellm.here(*line, "--unsure", "99.99%", status=1)
    rows = table(tmp_path / "out")
    assert rows["lease.docx"]["result"] == "unsure"
    assert rows["lease.docx"]["best"] in ("positive", "negative", "neutral")
    assert "Unsure: the best guess is" in rows["lease.docx"]["note"]
    assert 0 < float(rows["lease.docx"]["confidence"]) < 1
    assert "another batch" in edgellm.here(*line, status=2).err, "another limit gives other results"


def test_an_answer_has_its_page_and_heading(edgellm: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "a.pdf").write_bytes(document_files.pdf([[(12, "It rains.")], [(12, "The rent is 500 euros.")]]))
    (folder / "b.md").write_text("# Money\n\nThe rent is 500 euros.\n")
    model = edgellm.script(reply="> The rent is 500 euros.\n> The rent is 900 euros.\n\nThe rent is 500 euros.")
    edgellm.here("batch", "ask", "papers", "-o", "out", "--question", "How much is the rent?", "--model", model)
    rows = table(tmp_path / "out")
    assert (rows["a.pdf"]["answered"], rows["a.pdf"]["quote"]) == ("yes", "The rent is 500 euros.")
    assert (rows["a.pdf"]["page"], rows["b.md"]["heading"]) == ("2", "Money")
    text = (tmp_path / "out" / "a.pdf.txt").read_text(encoding="utf-8")
    assert "page 2" in text
    assert "900" not in text, "a quotation that is not in the document"


def test_without_an_answer_all_nearest_sentences_are_there_with_their_places(
    edgellm: CommandLine, tmp_path: Path
) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "a.md").write_text("# Money\n\nThe rent is 500 euros.\n\n# Place\n\nThe rent for the garage is low.\n")
    model = edgellm.script(reply="The documents do not say.")
    edgellm.here("batch", "ask", "papers", "-o", "out", "--question", "Who pays the rent?", "--model", model)
    assert table(tmp_path / "out")["a.md"]["answered"] == "no"
    first, *near = (tmp_path / "out" / "a.md.txt").read_text(encoding="utf-8").splitlines()
    assert first == consult.SILENT
    assert sorted(line.partition(", characters")[0] for line in near) == [
        "“The rent for the garage is low.” (a.md, Place",
        "“The rent is 500 euros.” (a.md, Money",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ask", "--question", "What?", "--glossary", "x.csv"], "--glossary belongs to translate"),
        (["ask", "--question", "What?", "--from", "fr"], "--from belongs to translate"),
        (["ask", "--question", "What?", "--to", "fr"], "--to belongs to translate and summarize"),
        (["summarize", "--labels", "a,b"], "--labels belongs to classify"),
        (["classify", "--labels", "a,b", "--style", "bullets"], "--style belongs to summarize"),
        (["translate", "--to", "fr", "--glossary", "none.csv"], "none.csv"),
        (["translate", "--to", "Klingon"], "Klingon"),
        (["classify", "--label-set", "nosuch"], "nosuch"),
        (["classify", "--labels", "a,b", "--label-set", "sentiment"], "not both"),
    ],
)
def test_options_are_checked_before_anything_is_written(
    edgellm: CommandLine, papers: Path, arguments: list[str], said: str
) -> None:
    ran = edgellm.here("batch", arguments[0], "papers", "-o", "out", *arguments[1:], status=None)
    assert ran.status in (1, 2)
    assert said in ran.err
    assert not (papers.parent / "out").exists()


def test_files_of_the_person_are_not_replaced(edgellm: CommandLine, papers: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.fr.md").write_text("my own translation")
    line = ("batch", "translate", str(papers), "-o", str(tmp_path / "out"), "--to", "fr")
    assert "a.fr.md" in edgellm.here(*line, status=2).err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.fr.md"]
    assert (tmp_path / "out" / "a.fr.md").read_text() == "my own translation"
    (tmp_path / "file").write_text("text")
    assert "file cannot be used" in edgellm.here(*line[:4], str(tmp_path / "file"), "--to", "fr", status=1).err
