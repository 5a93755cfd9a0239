"""What each format becomes: blocks in their order, pages, titles and notes."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from edgellm.documents.readers import FORMATS, Block, Document, read
from edgellm.errors import DocumentDamaged
from tests import document_files as made


def _read(folder: Path, name: str, data: bytes | str) -> Document:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read(path)


def _lines(document: Document) -> list[str]:
    """Every block as `kind level: text`."""
    return [
        f"{one.kind}{one.level or ''}: {one.text}".replace("\n", "/") for page in document.pages for one in page.blocks
    ]


def test_a_pdf_has_pages_headings_and_paragraphs(tmp_path: Path) -> None:
    body = [(12, "The first line of a paragraph"), (12, "goes on here."), (12, ""), (12, "Another paragraph.")]
    document = _read(tmp_path, "a.pdf", made.pdf([[(24, "Orchards"), *body], [(12, "On page \\(two\\).")]]))
    assert [page.number for page in document.pages] == [1, 2]
    assert _lines(document) == [
        "heading1: Orchards",
        "paragraph: The first line of a paragraph/goes on here.",
        "paragraph: Another paragraph.",
        "paragraph: On page \\(two\\).",
    ]
    assert (document.format, document.title, document.notes) == ("pdf", "Orchards", ())
    assert document.sha256 == hashlib.sha256((tmp_path / "a.pdf").read_bytes()).hexdigest()


def test_a_word_parted_at_the_end_of_a_pdf_line_is_whole_again(tmp_path: Path) -> None:
    document = _read(tmp_path, "a.pdf", made.pdf([[(12, "This is an exam-"), (12, "ple of words.")]]))
    assert _lines(document) == ["paragraph: This is an example of words."]


def test_a_pdf_with_a_broken_first_line_is_still_a_pdf(tmp_path: Path) -> None:
    data = made.pdf([[(12, "Words")]]).replace(b"%PDF-1.4", b"%PXX-1.4")
    path = tmp_path / "a.pdf"
    path.write_bytes(data)
    with pytest.raises(DocumentDamaged, match="damaged"):
        read(path)


def test_a_pdf_says_its_title_and_which_pages_have_no_text(tmp_path: Path) -> None:
    some = _read(tmp_path, "some.pdf", made.pdf([[(12, "Words")], [], []], title="Of trees"))
    assert some.title == "Of trees"
    assert some.notes == ("No text layer on pages 2, 3: empty, or pictures whose words cannot be read.",)
    none = _read(tmp_path, "none.pdf", made.pdf([[], []]))
    assert none.notes == ("It has no text layer: its pages are pictures, and their words cannot be read.",)
    assert none.title == "none"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "Größe, naïve, 東京"),
        ("utf-8-sig", "Größe, naïve, 東京"),
        ("utf-16", "Größe, naïve, 東京"),
        ("utf-32", "Größe, naïve, 東京"),
        ("cp1252", "Die Größe der Bäume überrascht die Gärtner – und über die Früchte freuen sich später alle. " * 5),
        ("shift_jis", "東京は日本の首都であり、世界最大の都市の一つです。春には桜が美しく咲きます。" * 5),
        ("gb18030", "北京是中国的首都，也是一座拥有三千多年历史的城市。春天的时候花开得很美。" * 5),
        ("koi8-r", "Москва является столицей России, и весной здесь очень красиво цветут деревья. " * 5),
    ],
)
def test_plain_text_is_read_in_any_encoding(tmp_path: Path, encoding: str, text: str) -> None:
    document = _read(tmp_path, "a.txt", text.encode(encoding))
    assert _lines(document) == [f"paragraph: {text.strip()}"]
    assert bool(document.notes) is (not encoding.startswith("utf"))


def test_plain_text_has_paragraphs_and_pages_at_form_feeds(tmp_path: Path) -> None:
    document = _read(tmp_path, "a.txt", "One\r\nline\r\n \r\nTwo\fThree\x01")
    assert [page.number for page in document.pages] == [1, 2]
    assert _lines(document) == ["paragraph: One/line", "paragraph: Two", "paragraph: Three"]


def test_markdown_keeps_its_structure_and_loses_its_marks(tmp_path: Path) -> None:
    text = (
        "---\nlayout: page\n---\n# A *title*\n\nSome [linked](http://x) `code`\nhere.\n\n- one\n- two\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n```py\nx = 1\n```\n\n<script>no()</script>\n<p>yes</p>\n"
    )
    assert _lines(_read(tmp_path, "a.md", text)) == [
        "heading1: A title",
        "paragraph: Some linked code/here.",
        "list: one",
        "list: two",
        "table: a | b/1 | 2",
        "code: x = 1",
        "paragraph: yes",
    ]


def test_html_shows_what_a_person_sees(tmp_path: Path) -> None:
    text = (
        "<!DOCTYPE html><html><head><title>The\n page</title><style>p{}</style><script>var secret</script></head><body>"
        "<h2>Head<b>ing</b></h2><p>Some <i>text</i><br>and   more<!-- secret --></p><ul><li>one<li><p>two</p></ul>"
        "<table><caption>Prices</caption><tr><th>a<th>b</tr><tr><td>1</td><td><p>2</p><p>3</p></td></tr></table>after"
        "<pre>  x\n  y</pre><noscript>secret</noscript><img alt='secret' src='http://127.0.0.1:9/'></body></html>"
    )
    document = _read(tmp_path, "a.html", text)
    assert document.title == "The page"
    assert _lines(document) == [
        "heading2: Heading",
        "paragraph: Some text/and more",
        "list: one",
        "list: two",
        "table: Prices/a | b/1 | 2 3",
        "paragraph: after",
        "code:   x/  y",
    ]


def test_html_declares_its_encoding(tmp_path: Path) -> None:
    text = '<html><head><meta charset="iso-8859-2"></head><body><p>Zażółć gęślą jaźń</p></body></html>'
    document = _read(tmp_path, "a.htm", text.encode("iso-8859-2"))
    assert _lines(document) == ["paragraph: Zażółć gęślą jaźń"]
    assert document.notes == ()


def test_docx_keeps_the_order_of_headings_paragraphs_and_tables(tmp_path: Path) -> None:
    document = _read(tmp_path, "a.docx", made.docx())
    assert document.title == "Yearly report"
    assert _lines(document) == [
        "heading1: Report",
        "paragraph: Before the table.",
        "table: Fruit | Price/Plums and pears | 3",
        "heading2: Outlook",
        "paragraph: After the table.",
        "list: First point",
    ]


def test_docx_reads_what_was_inserted_and_not_what_was_deleted(tmp_path: Path) -> None:
    names = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    body = (
        "<w:p><w:ins><w:r><w:t>New</w:t></w:r></w:ins><w:del><w:r><w:delText>Old</w:delText></w:r></w:del>"
        "<w:r><w:tab/><w:t>words</w:t></w:r></w:p>"
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>In a form</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    )
    xml = f"<w:document {names}><w:body>{body}</w:body></w:document>"
    data = made.changed(made.docx(), {"word/document.xml": xml})
    assert _lines(_read(tmp_path, "a.docx", data)) == ["paragraph: New\twords", "paragraph: In a form"]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv_becomes_rows_a_hundred_to_a_block(tmp_path: Path, mark: str) -> None:
    rows = [["name", "price"], ['"Plums, ""ripe"""', "3"], *([f"fruit {number}", str(number)] for number in range(150))]
    document = _read(tmp_path, "a.csv", "\n".join(mark.join(row) for row in rows))
    blocks = document.pages[0].blocks
    assert [one.text.count("\n") + 1 for one in blocks] == [100, 52]
    assert blocks[0].text.startswith('name | price\nPlums, "ripe" | 3\nfruit 0 | 0\n')


