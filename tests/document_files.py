"""Real files for the tests of reading: made with the formats' own libraries, or written out byte by byte."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

Line = tuple[float, str]  # size in points, text


def pdf(pages: Sequence[Sequence[Line]], title: str = "", trailer: str = "") -> bytes:
    """A PDF with one column of lines per page, from the top; a page without lines is empty."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for lines in pages:
        height, drawn = 760.0, []
        for size, text in lines:
            height -= size * (1.2 if text else 2)
            shown = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
            drawn.append(f"BT /F1 {size} Tf 72 {height:.1f} Td ({shown}) Tj ET")
        stream = "\n".join(drawn)
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        resources = "/Resources << /Font << /F1 3 0 R >> >>"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] {resources} /Contents {len(objects)} 0 R >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(kids)}] >>"
    objects.append(f"<< /Title ({title}) >>")
    parts, places = ["%PDF-1.4\n"], []
    for number, body in enumerate(objects, 1):
        places.append(sum(map(len, parts)))
        parts.append(f"{number} 0 obj\n{body}\nendobj\n")
    start = sum(map(len, parts))
    parts.append(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n")
    parts += [f"{place:010d} 00000 n \n" for place in places]
    parts.append(f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R {trailer} >>\n")
    parts.append(f"startxref\n{start}\n%%EOF\n")
    return "".join(parts).encode("latin-1")


def encrypted_pdf() -> bytes:
    """A PDF that asks for a password: its check values fit no password that is tried without asking."""
    lock = f"/Filter /Standard /V 1 /R 2 /O <{'41' * 32}> /U <{'42' * 32}> /P -4"
    return pdf([[(12, "Secret")]], trailer=f"/Encrypt << {lock} >> /ID [<{'43' * 16}> <{'43' * 16}>]")


def docx() -> bytes:
    """A letter: title, headings, two paragraphs around a table, list items."""
    import docx as library

    document = library.Document()
    document.core_properties.title = "Yearly report"
    document.add_heading("Report", level=1)
    document.add_paragraph("Before the table.")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(table._cells, ("Fruit", "Price", "Plums\nand pears", "3"), strict=True):
        cell.text = text
    document.add_heading("Outlook", level=2)
    document.add_paragraph("After the table.")
    document.add_paragraph("First point", style="List Bullet")
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def pptx() -> bytes:
    """Two slides: a title and text with notes, a table."""
    import pptx as library
    from pptx.util import Inches

    slides = library.Presentation()
    first = slides.slides.add_slide(slides.slide_layouts[1])
    first.shapes.title.text = "Harvest"
    first.placeholders[1].text = "More plums than ever"
    first.notes_slide.notes_text_frame.text = "Speak slowly."
    second = slides.slides.add_slide(slides.slide_layouts[6])
    table = second.shapes.add_table(1, 2, Inches(1), Inches(1), Inches(4), Inches(1)).table
    table.cell(0, 0).text, table.cell(0, 1).text = "Plums", "3"
    file = io.BytesIO()
    slides.save(file)
    return file.getvalue()


def xlsx() -> bytes:
    """Two sheets with a few cells."""
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = "Fruit"
    for row in (("Name", "Price"), ("Plums", 3), (None, None), ("Pears", 2.5)):
        book.active.append(row)
    book.create_sheet("Notes").append(["Picked by hand"])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def archive(files: Mapping[str, str | bytes]) -> bytes:
    """A ZIP archive, compressed."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return file.getvalue()


def changed(data: bytes, files: Mapping[str, str | bytes]) -> bytes:
    """An archive with some members replaced or added."""
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        return archive({**{name: old.read(name) for name in old.namelist()}, **files})


def odt(manifest: str = "<manifest/>") -> bytes:
    """A text with a heading, a paragraph, a list and a table."""
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "text", "table")
    )
    body = (
        '<text:h text:outline-level="2">Orchard</text:h>'
        "<text:p>Trees <text:span>and</text:span><text:tab/>bees</text:p>"
        "<text:list><text:list-item><text:p>Plum</text:p></text:list-item></text:list>"
        "<table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell>"
        "<table:table-cell><text:p>b</text:p></table:table-cell></table:table-row></table:table>"
    )
    text = f"<office:body><office:text>{body}</office:text></office:body>"
    meta = '<m xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Garden</dc:title></m>'
    return archive(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "META-INF/manifest.xml": manifest,
            "content.xml": f"<office:document-content{names}>{text}</office:document-content>",
            "meta.xml": meta,
        }
    )


def epub(chapters: Sequence[str] = ("<h1>One</h1><p>First words.</p>", "<p>Second words.</p>")) -> bytes:
    """A book; its reading order is that of the chapters, its archive's is not."""
    items = "".join(
        f'<item id="c{n}" href="text/c%20{n}.xhtml" media-type="application/xhtml+xml"/>' for n in range(len(chapters))
    )
    spine = "".join(f'<itemref idref="c{number}"/>' for number in range(len(chapters)))
    title = '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>A Book</dc:title></metadata>'
    package = f"<manifest>{items}</manifest><spine>{spine}</spine>"
    pages = {
        f"OPS/text/c {number}.xhtml": f'<?xml version="1.0"?><html><body>{chapter}</body></html>'
        for number, chapter in reversed(list(enumerate(chapters)))
    }
    container = '<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>'
    return archive(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "OPS/book.opf": f'<package xmlns="http://www.idpf.org/2007/opf">{title}{package}</package>',
            **pages,
        }
    )
