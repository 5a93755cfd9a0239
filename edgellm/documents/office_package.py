"""A DOCX or PPTX file as its parts, and the same file with some parts changed: the others stay to the last byte."""

from __future__ import annotations

import copy
import io
import posixpath
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from edgellm.documents.formats_archive import damaged, members, part
from edgellm.documents.segment import WrongSuffix
from edgellm.documents.source import Draft, Source

_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
# Parts that Office does without: a broken one is no reason to refuse the rest.
_LESSER = frozenset(("chart", "chartEx", "chartUserShapes", "comments", "diagramData", "diagramDrawing"))
_EMPTY = b"<empty/>"
_NOWHERE = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"/>'
# The ending that a file with a main part of this type must have, or Office does not open it.
_SUFFIXES = {
    "wordprocessingml.document.main+xml": ".docx",
    "vnd.ms-word.document.macroEnabled.main+xml": ".docm",
    "wordprocessingml.template.main+xml": ".dotx",
    "vnd.ms-word.template.macroEnabledTemplate.main+xml": ".dotm",
    "presentationml.presentation.main+xml": ".pptx",
    "vnd.ms-powerpoint.presentation.macroEnabled.main+xml": ".pptm",
    "presentationml.template.main+xml": ".potx",
    "vnd.ms-powerpoint.template.macroEnabled.main+xml": ".potm",
    "presentationml.slideshow.main+xml": ".ppsx",
    "vnd.ms-powerpoint.slideshow.macroEnabled.main+xml": ".ppsm",
}


@dataclass(frozen=True, slots=True)
class Relation:
    """An arrow from one part to another, `target`. `kind` is the last word of its type, such as `header`."""

    id: str
    kind: str
    target: str


class Package:
    """The parts of one file. Raises `DocumentDamaged` wherever they are not what they should be."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._archive = members(source)
        self._trees: dict[str, Any] = {}
        self._broken: set[str] = set()
        self.names = frozenset(self._archive.namelist())

    def root(self, name: str) -> Any:
        """The root element of a part: the same object each time, so that changes of it count."""
        from lxml import etree

        try:
            return self._parsed(name)
        except etree.LxmlError as error:
            raise damaged(self._source) from error

    def _parsed(self, name: str) -> Any:
        from lxml import etree

        if name not in self._trees:
            parser = etree.XMLParser(resolve_entities=False, no_network=True, strip_cdata=False)
            self._trees[name] = etree.fromstring(part(self._source, self._archive, name), parser)
        return self._trees[name]

    def _sound(self, name: str) -> bool:
        """Whether a part, and what says where it points to, can be read; one that cannot stays as it is."""
        from lxml import etree

        try:
            for one in (name, _relations_of(name)):
                if one in self.names:
                    self._parsed(one)
        except etree.LxmlError:
            self._broken.add(name)
            return False
        return True

    def relations(self, name: str) -> tuple[Relation, ...]:
        """What a part points to inside the file, in the order in which it is written there.

        Broken charts, diagrams and comments are left out, and counted in `notes`.
        """
        folder, rels = posixpath.dirname(name), _relations_of(name)
        if rels not in self.names:
            return ()
        found = []
        for one in self.root(rels).iter(_RELATION):
            if one.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, unquote(one.get("Target", "")))).lstrip("/")
                found.append(Relation(one.get("Id", ""), one.get("Type", "").rpartition("/")[2], target))
        there = (one for one in found if one.target in self.names)
        return tuple(one for one in there if one.kind not in _LESSER or self._sound(one.target))

    def check_suffix(self, main: str, suffix: str) -> None:
        """Raises `WrongSuffix` when a file with this main part cannot have that ending."""
        for one in self.root("[Content_Types].xml"):
            if isinstance(one.tag, str) and one.get("PartName", "").lower() == f"/{main}":
                needed = [found for end, found in _SUFFIXES.items() if one.get("ContentType", "").endswith(end)]
                if needed and suffix not in needed:
                    raise WrongSuffix(*needed)

    def notes(self) -> tuple[str, ...]:
        """Sentences about parts that are not what they seem once the file has other texts; ask when it was read."""
        found = []
        if broken := len(self._broken):
            parts = "1 part of it is broken and stays" if broken == 1 else f"{broken} parts of it are broken and stay"
            found.append(f"{parts} as before (charts, diagrams, comments).")
        if any(name.endswith("vbaProject.bin") for name in self.names):
            found.append("It holds macros: they are kept as they are, and were not run.")
        if any(name.startswith("_xmlsignatures/") for name in self.names):
            found.append("It is signed: the signature does not fit the new file.")
        inner = sum("/embeddings/" in name for name in self.names)
        if inner:
            files = (
                "1 file inside of it stays as it is" if inner == 1 else f"{inner} files inside of it stay as they are"
            )
            found.append(f"{files} (worksheets of charts, other documents).")
        return tuple(found)

    def without_broken(self) -> bytes:
        """The file with nothing in its broken charts, diagrams and comments; no bytes where none is broken."""
        for name in self.names:
            folder, base = posixpath.split(name)
            if base.endswith(".rels") and posixpath.basename(folder) == "_rels":
                self.relations(posixpath.join(posixpath.dirname(folder), base.removesuffix(".rels")))
        empty = {name: _EMPTY for name in self._broken}
        empty |= {_relations_of(name): _NOWHERE for name in self._broken}
        return self.written(set(), empty) if self._broken else b""

    def left_out(self) -> str:
        """The note of a reader about the parts that are broken."""
        count = len(self._broken)
        parts = "1 part of it is broken and was" if count == 1 else f"{count} parts of it are broken and were"
        return f"{parts} not read (charts, diagrams, comments)."

    def written(self, changed: set[str], instead: Mapping[str, bytes] = MappingProxyType({})) -> bytes:
        """The file, with what was changed in the trees of some parts, and other bytes `instead` of some."""
        from lxml import etree

        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as new:
            new.comment = self._archive.comment
            for info in self._archive.infolist():
                if info.filename in changed:
                    tree = self._trees[info.filename].getroottree()
                    data = etree.tostring(tree, xml_declaration=True, encoding="UTF-8", standalone=True)
                elif info.filename in instead:
                    data = instead[info.filename]
                else:
                    data = part(self._source, self._archive, info.filename)
                new.writestr(_same_kind(info), data)
        return file.getvalue()


def tolerant(source: Source, read: Callable[[bytes], Draft]) -> Draft:
    """What `read` finds in a file; where a chart, a diagram or a comment is broken, in what is left without it.

    Raises what `read` raises, an `etree.LxmlError` too.
    """
    from lxml import etree

    try:
        return read(source.data)
    except etree.LxmlError:
        package = Package(source)
        data = package.without_broken()
        if not data:
            raise
        found = read(data)
        return replace(found, notes=(*found.notes, package.left_out()))


def _relations_of(name: str) -> str:
    """The part that says what a part points to."""
    folder, base = posixpath.split(name)
    return posixpath.join(folder, "_rels", f"{base}.rels")


def _same_kind(info: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """An entry like the old one, for other data."""
    found = zipfile.ZipInfo(info.filename, info.date_time)
    for name in ("compress_type", "external_attr", "internal_attr", "create_system", "comment"):
        setattr(found, name, copy.copy(getattr(info, name)))
    return found