_SRT = (
    "1\r\n00:00:01,000 --> 00:00:02,000\r\n<i>Hello</i>\r\nthere\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\nBye\r\n"
)
_VTT = "WEBVTT\n\n00:01.000 --> 00:02.000\n<i>Hello</i>\nthere\n\n00:03.000 --> 00:04.000\nBye\n"


@pytest.mark.parametrize(("name", "text"), [("a.srt", _SRT), ("a.vtt", _VTT)])
def test_subtitles_are_their_words(tmp_path: Path, name: str, text: str) -> None:
    assert _lines(_read(tmp_path, name, text)) == ["paragraph: Hello/there", "paragraph: Bye"]


def test_subtitles_are_read_without_tags_and_marks(tmp_path: Path) -> None:
    srt = "1\n00:00:01,000 --> 00:00:02,000\n<i>Hi</i> {\\an8}<font color='#f00'>a</font> & 1 < 2\n"
    assert _lines(_read(tmp_path, "a.srt", srt)) == ["paragraph: Hi a & 1 < 2"]
    cue = "<v Roger>The <c.loud>rent</c> &amp; <00:00:01.500>more &lt;b&gt;</v>"
    vtt = f"WEBVTT\n\nSTYLE\n::cue {{ color: red }}\n\n00:01.000 --> 00:02.000 align:left\n{cue}\n"
    assert _lines(_read(tmp_path, "a.vtt", vtt)) == ["paragraph: The rent & more <b>"]


def test_subtitles_in_utf_16_are_known_and_a_file_without_cues_is_text(tmp_path: Path) -> None:
    assert _lines(_read(tmp_path, "a.srt", _SRT.encode("utf-16"))) == ["paragraph: Hello/there", "paragraph: Bye"]
    document = _read(tmp_path, "a.srt", "No cue at all")
    assert document.notes == ("It is named .srt, and was read as what it is: text.",)


