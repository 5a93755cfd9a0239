"""EPUB: the texts of its chapters, tables of contents and title. All other parts of the archive stay as they are."""

from __future__ import annotations

import html
import io
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from edgellm.documents import rewrite_html
from edgellm.documents.direction import east_asian, right_to_left
from edgellm.documents.formats_archive import members, part
from edgellm.documents.formats_open import chapters, package
from edgellm.documents.raw_text import Edit, edited, has_words, raw_text
from edgellm.documents.segment import Rewriting, Segment, Sheet
from edgellm.documents.source import Source
from edgellm.errors import DocumentDamaged

_MIMETYPE = "mimetype"
_OPF_ITEM = "{http://www.idpf.org/2007/opf}item"
_OLDEST = (1980, 1, 1, 0, 0, 0)  # what an archive can say
_PAGE = "application/xhtml+xml"
_OUTSIDE = re.compile(r"[/\\]|[A-Za-z]:|(?:.*[/\\])?\.\.(?:[/\\]|\Z)|.*\\", re.DOTALL)
_OPF_TEXT = re.compile(r"<((?:[\w.-]+:)?(?:title|description))(?:\s[^<>]*)?>([^<]*)</\1\s*>")
_OPF_LANGUAGE = re.compile(r"<((?:[\w.-]+:)?language)(?:\s[^<>]*)?>\s*([^<\s]*)\s*</\1\s*>")
_NCX_TEXT = re.compile(r"<((?:[\w.-]+:)?text)(?:\s[^<>]*)?>([^<]*)</\1\s*>")
_NCX_LANGUAGE = re.compile(r"<((?:[\w.-]+:)?ncx)\s[^<>]*?xml:lang\s*=\s*[\"']([^\"']*)")


_SPINE = re.compile(r"<(?:[\w.-]+:)?spine(?=[\s/>])[^<>]*>")
_PROGRESSION = re.compile(r"""page-progression-direction\s*=\s*["']([^"']*)["']""")


def _read_package(source: Source) -> Sheet:
    return _read_labels(source, _OPF_TEXT, _OPF_LANGUAGE)


def _write_package(order: Rewriting) -> bytes:
    return _turned(_write_labels(order, _OPF_TEXT, _OPF_LANGUAGE), order)


def _turned(data: bytes, order: Rewriting) -> bytes:
    """The description of a book whose pages follow each other as those of its language do.

    One in Chinese or Japanese is left as it is: it may run downward, and then from right to left.
    """
    if not order.language or east_asian(order.language):
        return data
    raw = raw_text(replace(order.source, data=data))
    spine = _SPINE.search(raw.text)
    told = _PROGRESSION.search(raw.text, *spine.span()) if spine else None
    leftward = right_to_left(order.language)
    if spine is None or (told[1] if told else "ltr").lower() == ("rtl" if leftward else "ltr"):
        return data
    place = raw.text.index("spine", spine.start()) + len("spine")
    edit = (place, place, ' page-progression-direction="rtl"')
    if told is not None:
        edit = (*told.span(1), "rtl" if leftward else "ltr")
    return raw.encoded(edited(raw.text, [edit]))


def _read_contents(source: Source) -> Sheet:
    return _read_labels(source, _NCX_TEXT, _NCX_LANGUAGE)


def _write_contents(order: Rewriting) -> bytes:
    return _write_labels(order, _NCX_TEXT, _NCX_LANGUAGE)


