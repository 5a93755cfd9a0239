"""Reads a file of any known format: content decides which one, the name only where content cannot.

`read` works in this process and is for the child that `load.py` starts: files are not to be trusted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from edgellm.documents import (
    formats_archive,
    formats_docx,
    formats_mail,
    formats_markup,
    formats_office,
    formats_open,
    formats_pdf,
    formats_text,
)
from edgellm.documents.document import Block, Document, Page
from edgellm.documents.source import MIB, Draft, Limits, Source, open_source
from edgellm.errors import DocumentEncrypted, DocumentTooLarge, DocumentUnsupported

__all__ = ["FORMATS", "Block", "Document", "Limits", "Page", "read"]

FORMATS: dict[str, Callable[[Source], Draft]] = {
    "pdf": formats_pdf.pdf,
    "docx": formats_docx.docx,
    "pptx": formats_office.pptx,
    "xlsx": formats_office.xlsx,
    "odt": formats_open.odt,
    "epub": formats_open.epub,
    "rtf": formats_open.rtf,
    "html": formats_markup.html,
    "markdown": formats_markup.markdown,
    "email": formats_mail.message,
    "csv": formats_text.separated,
    "subtitles": formats_text.subtitles,
    "text": formats_text.plain,
}
SUFFIXES = {
    ".pdf": "pdf",
    ".docx": "docx",
    ".docm": "docx",
    ".pptx": "pptx",
    ".pptm": "pptx",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".odt": "odt",
    ".epub": "epub",
    ".rtf": "rtf",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".md": "markdown",
    ".markdown": "markdown",
    ".eml": "email",
    ".csv": "csv",
    ".tsv": "csv",
    ".srt": "subtitles",
    ".vtt": "subtitles",
    ".txt": "text",
}
_HEAD = 4096
# Text formats whose content is not told from plain text for certain: the name decides.
_BY_NAME = frozenset({"html", "markdown", "csv", "email"})
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*|<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html[\s>])", re.IGNORECASE | re.DOTALL
)
_CUES = re.compile(rb"\s*(?:WEBVTT\s|\d{1,6}\s*\n\d\d:\d\d:\d\d,\d{3} --> )")
_MAIL = re.compile(rb"(?:[A-Za-z][A-Za-z-]*:[^\n]*\n(?:[ \t][^\n]*\n)*){3}")
_MAIL_NAMES = (b"from:", b"date:", b"subject:", b"message-id:", b"mime-version:", b"received:")
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PACKAGE = "EncryptedPackage".encode("utf-16-le")


def read(path: Path, limits: Limits | None = None) -> Document:
    """The document in a file. Raises a `DocumentError` that names the file and the reason."""
    source = open_source(path, limits or Limits())
    name = recognize(source)
    draft = FORMATS[name](source)
    if sum(len(block.text) for page in draft.pages for block in page.blocks) > source.limits.text:
        most = f"it holds more than {source.limits.text // MIB} million letters"
        raise DocumentTooLarge(source.name, most, "Split it into smaller files.")
    notes = (*_misnamed(source, name), *draft.notes)
    if not any(page.blocks for page in draft.pages) and not draft.notes:
        notes = (*notes, "It holds no text.")
    return Document(path, name, draft.title or _title(draft) or path.stem, source.sha256, draft.pages, notes)


def recognize(source: Source) -> str:
    """The format of a file, a key of `FORMATS`, by what is in it."""
    head = source.data[:_HEAD].removeprefix(b"\xef\xbb\xbf")
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        return formats_archive.kind(source)
    if head.startswith(b"{\\rtf"):
        return "rtf"
    if head.startswith(_OLD_OFFICE):
        raise _old_office(source)
    named = SUFFIXES.get(source.suffix, "text")
    if named == "pdf" and b" obj" in head:
        return "pdf"  # only its first line is broken
    if named not in _BY_NAME and named != "text" and head.startswith(b"PK"):
        raise formats_archive.damaged(source)
    head = head.replace(b"\0", b"").removeprefix(b"\xff\xfe").replace(b"\r\n", b"\n")  # UTF-16 is as good as text
    if _HTML.match(head):
        return "html"
    if _CUES.match(head) or (named == "subtitles" and b" --> " in head):
        return "subtitles"
    if _MAIL.match(head) and sum(name in b"\n" + head.lower() for name in _MAIL_NAMES) > 1 and named != "markdown":
        return "email"
    return named if named in _BY_NAME else "text"


def _old_office(source: Source) -> DocumentEncrypted | DocumentUnsupported:
    if _PACKAGE in source.data:
        return DocumentEncrypted(source.name, "it is protected by a password", "Save a copy without the password.")
    reason = "it has the format of Office before 2007"
    return DocumentUnsupported(source.name, reason, "Save it as DOCX, XLSX or PPTX.")


def _misnamed(source: Source, found: str) -> tuple[str, ...]:
    named = SUFFIXES.get(source.suffix)
    if named in (None, found):
        return ()
    return (f"It is named {source.suffix}, and was read as what it is: {found}.",)


def _title(draft: Draft) -> str:
    for page in draft.pages:
        for block in page.blocks[:20]:
            if block.kind == "heading" and len(block.text) <= 200:
                return block.text
    return ""
