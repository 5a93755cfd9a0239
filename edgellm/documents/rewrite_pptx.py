"""PPTX: a segment per paragraph, a piece per stretch of equal formatting, on slides, in their tables, groups and notes.

Fields (numbers, dates), formulas, charts, diagrams and layouts stay as they are. A line break ends a segment.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgellm.documents.office_package import Package
from edgellm.documents.office_texts import Line, Text, Walk, rewrite, segments
from edgellm.documents.segment import Rewriting, Sheet
from edgellm.documents.source import Source

_MAIN = "ppt/presentation.xml"
_DRAWING = (
    "{http://schemas.openxmlformats.org/drawingml/2006/main}",
    "{http://purl.oclc.org/ooxml/drawingml/main}",
)
_PARAGRAPHS = tuple(f"{namespace}p" for namespace in _DRAWING)
_ID = tuple(
    f"{{{name}}}id"
    for name in (
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        "http://purl.oclc.org/ooxml/officeDocument/relationships",
    )
)
_SILENT = frozenset(("endParaRPr", "pPr"))
# They differ between runs that look the same to a reader: what a spelling check has left behind.
_UNSEEN = frozenset(("altLang", "dirty", "err", "lang", "noProof", "smtClean"))


def read(source: Source) -> Sheet:
    """The paragraphs of all slides in their order, each followed by its notes."""
    package = Package(source)
    texts = _texts(package)
    languages = [_run_language(text) for text in texts]
    common = max(set(languages), key=languages.count) if languages else ""
    return Sheet("pptx", segments(texts), package.notes(), common)


def write(order: Rewriting) -> bytes:
    """The slides with other texts; with a language, the spelling of these is checked in it."""
    package = Package(order.source)
    package.check_suffix(_MAIN, order.suffix)
    changed = rewrite(_texts(package), order, _touch(order.language))
    return package.written(changed) if changed else order.source.data


def _texts(package: Package) -> list[Text]:
    texts = []
    for number, name in enumerate(_slides(package), 1):
        texts += _walked(package, name, f"slide {number}")
        for relation in package.relations(name):
            if relation.kind == "notesSlide":
                texts += _walked(package, relation.target, f"slide {number}, notes")
    return texts


def _slides(package: Package) -> list[str]:
    targets = {one.id: one.target for one in package.relations(_MAIN) if one.kind == "slide"}
    found = [one.get(name, "") for one in package.root(_MAIN).iter("{*}sldId") for name in _ID if one.get(name)]
    return list(dict.fromkeys(targets[one] for one in found if one in targets))


def _walked(package: Package, name: str, where: str) -> list[Text]:
    walk = _PptxWalk(name)
    walk.children(package.root(name), where)
    return walk.texts


class _PptxWalk(Walk):
    def element(self, element: Any, where: str) -> None:
        """Anything but what is in a paragraph."""
        if element.tag in _PARAGRAPHS:
            self._paragraph(element, where)
        elif not self.alternatives(element, where):
            self.children(element, where)

    def _paragraph(self, element: Any, where: str) -> None:
        namespace = element.tag[:-1]
        line = Line()
        for child in element:
            name = child.tag.removeprefix(namespace) if isinstance(child.tag, str) else "pPr"
            if name == "r":
                key = _formatting(child.find(f"{namespace}rPr"))
                for node in child.iterchildren(f"{namespace}t"):
                    line.text(node, key)
            elif name == "br":
                line.split()
            elif name not in _SILENT:
                line.border()
        self.add(line, where)


def _formatting(properties: Any) -> str:
    from lxml import etree

    if properties is None:
        return ""
    seen = sorted((name, value) for name, value in properties.attrib.items() if name not in _UNSEEN)
    return repr(seen) + "".join(etree.tostring(one, encoding="unicode", with_tail=False).strip() for one in properties)


def _run_properties(node: Any) -> Any:
    return node.getparent().find(f"{node.tag[:-1]}rPr")


def _run_language(text: Text) -> str:
    properties = _run_properties(text.stretches[0].nodes[0])
    return "" if properties is None else str(properties.get("lang", ""))


def _touch(language: str) -> Callable[[Any], None]:
    def touch(node: Any) -> None:
        properties = _run_properties(node)
        if language and properties is not None and properties.get("lang"):
            properties.set("lang", language)

    return touch
