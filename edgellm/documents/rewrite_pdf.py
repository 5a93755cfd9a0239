"""PDF: its paragraphs, and a new file of plain text or DOCX with them, since a PDF itself cannot be written again."""

from __future__ import annotations

import io
from collections.abc import Iterator

from edgellm.documents.document import Block
from edgellm.documents.formats_pdf import pdf
from edgellm.documents.line_breaks import joined
from edgellm.documents.raw_text import has_words
from edgellm.documents.segment import Rewriting, Segment, Sheet
from edgellm.documents.source import Source


def read(source: Source) -> Sheet:
    """The headings and paragraphs, each on one line. The notes name the pages without text."""
    draft = pdf(source)
    found = [
        Segment((joined(block.text.split("\n")),), f"page {page.number}")
        for page in draft.pages
        for block in page.blocks
        if has_words(block.text)
    ]
    return Sheet("pdf", tuple(found), draft.notes)


def write(order: Rewriting) -> bytes:
    """Plain text or DOCX, as the new file's ending says, with headings and a mark where a page begins."""
    return _docx(order) if order.suffix == ".docx" else _text(order)


def _blocks(order: Rewriting) -> Iterator[tuple[int, Block]]:
    """Each block with the number of its page; a page without any is one empty block."""
    number = 0
    for page in pdf(order.source).pages:
        for block in page.blocks or (Block("paragraph", ""),):
            text = joined(block.text.split("\n"))
            if has_words(block.text):
                text = order.translated.get(number, (text,))[0]
                number += 1
            yield page.number, Block(block.kind, " ".join(text.split()), block.level)


def _text(order: Rewriting) -> bytes:
    lines, page = [], 0
    for number, block in _blocks(order):
        if number != page:
            lines += [_mark(number), ""]
            page = number
        if block.text:
            lines += [block.text, ""]
    return "\n".join(lines).encode("utf-8")


def _docx(order: Rewriting) -> bytes:
    import docx
    from docx.oxml.ns import qn

    document, page = docx.Document(), 0
    for number, block in _blocks(order):
        if number != page:
            document.add_paragraph().add_run(_mark(number)).italic = True
            page = number
        if block.kind == "heading":
            document.add_heading(block.text, level=min(block.level, 9))
        elif block.text:
            document.add_paragraph(block.text)
    if order.language:
        document.core_properties.language = order.language
        for told in document.styles.element.iter(qn("w:lang")):
            told.set(qn("w:val"), order.language)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _mark(page: int) -> str:
    """Where a page of the PDF begins, in no language."""
    return f"— {page} —"
