"""Cutting a document into chunks: parts of a size that a model reads at once, with their page, headings and place.

A chunk is exactly a slice of the document's whole text, stays inside one page and one section, and ends at the end of
a block, sentence or line; only what is larger than a whole chunk is cut inside, between words where there are any.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import sentencex

from edgellm.documents.document import Block, Document

TOKENS = 240
BETWEEN = "\n\n"
# Scripts without spaces (Thai, Lao, Myanmar, Khmer, Chinese, Japanese) and Korean: about a token a character
DENSE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
DENSE += "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_DENSE = re.compile(f"[{DENSE}]")
_CHINESE_MARK = re.compile("[。！？]")
_LINE = re.compile(r"[^\n]*\n?")
_JOINERS = "\u200d\u200c"


@dataclass(frozen=True, slots=True)
class Chunk:
    """`text` is the document's whole text from `start` to `stop`; `headings` lead to it, from the outermost.

    `page` is 0 where the format has no pages.
    """

    text: str
    page: int
    headings: tuple[str, ...]
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    stop: int
    tokens: int


def whole_text(document: Document) -> str:
    """The text that the offsets of chunks count in: all blocks with an empty line between them."""
    return BETWEEN.join(block.text for page in document.pages for block in page.blocks)


def estimate(text: str) -> int:
    """About how many tokens a model makes of the text: four letters, or one character of a dense script, each."""
    dense = 0 if text.isascii() else len(_DENSE.findall(text))
    return dense + (len(text) - dense + 3) // 4


def chunks(document: Document, tokens: int = TOKENS) -> tuple[Chunk, ...]:
    """The chunks in reading order, of at most `tokens` estimated tokens each. Together they hold every block."""
    if tokens < 1:
        raise ValueError("a chunk needs room for a token")
    text = whole_text(document)
    return tuple(
        Chunk(text[span.start : span.stop], page, headings, span.start, span.stop)
        for page, headings, spans in _sections(document, text, tokens)
        for span in _packed(spans, tokens)
    )


def _sections(document: Document, text: str, tokens: int) -> Iterator[tuple[int, tuple[str, ...], list[_Span]]]:
    """Stretches under the same headings and on the same page: page, headings, and the pieces not to be cut."""
    above: list[tuple[int, str]] = []
    at = 0
    for page in document.pages:
        spans: list[_Span] = []
        headings = tuple(title for _, title in above)
        only_headings = True
        for block in page.blocks:
            if block.kind == "heading":
                if not only_headings:
                    yield page.number, headings, spans
                    spans = []
                above = [one for one in above if one[0] < block.level]
                above.append((block.level, " ".join(block.text.split())))
                headings = tuple(title for _, title in above)
            only_headings = block.kind == "heading"
            spans.extend(_pieces(block, text, at, tokens))
            at += len(block.text) + len(BETWEEN)
        if spans:
            yield page.number, headings, spans


def _pieces(block: Block, text: str, start: int, tokens: int) -> Iterator[_Span]:
    """The block itself where it fits into a chunk, else its lines or sentences, else parts of those."""
    whole = _span(text, start, start + len(block.text))
    if whole.tokens <= tokens:
        yield whole
        return
    for part in _lines(block.text) if block.kind in ("table", "code") else _sentences(block.text):
        piece = _span(text, start, start + len(part))
        start += len(part)
        if piece.tokens > tokens:
            yield from _cut(text, piece, tokens)
        elif piece.start < piece.stop:
            yield piece


def _span(text: str, start: int, stop: int) -> _Span:
    """The stretch without the white space around it; the space at the start of a line of code stays."""
    part = text[start:stop]
    stop -= len(part) - len(part.rstrip())
    part = text[start:stop]
    start += len(part) - len(part.lstrip("\r\n"))
    return _Span(start, stop, estimate(text[start:stop]))


def _lines(text: str) -> list[str]:
    return [line for line in _LINE.findall(text) if line]


def _sentences(text: str) -> list[str]:
    language = "zh" if _CHINESE_MARK.search(text) else "en"
    parts = list(sentencex.segment(language, text))
    return parts if "".join(parts) == text else _lines(text)


def _cut(text: str, span: _Span, tokens: int) -> Iterator[_Span]:
    """Parts of a sentence that is larger than a chunk: between words, else between characters."""
    start = span.start
    while start < span.stop:
        stop = min(start + _room(text[start : start + 4 * tokens], tokens), span.stop)
        if stop < span.stop:
            stop = _boundary(text, start, stop)
        part = _span(text, start, stop)
        if part.start < part.stop:
            yield part
        start = stop


def _room(text: str, tokens: int) -> int:
    """How many characters of the text are at most `tokens`: at least one."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if estimate(text[:middle]) <= tokens:
            low = middle
        else:
            high = middle - 1
    return low


def _boundary(text: str, start: int, stop: int) -> int:
    """The last place to cut before `stop`: behind a space in the second half, else not inside a character."""
    for at in range(stop, start + (stop - start) // 2, -1):
        if text[at - 1].isspace():
            return at
    for at in range(stop, max(start, stop - 32), -1):
        if not unicodedata.combining(text[at]) and text[at] not in _JOINERS and text[at - 1] not in _JOINERS:
            return at
    return stop


def _packed(spans: list[_Span], tokens: int) -> Iterator[_Span]:
    """Neighbors together, as many as fit, and about evenly: no chunk of a section is left with a few words."""
    total = sum(span.tokens + 1 for span in spans)
    goal = total / max(1, -(-total // tokens))
    held: _Span | None = None
    for span in spans:
        if held is not None and (held.tokens >= goal or held.tokens + span.tokens + 1 > tokens):
            yield held
            held = None
        # one more for what stands between two pieces
        held = span if held is None else _Span(held.start, span.stop, held.tokens + span.tokens + 1)
    if held is not None:
        yield held
