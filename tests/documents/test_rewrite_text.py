"""Plain text and PDF: paragraphs in the encoding and the lines they had; a PDF becomes text or DOCX."""

from __future__ import annotations

import io
import random
from pathlib import Path

import docx
import pytest

from edgellm.documents import rewrite
from edgellm.documents.line_breaks import filled, parted, width
from edgellm.errors import DocumentDamaged, UsageError
from tests import document_files, rewriting

FILES = 100
WRAPPED = (
    "This is the first paragraph of a text that was wrapped at\nsome width, as people did it in the days of the\n"
    "terminal, and still do.\n"
)


def _file(chance: random.Random) -> str:
    def paragraph() -> str:
        text = " ".join(rewriting.words(chance) for _ in range(chance.randrange(1, 9)))
        kind = chance.randrange(5)
        if kind == 0:
            return text[:60] + "\n" + "=" * 20
        if kind == 1:
            return "\n".join(f"{chance.choice(('-', '3.', '  *'))} {rewriting.words(chance)}" for _ in range(3))
        if kind == 2:
            return "\n".join(rewriting.words(chance, 3) for _ in range(4))
        return "\n".join(filled(text, chance.choice((50, 72)), 0, 2)).replace("\n", chance.choice(("\n", "\n  ")))

    text = chance.choice(("\n\n", "\n \n", "\n\n\n", "\n\f")).join(paragraph() for _ in range(chance.randrange(1, 8)))
    return chance.choice((text, text + "\n", text.replace("\n", "\r\n")))


def test_generated_texts_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    for seed in range(FILES):
        text = _file(random.Random(seed))
        path.write_bytes(text.encode())
        assert rewriting.rewritten(path, str) == text.encode(), seed
        new = rewriting.rewritten(path, rewriting.swapped).decode()
        assert "".join(new.split()) == rewriting.swapped("".join(text.split())), seed
        assert new.count("\n\n") + new.count("\f") == text.count("\n\n") + text.count("\f"), seed


def test_a_wrapped_paragraph_is_one_text_and_is_wrapped_again(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(WRAPPED + "\n  - short\n\nRoses are red\nviolets are blue\n\n* * *\n12 34\n", encoding="utf-8")
    sheet = rewriting.sheet(path)
    assert [(one.where, one.text) for one in sheet.segments] == [
        ("line 1", " ".join(WRAPPED.split())),
        ("line 5", "short"),
        ("line 7", "Roses are red"),
        ("line 8", "violets are blue"),
    ]
    new = rewriting.replaced(path, {0: ("Ceci est un " + "texte " * 20,), 3: ("les violettes sont bleues",)}).decode()
    assert max(map(len, new.splitlines())) <= 57
    assert new.endswith("\n\n  - short\n\nRoses are red\nles violettes sont bleues\n\n* * *\n12 34\n")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-be", "shift_jis"])
def test_the_encoding_stays(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.txt"
    text = "東京は日本の首都であり、世界最大の都市の一つです。春には桜が美しく咲きます。\n" * 3
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    path.write_bytes(mark + text.encode(encoding))
    assert rewriting.rewritten(path, str) == path.read_bytes()
    new = rewriting.replaced(path, {0: ("京都",)})
    assert new.removeprefix(mark).decode(encoding).startswith("京都")


def test_letters_of_no_encoding_are_refused_rather_than_lost(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xff\xfe" + "plum".encode("utf-16-le") + b"\x00\xd8a\x00")
    with pytest.raises(DocumentDamaged, match="letters are broken"):
        rewriting.sheet(path)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "marked"])
def test_a_broken_letter_stays_and_so_does_the_text_it_is_in(tmp_path: Path, mark: bytes) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(mark + "Früchte überraschen schöne Gärten: äöüäöü\n\n".encode() + b"pl\xc3um\n\nplum\n")
    sheet = rewriting.sheet(path)
    assert sheet.notes == ("A letter of it is broken: the texts with them are not translated.",)
    assert rewriting.rewritten(path, str) == path.read_bytes()
    new = rewriting.rewritten(path, rewriting.swapped)
    assert new == mark + "fRÜCHTE ÜBERRASCHEN SCHÖNE gÄRTEN: ÄÖÜÄÖÜ\n\n".encode() + b"pl\xc3um\n\nPLUM\n"


def test_lines_are_filled_and_parted_in_scripts_with_and_without_spaces() -> None:
    assert filled("one two three", 7) == ["one two", "three"]
    assert filled("incomprehensible", 5) == ["incomprehensible"]
    assert [width(line) <= 10 for line in filled("春天花开了，北京是首都。", 10)] == [True, True, True]
    assert not any(line[0] in "，。" for line in filled("春天花开了，北京是首都。", 10))
    assert parted("one two three four", 2) == [(7, 8)]
    assert parted("one", 3) == []


PAGES = [[(24.0, "Orchards"), (12.0, "Words that go"), (12.0, "on here.")], [], [(12.0, "The third page.")]]


def _pdf(folder: Path) -> Path:
    path = folder / "a.pdf"
    path.write_bytes(document_files.pdf(PAGES))
    return path


def test_a_pdf_becomes_text_with_a_mark_for_each_page(tmp_path: Path) -> None:
    path = _pdf(tmp_path)
    sheet = rewrite.segments(path)
    assert [(one.where, one.text) for one in sheet.segments] == [
        ("page 1", "Orchards"),
        ("page 1", "Words that go on here."),
        ("page 3", "The third page."),
    ]
    assert sheet.notes == ("No text layer on page 2: empty, or pictures whose words cannot be read.",)
    rewrite.write(path, tmp_path / "a.txt", {0: ("Vergers",)}, "fr", sheet.sha256)
    assert (tmp_path / "a.txt").read_text("utf-8") == (
        "— 1 —\n\nVergers\n\nWords that go on here.\n\n— 2 —\n\n— 3 —\n\nThe third page.\n"
    )


def test_a_pdf_becomes_a_docx_with_headings(tmp_path: Path) -> None:
    data = rewriting.replaced(_pdf(tmp_path), {0: ("Vergers",)}, "fr", ".docx")
    document = docx.Document(io.BytesIO(data))
    assert [(one.style.name, one.text) for one in document.paragraphs if one.style] == [
        ("Normal", "— 1 —"),
        ("Heading 1", "Vergers"),
        ("Normal", "Words that go on here."),
        ("Normal", "— 2 —"),
        ("Normal", "— 3 —"),
        ("Normal", "The third page."),
    ]
    assert document.core_properties.language == "fr"


def test_a_pdf_is_not_written_as_a_pdf(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        rewrite.write(_pdf(tmp_path), tmp_path / "b.pdf", {})
    assert caught.value.hint == "Name a file that ends in .txt or .docx."
