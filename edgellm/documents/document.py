"""What a file becomes once it is read: a document of pages, and pages of blocks. Reading is left to `readers.py`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["heading", "paragraph", "table", "list", "code"]

# Half characters, and control characters that no text needs: they come out of broken fonts and broken encodings.
_UNWANTED = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Block:
    """One heading, paragraph, list item, table (a line per row, cells parted by " | ") or piece of code.

    `level` is 1 to 9 for a heading and 0 for everything else.
    """

    kind: Kind
    text: str
    level: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """`number` counts from 1; it is 0 where the format has no pages."""

    number: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole file. `notes` are sentences for the person about what could not be read, or was guessed."""

    path: Path
    format: str
    title: str
    sha256: str
    pages: tuple[Page, ...]
    notes: tuple[str, ...] = ()


def cleaned(text: str) -> str:
    """The text without what no text needs, its lines ended by a line feed."""
    return _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def block(kind: Kind, text: str, level: int = 0) -> Block | None:
    """A block of cleaned text, or None when nothing is left of it."""
    clean = cleaned(text)
    clean = clean.strip("\n") if kind == "code" else clean.strip()
    return Block(kind, clean, level) if clean.strip() else None


def table(rows: list[list[str]]) -> Block | None:
    """A block of rows. Line breaks inside a cell become spaces, rows without any text are left out."""
    lines = [[" ".join(cell.split()) for cell in row] for row in rows]
    return block("table", "\n".join(" | ".join(line) for line in lines if any(line)))
