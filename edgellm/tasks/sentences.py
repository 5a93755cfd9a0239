"""Split a text into sentences that know their place in it. The rules of each language are those of `sentencex`.

What this adds: line breaks. A blank line, a list mark or a short line ends a sentence; the line break of a text that
was wrapped at the margin does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import sentencex

from edgellm.tasks.scripts import cells, has_letters

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")
_LIST_MARK = re.compile(r"\s*(?:[-*•–—·#>|]|\d{1,3}[.)])\s")
_WRAPPED = 55
_ENDINGS = tuple(".!?…。！？:：;；\"'”’»)）")
_CLOSING = "\"'”’»」』)）】 "


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence: `text` is exactly the source from `start` to `end` (character offsets)."""

    text: str
    start: int
    end: int


def split(text: str, language: str = "en") -> tuple[Sentence, ...]:
    """The sentences of `text` in order, without the white space around them. `language` is a code such as "fr"."""
    return tuple(each(text, language))


def each(text: str, language: str = "en") -> Iterator[Sentence]:
    """The same one after the other, for texts so long that all of them at once would fill the memory."""
    return _joined(text, _pieces(text, language))


def _pieces(text: str, language: str) -> Iterator[Sentence]:
    for start, end in _blocks(text):
        mark = _LIST_MARK.match(text, start, end)
        at = mark.end() if mark else start
        for piece in sentencex.segment(language or "en", text[at:end]):
            yield from _trimmed(text, start, at + len(piece))
            start = at = at + len(piece)
        yield from _trimmed(text, start, end)


def lines(text: str) -> Iterator[tuple[str, str]]:
    """The lines of `text`, each with the line break that ends it ("" for the last)."""
    for match in _LINE.finditer(text):
        whole = match.group()
        body = whole.rstrip("\r\n")
        if whole:
            yield body, whole[len(body) :]


def after_mark(sentence: Sentence) -> int:
    """Where the words of the sentence begin: behind its list mark ("- ", "2. "), if it has one."""
    mark = _LIST_MARK.match(sentence.text)
    return sentence.start + (mark.end() if mark else 0)


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Stretches of text that a sentence cannot leave: paragraphs, list items, headings."""
    start = at = 0
    previous = ""
    for body, ending in lines(text):
        if at > start and not _continues(previous, body):
            yield start, at
            start = at
        previous = body
        at += len(body) + len(ending)
    if at > start:
        yield start, at


def _continues(line: str, following: str) -> bool:
    """Whether a sentence may run on from one line into the next."""
    if not line.strip() or not following.strip() or _LIST_MARK.match(following):
        return False
    return cells(line) >= _WRAPPED or (not line.rstrip().endswith(_ENDINGS) and following.lstrip()[0].islower())


def _trimmed(text: str, start: int, end: int) -> Iterator[Sentence]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if end > start:
        yield Sentence(text[start:end], start, end)


def _joined(text: str, found: Iterable[Sentence]) -> Iterator[Sentence]:
    """Give a piece without letters or digits (a closing quotation mark, "...") to the sentence before it."""
    held: Sentence | None = None
    for piece in found:
        empty = not has_letters(piece.text) and not any(sign.isdigit() for sign in piece.text)
        if held is not None and empty and piece.text[0] in _CLOSING:
            held = Sentence(text[held.start : piece.end], held.start, piece.end)
            continue
        if held is not None:
            yield held
        held = piece
    if held is not None:
        yield held
