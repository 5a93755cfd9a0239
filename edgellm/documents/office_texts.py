"""The texts in a part of an Office file: which runs make a piece, and where a translation is put.

The formats differ in their tags; `rewrite_docx.py` and `rewrite_pptx.py` say what is a paragraph and what is in it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from edgellm.documents.raw_text import has_words
from edgellm.documents.segment import Rewriting, Segment

_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_ALTERNATIVES = (f"{_MC}Choice", f"{_MC}Fallback")
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_BREAKS = str.maketrans("\n\t", "  ")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Elements that hold text of one formatting, side by side. `lead` and `tail` are blanks beside the `text`."""

    nodes: tuple[Any, ...]
    text: str
    lead: str = ""
    tail: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """One segment, in the part called `part`. `echoes` say the same again, for programs that know other pictures."""

    stretches: tuple[Stretch, ...]
    part: str
    where: str
    echoes: tuple[Text, ...] = ()

    @property
    def pieces(self) -> tuple[str, ...]:
        """What the stretches say."""
        return tuple(stretch.text for stretch in self.stretches)

    def put(self, pieces: tuple[str, ...], touch: Callable[[Any], None]) -> None:
        """Put other texts there. `touch` is called with every element that gets one."""
        for stretch, piece in zip(self.stretches, pieces, strict=True):
            if piece == stretch.text:
                continue
            first, *others = stretch.nodes
            first.text = stretch.lead + piece.translate(_BREAKS) + stretch.tail
            for node in others:
                node.text = ""
            touch(first)
        for echo in self.echoes:
            echo.put(pieces, touch)


@dataclass
class Line:
    """Collects the runs of one paragraph."""

    _done: list[list[tuple[str, list[Any]]]] = field(default_factory=lambda: [[]])
    _joined: bool = False

    def text(self, node: Any, key: str) -> None:
        """An element with text. Runs that follow each other with the same `key` are one piece."""
        line = self._done[-1]
        if self._joined and line[-1][0] == key:
            line[-1][1].append(node)
        else:
            line.append((key, [node]))
        self._joined = True

    def border(self) -> None:
        """Something stands here that is no text: a picture, the end of a link."""
        self._joined = False

    def split(self) -> None:
        """A tab or line break: what follows is a segment of its own."""
        self._done.append([])
        self._joined = False

    def segments(self) -> list[tuple[Stretch, ...]]:
        """What was collected, without the blanks around it."""
        return [found for line in self._done if (found := _stretches(line))]


def _stretches(line: list[tuple[str, list[Any]]]) -> tuple[Stretch, ...]:
    found = [Stretch(tuple(nodes), "".join(node.text or "" for node in nodes)) for _, nodes in line]
    while found and not found[0].text.strip():
        del found[0]
    while found and not found[-1].text.strip():
        found.pop()
    if not found or not has_words("".join(one.text for one in found)):
        return ()
    first = found[0].text.lstrip()
    found[0] = replace(found[0], text=first, lead=found[0].text[: len(found[0].text) - len(first)])
    last = found[-1].text.rstrip()
    found[-1] = replace(found[-1], text=last, tail=found[-1].text[len(last) :])
    return tuple(found)


class Walk(ABC):
    """Walks through the tree of one part and collects `texts`."""

    def __init__(self, part: str) -> None:
        self.texts: list[Text] = []
        self._part = part

    @abstractmethod
    def element(self, element: Any, where: str) -> None:
        """Collect what is in an element."""

    def add(self, line: Line, where: str) -> None:
        """Take over the segments of a paragraph."""
        self.texts += [Text(stretches, self._part, where) for stretches in line.segments()]

    def children(self, element: Any, where: str) -> None:
        """Collect what is in the children of an element."""
        for child in element:
            if isinstance(child.tag, str):
                self.element(child, where)

    def alternatives(self, element: Any, where: str) -> bool:
        """Whether the element holds the same thing for several programs; it is then done."""
        if element.tag != f"{_MC}AlternateContent":
            return False
        known: list[Text] = []
        before = self.texts
        for one in element.iterchildren(*_ALTERNATIVES):
            self.texts = []
            self.children(one, where)
            if known and [text.pieces for text in self.texts] == [text.pieces for text in known]:
                pairs = zip(known, self.texts, strict=True)
                known = [replace(text, echoes=(*text.echoes, echo)) for text, echo in pairs]
            else:
                known += self.texts
        self.texts = before + known
        return True


def preserve(node: Any) -> None:
    """Make blanks at the ends of an element's text count."""
    if node.text != node.text.strip():
        node.set(_SPACE, "preserve")


def segments(texts: list[Text]) -> tuple[Segment, ...]:
    """The texts as the translator sees them."""
    return tuple(Segment(text.pieces, text.where) for text in texts)


def rewrite(texts: list[Text], order: Rewriting, touch: Callable[[Any], None]) -> set[str]:
    """Put all translations in their places. Returns the names of the parts that were changed."""
    for number, pieces in order.translated.items():
        texts[number].put(pieces, touch)
    return {texts[number].part for number in order.translated}
