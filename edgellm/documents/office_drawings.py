"""DrawingML, which slides, charts and diagrams share: the texts in its paragraphs, and how a new text is marked.

What a chart repeats from its worksheet stays as it is: a program that opens the chart would take it from there again.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from edgellm.documents.direction import right_to_left
from edgellm.documents.office_package import Package
from edgellm.documents.office_texts import Line, Text, Walk, merged
from edgellm.documents.raw_text import has_words

_DRAWING = (
    "{http://schemas.openxmlformats.org/drawingml/2006/main}",
    "{http://purl.oclc.org/ooxml/drawingml/main}",
)
_PARAGRAPHS = tuple(f"{namespace}p" for namespace in _DRAWING)
RUN_TEXTS = tuple(f"{namespace}t" for namespace in _DRAWING)
# What begins at the left where nothing else is said; diagrams and charts have their texts in the middle.
_PLACED = (
    "{http://schemas.openxmlformats.org/presentationml/2006/main}sp",
    "{http://purl.oclc.org/ooxml/presentationml/main}sp",
    *(f"{namespace}tc" for namespace in _DRAWING),
)
_SILENT = frozenset(("endParaRPr", "pPr"))
# They differ between runs that look the same to a reader: what a spelling check has left behind.
_UNSEEN = frozenset(("altLang", "dirty", "err", "lang", "noProof", "smtClean"))
_CACHE, _LITERAL, _POINT, _VALUE, _NAME = "strCache", "strLit", "pt", "v", "tx"


class DrawingWalk(Walk):
    """Collects the paragraphs of one part, the descriptions of pictures, and the words that are a chart's own."""

    def element(self, element: Any, where: str) -> None:
        """Anything but what is in a paragraph."""
        if element.tag in _PARAGRAPHS:
            self._paragraph(element, where)
        elif _own_value(element):
            self.plain(element, where)
        elif not self.alternatives(element, where):
            self.labels(element, where)
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


def walked(package: Package, name: str, where: str) -> list[Text]:
    """The texts of one part."""
    walk = DrawingWalk(name)
    walk.children(package.root(name), where)
    return walk.texts


def charts_and_diagrams(package: Package, name: str, where: str) -> list[Text]:
    """The texts of the charts and diagrams in a part. A diagram is kept twice, and both get the new texts."""
    found: list[Text] = []
    drawn: list[Text] = []
    for relation in package.relations(name):
        if relation.kind in ("chart", "chartEx"):
            for part in (relation.target, *_shapes_on(package, relation.target)):
                found += walked(package, part, f"{where}, chart".strip(", "))
        elif relation.kind == "diagramData":
            found += walked(package, relation.target, f"{where}, diagram".strip(", "))
        elif relation.kind == "diagramDrawing":
            drawn += walked(package, relation.target, f"{where}, diagram".strip(", "))
    return merged(found, drawn)


def _shapes_on(package: Package, chart: str) -> list[str]:
    return [one.target for one in package.relations(chart) if one.kind == "chartUserShapes"]


def kept_notes(package: Package, names: list[str]) -> tuple[str, ...]:
    """A sentence about the words in charts that stay, counted; `names` are the parts that show the charts."""
    charts = {one.target for name in names for one in package.relations(name) if one.kind == "chart"}
    count = 0
    for chart in charts:
        for cache in package.root(chart).iter(f"{{*}}{_CACHE}"):
            count += sum(has_words(value.text or "") for value in cache.iter(f"{{*}}{_VALUE}"))
    if not count:
        return ()
    texts = "1 text in its charts comes" if count == 1 else f"{count} texts in its charts come"
    return (f"{texts} from a worksheet (names of series and categories): there it can be changed.",)


def touch(language: str, titles: str = "") -> Callable[[Any], None]:
    """What is done with the element of a new text: with a language, its spelling and direction follow it.

    `titles` is where the titles of slides stand, such as `ctr`; they keep it.
    """

    def changed(node: Any) -> None:
        properties = node.getparent().find(f"{node.tag[:-1]}rPr")
        if language and properties is not None and properties.get("lang"):
            properties.set("lang", language)
        if language:
            _turn(node, right_to_left(language), titles)

    return changed


def run_language(text: Text) -> str:
    """The language in which the spelling of a text is checked; empty when that is not said."""
    node = text.stretches[0].nodes[0]
    properties = None if text.is_plain else node.getparent().find(f"{node.tag[:-1]}rPr")
    return "" if properties is None else str(properties.get("lang", ""))


def _turn(node: Any, leftward: bool, titles: str) -> None:
    """Let the paragraph, and the table around it, begin at the right or at the left."""
    namespace = node.tag[:-1]
    paragraph = next(node.iterancestors(f"{namespace}p"), None)
    if paragraph is None:
        return
    properties = paragraph.find(f"{namespace}pPr")
    if properties is None and leftward:
        properties = paragraph.makeelement(f"{namespace}pPr")
        paragraph.insert(0, properties)
    table = next(node.iterancestors(f"{namespace}tbl"), None)
    kinds = [properties, None if table is None else table.find(f"{namespace}tblPr")]
    for one in kinds:
        if one is not None and (one.get("rtl") in ("1", "true")) != leftward:
            one.set("rtl", "1" if leftward else "0")
    if properties is not None:
        old, new = ("l", "r") if leftward else ("r", "l")
        if properties.get("algn", _usual(node, titles)) == old:
            properties.set("algn", new)


def _usual(node: Any, titles: str) -> str:
    """Where a paragraph stands that does not say so: known of titles, tables and texts, not of what a chart shows."""
    shape = next(node.iterancestors(*_PLACED), None)
    place = None if shape is None else next(shape.iter("{*}ph"), None)
    kind = "" if place is None else place.get("type", "")
    if shape is None or kind in ("ctrTitle", "subTitle"):
        return "ctr"
    return titles if kind == "title" and titles else "l"


def _own_value(element: Any) -> bool:
    """Whether it is a word in a chart that no worksheet holds: the name of a series, or of a category."""
    if not isinstance(element.tag, str) or not element.tag.endswith(f"}}{_VALUE}"):
        return False
    above = [one.tag.rpartition("}")[2] for one in islice(element.iterancestors(), 2)]
    return above[:1] == [_NAME] or above == [_POINT, _LITERAL]


def _formatting(properties: Any) -> str:
    from lxml import etree

    if properties is None:
        return ""
    seen = sorted((name, value) for name, value in properties.attrib.items() if name not in _UNSEEN)
    return repr(seen) + "".join(etree.tostring(one, encoding="unicode", with_tail=False).strip() for one in properties)
