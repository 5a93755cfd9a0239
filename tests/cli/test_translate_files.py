"""Documents that are translated: the real program writes a file of the same format, and loses nothing when it ends."""

from __future__ import annotations

import signal
import sqlite3
import time
import zipfile
from pathlib import Path

import docx
import pytest
from command_line import CommandLine

from tests import document_files

PAGE = '<html lang="en"><body><p>The dog is <b>tired</b>.</p><p>Where is {name}?</p><pre>The dog</pre></body></html>\n'


def page(folder: Path, text: str = PAGE, name: str = "page.html") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_document_becomes_one_in_the_other_language(edgellm: CommandLine, tmp_path: Path) -> None:
    document = docx.Document()
    document.add_heading("Good evening!", 1)
    paragraph = document.add_paragraph("The dog is ")
    paragraph.add_run("tired").bold = True
    paragraph.add_run(".")
    document.save(str(tmp_path / "report.docx"))
    before = (tmp_path / "report.docx").read_bytes()
    ran = edgellm("translate", "report.docx", "--to", "fr")
    assert ran.out.startswith("report.fr.docx: 2 of 2 paragraphs translated")
    assert "(English to French)" in ran.out
    found = docx.Document(str(tmp_path / "report.fr.docx"))
    assert [run.text for run in found.paragraphs[1].runs] == ["Le chien est ", "fatigué", "."]
    assert [run.bold for run in found.paragraphs[1].runs] == [None, True, None]
    assert (tmp_path / "report.docx").read_bytes() == before


def test_html_keeps_its_form_and_a_second_run_asks_nothing(edgellm: CommandLine, tmp_path: Path) -> None:
    page(tmp_path)
    edgellm("translate", "page.html", "--to", "fr")
    text = (tmp_path / "page.fr.html").read_text(encoding="utf-8")
    body = "<p>Le chien est <b>fatigué</b>.</p><p>Où est {name} ?</p><pre>The dog</pre>"
    assert text == f'<html lang="fr"><body>{body}</body></html>\n'
    assert "page.fr.html is already there" in edgellm.here("translate", "page.html", "--to", "fr", status=2).err
    found = edgellm.here("translate", "page.html", "--to", "fr", "--force", "--json").object["files"][0]
    assert (found["translated"], found["reused"], found["kept"]) == (0, 2, 1)
    assert found["finish"]["new_tokens"] == 0
    assert (tmp_path / "page.fr.html").read_text(encoding="utf-8") == text
    assert edgellm.here("translate", "--forget").out == "2 paragraphs were forgotten.\n"
    assert _rows(tmp_path / "translations.db") == 0


def test_what_was_doubtful_is_said_again_when_it_comes_from_the_memory(edgellm: CommandLine, tmp_path: Path) -> None:
    page(tmp_path, "<p>The train has 64 seats.</p><p>The dog is <b>tired</b> and <i>old</i>.</p>")
    first = edgellm("translate", "page.html", "--to", "fr", "--json").object["files"][0]
    again = edgellm.here("translate", "page.html", "--to", "fr", "--force", "--json").object["files"][0]
    assert (first["reused"], again["reused"], again["translated"]) == (0, 2, 0)
    assert any("may read badly" in warning for warning in first["warnings"])
    assert again["warnings"] == first["warnings"]


def test_many_warnings_of_a_kind_are_one_line_and_json_has_each(edgellm: CommandLine, tmp_path: Path) -> None:
    page(tmp_path, "\n".join(f"<p>The dog is zorpl{letter}x.</p>" for letter in "abcdefgh"))
    ran = edgellm("translate", "page.html", "--to", "fr")
    assert ran.err.count("not taught") == 1
    assert "and 3 more: the built-in model was not taught some of the words." in ran.err
    found = edgellm.here("translate", "page.html", "--to", "fr", "--force", "--json").object["files"][0]
    assert sum("not taught zorpl" in warning for warning in found["warnings"]) == 8
    assert f"{len(found['warnings'])} warnings in all; --json has each of them." in ran.err


