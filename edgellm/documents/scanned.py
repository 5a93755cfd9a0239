"""The pages of a PDF that are pictures: each rendered and read by OCR, and what to say about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgellm.documents import ocr
from edgellm.documents.document import Block
from edgellm.documents.formats_text import paragraphs
from edgellm.documents.source import Source

_SHARE, _WAIT = 0.6, 0.75  # of the time for a file that OCR may take of the processor, and of the clock
_POINTS = 72


@dataclass(frozen=True, slots=True)
class Scanned:
    """Blocks by page number. `silent` pages were looked at and hold no words, `late` ones were not looked at.

    `program` names what read them; it is empty where there is none.
    """

    blocks: dict[int, tuple[Block, ...]]
    silent: tuple[int, ...] = ()
    late: tuple[int, ...] = ()
    program: str = ""


def read(document: Any, numbers: Sequence[int], source: Source) -> Scanned:
    """Have pages without a text layer read, where OCR is installed and wanted; `document` is PDFium's."""
    pictures = [number for number in numbers if _drawn_on(document, number)] if source.limits.ocr else []
    tesseract = ocr.find() if pictures else None
    if tesseract is None:
        return Scanned({})
    budget = ocr.Budget(_SHARE * source.limits.seconds, _WAIT * source.limits.seconds)
    found, silent, late = {}, [], []
    for number in pictures:
        text = None
        if budget.left > 1:
            picture, resolution = _rendered(document, number)
            text = tesseract.read(picture, resolution, budget.left) if picture else ""
        if text is None:
            late.append(number)
        elif blocks := paragraphs(text):
            found[number] = blocks
        else:
            silent.append(number)
    return Scanned(found, tuple(silent), tuple(late), str(tesseract))


def _drawn_on(document: Any, number: int) -> bool:
    """Whether there is anything at all on a page: an empty one needs no OCR."""
    import pypdfium2

    try:
        page = document[number - 1]
        try:
            return next(iter(page.get_objects(max_depth=1)), None) is not None
        finally:
            page.close()
    except pypdfium2.PdfiumError:
        return False


def _rendered(document: Any, number: int) -> tuple[bytes, int]:
    """A page as a gray picture (PGM), and its dots per inch; empty when it cannot be rendered."""
    import pypdfium2

    try:
        page = document[number - 1]
        try:
            width, height = page.get_size()
            scale = min(ocr.RESOLUTION / _POINTS, (ocr.MOST_PIXELS / max(width * height, 1.0)) ** 0.5)
            bitmap = page.render(scale=scale, grayscale=True)
            try:
                rows = memoryview(bitmap.buffer).cast("B")
                lines = (rows[at : at + bitmap.width] for at in range(0, bitmap.height * bitmap.stride, bitmap.stride))
                return b"P5 %d %d 255\n" % (bitmap.width, bitmap.height) + b"".join(lines), round(scale * _POINTS)
            finally:
                bitmap.close()
        finally:
            page.close()
    except (pypdfium2.PdfiumError, ValueError):
        return b"", 0