# What a part of a book is, and how its texts are found and written.
_KINDS: Mapping[str, tuple[Callable[[Source], Sheet], Callable[[Rewriting], bytes]]] = {
    "package": (_read_package, _write_package),
    "contents": (_read_contents, _write_contents),
    "page": (rewrite_html.read, rewrite_html.write),
}


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the archive with texts in it. `where` says to a person what it is."""

    name: str
    kind: str
    where: str
    source: Source


def read(source: Source) -> Sheet:
    """Title and description, the chapters in their order, then what else there is: the tables of contents."""
    found: list[Segment] = []
    notes: dict[str, None] = {}
    language = ""
    with members(source) as archive:
        for one in _parts(source, archive):
            sheet = _KINDS[one.kind][0](one.source)
            found += [Segment(old.pieces, f"{one.where}, {old.where}".strip(", ")) for old in sheet.segments]
            notes |= dict.fromkeys(sheet.notes)
            language = sheet.language if one.kind == "package" else language
    return Sheet("epub", tuple(found), tuple(notes), language)


def write(order: Rewriting) -> bytes:
    """The book with other texts; with a language, the book and each of its pages say so, and where they begin."""
    changed: dict[str, bytes] = {}
    first = 0
    with members(order.source) as archive:
        for one in _parts(order.source, archive):
            read_part, write_part = _KINDS[one.kind]
            count = len(read_part(one.source).segments)
            mine = {
                number - first: order.translated[number]
                for number in range(first, first + count)
                if number in order.translated
            }
            first += count
            if mine or order.language:
                changed[one.name] = write_part(Rewriting(one.source, mine, order.language))
        return _packed(order.source, archive, changed)


def _packed(source: Source, archive: zipfile.ZipFile, changed: Mapping[str, bytes]) -> bytes:
    """The archive with its parts in their order; `mimetype` comes first and as it is, which the format demands."""
    file = io.BytesIO()
    entries = {entry.filename: entry for entry in archive.infolist()}
    with zipfile.ZipFile(file, "w") as new:
        for name, entry in sorted(entries.items(), key=lambda pair: pair[0] != _MIMETYPE):
            made = zipfile.ZipInfo(name, max(entry.date_time, _OLDEST))
            made.external_attr = entry.external_attr
            plain = name == _MIMETYPE or entry.compress_type == zipfile.ZIP_STORED
            made.compress_type = zipfile.ZIP_STORED if plain else zipfile.ZIP_DEFLATED
            new.writestr(made, changed[name] if name in changed else part(source, archive, name))
    return file.getvalue()


def _parts(source: Source, archive: zipfile.ZipFile) -> Iterator[_Part]:
    """Parts with texts, each once. Raises `DocumentDamaged` for a name that leads out of the archive."""
    names = archive.namelist()
    if any(_OUTSIDE.match(name) for name in names):
        reason = "a part of it is named so that it would be unpacked outside of its folder"
        raise DocumentDamaged(source.name, reason, "Do not trust it.")
    place, book = package(source, archive)
    told = {place: ("package", "book")}
    for number, name in enumerate(chapters(book, posixpath.dirname(place)), 1):
        told.setdefault(name, ("page", f"chapter {number}"))
    for name, kind in _others(book, posixpath.dirname(place)):
        told.setdefault(name, (kind, "contents" if kind == "contents" else posixpath.basename(name)))
    for name, (kind, where) in told.items():
        if name in names:
            path = Path("page.xhtml" if kind == "page" else "part.xml")
            yield _Part(name, kind, where, Source(path, part(source, archive, name), source.limits))


def _others(book: Any, folder: str) -> Iterator[tuple[str, str]]:
    for item in book.iter(_OPF_ITEM):
        media = str(item.get("media-type", ""))
        kind = "page" if media == _PAGE else "contents" if media == "application/x-dtbncx+xml" else ""
        if kind:
            yield posixpath.normpath(posixpath.join(folder, unquote(str(item.get("href", ""))))), kind


def _read_labels(source: Source, texts: re.Pattern[str], language: re.Pattern[str]) -> Sheet:
    raw = raw_text(source)
    found = [Segment((" ".join(html.unescape(one[2]).split()),)) for one in _labels(raw.text, texts)]
    told = language.search(raw.text)
    return Sheet("xml", tuple(found), raw.notes, told[2] if told else "")


def _write_labels(order: Rewriting, texts: re.Pattern[str], language: re.Pattern[str]) -> bytes:
    raw = raw_text(order.source)
    labels = list(_labels(raw.text, texts))
    edits: list[Edit] = [
        (*labels[number].span(2), html.escape(pieces[0], quote=False)) for number, pieces in order.translated.items()
    ]
    if order.language:
        edits += [(*one.span(2), order.language) for one in islice(language.finditer(raw.text), 1)]
    return raw.encoded(edited(raw.text, edits))


def _labels(text: str, texts: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """Those with words, but none that hold another page's tags, as descriptions from shops do."""
    found = ((one, html.unescape(one[2])) for one in texts.finditer(text))
    return (one for one, said in found if has_words(said) and "<" not in said)
