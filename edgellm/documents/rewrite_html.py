"""HTML: a segment per block, a piece per stretch between inline tags. All else of the page stays to the last byte.

Kept are code, preformatted text, scripts, forms' contents, and what `translate="no"` or `class="notranslate"` marks.
A line break ends a segment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from edgellm.documents.formats_archive import damaged
from edgellm.documents.html_places import Block, Finder, Place, Root
from edgellm.documents.raw_text import Edit, RawText, edited, raw_text
from edgellm.documents.segment import Rewriting, Segment, Sheet
from edgellm.documents.source import Source

_DECLARED = re.compile(
    rb"""<(?:meta[^>]{0,200}charset|\?xml[^>]{0,100}encoding)\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE
)
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_QUOTES = {'"': "&quot;", "'": "&#39;"}


def read(source: Source) -> Sheet:
    """The blocks of text, the page's title and description, and the attributes that are shown or read aloud."""
    raw, found = _found(source)
    segments = [Segment(tuple(place.text(raw.text) for place in block.places), _where(block)) for block in found.blocks]
    language = found.root.languages[0].text(raw.text) if found.root and found.root.languages else ""
    return Sheet("html", tuple(segments), raw.notes, language)


def write(order: Rewriting) -> bytes:
    """The page with other texts; with a language, its `lang` says so.

    A letter that the page's encoding has no sign for is written as a character reference.
    """
    raw, found = _found(order.source)
    edits = []
    for number, pieces in order.translated.items():
        for place, piece in zip(found.blocks[number].places, pieces, strict=True):
            if piece != place.text(raw.text):
                edits.append(_edit(raw, place, piece))
    if order.language and found.root:
        edits += _languages(raw, found.root, order.language, _is_xml(order.source))
    return raw.encoded(edited(raw.text, edits)) if edits else order.source.data


def _found(source: Source) -> tuple[RawText, Finder]:
    declared = _DECLARED.search(source.data[:4096])
    raw = raw_text(source, declared[1].decode("ascii") if declared else "")
    try:
        return raw, Finder(raw.text, _is_xml(source))
    except AssertionError as error:  # the parser's word for a marked section of no known kind
        raise damaged(source) from error


def _is_xml(source: Source) -> bool:
    return source.suffix == ".xhtml" or source.data[:100].lstrip(b"\xef\xbb\xbf \r\n").startswith(b"<?xml")


def _where(block: Block) -> str:
    return f"line {block.line}, {block.attribute}" if block.attribute else f"line {block.line}"


def _edit(raw: RawText, place: Place, new: str) -> Edit:
    """The blanks around the old text stay where the new one has blanks there too: the source keeps its lines."""
    start, end = place.start, place.end
    if place.lead and new.startswith(" "):
        start, new = start + place.lead, new[1:]
    if place.tail and new.endswith(" "):
        end, new = end - place.tail, new[:-1]
    return start, end, _escaped(raw, place, new)


def _escaped(raw: RawText, place: Place, new: str) -> str:
    text = new.translate(_ESCAPES)
    if "&nbsp;" in raw.text[place.start : place.end]:
        text = text.replace("\xa0", "&nbsp;")
    if place.quote:
        quote = '"' if place.quote == "=" else place.quote
        text = text.replace(quote, _QUOTES[quote])
        text = f'"{text}"' if place.quote == "=" else text
    return text.encode(raw.codec, "xmlcharrefreplace").decode(raw.codec)


def _languages(raw: RawText, root: Root, language: str, xml: bool) -> Iterator[Edit]:
    for place in root.languages:
        yield place.start, place.end, _escaped(raw, place, language)
    if not root.languages:
        value = _escaped(raw, Place(0, 0, 0, 0, "="), language)
        yield root.name_end, root.name_end, f" lang={value}" + (f" xml:lang={value}" if xml else "")
