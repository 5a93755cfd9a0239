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
_MARKS_OF_OTHERS = tuple(mark for mark, _ in _MARKS)
_HALF = re.compile("[\ud800-\udfff]")
_WIDE = re.compile("[\u0080-\ud7ff\ue000-\U0010ffff]")
_BROKEN_SHARE = 10  # letters beyond ASCII for a broken one: in Latin-1 there is hardly one that looks like UTF-8
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
        if bad := len(_HALF.findall(self.text)):
            letters = "A letter of it is" if bad == 1 else f"{bad} letters of it are"
            return (f"{letters} broken: the texts with them are not translated.",)
        if not self.guessed:
            return ()
        kept = "The new file keeps it if the translation can be written in it, and is in UTF-8 otherwise."
        return (f"Its encoding is not declared and was guessed: {self.codec}. {kept}",)

    def encoded(self, text: str) -> bytes:
        """Another text in the same encoding, or in UTF-8 when that has no sign for one of its letters."""
        try:
            return self.mark + text.encode(self.codec, "surrogateescape")
        except UnicodeEncodeError:
            return text.encode("utf-8")


def raw_text(source: Source, declared: str = "") -> RawText:
    """The file as text. Raises `DocumentUnsupported` for no text, `DocumentDamaged` for text with broken letters.

    A little that is broken in UTF-8 stays as it is: it is text no other encoding fits, cut or patched by some program.
    """
    mark = codecs.BOM_UTF8 if source.data.startswith(codecs.BOM_UTF8) else b""
    if broken := _broken(source.data[len(mark) :], certain=bool(mark)):
        return RawText(broken, "utf-8", mark)
    _, guess = decode(source, declared)  # refuses what is no text at all
    mark, codec = next((pair for pair in _MARKS if source.data.startswith(pair[0])), (b"", guess or "utf-8"))
    body = source.data[len(mark) :]
    for name in filter(None, [codec] if mark or guess else [codec, declared]):
        try:
            text = body.decode(name)
            if text.encode(name) == body:  # some encodings have two signs for a letter
                return RawText(text, name, mark, bool(guess) and not mark)
        except (UnicodeError, LookupError):
            continue
    reason = f"some of its letters are broken (it seems to be {codec})"
    raise DocumentDamaged(source.name, reason, "Open it in a text editor, and save it as UTF-8.")


def _broken(data: bytes, certain: bool) -> str:
    """UTF-8 in which few letters are broken, with these as half characters; empty for any other bytes."""
    text = data.decode("utf-8", "surrogateescape") if not data.startswith(_MARKS_OF_OTHERS) else ""
    bad = len(_HALF.findall(text))
    good = len(_WIDE.findall(text))
    return text if bad and (certain or bad * _BROKEN_SHARE <= good) else ""


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text with its edits, which do not overlap."""
    parts, place = [], 0
    for start, end, new in sorted(edits):
        parts += [text[place:start], new]
        place = end
    return "".join((*parts, text[place:]))


def has_words(text: str) -> bool:
    """Whether there is a letter in it, and none that is broken: else there is nothing to translate."""
    return any(letter.isalpha() for letter in text) and not _HALF.search(text)


def line_number(text: str, place: int) -> int:
    """The number of the line, from 1, in which a place of the text is."""
    return len(_END.findall(text, 0, place)) + 1
