"""HTML: a segment per block, a piece per stretch between inline tags. All else of the page stays to the last byte.

Kept are code, preformatted text, scripts, forms' contents, and what `translate="no"` or `class="notranslate"` marks.
A line break ends a segment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from edgellm.documents.direction import right_to_left
from edgellm.documents.formats_archive import damaged
from edgellm.documents.html_places import Block, Finder, Place
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
    """The page with other texts; with a language, its `lang` and `dir` say so.

    A letter that the page's encoding has no sign for is written as a character reference.
    """
    raw, found = _found(order.source)
    edits = []
    for number, pieces in order.translated.items():
        for place, piece in zip(found.blocks[number].places, pieces, strict=True):
            if piece != place.text(raw.text):
                edits.append(_edit(raw, place, piece))
    if order.language and found.root:
        edits += _root(raw, found, order.language, _is_xml(order.source))
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


def _root(raw: RawText, found: Finder, language: str, xml: bool) -> Iterator[Edit]:
    """The language of the page, and where its lines begin."""
    root, added = found.root, ""
    assert root is not None
    was = root.languages[0].text(raw.text) if root.languages else ""
    for place in root.languages:
        yield place.start, place.end, _escaped(raw, place, language)
    if not root.languages:
        value = _escaped(raw, Place(0, 0, 0, 0, "="), language)
        added = f" lang={value}" + (f" xml:lang={value}" if xml else "")
    leftward = right_to_left(language)
    if leftward and root.direction is None:
        added += ' dir="rtl"'
    yield from _directions(raw, found, leftward, right_to_left(was))
    if added:
        yield root.name_end, root.name_end, added


def _directions(raw: RawText, found: Finder, leftward: bool, was: bool) -> Iterator[Edit]:
    """That of the page as a whole; and where it was one from right to left, and is no more, those of its elements."""
    old, new = ("ltr", "rtl") if leftward else ("rtl", "ltr")
    whole = [place for tag, place in found.directions if tag == "body"]
    whole += [found.root.direction] if found.root and found.root.direction else []
    if not leftward and (was or any(place.text(raw.text).lower() == old for place in whole)):
        whole += [place for tag, place in found.directions if tag != "body"]
    for place in whole:
        if place.text(raw.text).lower() == old:
            yield place.start, place.end, _escaped(raw, place, new)