def test_an_email_is_its_head_and_its_text(tmp_path: Path) -> None:
    text = (
        "From: Ada <ada@example.org>\nTo: Bob <bob@example.org>\nSubject: =?utf-8?q?Pl=C3=A4ne?=\nMIME-Version: 1.0\n"
        'Content-Type: multipart/mixed; boundary="x"\n\n--x\nContent-Type: text/html; charset=utf-8\n\n'
        "<p>Dear <b>Bob</b></p><script>no()</script>\n--x\nContent-Type: application/pdf\n"
        'Content-Disposition: attachment; filename="plan.pdf"\n\nxx\n--x--\n'
    )
    document = _read(tmp_path, "a.eml", text)
    assert document.title == "Pläne"
    head = "paragraph: From: Ada <ada@example.org>/To: Bob <bob@example.org>"
    assert _lines(document) == ["heading1: Pläne", head, "paragraph: Dear Bob"]
    assert document.notes == ("Attachments were not read: plan.pdf.",)


def test_slides_are_pages(tmp_path: Path) -> None:
    document = _read(tmp_path, "a.pptx", made.pptx())
    assert [page.number for page in document.pages] == [1, 2]
    assert _lines(document) == [
        "heading1: Harvest",
        "paragraph: More plums than ever",
        "paragraph: Speak slowly.",
        "table: Plums | 3",
    ]


def test_sheets_are_pages_of_rows(tmp_path: Path) -> None:
    assert _lines(_read(tmp_path, "a.xlsx", made.xlsx())) == [
        "heading1: Fruit",
        "table: Name | Price/Plums | 3/Pears | 2.5",
        "heading1: Notes",
        "table: Picked by hand",
    ]


def test_a_sheet_that_claims_a_million_rows_is_read_for_what_it_holds(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(made.xlsx())) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    claimed = sheet.replace('ref="A1:B4"', 'ref="A1:XFD1048576"')
    assert claimed != sheet
    data = made.changed(made.xlsx(), {"xl/worksheets/sheet1.xml": claimed})
    assert "table: Name | Price/Plums | 3/Pears | 2.5" in _lines(_read(tmp_path, "a.xlsx", data))


def test_odt_keeps_its_order(tmp_path: Path) -> None:
    document = _read(tmp_path, "a.odt", made.odt())
    assert document.title == "Garden"
    assert _lines(document) == ["heading2: Orchard", "paragraph: Trees and\tbees", "list: Plum", "table: a | b"]


def test_an_epub_is_read_in_its_reading_order(tmp_path: Path) -> None:
    document = _read(tmp_path, "a.epub", made.epub())
    assert document.title == "A Book"
    assert [page.number for page in document.pages] == [1, 2]
    assert _lines(document) == ["heading1: One", "paragraph: First words.", "paragraph: Second words."]


def test_rtf_is_its_words(tmp_path: Path) -> None:
    document = _read(tmp_path, "a.rtf", r"{\rtf1\ansi\ansicpg1252 Gr\'f6\'dfe \b and\b0  weight.\par Second.\par}")
    assert _lines(document) == ["paragraph: Größe and weight.", "paragraph: Second."]


def test_content_decides_and_a_wrong_name_is_said(tmp_path: Path) -> None:
    samples = {
        "pdf": made.pdf([[(12, "Words")]]),
        "docx": made.docx(),
        "pptx": made.pptx(),
        "xlsx": made.xlsx(),
        "odt": made.odt(),
        "epub": made.epub(),
        "rtf": rb"{\rtf1 Words\par}",
        "html": b"<html><body>Words</body></html>",
        "subtitles": b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n",
        "email": b"From: a@b.example\nSubject: Plans\nDate: Mon, 3 Nov 2025 10:00:00 +0000\n\nWords\n",
    }
    assert samples.keys() == FORMATS.keys() - {"markdown", "csv", "text"}
    for kind, data in samples.items():
        wrong = "a.docx" if kind == "pdf" else "a.pdf"
        document = _read(tmp_path, wrong, data)
        assert document.format == kind
        assert document.notes[0] == f"It is named {Path(wrong).suffix}, and was read as what it is: {kind}."


def test_a_file_with_nothing_to_say_says_so(tmp_path: Path) -> None:
    assert _read(tmp_path, "a.html", "<html><script>x</script></html>").notes == ("It holds no text.",)


def test_no_half_characters_reach_anybody(tmp_path: Path) -> None:
    document = _read(tmp_path, "a.html", "<html><p>a&#xD800;b&#0;c</p></html>")
    assert all(isinstance(one, Block) and one.text.encode() for one in document.pages[0].blocks)
