"""What a question is answered from: stretches of documents that know their place, and citations of them.

Finding the stretches is left to `documents/`, checking what is quoted to `quotes.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edgellm.documents.chunk import chunks, whole_text
from edgellm.documents.document import Document
from edgellm.documents.retrieve import Passage as Found

_MARKDOWN = (".md", ".markdown")
_HEADING = re.compile(r"^(#{1,6})[ \t]+(\S.*?)[ \t#]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Place:
    """From the character `start` of a document on, its text is on this page (0: no pages), under these headings."""

    start: int
    page: int = 0
    headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Extract:
    """`text` stands in a document from its character `start` on; `whole` says that it is all of it.

    `places` say where its pages and sections begin, in order. `document` is a name for the person, `path` where the
    file is. The order of several extracts is their rank.
    """

    text: str
    document: str
    path: str = ""
    start: int = 0
    places: tuple[Place, ...] = (Place(0),)
    whole: bool = False

    @classmethod
    def of(cls, found: Found) -> Extract:
        """From a passage that was found in the library."""
        places = (Place(found.start, found.page, found.headings),)
        return cls(found.text, found.path.name, str(found.path), found.start, places)

    @classmethod
    def of_passages(cls, passages: Sequence[Found]) -> Extract:
        """All of a file, from all its passages in the library. Between two of them there is only white space."""
        places = tuple(Place(one.start, one.page, one.headings) for one in passages)
        text = ""
        for one in passages:
            gap = one.start - len(text)
            text += ("\n" if gap > 1 else " ") * gap + one.text
        return cls(text, passages[0].path.name, str(passages[0].path), 0, places, True)

    @classmethod
    def of_document(cls, document: Document) -> Extract:
        """All of a document that was read."""
        places = tuple(Place(one.start, one.page, one.headings) for one in chunks(document))
        return cls(whole_text(document), document.path.name, str(document.path), 0, places or (Place(0),), True)

    @classmethod
    def of_text(cls, text: str, path: Path) -> Extract:
        """All of a text file as it stands; the headings of Markdown are known."""
        places = tuple(_sections(text)) if path.suffix.lower() in _MARKDOWN else (Place(0),)
        return cls(text, path.name, str(path), 0, places, True)

    def place(self, at: int) -> Place:
        """Where the character `at` of this extract is."""
        at += self.start
        return next((place for place in reversed(self.places) if place.start <= at), self.places[0])

    def cut(self, start: int, end: int) -> Extract:
        """A part of it."""
        return replace(self, text=self.text[start:end], start=self.start + start, whole=False)

    def cite(self, start: int, end: int) -> Cited:
        """A citation of `text[start:end]`."""
        place = self.place(start)
        return Cited(
            self.text[start:end],
            self.document,
            self.path,
            place.page,
            place.headings,
            self.start + start,
            self.start + end,
        )


@dataclass(frozen=True, slots=True)
class Cited:
    """A stretch of a document, character for character: `start` and `end` count in the document's whole text."""

    text: str
    document: str
    path: str
    page: int
    headings: tuple[str, ...]
    start: int
    end: int

    @property
    def where(self) -> str:
        """The document with page and heading, or with the place where it has neither, for a person."""
        parts = [self.document] if self.document else []
        if self.page:
            parts.append(f"page {self.page}")
        if self.headings:
            parts.append(" › ".join(self.headings))
        return ", ".join([*parts, f"characters {self.start}-{self.end}"])

    @property
    def line(self) -> str:
        """The quotation with its place, in one line."""
        return f"“{' '.join(self.text.split())}” ({self.where})"


def _sections(text: str) -> Iterator[Place]:
    above: list[tuple[int, str]] = []
    yield Place(0)
    for match in _HEADING.finditer(text):
        level = len(match[1])
        above = [*(one for one in above if one[0] < level), (level, match[2])]
        yield Place(match.start(), 0, tuple(title for _, title in above))
