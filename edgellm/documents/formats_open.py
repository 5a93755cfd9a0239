"""ODT, EPUB and RTF. The first two are XML in an archive, walked here: their own libraries are old or copyleft."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from edgellm.documents.document import Block, Page, block, table
from edgellm.documents.formats_archive import damaged, members, part
from edgellm.documents.formats_markup import html_page
from edgellm.documents.formats_text import no_text, paragraphs
from edgellm.documents.source import Draft, Source
from edgellm.errors import DocumentEncrypted

_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_OPF = "{http://www.idpf.org/2007/opf}"
_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_ENCRYPTED = "META-INF/encryption.xml"
_METHOD = re.compile(rb"""EncryptionMethod\s[^>]*?Algorithm\s*=\s*["']([^"']*)""")
_FONT_METHODS = (b"http://www.idpf.org/2008/embedding", b"http://ns.adobe.com/pdf/enc#RC")  # of no text
_SIGNS = {f"{_TEXT}tab": "\t", f"{_TEXT}s": " ", f"{_TEXT}line-break": "\n"}
_UNSEEN = frozenset(f"{_TEXT}{name}" for name in ("tracked-changes", "sequence-decls", "table-of-content"))


def _tree(source: Source, data: bytes) -> Any:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise damaged(source) from error


def odt(source: Source) -> Draft:
    """Headings, paragraphs, list items and tables in their order."""
    with members(source) as archive:
        names = set(archive.namelist())
        manifest = "META-INF/manifest.xml"
        if manifest in names and b"manifest:encryption-data" in part(source, archive, manifest):
            raise DocumentEncrypted(source.name, "it is protected by a password", "Save a copy without the password.")
        body = _tree(source, part(source, archive, "content.xml")).find(f"{_OFFICE}body/{_OFFICE}text")
        about = _tree(source, part(source, archive, "meta.xml")) if "meta.xml" in names else None
    title = "" if about is None else about.findtext(f".//{_TITLE}") or ""
    if body is None:
        raise damaged(source)
    return Draft((Page(0, tuple(_odt_blocks(body, False))),), " ".join(title.split()))


def _odt_blocks(parent: Any, listed: bool) -> Iterator[Block]:
    for element in parent:
        found = None
        if element.tag == f"{_TEXT}h":
            level = str(element.get(f"{_TEXT}outline-level", "1"))
            found = block("heading", _said(element), min(int(level), 9) if level.isdecimal() else 1)
        elif element.tag == f"{_TEXT}p":
            found = block("list" if listed else "paragraph", _said(element))
        elif element.tag == f"{_TABLE}table":
            rows = element.iter(f"{_TABLE}table-row")
            found = table([[_said(cell) for cell in row.iter(f"{_TABLE}table-cell")] for row in rows])
        elif element.tag not in _UNSEEN and isinstance(element.tag, str):
            yield from _odt_blocks(element, listed or element.tag == f"{_TEXT}list")
        if found:
            yield found


def _said(element: Any) -> str:
    words = [element.text or ""]
    for inner in element.iterdescendants():
        if inner.tag in _SIGNS:
            words.append(_SIGNS[inner.tag])
        elif inner.tag == f"{_TEXT}p":
            words.append("\n")
        words += [inner.text or "", inner.tail or ""]
    return "".join(words)


def epub(source: Source) -> Draft:
    """The chapters in their reading order, a page each."""
    with members(source) as archive:
        names = set(archive.namelist())
        place, book = package(source, archive)
        pages: list[Page] = []
        for name in chapters(book, posixpath.dirname(place)):
            text = _chapter(source, archive, name) if name in names else ""
            pages.append(Page(len(pages) + 1, html_page(text)[0]))
    title = book.findtext(f".//{_TITLE}") or ""
    return Draft(tuple(pages), " ".join(title.split()))


def package(source: Source, archive: zipfile.ZipFile) -> tuple[str, Any]:
    """Where an EPUB says what it consists of, and that as a tree. Raises `DocumentEncrypted` for a protected book."""
    names = set(archive.namelist())
    methods = part(source, archive, _ENCRYPTED) if _ENCRYPTED in names else b""
    hidden = any(method not in _FONT_METHODS for method in _METHOD.findall(methods))
    if hidden or "META-INF/rights.xml" in names or "META-INF/license.lcpl" in names:
        raise DocumentEncrypted(source.name, "the book is copy protected", "Only books without it can be read.")
    container = _tree(source, part(source, archive, "META-INF/container.xml"))
    root = container.find(".//{*}rootfile")
    place = "" if root is None else str(root.get("full-path", ""))
    return place, _tree(source, part(source, archive, place))


def chapters(book: Any, folder: str) -> Iterator[str]:
    """The names of a book's chapters in the archive, in their reading order."""
    items = {item.get("id"): item for item in book.iter(f"{_OPF}item")}
    for reference in book.iter(f"{_OPF}itemref"):
        item = items.get(reference.get("idref"))
        if item is not None and "html" in str(item.get("media-type", "")):
            yield posixpath.normpath(posixpath.join(folder, unquote(str(item.get("href", "")))))


def _chapter(source: Source, archive: zipfile.ZipFile, name: str) -> str:
    data = part(source, archive, name)
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    return data.decode("utf-8-sig", "replace")


def rtf(source: Source) -> Draft:
    """The words of an RTF file."""
    from striprtf import striprtf

    convert: Callable[..., str] = striprtf.rtf_to_text  # untyped in its package
    try:
        text = convert(source.data.decode("latin-1"), errors="replace")
    except (ValueError, LookupError, IndexError, KeyError, AttributeError, TypeError) as error:
        raise damaged(source) from error
    if not text.strip() and b"\\pict" not in source.data and b"\\par" not in source.data:
        raise no_text(source)
    lines = "\n\n".join(line for line in text.splitlines() if line.strip())
    return Draft((Page(0, paragraphs(lines)),))
