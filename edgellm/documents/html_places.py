"""Where in the source of an HTML page its texts stand: the places of the pieces of each block, and of the language.

Works on `html.parser` of the standard library, because it alone says at which letter of the source a tag begins:
parsers that build a tree (lxml, html5lib) forget it, and write a page with other bytes than they have read.
"""

from __future__ import annotations

import bisect
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

from edgellm.documents.raw_text import has_words

_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i img input ins kbd label mark nobr q rb rp rt ruby s "
    "samp small span strike strong sub sup time tt u var wbr".split()
)
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_KEPT = frozenset(
    "audio canvas code embed iframe kbd math object pre samp script style svg template textarea var video".split()
)
_ATTRIBUTES = frozenset(("title", "alt", "placeholder", "aria-label"))
_META = frozenset("description og:title og:description twitter:title twitter:description".split())
# What an opening tag ends when the page leaves the end tag out, as far as one of these elements around it.
_IMPLIED = {
    "li": ("li", "ul ol menu"),
    "dt": ("dt dd", "dl"),
    "dd": ("dt dd", "dl"),
    "tr": ("tr td th", "table"),
    "td": ("td th", "tr table"),
    "th": ("td th", "tr table"),
    "option": ("option", "select datalist"),
}
_ATTRIBUTE = re.compile(r"""[\s/]*([^\s/>=][^\s/>=]*)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>][^\s>]*))?""")
_NAME = re.compile(r"<[^\s/>]+")
_MARKUP = re.compile(r"<[A-Za-z/!?]")  # in a text: a tag or comment that the page breaks off
_SPACE = re.compile(r"[ \t\n\f\r]+")
# Stands for "&" while places are found: the parser gives up on a page with several broken character references.
_LETTER = "x"
_BLANK = " \t\n\f\r"


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of the source that is text: from `start` to `end`, of which `lead` and `tail` letters are blanks.

    `quote` is empty for text between tags; for the value of an attribute it is its quotation mark, or `=` for none.
    """

    start: int
    end: int
    lead: int
    tail: int
    quote: str = ""

    def text(self, source: str) -> str:
        """What a person reads there: blanks run together, entities resolved."""
        inner = html.unescape(_SPACE.sub(" ", source[self.start + self.lead : self.end - self.tail]))
        return " " * bool(self.lead) + inner + " " * bool(self.tail)


@dataclass(frozen=True, slots=True)
class Block:
    """The places of one segment, in the line `line` of the source; `attribute` is the name of one that holds it."""

    places: tuple[Place, ...]
    line: int
    attribute: str = ""


@dataclass(frozen=True, slots=True)
class Root:
    """The `<html>` tag: the place after its name, those of its `lang` and `xml:lang` values, and that of its `dir`."""

    name_end: int
    languages: tuple[Place, ...]
    direction: Place | None = None


def attributes(tag: str, start: int) -> Iterator[tuple[str, Place]]:
    """Names in lower case, and places, of the values in an opening tag that stands at `start`. The first counts."""
    name = _NAME.match(tag)
    seen = set()
    for found in _ATTRIBUTE.finditer(tag, name.end() if name else 0):
        called, value = found[1].lower(), found[2]
        if value is None or called in seen:
            seen.add(called)
            continue
        seen.add(called)
        quote = value[0] if value[0] in "\"'" else "="
        inner = 0 if quote == "=" else 1
        yield called, _trimmed(tag, found.start(2) + inner, found.end(2) - inner, start, quote)


def _trimmed(text: str, start: int, end: int, offset: int = 0, quote: str = "") -> Place:
    """The place without the blanks around its text."""
    while start < end and text[start] in _BLANK:
        start += 1
    while start < end and text[end - 1] in _BLANK:
        end -= 1
    return Place(start + offset, end + offset, 0, 0, quote)


class Finder(HTMLParser):
    """Finds `blocks` and `root` in a page, and the `directions` of its other elements.

    `xml` says that `<a/>` is an element without content.
    """

    def __init__(self, source: str, xml: bool) -> None:
        super().__init__(convert_charrefs=False)
        self.blocks: list[Block] = []
        self.root: Root | None = None
        self.directions: list[tuple[str, Place]] = []  # of elements by name
        self._source, self._xml = source, xml
        self._lines = [0, *(found.end() for found in re.finditer("\n", source))]
        self._open: list[tuple[str, bool]] = []  # elements, and whether their texts are kept
        self._depths: dict[str, int] = {}  # how many of them have a name
        self._runs: list[tuple[int, int]] = []
        self._begun: int | None = None
        self.feed(source.replace("&", _LETTER))
        self.close()
        self._border(len(source))
        self._flush()

    def handle_data(self, data: str) -> None:
        """Text."""
        if self._begun is None:
            self._begun = self._here()

    def handle_comment(self, data: str) -> None:
        """Ends a piece, not a block."""
        self._border(self._here())

    def handle_decl(self, decl: str) -> None:
        """Ends a piece, not a block."""
        self._border(self._here())

    def handle_pi(self, data: str) -> None:
        """Ends a piece, not a block."""
        self._border(self._here())

    def unknown_decl(self, data: str) -> None:
        """Ends a piece, not a block."""
        self._border(self._here())

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """In HTML the slash means nothing."""
        self.handle_starttag(tag, attrs)
        if self._xml and tag not in _VOID:
            self._close(tag)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        here = self._here()
        self._border(here)
        if tag not in _INLINE:
            self._flush()
            self._imply(tag)
        values = {name.lower(): value or "" for name, value in reversed(attrs)}
        kept = self._kept_in(tag, values)
        if not kept:
            self._take_attributes(tag, values, here)
        if tag == "html" and self.root is None:
            self._take_root(here)
        elif "dir" in values and not kept:
            found = attributes(self.get_starttag_text() or "", here)
            self.directions += [(tag, place) for name, place in found if name == "dir"]
        if tag not in _VOID:
            self._open.append((tag, kept))
            self._depths[tag] = self._depths.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        """An element ends, or the page has an end tag too many."""
        self._border(self._here())
        if tag not in _INLINE:
            self._flush()
        self._close(tag)

    def _here(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def _is_kept(self) -> bool:
        return bool(self._open) and self._open[-1][1]

    def _kept_in(self, tag: str, values: dict[str, str]) -> bool:
        if tag in _KEPT or values.get("translate", "").strip().lower() == "no":
            return True
        if "notranslate" in values.get("class", "").lower().split():
            return True
        return self._is_kept() and values.get("translate", "no").strip().lower() not in ("", "yes")

    def _imply(self, tag: str) -> None:
        ended, limits = _IMPLIED.get(tag, ("", ""))
        while self._open and self._open[-1][0] == "p" and tag not in ("head", "body"):
            self._leave(len(self._open) - 1)
        for depth in range(len(self._open) - 1 if ended else -1, -1, -1):
            if self._open[depth][0] in limits.split():
                return
            if self._open[depth][0] in ended.split():
                self._leave(depth)

    def _close(self, tag: str) -> None:
        if self._depths.get(tag):
            self._leave(next(depth for depth in range(len(self._open) - 1, -1, -1) if self._open[depth][0] == tag))

    def _leave(self, depth: int) -> None:
        """Close all elements from a depth on."""
        for name, _ in self._open[depth:]:
            self._depths[name] -= 1
        del self._open[depth:]

    def _border(self, here: int) -> None:
        if self._begun is not None and not self._is_kept():
            broken = _MARKUP.search(self._source, self._begun, here)
            self._runs.append((self._begun, broken.start() if broken else here))
        self._begun = None

    def _flush(self) -> None:
        source = self._source
        runs, self._runs = self._runs, []
        while runs and not source[runs[0][0] : runs[0][1]].strip(_BLANK):
            del runs[0]
        while runs and not source[runs[-1][0] : runs[-1][1]].strip(_BLANK):
            runs.pop()
        places = []
        for number, (start, end) in enumerate(runs):
            inner = _trimmed(source, start, end)
            first = inner.start if number == 0 else start
            last = inner.end if number == len(runs) - 1 else end
            places.append(Place(first, last, inner.start - first, last - inner.end))
        self._add(tuple(places))

    def _add(self, places: tuple[Place, ...], attribute: str = "") -> None:
        if has_words("".join(place.text(self._source) for place in places)):
            self.blocks.append(Block(places, bisect.bisect_right(self._lines, places[0].start), attribute))

    def _take_attributes(self, tag: str, values: dict[str, str], here: int) -> None:
        wanted: frozenset[str] = _ATTRIBUTES & values.keys()
        if tag == "meta" and (values.get("name") or values.get("property", "")).lower() in _META:
            wanted = frozenset(("content",)) & values.keys()
        if wanted:
            for name, place in attributes(self.get_starttag_text() or "", here):
                if name in wanted:
                    self._add((place,), name)

    def _take_root(self, here: int) -> None:
        tag = self.get_starttag_text() or ""
        values = list(attributes(tag, here))
        found = [place for name, place in values if name in ("lang", "xml:lang")]
        direction = next((place for name, place in values if name == "dir"), None)
        name = _NAME.match(tag)
        self.root = Root(here + (name.end() if name else 0), tuple(found), direction)
