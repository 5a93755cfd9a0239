"""DOCX: a segment per paragraph of body, tables, headers, notes, comments, boxes, charts and diagrams.

A piece is a stretch of equal formatting. Descriptions of pictures are segments too. Deleted text, formulas and the
results of fields (page numbers, the table of contents) stay as they are. A tab or a line break ends a segment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edgellm.documents import office_drawings, office_kept
from edgellm.documents.direction import east_asian, right_to_left
from edgellm.documents.office_direction import named, namespace, turn
from edgellm.documents.office_package import Package
from edgellm.documents.office_texts import Line, Text, Walk, preserve, rewrite, segments
from edgellm.documents.segment import Rewriting, Sheet
from edgellm.documents.source import Source

_MAIN = "word/document.xml"
_OTHER_PARTS = {
    "header": "header",
    "footer": "footer",
    "footnotes": "footnotes",
    "endnotes": "endnotes",
    "comments": "comment",
}
_THROUGH = frozenset("bdo customXml dir hyperlink ins moveTo sdt sdtContent smartTag".split())
_DELETED = frozenset(("del", "moveFrom"))
_SILENT = frozenset(("lastRenderedPageBreak", "pPr", "proofErr", "rPr"))
_BREAKS = frozenset(("br", "cr", "ptab", "tab"))
# They differ between runs that look the same to a reader: what a spelling check has left behind.
_UNSEEN = frozenset(("lang", "noProof"))
_BOX = "text box at "
_CURSOR = "_GoBack"  # where Word was when the file was closed


def read(source: Source) -> Sheet:
    """The paragraphs of all parts."""
    package = Package(source)
    texts = _texts(package)
    lang = _default_language(package)
    language = "" if lang is None else str(lang.get(named(lang, "val"), ""))
    parts = _parts(package)
    kept = (*office_drawings.kept_notes(package, parts), *office_kept.old_drawings(package, parts))
    return Sheet("docx", segments(texts), (*_notes(package), *kept, *package.notes()), language)


def write(order: Rewriting) -> bytes:
    """The document with other texts; with a language, its spelling is checked in it."""
    package = Package(order.source)
    package.check_suffix(_MAIN, order.suffix)
    changed = rewrite(_texts(package), order, _touch(order.language))
    lang = _default_language(package) if order.language else None
    if lang is not None:
        lang.set(named(lang, _script(order.language)), order.language)
        changed.add(_styles(package))
    return package.written(changed) if changed else order.source.data


def _parts(package: Package) -> list[str]:
    """The document, and what belongs to it by its kind."""
    relations = package.relations(_MAIN)
    return [_MAIN, *(one.target for kind in _OTHER_PARTS for one in relations if one.kind == kind)]


def _texts(package: Package) -> list[Text]:
    relations = package.relations(_MAIN)
    places = {one.target: _OTHER_PARTS[one.kind] for one in relations if one.kind in _OTHER_PARTS}
    texts = []
    for name in dict.fromkeys(_parts(package)):
        texts += _walked(package, name, places.get(name, ""))
        texts += office_drawings.charts_and_diagrams(package, name, places.get(name, ""))
    return texts


def _walked(package: Package, name: str, where: str) -> list[Text]:
    root = package.root(name)
    walk = _DocxWalk(name, namespace(root))
    walk.children(root, where)
    return walk.texts


@dataclass
class _Field:
    """A field that is open. `result` says that its instruction is complete and what it shows follows."""

    instruction: str = ""
    result: bool = False

    def is_link(self) -> bool:
        """Whether what it shows is a text of the author."""
        return self.result and self.instruction.strip().upper().startswith("HYPERLINK")


class _DocxWalk(Walk):
    """`_nested` are the boxes of the paragraph at hand, which come after it."""

    def __init__(self, part: str, namespace: str) -> None:
        super().__init__(part)
        self._w = namespace
        self._fields: list[_Field] = []
        self._nested: list[Any] = []
        self._cursors: set[str] = set()
        self._paragraphs = self._tables = 0

    def element(self, element: Any, where: str) -> None:
        """Anything but what is in a paragraph."""
        name = self._called(element)
        if name == "p":
            self._paragraph(element, where)
        elif name == "tbl":
            self._tables += not where
            self.children(element, where or f"table {self._tables}")
        elif name not in _DELETED and not self.alternatives(element, where):
            self.labels(element, where.removeprefix(_BOX))
            self.children(element, where)

    def _called(self, element: Any) -> str:
        tag = element.tag
        return tag[len(self._w) :] if isinstance(tag, str) and tag.startswith(self._w) else ""

    def _paragraph(self, element: Any, where: str) -> None:
        line, outer, self._nested = Line(), self._nested, []
        self._inline(element, line)
        if not where and line.segments():
            self._paragraphs += 1
        self.add(line, where or f"paragraph {self._paragraphs}")
        boxes, self._nested = self._nested, outer
        fields, self._fields = self._fields, []
        for box in boxes:
            self.element(box, where or f"{_BOX}paragraph {self._paragraphs}")
        self._fields = fields

    def _inline(self, parent: Any, line: Line) -> None:
        for child in parent:
            name = self._called(child)
            if name in _SILENT or not isinstance(child.tag, str) or self._is_cursor(child, name):
                continue
            if name == "r":
                self._run(child, line)
                continue
            line.border()
            linked = name == "fldSimple" and _Field(child.get(f"{self._w}instr", ""), True).is_link()
            if name in _THROUGH or linked:
                self._inline(child, line)
            elif name not in _DELETED:
                self._nested.append(child)
            line.border()

    def _is_cursor(self, element: Any, name: str) -> bool:
        if name == "bookmarkStart" and element.get(f"{self._w}name") == _CURSOR:
            self._cursors.add(element.get(f"{self._w}id", ""))
            return True
        return name == "bookmarkEnd" and element.get(f"{self._w}id", "") in self._cursors

    def _run(self, run: Any, line: Line) -> None:
        key = self._formatting(run)
        for child in run:
            name = self._called(child)
            if name in _SILENT or not isinstance(child.tag, str):
                continue
            if name == "t" and all(field.is_link() for field in self._fields):
                line.text(child, key)
            elif name in _BREAKS:
                line.split()
            else:
                line.border()
                self._field(child, name)

    def _field(self, element: Any, name: str) -> None:
        kind = element.get(f"{self._w}fldCharType") if name == "fldChar" else ""
        if kind == "begin":
            self._fields.append(_Field())
        elif kind == "separate" and self._fields:
            self._fields[-1].result = True
        elif kind == "end" and self._fields:
            self._fields.pop()
        elif name == "instrText" and self._fields:
            self._fields[-1].instruction += element.text or ""
        elif name not in ("fldChar", "t"):
            self._nested.append(element)

    def _formatting(self, run: Any) -> str:
        from lxml import etree

        properties = run.find(f"{self._w}rPr")
        if properties is None:
            return ""
        seen = [one for one in properties if self._called(one) not in _UNSEEN]
        return "".join(etree.tostring(one, encoding="unicode", with_tail=False).strip() for one in seen)


def _touch(language: str) -> Callable[[Any], None]:
    drawn = office_drawings.touch(language)

    def touch(node: Any) -> None:
        if node.tag in office_drawings.RUN_TEXTS:
            drawn(node)
            return
        preserve(node)
        if language:
            turn(node, right_to_left(language))
            lang = node.getparent().find("/".join(named(node, name) for name in ("rPr", "lang")))
            if lang is not None:
                lang.set(named(node, _script(language)), language)

    return touch


def _notes(package: Package) -> tuple[str, ...]:
    root = package.root(_MAIN)
    w = namespace(root)
    found = []
    if next(root.iter(*(f"{w}{name}" for name in ("ins", "del", "moveFrom", "moveTo"))), None) is not None:
        found.append("It has tracked changes: what was inserted is translated, what was deleted is not.")
    if any((one.text or "").split()[:1] == ["TOC"] for one in root.iter(f"{w}instrText")):
        found.append("Its table of contents is kept. Update it in the word processor (F9).")
    return tuple(found)


def _styles(package: Package) -> str:
    return next((one.target for one in package.relations(_MAIN) if one.kind == "styles"), "")


def _default_language(package: Package) -> Any:
    name = _styles(package)
    if not name:
        return None
    root = package.root(name)
    return root.find("/".join(named(root, one) for one in ("docDefaults", "rPrDefault", "rPr", "lang")))


def _script(language: str) -> str:
    """Word keeps three languages, for three kinds of letters."""
    return "eastAsia" if east_asian(language) else "bidi" if right_to_left(language) else "val"
