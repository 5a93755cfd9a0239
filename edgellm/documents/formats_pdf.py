"""PDF pages as text: lines joined into paragraphs by their distance, headings told by their size."""

from __future__ import annotations

import ctypes
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from edgellm.documents import scanned
from edgellm.documents.document import Block, Page, block
from edgellm.documents.source import Draft, Source
from edgellm.errors import DocumentDamaged, DocumentEncrypted, DocumentUnsupported

_HYPHENS = ("\x02", "\ufffe")  # how PDFium marks a hyphen that only parts a word at a line's end
_FIRST_CLOSED = "\u3000"
_LONGEST_HEADING = 150
_LARGEST_SHARE = 0.3  # a size in which more than this is set is a second body, not headings
_CONTENTS = re.compile(r"(?:\. ?){4,}")  # the dots of a table of contents
# A line: its text, and its bottom and height in points; both are 0 where the page does not say. A plain tuple, since a
# book has many thousands, and a class would be a tenth of the time that a page takes.
_Line = tuple[str, float, float]


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
                lines.append(tuple(_lines(document, number)))
            except pypdfium2.PdfiumError:
                lines.append(())
                broken.append(number + 1)
        title = str(document.get_metadata_value("Title") or "")
        mute = [number for number, found in enumerate(lines, 1) if not found and number not in broken]
        read = scanned.read(document, mute, source)
    finally:
        document.close()
    if not lines or len(broken) == len(lines):
        raise DocumentDamaged(source.name, "not one page of the PDF can be opened", "Get the file again.")
    sizes = _heading_sizes(lines)
    blocks = (read.blocks.get(number) or tuple(_blocks(found, sizes)) for number, found in enumerate(lines, 1))
    pages = tuple(Page(number, found) for number, found in enumerate(blocks, 1))
    return Draft(pages, " ".join(title.split()), tuple(_notes(pages, broken, read)))


def _refused(source: Source, why: str) -> DocumentDamaged | DocumentEncrypted | DocumentUnsupported:
    if "assword" in why:
        hint = "Open it in a PDF program, and save a copy without the password."
        return DocumentEncrypted(source.name, "the PDF is protected by a password", hint)
    if "ecurity" in why:
        return DocumentUnsupported(source.name, "the PDF is encrypted in a way not known here", "Save it anew.")
    return DocumentDamaged(source.name, "the PDF is damaged or cut short", "Get the file again.")


def _lines(document: Any, number: int) -> Iterator[_Line]:
    """The lines of a page, through PDFium's own functions: its wrapper's objects would take a fifteenth of the time."""
    from pypdfium2 import PdfiumError, raw

    page = raw.FPDF_LoadPage(document.raw, number)
    text = raw.FPDFText_LoadPage(page) if page else None
    try:
        if not text:
            raise PdfiumError("The page cannot be loaded.")
        start, box, find = 0, raw.FS_RECTF(), raw.FPDFText_GetLooseCharBox
        found = ctypes.byref(box)
        # One character of PDFium's is one of Python's but beyond the basic plane, where boxes may slip a little.
        for line in _text(text).split("\r\n"):
            if line and not line.isspace():
                place = start + len(line) - len(line.lstrip())
                if find(text, place, found):
                    bottom = box.bottom
                    yield line.strip(" "), bottom, round(abs(box.top - bottom), 1)
                else:
                    yield line.strip(" "), 0.0, 0.0
            start += len(line) + 2
    finally:
        if text:
            raw.FPDFText_ClosePage(text)
        if page:
            raw.FPDF_ClosePage(page)


def _text(text: Any) -> str:
    """All letters of a page. Those at its ends that PDFium leaves out of its text must not be asked for."""
    from pypdfium2 import raw

    place, first, last = raw.FPDFText_GetTextIndexFromCharIndex, 0, raw.FPDFText_CountChars(text) - 1
    while first <= last and place(text, first) < 0:
        first += 1
    while first < last and place(text, last) < 0:
        last -= 1
    if first > last:
        return ""
    buffer = (ctypes.c_ushort * (place(text, last) - place(text, first) + 2))()
    count = raw.FPDFText_GetText(text, first, last - first + 1, buffer)
    return bytes(buffer)[: max(0, count - 1) * 2].decode("utf-16-le", "ignore")


def _heading_sizes(pages: Iterable[Iterable[_Line]]) -> tuple[float, ...]:
    """The heights of lines that are clearly larger than the body's, the largest first."""
    letters: Counter[float] = Counter()
    for lines in pages:
        for text, _, height in lines:
            letters[height] += len(text)
    if not letters:
        return ()
    body, most = letters.most_common(1)[0][0], letters.total() * _LARGEST_SHARE
    larger = (size for size, count in letters.items() if size > body * 1.15 and count < most)
    return tuple(sorted(larger, reverse=True)) if body > 0 else ()


def _blocks(lines: Iterable[_Line], sizes: tuple[float, ...]) -> Iterator[Block]:
    gathered: list[str] = []
    above, size = 0.0, 0.0  # the bottom and the height of the line before
    for text, bottom, height in lines:
        if gathered and _parted(size, above - bottom, height):
            yield from _block(gathered, size, sizes)
            gathered = []
        gathered.append(text)
        above, size = bottom, height
    yield from _block(gathered, size, sizes)


def _parted(above: float, step: float, below: float) -> bool:
    """Whether a line begins a new block: another size, a gap, or another column. Given are heights and their step."""
    if above != below and abs(above - below) > 0.1 * max(above, below):
        return True
    return below > 0 and not -below < step < 1.6 * below


def _block(lines: list[str], size: float, sizes: tuple[float, ...]) -> Iterator[Block]:
    if not lines:
        return
    text = lines[0]
    for line in lines[1:]:
        if text.endswith(_HYPHENS):
            text = text[:-1] + line
        else:
            text += ("" if text[-1] >= _FIRST_CLOSED and _closed(text[-1]) and _closed(line[0]) else "\n") + line
    if size in sizes and len(text) <= _LONGEST_HEADING and not _CONTENTS.search(text):
        found = block("heading", " ".join(text.split()), min(sizes.index(size) + 1, 6))
    else:
        found = block("paragraph", text)
    if found:
        yield found


def _closed(letter: str) -> bool:
    """Whether a letter belongs to a script that is written without spaces (Chinese, Japanese)."""
    return _FIRST_CLOSED <= letter <= "\u30ff" or "\u3400" <= letter <= "\u9fff" or "\uff00" <= letter <= "\uff65"


def _notes(pages: tuple[Page, ...], broken: list[int], read: scanned.Scanned) -> Iterator[str]:
    if read.blocks:
        were = f"was read by OCR ({read.program}): check names and numbers."
        yield f"{numbers(sorted(read.blocks)).capitalize()} {were if len(read.blocks) == 1 else f'were{were[3:]}'}"
    if read.late:
        yield f"OCR had no time left for {numbers(list(read.late))}; what is there was not read."
    if read.silent:
        yield f"OCR found no words on {numbers(list(read.silent))}."
    known = {*broken, *read.late, *read.silent}
    silent = [page.number for page in pages if not page.blocks and page.number not in known]
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
