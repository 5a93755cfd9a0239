"""PPTX: a segment per paragraph, a piece per stretch of equal formatting: slides with all that is on them, and notes.

Fields (numbers, dates), formulas and layouts stay as they are. A line break ends a segment.
"""

from __future__ import annotations

from typing import Any

from edgellm.documents import office_kept
from edgellm.documents.office_drawings import (
    DrawingWalk,
    charts_and_diagrams,
    kept_notes,
    run_language,
    touch,
    walked,
)
from edgellm.documents.office_package import Package
from edgellm.documents.office_texts import Text, rewrite, segments
from edgellm.documents.segment import Rewriting, Sheet
from edgellm.documents.source import Source

_MAIN = "ppt/presentation.xml"
_ID = tuple(
    f"{{{name}}}id"
    for name in (
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        "http://purl.oclc.org/ooxml/officeDocument/relationships",
    )
)


def read(source: Source) -> Sheet:
    """The paragraphs of all slides in their order, each followed by its notes."""
    package = Package(source)
    texts = _texts(package)
    languages = [run_language(text) for text in texts if not text.is_plain]
    common = max(set(languages), key=languages.count) if languages else ""
    slides = _slides(package)
    kept = (*kept_notes(package, slides), *office_kept.layouts(package, slides))
    return Sheet("pptx", segments(texts), (*kept, *package.notes()), common)


def write(order: Rewriting) -> bytes:
    """The slides with other texts; with a language, the spelling of these is checked in it."""
    package = Package(order.source)
    package.check_suffix(_MAIN, order.suffix)
    changed = rewrite(_texts(package), order, touch(order.language, _title_alignment(package)))
    return package.written(changed) if changed else order.source.data


def _texts(package: Package) -> list[Text]:
    texts = []
    for number, name in enumerate(_slides(package), 1):
        texts += walked(package, name, f"slide {number}")
        texts += charts_and_diagrams(package, name, f"slide {number}")
        for relation in package.relations(name):
            if relation.kind == "notesSlide":
                texts += walked(package, relation.target, f"slide {number}, notes")
            elif relation.kind == "comments":
                comments = _CommentWalk(relation.target)
                comments.children(package.root(relation.target), f"slide {number}, comment")
                texts += comments.texts
    return texts


def _title_alignment(package: Package) -> str:
    """Where titles stand, as the first of the masters has it."""
    for one in package.relations(_MAIN):
        if one.kind == "slideMaster":
            style = next(package.root(one.target).iter("{*}titleStyle"), None)
            level = None if style is None else next(style.iterchildren("{*}lvl1pPr"), None)
            return "" if level is None else str(level.get("algn", ""))
    return ""


def _slides(package: Package) -> list[str]:
    targets = {one.id: one.target for one in package.relations(_MAIN) if one.kind == "slide"}
    found = [one.get(name, "") for one in package.root(_MAIN).iter("{*}sldId") for name in _ID if one.get(name)]
    return list(dict.fromkeys(targets[one] for one in found if one in targets))


class _CommentWalk(DrawingWalk):
    """Comments of the older kind, whose texts stand in no paragraph."""

    def element(self, element: Any, where: str) -> None:
        """Anything in a list of comments."""
        if element.tag.rpartition("}")[2] == "text":
            self.plain(element, where)
        else:
            super().element(element, where)
