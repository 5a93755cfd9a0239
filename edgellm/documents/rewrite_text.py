"""Plain text: a segment per paragraph. Paragraphs broken into lines are one text, and are broken again when written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from edgellm.documents.line_breaks import filled, joined, width
from edgellm.documents.raw_text import Edit, RawText, edited, has_words, line_number, raw_text
from edgellm.documents.segment import Rewriting, Segment, Sheet
from edgellm.documents.source import Source

_LINE = re.compile(r"[^\r\n\f]+")
_END = re.compile(r"\r\n|\r|\n")
_ITEM = re.compile(r"[ \t]*(?:[-*+•·–—>]|\d{1,3}[.)])[ \t]+")
_NARROW = 40  # columns; lines that stay below were not broken for want of room
_RAGGED = 0.6


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """`lines` are the places of its lines without what stands before and after their words."""

    lines: tuple[tuple[int, int], ...]
    text: str


def read(source: Source) -> Sheet:
    """The paragraphs. Lines of a list, a poem or an address, which end early, are a segment each."""
    raw = raw_text(source)
    found = [Segment((one.text,), f"line {number}") for number, one in _numbered(raw)]
    return Sheet("text", tuple(found), raw.notes)


def write(order: Rewriting) -> bytes:
    """The file with other paragraphs, broken into lines as wide as those they replace."""
    raw = raw_text(order.source)
    paragraphs = [one for _, one in _numbered(raw)]
    edits = [_edit(raw, paragraphs[number], pieces[0]) for number, pieces in order.translated.items()]
    return raw.encoded(edited(raw.text, edits))


def _numbered(raw: RawText) -> Iterator[tuple[int, _Paragraph]]:
    number, place = 1, 0
    for one in _paragraphs(raw.text):
        start = one.lines[0][0]
        number += line_number(raw.text[place:start], start - place) - 1
        place = start
        yield number, one


def _edit(raw: RawText, old: _Paragraph, new: str) -> Edit:
    start, end = old.lines[0][0], old.lines[-1][1]
    if len(old.lines) == 1:
        return start, end, raw.newline.join(new.split("\n"))
    second = old.lines[1][0]
    indent = raw.text[_line_start(raw.text, second) : second]
    room = max(width(raw.text[_line_start(raw.text, one[0]) : one[1]]) for one in old.lines)
    first = width(raw.text[_line_start(raw.text, start) : start])
    return start, end, f"{raw.newline}{indent}".join(filled(" ".join(new.split()), room, first, width(indent)))


def _line_start(text: str, place: int) -> int:
    while place and text[place - 1] not in "\r\n\f":
        place -= 1
    return place


def _paragraphs(text: str) -> Iterator[_Paragraph]:
    group: list[tuple[int, int]] = []
    last = 0
    for line in _LINE.finditer(text):
        words = line[0].strip()
        item = _ITEM.match(line[0])
        new = item or len(_END.findall(text, last, line.start())) != 1 or "\f" in text[last : line.start()]
        if group and (new or not has_words(words)):
            yield from _group(text, group)
            group = []
        last = line.end()
        if has_words(words):
            start = line.start() + (item.end() if item else len(line[0]) - len(line[0].lstrip()))
            group.append((start, line.start() + len(line[0].rstrip())))
    if group:
        yield from _group(text, group)


def _group(text: str, lines: list[tuple[int, int]]) -> Iterator[_Paragraph]:
    widths = [width(text[start:end]) for start, end in lines]
    if max(widths) >= _NARROW and min(widths[:-1], default=0) >= _RAGGED * max(widths):
        yield _Paragraph(tuple(lines), joined([text[start:end] for start, end in lines]))
        return
    for start, end in lines:
        if has_words(text[start:end]):
            yield _Paragraph(((start, end),), text[start:end])
