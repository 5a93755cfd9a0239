"""The texts in a part of an Office file: which runs make a piece, and where a translation is put.

The formats differ in their tags; `rewrite_docx.py` and `rewrite_pptx.py` say what is a paragraph and what is in it.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from edgellm.documents.raw_text import has_words
from edgellm.documents.segment import Rewriting, Segment

_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_ALTERNATIVES = (f"{_MC}Choice", f"{_MC}Fallback")
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_DESCRIBED = frozenset(("docPr", "cNvPr"))
_DESCRIPTIONS = ("title", "descr")
_BREAKS = str.maketrans("\n\t", "  ")


# A description that is no more than the name of the picture's file.
_FILE_NAME = re.compile(r"[^\s]+\.\w{2,5}|(?i:image|picture|bild|grafik) ?\d*")


@dataclass(slots=True)
class Label:
    """An attribute that is shown or read aloud, to be read and written as the text of an element is."""

    element: Any
    name: str

    @property
    def text(self) -> str:
        """Its value."""
        return str(self.element.get(self.name, ""))

    @text.setter
    def text(self, value: str) -> None:
        self.element.set(self.name, value)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Elements that hold text of one formatting, side by side. `lead` and `tail` are blanks beside the `text`."""

    nodes: tuple[Any, ...]
    text: str
    lead: str = ""
    tail: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """One segment, in the part called `part`. `echoes` say the same again, for programs that know other pictures.

    `is_plain` says that it stands in no run: its elements have neither formatting nor a language.
    """

    stretches: tuple[Stretch, ...]
    part: str
    where: str
    echoes: tuple[Text, ...] = ()
    is_plain: bool = False

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
            for node in () if self.is_plain else stretch.nodes:
                touch(node)
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

    def plain(self, node: Any, where: str) -> None:
        """Take over an element, or an attribute, whose text is a segment by itself."""
        found = _stretches([("", [node])])
        if found:
            self.texts.append(Text(found, self._part, where, is_plain=True))

    def labels(self, element: Any, where: str) -> None:
        """Take over the title and the description of a picture or shape, which are read aloud."""
        if not isinstance(element.tag, str) or element.tag.rpartition("}")[2] not in _DESCRIBED:
            return
        known, self.texts = self.texts, []
        for name in _DESCRIPTIONS:
            if not _FILE_NAME.fullmatch(element.get(name, "").strip()):
                self.plain(Label(element, name), f"{where}, picture description".strip(", "))
        # A picture in a letter carries it twice
        last = known[-1:] if known and known[-1].is_plain else []
        self.texts = known[: len(known) - len(last)] + merged(last, self.texts)

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
            known = merged(known, self.texts)
        self.texts = before + known
        return True


def merged(known: list[Text], more: list[Text]) -> list[Text]:
    """The texts of both; one of `more` that says the same as one of `known` becomes its echo, each at most once."""
    found, free = list(known), list(range(len(known)))
    for text in more:
        same = next((number for number in free if found[number].pieces == text.pieces), None)
        if same is None:
            found.append(text)
        else:
            free.remove(same)
            found[same] = replace(found[same], echoes=(*found[same].echoes, text))
    return found


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
    changed = [texts[number] for number in order.translated]
    return {one.part for text in changed for one in (text, *_echoes(text))}


def _echoes(text: Text) -> Iterator[Text]:
    for echo in text.echoes:
        yield echo
        yield from _echoes(echo)
