"""Finds the translatable texts of a file of any known format, and writes the file again with others in their place.

Everything works on bytes in this process and is for the child that `load.py` starts: files are not to be trusted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from edgellm.documents import (
    readers,
    rewrite_docx,
    rewrite_epub,
    rewrite_html,
    rewrite_markdown,
    rewrite_pdf,
    rewrite_po,
    rewrite_pptx,
    rewrite_subtitles,
    rewrite_text,
)
from edgellm.documents.document import cleaned
from edgellm.documents.segment import ChangedSince, PiecesMismatch, Rewriting, Sheet, Translated, WrongSuffix
from edgellm.documents.source import MIB, Limits, Source, open_source
from edgellm.errors import DocumentTooLarge, DocumentUnsupported


@dataclass(frozen=True, slots=True)
class Rewriter:
    """What a format offers: `read` finds the segments, `write` makes the bytes of the new file.

    `suffixes` are the endings that a new file of this format may have; the first is the usual one.
    """

    read: Callable[[Source], Sheet]
    write: Callable[[Rewriting], bytes]
    suffixes: tuple[str, ...]


# The keys are those of `readers.FORMATS` where there is one. A new format is a module and a row.
FORMATS: dict[str, Rewriter] = {
    "docx": Rewriter(rewrite_docx.read, rewrite_docx.write, (".docx", ".docm", ".dotx", ".dotm")),
    "pptx": Rewriter(rewrite_pptx.read, rewrite_pptx.write, (".pptx", ".pptm", ".potx", ".potm", ".ppsx", ".ppsm")),
    "html": Rewriter(rewrite_html.read, rewrite_html.write, (".html", ".htm", ".xhtml")),
    "epub": Rewriter(rewrite_epub.read, rewrite_epub.write, (".epub",)),
    "markdown": Rewriter(rewrite_markdown.read, rewrite_markdown.write, (".md", ".markdown")),
    "subtitles": Rewriter(rewrite_subtitles.read, rewrite_subtitles.write, (".srt", ".vtt")),
    "po": Rewriter(rewrite_po.read, rewrite_po.write, (".po", ".pot")),
    "text": Rewriter(rewrite_text.read, rewrite_text.write, (".txt", ".text")),
    "pdf": Rewriter(rewrite_pdf.read, rewrite_pdf.write, (".txt", ".docx")),
}
# Endings that decide, because the content looks like plain text.
BY_NAME: dict[str, str] = {".po": "po", ".pot": "po", ".srt": "subtitles", ".vtt": "subtitles"}


def segments(path: Path, limits: Limits | None = None) -> Sheet:
    """The segments of a file. Raises a `DocumentError` that names the file and the reason."""
    source = open_source(path, limits or Limits())
    name, rewriter = _rewriter(source)
    sheet = rewriter.read(source)
    if sum(len(piece) for segment in sheet.segments for piece in segment.pieces) > source.limits.text:
        most = f"it holds more than {source.limits.text // MIB} million letters"
        raise DocumentTooLarge(source.name, most, "Split it into smaller files.")
    return replace(sheet, format=name, sha256=source.sha256)


def rewritten(order: Rewriting, sha256: str = "") -> bytes:
    """The file again, with other texts.

    Raises what `segments` raises, and `ChangedSince`, `PiecesMismatch` and `WrongSuffix`.
    """
    if sha256 and order.source.sha256 != sha256:
        raise ChangedSince
    _, rewriter = _rewriter(order.source)
    if order.suffix not in rewriter.suffixes:
        own = order.source.suffix
        raise WrongSuffix(*((own,) if own in rewriter.suffixes else rewriter.suffixes))
    return rewriter.write(replace(order, translated=_changes(rewriter.read(order.source), order.translated)))


def misnamed(source: Source) -> bool:
    """Whether the name of a file says that it is of another known format than it is."""
    named = readers.SUFFIXES.get(source.suffix)
    return named is not None and named != _rewriter(source)[0]


def _rewriter(source: Source) -> tuple[str, Rewriter]:
    name = BY_NAME.get(source.suffix) or readers.recognize(source)
    if name not in FORMATS:
        known = ", ".join(suffix[1:].upper() for suffix in sorted({one.suffixes[0] for one in FORMATS.values()}))
        reason = "a file of this format cannot be written again with other texts"
        raise DocumentUnsupported(source.name, reason, f"These can: {known}.")
    return name, FORMATS[name]


def _changes(sheet: Sheet, translated: Translated) -> Translated:
    """What differs from the file, cleaned: the rest of the file is then left alone to the last byte."""
    found = {}
    for number, pieces in translated.items():
        if not 0 <= number < len(sheet.segments) or len(pieces) != len(sheet.segments[number].pieces):
            raise PiecesMismatch(number)
        old = sheet.segments[number].pieces
        new = tuple(one if one == was else cleaned(one) for one, was in zip(pieces, old, strict=True))
        if new != old:
            found[number] = new
    return found
