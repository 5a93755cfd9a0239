"""The translatable texts of a file, and what is to be put in their place. `rewriters.py` finds and writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgellm.documents.source import Source

# Number of a segment -> its new pieces, as many as it has; a segment that is not named stays as it is.
Translated = Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Segment:
    """One paragraph, table cell, subtitle or message.

    `pieces` are its stretches of equal inline formatting in their order: joined they are the text. `where` says to
    a person where it stands ("slide 2", "table 1", "page title"); it may be empty.
    """

    pieces: tuple[str, ...]
    where: str = ""

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything in a file that can be translated. `notes` are sentences about what cannot, or was guessed.

    `language` is what the file says of itself, such as `en-US`, or empty. `sha256` is of the bytes that were read.
    """

    format: str
    segments: tuple[Segment, ...]
    notes: tuple[str, ...] = ()
    language: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Rewriting:
    """An order to a format: this file again, with these texts. `suffix` is that of the file to be, with its dot.

    `translated` names only segments that change. Its pieces hold no control characters but tabs and line breaks.
    """

    source: Source
    translated: Translated
    language: str = ""
    suffix: str = ""


class ChangedSince(Exception):
    """The file is not the one whose segments were translated."""


class PiecesMismatch(Exception):
    """A translation has more or fewer pieces than its segment, or belongs to no segment."""


class WrongSuffix(Exception):
    """The new file cannot have that ending; `args` are those it can have."""
