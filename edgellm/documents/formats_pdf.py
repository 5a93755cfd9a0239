"""PDF pages as text: lines joined into paragraphs by their distance, headings told by their size."""

from __future__ import annotations

import ctypes
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from edgellm.documents.document import Block, Page, block
from edgellm.documents.source import Draft, Source
from edgellm.errors import DocumentDamaged, DocumentEncrypted, DocumentUnsupported

_HYPHENS = ("\x02", "\ufffe")  # how PDFium marks a hyphen that only parts a word at a line's end
_LONGEST_HEADING = 150
_LARGEST_SHARE = 0.3  # a size in which more than this is set is a second body, not headings
_CONTENTS = re.compile(r"(?:\. ?){4,}")  # the dots of a table of contents


@dataclass(frozen=True, slots=True)
class _Line:
    """`bottom` and `height` are points; both are 0 where the page does not say."""

    text: str
    bottom: float
    height: float


def pdf(source: Source) -> Draft:
    """All pages in order. Pages without text are named in the notes."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(source.data)
    except pypdfium2.PdfiumError as error:
        raise _refused(source, str(error)) from error
    try:
        lines, broken = [], []
        for number in range(len(document)):
            try:
                lines.append(tuple(_lines(document[number])))
            except pypdfium2.PdfiumError:
                lines.append(())
                broken.append(number + 1)
        title = str(document.get_metadata_value("Title") or "")
    finally:
        document.close()
    if not lines or len(broken) == len(lines):
        raise DocumentDamaged(source.name, "not one page of the PDF can be opened", "Get the file again.")
    sizes = _heading_sizes(lines)
    pages = tuple(Page(number, tuple(_blocks(found, sizes))) for number, found in enumerate(lines, 1))
    return Draft(pages, " ".join(title.split()), tuple(_notes(pages, broken)))


def _refused(source: Source, why: str) -> DocumentDamaged | DocumentEncrypted | DocumentUnsupported:
    if "assword" in why:
        hint = "Open it in a PDF program, and save a copy without the password."
        return DocumentEncrypted(source.name, "the PDF is protected by a password", hint)
    if "ecurity" in why:
        return DocumentUnsupported(source.name, "the PDF is encrypted in a way not known here", "Save it anew.")
    return DocumentDamaged(source.name, "the PDF is damaged or cut short", "Get the file again.")


def _lines(page: Any) -> Iterator[_Line]:
    from pypdfium2 import raw

    try:
        text = page.get_textpage()
        try:
            start, box = 0, raw.FS_RECTF()
            # One character of PDFium's is one of Python's but beyond the basic plane, where boxes may slip a little.
            for line in text.get_text_range().split("\r\n"):
                place = start + len(line) - len(line.lstrip())
                if line.strip() and raw.FPDFText_GetLooseCharBox(text, place, ctypes.byref(box)):
                    yield _Line(line.strip(" "), box.bottom, round(abs(box.top - box.bottom), 1))
                elif line.strip():
                    yield _Line(line.strip(" "), 0.0, 0.0)
                start += len(line) + 2
        finally:
            text.close()
    finally:
        page.close()


def _heading_sizes(pages: Iterable[Iterable[_Line]]) -> tuple[float, ...]:
    """The heights of lines that are clearly larger than the body's, the largest first."""
    letters: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            letters[line.height] += len(line.text)
    if not letters:
        return ()
    body, most = letters.most_common(1)[0][0], letters.total() * _LARGEST_SHARE
    larger = (size for size, count in letters.items() if size > body * 1.15 and count < most)
    return tuple(sorted(larger, reverse=True)) if body > 0 else ()


def _blocks(lines: Iterable[_Line], sizes: tuple[float, ...]) -> Iterator[Block]:
    gathered: list[_Line] = []
    for line in lines:
        if gathered and _parted(gathered[-1], line):
            yield from _block(gathered, sizes)
            gathered = []
        gathered.append(line)
    yield from _block(gathered, sizes)


def _parted(above: _Line, below: _Line) -> bool:
    """Whether a line begins a new block: another size, a gap, or another column."""
    if abs(above.height - below.height) > 0.1 * max(above.height, below.height):
        return True
    step = above.bottom - below.bottom
    return below.height > 0 and not -below.height < step < 1.6 * below.height


def _block(lines: list[_Line], sizes: tuple[float, ...]) -> Iterator[Block]:
    if not lines:
        return
    text = lines[0].text
    for line in lines[1:]:
        if text.endswith(_HYPHENS):
            text = text[:-1] + line.text
        else:
            text += ("" if _closed(text[-1]) and _closed(line.text[0]) else "\n") + line.text
    size = lines[0].height
    if size in sizes and len(text) <= _LONGEST_HEADING and not _CONTENTS.search(text):
        found = block("heading", " ".join(text.split()), min(sizes.index(size) + 1, 6))
    else:
        found = block("paragraph", text)
    if found:
        yield found


def _closed(letter: str) -> bool:
    """Whether a letter belongs to a script that is written without spaces (Chinese, Japanese)."""
    return "\u3000" <= letter <= "\u30ff" or "\u3400" <= letter <= "\u9fff" or "\uff00" <= letter <= "\uff65"


def _notes(pages: tuple[Page, ...], broken: list[int]) -> Iterator[str]:
    silent = [page.number for page in pages if not page.blocks and page.number not in broken]
    if silent and len(silent) + len(broken) == len(pages):
        yield "It has no text layer: its pages are pictures, and their words cannot be read."
    elif silent:
        yield f"No text layer on {numbers(silent)}: empty, or pictures whose words cannot be read."
    if broken:
        yield f"Damaged and left out: {numbers(broken)}."


def numbers(pages: list[int]) -> str:
    """A few page numbers as words: `page 3`, `pages 1, 2, 9 and 4 more`."""
    shown = ", ".join(str(number) for number in pages[:10])
    more = f" and {len(pages) - 10} more" if len(pages) > 10 else ""
    return f"{'page' if len(pages) == 1 else 'pages'} {shown}{more}"
