"""Finds what a model quotes in its source, character for character, and keeps every other quotation from the person.

Spelling variants of the same characters do not count when looking: white space, curly or straight quotation marks,
dashes, capitals, composed or decomposed accents, full-width forms. What is shown is always the source's own text.
An ellipsis, a changed word and joined halves are no quotation.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from edgellm.tasks.scripts import UNSPACED_RUN

_ALIKE = {
    **dict.fromkeys("‘’‚‛❛❜ʼ`´′", "'"),
    **dict.fromkeys("“”„‟«»‹›″〝〞〟「」『』❝❞❮❯", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
}
_TRIMMED = " \t\r\n\"'“”„«»‹›「」『』｢｣﹁﹂﹃﹄〝〞〟❮❯❛❜❝❞.,;:!?…。，；：！？、"
_CLOSERS = {
    "“": "”“",
    "”": "”",
    "„": "“”",
    "‟": "”",
    "«": "»",
    "»": "«",
    "‹": "›",
    "›": "‹",
    "「": "」",
    "」": "",
    "『": "』",
    "』": "",
    "〝": "〞〟",
    "〞": "",
    "〟": "",
    '"': '"',
    "＂": "＂",
    "″": "″",
    "❝": "❞",
    "❞": "",
    "｢": "｣",
    "｣": "",
    "﹁": "﹂",
    "﹂": "",
    "﹃": "﹄",
    "﹄": "",
    "❮": "❯",
    "❯": "",
    "❛": "❜",
    "❜": "",
    "‘": "’",
    "’": "",
    "‚": "‘’",
    "‛": "’",
    "'": "'",
    "＇": "＇",
}
_SINGLE = "'’‘＇‛"
_BLOCK = ">"
_BEFORE = " \t-*•"
_LONGEST = 1_000
_ENTITY = re.compile(r"&#?\w{1,8};")
_ENTITY_BEGUN = re.compile(r"&#?\w{0,8}$")


@dataclass(frozen=True, slots=True)
class Folded:
    """A text without its spelling variants; `places[i]` is where `text[i]` comes from, one more stands for the end."""

    text: str
    places: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> Folded:
        """Fold a text."""
        signs: list[str] = []
        places: list[int] = []
        space = False
        for at, sign in enumerate(text):
            if sign.isspace():
                space = True
                continue
            for piece in _folded(sign):
                if space and signs and not (_unspaced(signs[-1]) and _unspaced(piece)):
                    signs.append(" ")
                    places.append(at - 1)
                space = False
                signs.append(piece)
                places.append(at)
        return cls("".join(signs), (*places, len(text)))

    def find(self, quote: str) -> tuple[int, int] | None:
        """Where the quote stands in the text that was folded: whole words and numbers only. None when it does not."""
        wanted = Folded.of(quote.strip(_TRIMMED)).text
        if not any(sign.isalnum() for sign in wanted):
            return None
        at = self.text.find(wanted)
        while at >= 0:
            end = at + len(wanted)
            if self._whole(at, end):
                return self.places[at], self.places[end - 1] + 1
            at = self.text.find(wanted, at + 1)
        return None

    def _whole(self, start: int, end: int) -> bool:
        """Whether no letter, word or number is cut: "5" is not in "-5", nor "1" in "1,000", nor "do" in "don't"."""
        if self.places[end] == self.places[end - 1] or (start and self.places[start] == self.places[start - 1]):
            return False
        before, after = self.text[max(start - 2, 0) : start], self.text[end : end + 2]
        first, last = self.text[start], self.text[end - 1]
        if (_joined(before[-1:], first) and before) or (_joined(last, after[:1]) and after):
            return False
        if first.isdigit() and before and (before[-1] == "-" or (before[-1] in ".,:/" and before[0].isdigit())):
            return False
        if last.isdigit() and len(after) == 2 and after[0] in ".,:/-" and after[1].isdigit():
            return False
        return not (last == "n" and after == "'t")


def _mark(entity: re.Match[str]) -> str:
    """A quotation mark that is written as an HTML entity, which Markdown shows as the mark."""
    sign = html.unescape(entity.group())
    return sign if sign in _CLOSERS or sign == _BLOCK else entity.group()


def _folded(sign: str) -> str:
    if sign in _ALIKE:
        return _ALIKE[sign]
    if unicodedata.category(sign) == "Cf":
        return ""
    return "".join(_ALIKE.get(part, part) for part in unicodedata.normalize("NFKD", sign).casefold() if part != " ")


def _unspaced(sign: str) -> bool:
    return UNSPACED_RUN.match(sign) is not None


def _joined(first: str, second: str) -> bool:
    """Whether the two signs belong to one word."""
    if not first or not second:
        return False
    if unicodedata.combining(second):
        return True
    if _unspaced(first) or _unspaced(second):
        return False
    return (first.isalnum() or first == "_" or unicodedata.combining(first) > 0) and (second.isalnum() or second == "_")


@dataclass(slots=True)
class Guard:
    """Lets an answer through as it comes; what stands between quotation marks waits until it is checked.

    `verify` gives the source's own words for a quotation, or None: then the marks are left out, and `dropped` counts
    it. No quotation mark comes out but around what was verified.
    """

    verify: Callable[[str], str | None]
    dropped: int = 0
    _begun: str = ""
    _held: str = ""
    _last: str = "\n"
    _line: bool = True  # nothing but list marks stands before in this line
    _out: list[str] = field(default_factory=list)

    def feed(self, text: str) -> str:
        """What of the answer can be shown now."""
        text = _ENTITY.sub(_mark, self._begun + text)
        begun = _ENTITY_BEGUN.search(text)
        self._begun = text[begun.start() :] if begun else ""
        self._held += text[: begun.start()] if begun else text
        return self._through(False)

    def end(self) -> str:
        """The rest of the answer."""
        self._held, self._begun = self._held + self._begun, ""
        return self._through(True)

    def _through(self, ended: bool) -> str:
        while self._held and self._step(ended):
            pass
        shown = "".join(self._out)
        self._out.clear()
        return shown

    def _step(self, ended: bool) -> bool:
        """Handle the next stretch; False when more of the answer is needed first."""
        at = next(self._marks(), len(self._held))
        self._emit(self._held[:at])
        self._held = self._held[at:]
        if not self._held:
            return False
        mark = self._held[0]
        if mark in _SINGLE and self._last.isalnum():
            self._emit(mark)  # an apostrophe
            self._held = self._held[1:]
            return True
        close = self._close(mark, ended)
        if close is None:
            return False
        if close < 0:
            self._held = self._held[1:]
            return True
        self._quotation(mark, close)
        return True

    def _marks(self) -> Iterator[int]:
        line = self._line
        for at, sign in enumerate(self._held):
            if sign in _CLOSERS or (sign == _BLOCK and line):
                yield at
            line = sign == "\n" or (line and sign in _BEFORE)

    def _close(self, mark: str, ended: bool) -> int | None:
        """Where the quotation ends; -1 when it does not, None when that is not known yet."""
        ends = "\n" if mark == _BLOCK else _CLOSERS[mark]
        if not ends:
            return -1
        for at in range(1, min(len(self._held), _LONGEST)):
            if self._held[at] not in ends:
                continue
            if mark in _SINGLE:
                following = self._held[at + 1 : at + 2]
                if not following and not ended:
                    return None
                if following.isalnum() or self._held[at - 1].isspace():
                    continue
            return at
        if mark == _BLOCK and (ended or len(self._held) >= _LONGEST):
            return min(len(self._held), _LONGEST)
        return -1 if ended or len(self._held) >= _LONGEST else None

    def _quotation(self, mark: str, close: int) -> None:
        inner, closing, self._held = self._held[1:close], self._held[close : close + 1], self._held[close + 1 :]
        found = self.verify(inner)
        if mark == _BLOCK:
            mark, closing = ("“", f"”{closing}") if found is not None else ("", closing)
            inner = inner.lstrip(f" {_BLOCK}")
        elif found is None:
            mark = closing = ""
        if found is not None:
            self._emit(f"{mark}{found}{closing}")
            return
        self.dropped += any(sign.isalnum() for sign in inner)
        deeper = Guard(self.verify, _last=self._last, _line=self._line)
        self._emit(deeper.feed(inner) + deeper.end() + closing)

    def _emit(self, text: str) -> None:
        if text:
            self._out.append(text)
            self._last = text[-1]
            _, broken, tail = text.rpartition("\n")
            self._line = (bool(broken) or self._line) and not tail.strip(_BEFORE)
