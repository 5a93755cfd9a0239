"""Slides (PPTX) and spreadsheets (XLSX). A slide or a sheet is a page."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

from edgellm.documents.document import Block, Page, block, table
from edgellm.documents.formats_archive import damaged
from edgellm.documents.office_package import tolerant
from edgellm.documents.source import Draft, Source

_ROWS = 100
_DEEPEST_GROUP = 20
# What damaged packages make of two libraries that check little of what they are given.
_BROKEN = (KeyError, ValueError, AttributeError, IndexError, TypeError, OSError, EOFError)


def pptx(source: Source) -> Draft:
    """Title, texts, tables and speaker's notes of each slide, in the order of the shapes."""
    from lxml import etree
    from pptx.exc import PythonPptxError

    try:
        return tolerant(source, _slides)
    except (PythonPptxError, etree.LxmlError, zipfile.BadZipFile, *_BROKEN) as error:
        raise damaged(source) from error


def _slides(data: bytes) -> Draft:
    import pptx as library

    slides = library.Presentation(io.BytesIO(data))
    pages = tuple(Page(number, tuple(_slide(slide))) for number, slide in enumerate(slides.slides, 1))
    title = str(slides.core_properties.title or "")
    return Draft(pages, "" if title == "PowerPoint Presentation" else title)


def _slide(slide: Any) -> Iterator[Block]:
    title = slide.shapes.title
    yield from _shapes(slide.shapes, title.shape_id if title is not None else None, 0)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        found = block("paragraph", slide.notes_slide.notes_text_frame.text)
        if found:
            yield found


def _shapes(shapes: Iterable[Any], title: int | None, depth: int) -> Iterator[Block]:
    for shape in shapes:
        if hasattr(shape, "shapes") and depth < _DEEPEST_GROUP:
            yield from _shapes(shape.shapes, title, depth + 1)
        elif getattr(shape, "has_table", False):
            found = table([[cell.text for cell in row.cells] for row in shape.table.rows])
            if found:
                yield found
        elif shape.has_text_frame and shape.shape_id == title:
            found = block("heading", " ".join(shape.text_frame.text.split()), 1)
            if found:
                yield found
        elif shape.has_text_frame:
            for paragraph in shape.text_frame.paragraphs:
                found = block("paragraph", paragraph.text)
                if found:
                    yield found


def xlsx(source: Source) -> Draft:
    """Each sheet's name as a heading, then its rows, a hundred to a block. Formulas give the value last saved."""
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(io.BytesIO(source.data), read_only=True, data_only=True, keep_links=False)
        pages = tuple(Page(number, tuple(_sheet(sheet))) for number, sheet in enumerate(book.worksheets, 1))
        title = str(book.properties.title or "")
    except (InvalidFileException, zipfile.BadZipFile, SyntaxError, *_BROKEN) as error:
        # ElementTree's ParseError is a SyntaxError.
        raise damaged(source) from error
    return Draft(pages, title)


def _sheet(sheet: Any) -> Iterator[Block]:
    heading = block("heading", str(sheet.title), 1)
    if heading:
        yield heading
    rows: list[list[str]] = []
    sheet.reset_dimensions()  # what a file says of its size may be a million empty rows
    for row in sheet.iter_rows(values_only=True):
        cells = ["" if value is None else str(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            rows.append(cells)
        if len(rows) == _ROWS:
            found, rows = table(rows), []
            if found:
                yield found
    found = table(rows)
    if found:
        yield found
