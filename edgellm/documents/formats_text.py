"""Plain text in any encoding, tables of separated values, and subtitles."""

from __future__ import annotations

import codecs
import csv
import html
import io
import re

from edgellm.documents.document import Block, Page, block, table
from edgellm.documents.encodings import guess
from edgellm.documents.source import Draft, Source
from edgellm.errors import DocumentDamaged, DocumentUnsupported

# Byte order marks. Longer ones first: the mark of UTF-16 is the beginning of UTF-32's.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_SAMPLE = 64 << 10
_LOOK = 8 << 10  # the time that the standard library takes to tell a separator grows faster than this
_ROWS = 100
_KARAOKE = re.compile(r"<[\d:.]+>")  # when the next word is sung
_BLANK = re.compile(r"\n[ \t]*\n\s*")


def decode(source: Source, declared: str = "") -> tuple[str, str]:
    """The text, and the name of the encoding when it had to be guessed (else empty).

    In this order: a byte order mark, UTF-8, the encoding that the file declares, a guess (encodings.py). Raises
    `DocumentUnsupported` for bytes that are no text.
    """
    text, guessed = _decoded(source, declared)
    if len(_CONTROL.findall(text[:_SAMPLE])) > 2 + len(text[:_SAMPLE]) // 100:
        raise no_text(source)
    return text.replace("\r\n", "\n").replace("\r", "\n"), guessed


def no_text(source: Source) -> DocumentUnsupported:
    """The error for bytes of no known format."""
    return DocumentUnsupported(
        source.name, "it is neither text nor a format known here", "Save it as PDF, DOCX or plain text."
    )


def _decoded(source: Source, declared: str) -> tuple[str, str]:
    data = source.data
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace"), ""
    for encoding in ("utf-8", declared):
        try:
            if encoding and b"\0" not in data[:_SAMPLE]:
                return data.decode(encoding), ""
        except (UnicodeDecodeError, LookupError):
            continue
    encoding = guess(data[:_SAMPLE])
    if not encoding:
        raise no_text(source)
    return data.decode(encoding, "replace"), encoding


def encoding_note(guessed: str) -> tuple[str, ...]:
    """What to tell the person about a guess."""
    return (f"Its encoding is not declared and was guessed: {guessed}.",) if guessed else ()


def paragraphs(text: str) -> tuple[Block, ...]:
    """Blocks of text between blank lines."""
    return tuple(found for part in _BLANK.split(text) if (found := block("paragraph", part)))


def plain(source: Source) -> Draft:
    """Paragraphs; a form feed begins a page."""
    text, guessed = decode(source)
    parts = text.split("\f")
    numbered = len(parts) > 1
    pages = tuple(Page(number if numbered else 0, paragraphs(part)) for number, part in enumerate(parts, 1))
    return Draft(pages, notes=encoding_note(guessed))


def separated(source: Source) -> Draft:
    """The rows of a CSV or TSV file, a hundred to a block."""
    text, guessed = decode(source)
    try:
        dialect: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff(text[:_LOOK], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel_tab if "\t" in text[:_SAMPLE] else csv.excel
    blocks, number = [], 0
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text), dialect):
            number += 1
            rows.append(row)
            if len(rows) == _ROWS:
                blocks.append(table(rows))
                rows = []
    except csv.Error as error:
        raise DocumentDamaged(
            source.name, f"row {number + 1} is no row of a table ({error})", "Save it anew."
        ) from error
    blocks.append(table(rows))
    return Draft((Page(0, tuple(found for found in blocks if found)),), notes=encoding_note(guessed))


def _unmarked(text: str) -> str:
    """The words of a WebVTT cue without the times inside of it, its character references resolved."""
    return html.unescape(_KARAOKE.sub("", text))


def subtitles(source: Source) -> Draft:
    """The words of an SRT or WebVTT file, one paragraph per cue, without times and marks."""
    import pysubs2

    text, guessed = decode(source)
    kind = "vtt" if text.lstrip().startswith("WEBVTT") else "srt"
    try:
        cues = pysubs2.SSAFile.from_string(text, format_=kind)
    except (pysubs2.Pysubs2Error, ValueError) as error:
        raise DocumentDamaged(source.name, "it has no subtitles in it", "Open it in a subtitle editor.") from error
    said = (_unmarked(cue.plaintext) if kind == "vtt" else cue.plaintext for cue in cues)
    blocks = tuple(found for text in said if (found := block("paragraph", text)))
    return Draft((Page(0, blocks),), notes=encoding_note(guessed))
