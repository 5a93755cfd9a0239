"""A text file to the letter: its text with the line ends it has, and the way back to bytes in the same encoding."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass

from edgellm.documents.formats_text import decode
from edgellm.documents.source import Source
from edgellm.errors import DocumentDamaged

# Longer marks first: the mark of UTF-16 is the beginning of UTF-32's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_END = re.compile(r"\r\n|\r|\n")
Edit = tuple[int, int, str]  # from, to, and what is to stand there


@dataclass(frozen=True, slots=True)
class RawText:
    """`text` is everything after the byte order mark `mark`; `guessed` says that `codec` is no more than likely."""

    text: str
    codec: str
    mark: bytes = b""
    guessed: bool = False

    @property
    def newline(self) -> str:
        """The end of the first line: that of the lines to be added."""
        found = _END.search(self.text)
        return found[0] if found else "\n"

    @property
    def notes(self) -> tuple[str, ...]:
        """What to tell the person about the encoding."""
        if not self.guessed:
            return ()
        kept = "The new file keeps it if the translation can be written in it, and is in UTF-8 otherwise."
        return (f"Its encoding is not declared and was guessed: {self.codec}. {kept}",)

    def encoded(self, text: str) -> bytes:
        """Another text in the same encoding, or in UTF-8 when that has no sign for one of its letters."""
        try:
            return self.mark + text.encode(self.codec)
        except UnicodeEncodeError:
            return text.encode("utf-8")


def raw_text(source: Source, declared: str = "") -> RawText:
    """The file as text. Raises `DocumentUnsupported` for no text, `DocumentDamaged` for text with broken letters."""
    _, guess = decode(source, declared)  # refuses what is no text at all
    mark, codec = next((pair for pair in _MARKS if source.data.startswith(pair[0])), (b"", guess or "utf-8"))
    choices = [codec] if mark or guess else [codec, declared]
    for name in filter(None, choices):
        try:
            return RawText(source.data[len(mark) :].decode(name), name, mark, bool(guess) and not mark)
        except (UnicodeDecodeError, LookupError):
            continue
    reason = f"some of its letters are broken (it seems to be {codec})"
    raise DocumentDamaged(source.name, reason, "Open it in a text editor, and save it as UTF-8.")


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text with its edits, which do not overlap."""
    parts, place = [], 0
    for start, end, new in sorted(edits):
        parts += [text[place:start], new]
        place = end
    return "".join((*parts, text[place:]))


def has_words(text: str) -> bool:
    """Whether there is a letter in it: without one there is nothing to translate."""
    return any(letter.isalpha() for letter in text)


def line_number(text: str, place: int) -> int:
    """The number of the line, from 1, in which a place of the text is."""
    return len(_END.findall(text, 0, place)) + 1