def test_a_pdf_becomes_text_or_docx_and_a_book_a_book(edgellm: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(document_files.pdf([[(12, "The dog is tired.")]]))
    (tmp_path / "b.epub").write_bytes(document_files.epub(("<h1>One</h1><p>The dog is tired.</p>",)))
    edgellm.here("translate", "a.pdf", "b.epub", "--to", "fr")
    assert "Le chien est fatigué." in (tmp_path / "a.fr.txt").read_text(encoding="utf-8")
    book = zipfile.ZipFile(tmp_path / "b.fr.epub")
    assert any(b"Le chien est" in book.read(name) for name in book.namelist())
    edgellm.here("translate", "a.pdf", "--to", "fr", "-o", "c.docx")
    assert "Le chien est fatigué." in [one.text for one in docx.Document(str(tmp_path / "c.docx")).paragraphs]


def test_without_a_memory_nothing_is_left_behind(edgellm: CommandLine, tmp_path: Path) -> None:
    page(tmp_path)
    edgellm.here("translate", "page.html", "--to", "fr", "--no-memory")
    assert not (tmp_path / "translations.db").exists()
    edgellm.settings(translation_memory=False)
    found = edgellm.here("translate", "page.html", "--to", "fr", "--force", "--json").object["files"][0]
    assert (found["translated"], found["reused"]) == (2, 0)
    assert not (tmp_path / "translations.db").exists()
    assert list((tmp_path / "translations").iterdir()) == []


@pytest.mark.parametrize("more", [(), ("--no-memory",)])
def test_a_kill_loses_no_paragraph_and_repeats_none(
    edgellm: CommandLine, tmp_path: Path, more: tuple[str, ...]
) -> None:
    texts = [f"<p>The dog number x{at} is here with the cat.</p>" for at in range(12)]
    page(tmp_path, "\n".join(texts))
    line = ("translate", "page.html", "--to", "fr", "--from", "en", "--json", *more)
    slow = edgellm.script("Slow", reply="un mot", seconds_per_token=0.1)
    process = edgellm.start(*line, "--model", slow)
    database = tmp_path / "translations.db"
    waited = time.monotonic()
    while time.monotonic() - waited < 60:
        if more:
            folder = tmp_path / "translations"
            database = next(iter(folder.glob("*.db")), database) if folder.exists() else database
        if database.exists() and _rows(database) >= 3:
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = _rows(database)
    assert 3 <= done < 12
    assert not (tmp_path / "page.fr.html").exists()
    edgellm.script("Slow", reply="un mot")
    found = edgellm(*line, "--model", slow).object["files"][0]
    assert (found["translated"], found["reused"]) == (12 - done, done)
    assert (tmp_path / "page.fr.html").read_text(encoding="utf-8").count("<p>un mot</p>") == 12
    assert not [path for path in tmp_path.glob(".page*")]


def _rows(path: Path) -> int:
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            return int(connection.execute("SELECT count(*) FROM translation").fetchone()[0])
        finally:
            connection.close()
    except sqlite3.Error:
        return 0


def test_ctrl_c_keeps_what_is_done(edgellm: CommandLine, tmp_path: Path) -> None:
    page(tmp_path, "\n".join(f"<p>The dog x{at} is here.</p>" for at in range(12)))
    slow = edgellm.script("Slow", reply="un mot", seconds_per_token=0.1)
    process = edgellm.start("translate", "page.html", "--to", "fr", "--from", "en", "--model", slow)
    waited = time.monotonic()
    while time.monotonic() - waited < 60 and _rows(tmp_path / "translations.db") < 2:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"are done, and kept" in err
    assert _rows(tmp_path / "translations.db") >= 2
    assert not (tmp_path / "page.fr.html").exists()


def test_a_stopped_translation_of_a_text_is_printed_and_not_taken_for_a_whole_one(
    edgellm: CommandLine, tmp_path: Path
) -> None:
    slow = edgellm.script("Slow", reply="un mot " * 2_000, seconds_per_token=0.05)
    for delay in (2, 4, 8, 16):  # long enough that the model has begun
        process = edgellm.start("translate", "The dog.", "--to", "fr", "-o", "dog.txt", "--model", slow)
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        if b"un mot" in out:
            break
    assert out.startswith(b"un mot")
    assert process.returncode == 130
    assert b"dog.txt was not written" in err
    assert not (tmp_path / "dog.txt").exists()


def test_several_documents_go_into_a_folder_and_a_bad_one_is_named(edgellm: CommandLine, tmp_path: Path) -> None:
    page(tmp_path)
    (tmp_path / "bad.docx").write_bytes(b"PK\x03\x04 no archive")
    model = edgellm.script(reply="un mot")
    ran = edgellm.here("translate", "bad.docx", "page.html", "--to", "fr", "-o", "out", "--model", model, status=1)
    assert "bad.docx cannot be read" in ran.err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["page.fr.html"]


def test_several_documents_that_cannot_be_written_again_become_a_text_each(
    edgellm: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "memo.rtf").write_text(r"{\rtf1\ansi The dog is tired.\par}")
    (tmp_path / "table.csv").write_text("name,text\n1,The dog is tired.\n")
    (tmp_path / "letter.txt").write_text("Where is Anna?\n")
    (tmp_path / "empty.csv").write_bytes(b"")
    names = ("memo.rtf", "table.csv", "letter.txt", "empty.csv")
    ran = edgellm("translate", *names, "--to", "fr", "-o", "out", status=1)
    found = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "out").iterdir()}
    assert sorted(found) == ["letter.fr.txt", "memo.fr.txt", "table.fr.txt"]
    assert found["memo.fr.txt"] == "Le chien est fatigué.\n"
    assert found["letter.fr.txt"] == "Où est Anna ?\n"
    assert "memo.rtf: Its format cannot be written again; the translation is plain text." in ran.err
    assert "note: empty.csv cannot be read: it is empty" in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("page.html", "-o", "page.html"), "page.html is the document itself"),
        (("page.html", "-o", "page.docx"), "page.html cannot be written as .docx"),
        (("page.html", "-o", "none/page.html"), "none/page.html cannot be written"),
        (("none.docx",), "none.docx cannot be read: there is no such file"),
        (("page.html", "--glossary", "bad.csv"), "The glossary bad.csv cannot be used: line 2"),
        (("page.html", "./page.html"), "Two documents would become"),
    ],
)
def test_what_cannot_be_is_said_before_the_work(
    edgellm: CommandLine, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    page(tmp_path)
    (tmp_path / "bad.csv").write_text("dog,chien\n,x\n", encoding="utf-8")
    ran = edgellm.here("translate", *arguments, "--to", "fr", "--model", "/none.gguf", status=None)
    assert ran.status in (1, 2)
    assert said in ran.err
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == PAGE
    assert sorted(path.name for path in tmp_path.glob("*page*")) == ["page.html"]


def test_a_glossary_and_words_to_keep(edgellm: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "g.csv").write_text("dog,toutou,en,fr\n", encoding="utf-8")
    model = edgellm.script(replies={"toutou": "Le toutou de EdgeLLM dort.", "": "?"})
    text = "The dog of EdgeLLM sleeps."
    line = ("translate", "--to", "fr", "--from", "en", "--glossary", "g.csv", "--keep", "EdgeLLM", "--model", model)
    found = edgellm.here(*line, "--json", text).object
    assert (found["text"], found["kept"]) == ("Le toutou de EdgeLLM dort.", 2)


def test_side_by_side_prints_each_sentence_with_its_own(edgellm: CommandLine) -> None:
    text = "The dog is tired. Where is the station?"
    ran = edgellm.here("translate", "--to", "fr", "--side-by-side", "--quiet", text)
    assert ran.out == "The dog is tired.\nLe chien est fatigué.\n\nWhere is the station?\nOù est la gare ?\n\n"
    found = edgellm.here("translate", "--to", "fr", "--json", text).object
    spans = [
        (text[slice(*one["source_span"])], found["text"][slice(*one["target_span"])]) for one in found["sentences"]
    ]
    assert spans == [("The dog is tired.", "Le chien est fatigué."), ("Where is the station?", "Où est la gare ?")]


def test_the_text_of_a_document_can_still_be_printed_or_written(edgellm: CommandLine, tmp_path: Path) -> None:
    page(tmp_path)
    assert "Où est {name} ?" in edgellm.here("translate", "page.html", "--to", "fr", "-o", "-").out
    edgellm.here("translate", "Where is Anna?", "--to", "fr", "-o", "out.txt")
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == "Où est Anna ?\n"
    assert "already there" in edgellm.here("translate", "Hello!", "--to", "fr", "-o", "out.txt", status=2).err
