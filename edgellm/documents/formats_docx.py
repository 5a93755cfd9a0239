"""DOCX: paragraphs, headings, list items and tables in their order, with the footnotes at the end."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from edgellm.documents.document import Block, Page, block, table
from edgellm.documents.formats_archive import damaged
from edgellm.documents.office_package import tolerant
from edgellm.documents.source import Draft, Source

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_SIGNS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_WRAPPERS = frozenset(f"{_W}{name}" for name in ("sdt", "sdtContent", "ins", "smartTag", "customXml", "moveTo"))
# What damaged packages make of a library that checks little of what it is given.
_BROKEN = (KeyError, ValueError, AttributeError, IndexError, TypeError, OSError, EOFError)
_HEADING = re.compile(r"heading ([1-9])$", re.IGNORECASE)


def docx(source: Source) -> Draft:
    """The whole body. Inserted text counts, deleted text does not; content controls and text boxes are walked too."""
    from docx.opc.exceptions import PackageNotFoundError
    from lxml import etree

    try:
        return tolerant(source, _draft)
    except (PackageNotFoundError, etree.LxmlError, zipfile.BadZipFile, *_BROKEN) as error:
        raise damaged(source) from error


def _draft(data: bytes) -> Draft:
    import docx as library

    document = library.Document(io.BytesIO(data))
    levels = _levels(document)
    body = tuple(_blocks(document.element.body, levels))
    title = str(document.core_properties.title or "")
    return Draft((Page(0, (*body, *_footnotes(document))),), " ".join(title.split()))


def _levels(document: Any) -> dict[str, int]:
    """Style id -> heading level, 0 for list styles. The name counts: ids are translated, names are not."""
    found = {}
    for style in document.styles.element.iterchildren(f"{_W}style"):
        name = style.find(f"{_W}name")
        called = "" if name is None else str(name.get(f"{_W}val", ""))
        heading = _HEADING.match(called)
        if heading or called.lower() == "title":
            found[str(style.get(f"{_W}styleId"))] = int(heading[1]) if heading else 1
        elif called.lower().startswith("list"):
            found[str(style.get(f"{_W}styleId"))] = 0
    return found


def _blocks(parent: Any, levels: dict[str, int]) -> Iterator[Block]:
    for element in parent:
        found = None
        if element.tag == f"{_W}p":
            found = _paragraph(element, levels)
        elif element.tag == f"{_W}tbl":
            found = table([_cells(row) for row in element.iter(f"{_W}tr")])
        elif element.tag in _WRAPPERS:
            yield from _blocks(element, levels)
        if found:
            yield found


def _paragraph(element: Any, levels: dict[str, int]) -> Block | None:
    style = element.find(f"{_W}pPr/{_W}pStyle")
    level = levels.get("" if style is None else str(style.get(f"{_W}val")))
    text = _text(element)
    if level:
        return block("heading", " ".join(text.split()), level)
    listed = level == 0 or element.find(f"{_W}pPr/{_W}numPr") is not None
    return block("list" if listed else "paragraph", text)


def _cells(row: Any) -> list[str]:
    return [" ".join(_text(paragraph) for paragraph in cell.iter(f"{_W}p")) for cell in row.iter(f"{_W}tc")]


def _text(element: Any) -> str:
    words, skipped = [], set()
    for part in element.iter():
        if part.tag == _FALLBACK or part.getparent() in skipped:
            skipped.add(part)  # the same picture again, for old programs
        elif part.tag == f"{_W}t":
            words.append(part.text or "")
        elif part.tag in _SIGNS:
            words.append(_SIGNS[part.tag])
        elif part.tag == f"{_W}p" and words:
            words.append("\n")  # a text box inside a paragraph
    return "".join(words)


def _footnotes(document: Any) -> Iterator[Block]:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    for relation in document.part.rels.values():
        if not relation.is_external and relation.reltype.endswith(("/footnotes", "/endnotes")):
            for paragraph in etree.fromstring(relation.target_part.blob, parser).iter(f"{_W}p"):
                found = block("paragraph", _text(paragraph))
                if found:
                    yield found
