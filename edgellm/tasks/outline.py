"""The text of one or several documents, and what is known of every place in it: file, page and headings.

Offsets count in `Outline.text`; those of a `Place` count in the whole text of its own file.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from edgellm.documents.chunk import BETWEEN, whole_text
from edgellm.documents.document import Block, Document, Page


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of a file. `page` is 0 where the format has none, `file` is empty where there is only one."""

    file: str
    page: int
    headings: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """A block of the outline's text. `at` is where its file begins there; `title` says that it is a heading."""

    start: int
    end: int
    page: int
    headings: tuple[str, ...]
    file: str
    at: int
    title: bool


@dataclass(frozen=True, slots=True)
class Outline:
    """All text, and its blocks in order."""

    text: str
    stretches: tuple[Stretch, ...]

    @classmethod
    def of(cls, *documents: Document) -> Outline:
        """The documents one after the other; several are told apart by the names of their files."""
        texts = [whole_text(document) for document in documents]
        found: list[Stretch] = []
        at = 0
        for document, text in zip(documents, texts, strict=True):
            found += _stretches(document, at, document.path.name if len(documents) > 1 else "")
            at += len(text) + len(BETWEEN)
        return cls(BETWEEN.join(texts), tuple(found))

    def place(self, start: int, end: int) -> Place:
        """What is known of a stretch: page and headings are those of its first block that is no heading itself."""
        if not self.stretches:
            return Place("", 0, (), start, end)
        first = max(bisect_right(self.stretches, start, key=lambda one: one.start) - 1, 0)
        here = self.stretches[first]
        found, at = here, first
        while found.title or found.end <= start:
            at += 1
            if at == len(self.stretches) or self.stretches[at].start >= end:
                found = here
                break
            found = self.stretches[at]
        return Place(found.file, found.page, found.headings, start - here.at, end - here.at)

    @property
    def titles(self) -> tuple[tuple[int, int], ...]:
        """Where the headings stand."""
        return tuple((one.start, one.end) for one in self.stretches if one.title)

    @property
    def body(self) -> str:
        """The text with spaces in place of its headings, so that offsets stay."""
        found, at = "", 0
        for start, end in self.titles:
            found += self.text[at:start] + " " * (end - start)
            at = end
        return found + self.text[at:]

    def cuts(self, sections: bool) -> tuple[int, ...]:
        """Where another file begins; with `sections` also where those do.

        A section begins at a heading behind text; where there are no headings, with a page.
        """
        found: list[int] = []
        before: Stretch | None = None
        headed = any(one.title for one in self.stretches)
        for one in self.stretches:
            if before is not None:
                new = one.file != before.file
                new |= sections and one.title and not before.title
                new |= sections and not headed and one.page != before.page
                found += [one.start] if new else []
            before = one
        return tuple(found)


def of_text(text: str, name: str = "") -> Document:
    """A plain text as a document of one block, so that offsets count in the very text."""
    block = (Page(0, (Block("paragraph", text),)),)
    return Document(Path(name), "text", "", sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), block)


def _stretches(document: Document, at: int, file: str) -> Iterator[Stretch]:
    above: list[tuple[int, str]] = []
    start = at
    for page in document.pages:
        for block in page.blocks:
            title = block.kind == "heading"
            if title:
                above = [one for one in above if one[0] < block.level]
                above.append((block.level, " ".join(block.text.split())))
            end = start + len(block.text)
            yield Stretch(start, end, page.number, tuple(text for _, text in above), file, at, title)
            start = end + len(BETWEEN)
